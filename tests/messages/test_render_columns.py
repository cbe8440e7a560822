"""The texts of a run, written by columns, are those written one by one; so are the codes."""

from __future__ import annotations

from dataclasses import fields
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from message_facts import EXAMPLE, due, facts

from duly.messages import (
    CannotSay,
    Facts,
    check_code,
    check_codes,
    fill_code,
    fill_codes,
    render_columns,
    render_table,
)
from duly.messages.catalog import TONES, templates

KEY = b"0123456789abcdef"
SAME = ("as_of", "as_of_time")
KINDS = {
    "loan_ids": pa.list_(pa.string()),
    "accrues": pa.bool_(),
    **dict.fromkeys(("overdue_since", "answer_by", "agency_from"), pa.date32()),
    **dict.fromkeys(
        [field.name for field in fields(Facts) if field.name.endswith("_on")], pa.date32()
    ),
}
LATE = facts(days_past_due=99)
NOT_LATE = due(as_of=LATE.as_of, as_of_time=LATE.as_of_time, next_due_on=date(2026, 4, 13))
NAMES = (
    "张晓明",
    "欧阳锋",
    "Zhang Xiaoming",
    "",
    "{code}",
    "Łukasz",
    "𠮷野家",
    "𝒜lice",
    "a\u202eb",
)


def rows_of(orders: list[tuple[str, str, str, str, Facts]]) -> dict[str, list[object]]:
    """Give the columns that `render_table` takes."""
    columns: dict[str, list[object]] = {
        "message_id": [f"m-{place}" for place in range(len(orders))],
        "template": [one[0] for one in orders],
        "locale": [one[1] for one in orders],
        "channel": [one[2] for one in orders],
        "tone": [one[3] for one in orders],
    }
    for field in fields(Facts):
        columns[field.name] = [getattr(one[4], field.name) for one in orders]
    return columns


def table_of(columns: dict[str, list[object]]) -> pa.Table:
    return pa.table(
        {
            name: pa.array([list(v) if isinstance(v, tuple) else v for v in values],
                           KINDS.get(name))
            for name, values in columns.items()
            if name not in SAME
        }
    )  # fmt: skip


def by_columns(columns: dict[str, list[object]]) -> dict[str, list[object]]:
    made = render_columns(table_of(columns), EXAMPLE, as_of=LATE.as_of, as_of_time=LATE.as_of_time)
    return {name: column.to_pylist() for name, column in made.items()}


def agree(columns: dict[str, list[object]]) -> None:
    expected = render_table(columns, EXAMPLE)
    assert by_columns(columns) == {name: expected[name] for name in ("text", "params", "segments")}


def fitting(template: str, locale: str) -> Facts:
    stage = templates()[template, locale].stage
    return NOT_LATE if stage in ("before_due", "due_day") else LATE


VARIANTS = [
    (template, locale, channel, tone)
    for template, locale in sorted(templates())
    for channel in ("sms", "email")
    for tone in TONES
]


def test_every_template_is_the_same_text():
    agree(rows_of([(*one, fitting(*one[:2])) for one in VARIANTS]))


@settings(deadline=None)  # The first text in traditional characters reads their converter.
@given(
    st.lists(
        st.tuples(
            st.sampled_from(VARIANTS),
            st.sampled_from(NAMES),
            st.sampled_from(("CNY", "USD", "JPY", "KWD")),
            st.integers(1, 10**12),
            st.integers(0, 10**9),
            st.integers(95, 900),
            st.sampled_from((("L-1",), ("甲-22",), ("A-1", "B-2"), ("ABC-9Z", "2", "3"))),
            st.booleans(),
        ),
        min_size=1,
        max_size=60,
    )
)
def test_whatever_the_facts_are(drawn):
    orders = []
    for variant, name, currency, principal, charge, days, loans, accrues in drawn:
        base = fitting(*variant[:2])
        given_ = {
            "name": name,
            "currency": currency,
            "loan_ids": loans,
            "accrues": accrues,
            "next_due_amount": principal,
        }
        if base is LATE:
            given_ |= {
                "overdue_principal": principal,
                "overdue_interest": 0,
                "late_charge": charge,
                "overdue_total": principal + charge,
                "days_past_due": days,
            }
        orders.append((*variant, Facts(**{**vars(base), **given_})))
    agree(rows_of(orders))


def test_what_the_facts_do_not_carry_is_refused_in_the_same_words():
    columns = rows_of(
        [
            ("overdue", "zh-CN", "sms", "plain", LATE),
            ("overdue", "zh-CN", "sms", "plain", facts(overdue_total=1, as_of=LATE.as_of)),
        ]
    )
    with pytest.raises(CannotSay) as one_by_one:
        render_table(columns, EXAMPLE)
    with pytest.raises(CannotSay) as together:
        by_columns(columns)
    assert str(together.value) == str(one_by_one.value)


def test_no_order_gives_no_text():
    empty = table_of(rows_of([("overdue", "zh-CN", "sms", "plain", LATE)])).slice(0, 0)
    made = render_columns(empty, EXAMPLE, as_of=LATE.as_of, as_of_time=LATE.as_of_time)
    assert {name: column.to_pylist() for name, column in made.items()} == {
        "text": [],
        "params": [],
        "segments": [],
    }


@given(st.lists(st.text(max_size=40)), st.binary(min_size=16, max_size=80))
def test_codes_are_those_of_each_id(ids, key):
    codes = check_codes(key, pa.chunked_array([pa.array(ids, pa.string())]))
    assert codes.to_pylist() == [check_code(key, one) for one in ids]


def test_a_short_key_gives_no_code():
    with pytest.raises(ValueError, match="at least 16 bytes"):
        check_codes(KEY[:15], pa.chunked_array([pa.array(["m-1"])]))


def test_codes_fill_their_holes():
    texts = ["{code}", "a{code}", "{code}。", "核验码{code}，谢谢"]
    codes = check_codes(KEY, pa.chunked_array([pa.array(["1", "2", "3", "4"])]))
    filled = fill_codes(pa.chunked_array([pa.array(texts[:1]), pa.array(texts[1:])]), codes)
    assert filled.to_pylist() == [
        fill_code(text, code) for text, code in zip(texts, codes.to_pylist(), strict=True)
    ]


@pytest.mark.parametrize("text", ["no hole", "{code} and {code}"])
def test_a_text_without_exactly_one_hole_is_refused(text):
    codes = check_codes(KEY, pa.chunked_array([pa.array(["1"])]))
    with pytest.raises(ValueError, match="exactly one hole"):
        fill_codes(pa.chunked_array([pa.array([text])]), codes)
