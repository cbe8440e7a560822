"""Goal: no plan sends a text that breaks a rule about texts, and none is lost to one long name.

Method: orders of every kind are written and asked at once, and each text row by row by the oracle;
then whole plans of cases whose text is long, under the packs of one country and of several.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from case_book import EXAMPLE_LENDER, dated, group
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_made import KEY, Made, make, write_book_json
from ruamel.yaml import YAML

from duly.book import load_lender
from duly.messages import amounts_in, load_templates
from duly.plan import closing
from duly.plan.explain import explain_loan
from duly.plan.explain_page import page
from duly.plan.inputs import PlanInputs, rules_of
from duly.plan.replay import replay

AT = datetime.fromisoformat("2026-03-10T10:00:00+08:00")
BUILT_IN = Path(__file__).parents[2] / "src/duly/policy/builtin/cn-installment.yaml"
LATE = {"late": 10, "contacts": [{"channel": "sms", "at": "-40d 10:00"}]}
MAILED = {"points": [{"channel": "sms"}, {"channel": "email"}]}
TO_NOTICE = ("template: first_late", "template: standard_notice")

#: One conversation each: (template, its tones in a plan).
TEMPLATES = ("first_late", "overdue", "plan_offer", "credit_notice", "card_refused", "due_soon",
             "returned_payment", "check_details", "itemized", "help_first", "options")  # fmt: skip


# --- Asked at once, and row by row ---


@cache
def inputs_of(packs: tuple[str, ...]) -> PlanInputs:
    lender = replace(load_lender(None), packs=packs)
    snapshot: Any = SimpleNamespace(cut_at=None)
    return PlanInputs(
        snapshot=snapshot, instant=AT, lender=lender, policy=SimpleNamespace(), champion=None,  # type: ignore[arg-type]
        rules=rules_of(lender, AT.date()), catalogue=load_templates(None),
    )  # fmt: skip


PACKS = (("decency", "cn"), ("decency", "cn", "in"), ("decency", "uk"), ("decency", "us", "cn"))
NAMES = st.sampled_from(
    [
        "张三",
        "欧阳晓明",
        "王八",
        "退小订",
        "律师函",
        "勿忘",
        "Ann Lee",
        "",
        "𠮷野",
        "小王",
        "老赖",
        "Q Q",
    ]
)
MINOR = st.one_of(st.integers(1, 99_999), st.integers(1, 10**13))
DAYS = st.dates(date(2025, 1, 1), date(2026, 3, 9))


CLASSES = load_templates(None).classes


@st.composite
def order(draw: Any) -> dict[str, Any]:
    total = draw(MINOR)
    template = draw(st.sampled_from(TEMPLATES))
    soon = template == "due_soon"
    loans = draw(st.lists(st.text("0123456789AZ-", min_size=1, max_size=12), min_size=1,
                          max_size=3, unique=True))  # fmt: skip
    return {
        "borrower_id": "B", "loan_ids": loans, "channel": draw(st.sampled_from(["sms", "email"])),
        "address": "a", "locale": draw(st.sampled_from(["zh-CN", "zh-TW", "en"])),
        "class": CLASSES[template], "template": template,
        "tone": draw(st.sampled_from(["gentle", "plain", "serious"])),
        "not_before": None, "not_after": None,
        "name": draw(NAMES), "currency": draw(st.sampled_from(["CNY", "CNY", "USD", "TWD"])),
        "overdue_total": 0 if soon else total, "overdue_principal": total, "overdue_interest": 0,
        "overdue_fee": 0, "late_charge": 0,
        "days_past_due": 0 if soon else draw(st.integers(61, 400)),
        "overdue_since": None if soon else draw(DAYS), "next_due_on": date(2026, 3, 13),
        "next_due_amount": total, "debit_time": draw(st.sampled_from([None, "17:30"])),
        "accrues": draw(st.booleans()) and not soon, "several_due": draw(st.booleans()),
        "report_on": date(2026, 4, 22), "met_before": draw(st.booleans()), "paid_on": None,
        "paid_amount": 0,
    }  # fmt: skip


def test_what_is_said_breaks_no_rule_and_what_breaks_one_is_not_said() -> None:
    for packs in PACKS:
        closing.say(ORDERS.empty_table(), inputs_of(packs), own=True)  # Loads what is loaded once.
    says_what_the_oracle_says()


@given(st.sampled_from(PACKS), st.lists(order(), min_size=1, max_size=12), st.booleans())
@settings(max_examples=25, deadline=None)
def says_what_the_oracle_says(
    packs: tuple[str, ...], rows: list[dict[str, Any]], own: bool
) -> None:
    inputs = inputs_of(packs)
    orders = pa.Table.from_pylist(
        [{**row, "message_id": f"m{place:03}"} for place, row in enumerate(rows)], ORDERS
    )
    said = closing.say(orders, inputs, own=own)
    found = {one.message_id: {broken.rule_id for broken in one.broken} for one in said.unlawful}
    for row, message in zip(rows, said.messages.to_pylist(), strict=True):
        first = {"first_contact": False} if row["met_before"] else {}
        facts = inputs.asked.facts(
            message["class"], message["channel"], template=message["template"],
            tone=message["tone"], in_own_name=own, **first,
            amounts=amounts_in(json.loads(message["params"]).values()),
        )  # fmt: skip
        broken = {one.rule_id for one in inputs.asked.broken(message["text"], facts)}
        assert found.get(message["message_id"], set()) == broken, message["text"]


_KINDS = {"loan_ids": pa.list_(pa.string()), "overdue_since": pa.date32(),
          "next_due_on": pa.date32(), "report_on": pa.date32(), "paid_on": pa.date32(),
          "not_before": pa.timestamp("us"), "not_after": pa.timestamp("us"),
          "accrues": pa.bool_(), "several_due": pa.bool_(), "met_before": pa.bool_()}  # fmt: skip
_MINOR = ("overdue_total", "overdue_principal", "overdue_interest", "overdue_fee", "late_charge",
          "next_due_amount", "paid_amount")  # fmt: skip
_TEXT = ("message_id", "borrower_id", "channel", "address", "locale", "class", "template", "tone",
         "name", "currency", "debit_time")  # fmt: skip
ORDERS = pa.schema(
    [*((name, pa.string()) for name in _TEXT), *_KINDS.items(),
     *((name, pa.int64()) for name in _MINOR), ("days_past_due", pa.int32())]
)  # fmt: skip


# --- Whole plans ---


@pytest.fixture
def planned(tmp_path: Path, write_book: Any) -> Any:
    """Give the function that plans cases with the built-in policy, a text of it exchanged."""

    def plan(
        *cases: Mapping[str, Any],
        packs: tuple[str, ...] = ("decency", "cn"),
        replaced: tuple[str, str] = TO_NOTICE,
    ) -> Made:
        made = group("text", {"at": AT.isoformat(), "cases": list(cases)})
        book = write_book(tmp_path / "books", made.tables)
        write_book_json(book, dated(made, dict(made.book or {})))
        file = tmp_path / "lender.yaml"
        with file.open("w", encoding="utf-8") as opened:
            YAML(typ="safe").dump(
                YAML(typ="safe").load(EXAMPLE_LENDER) | {"packs": list(packs)}, opened
            )
        policy = tmp_path / "policy.yaml"
        text = BUILT_IN.read_text(encoding="utf-8")
        assert replaced[0] in text
        policy.write_text(text.replace(*replaced), encoding="utf-8")
        return make(book, tmp_path / "plan", at=made.instant, lender=file, policy=str(policy))

    return plan


def rows_of(made: Made) -> list[tuple[Any, ...]]:
    names = ("decision", "reason", "channel", "legal")
    return [tuple(row[name] for name in names) for row in made.decisions.values()]


def test_a_long_text_goes_by_e_mail_else_a_person_looks_and_all_others_are_written_to(planned):
    short = {**LATE, "late": 40, "contacts": [{"channel": "sms", "at": "-40d 10:00"}]}
    made = planned(LATE | MAILED, LATE, short | {"paid_late": [0]})
    mailed, silent, other = rows_of(made)
    assert mailed == ("contact", "standard_notice", "email", ["CN-SMS-6"])
    assert silent == ("task", "text_unlawful", None, ["CN-SMS-6"])
    row = list(made.decisions.values())[1]
    assert (row["task_kind"], row["priority"], row["not_before"]) == ("review", 5, None)
    assert other[0] == "contact"
    assert other[3] == []
    assert sorted(one["channel"] for one in made.messages.values()) == ["email", "sms"]
    alert = next(one for one in made.run["alerts"] if one["code"] == "text_too_long")
    assert {name: alert["values"][name] for name in ("text", "rule", "count")} == {
        "text": "standard_notice.zh-CN.sms.gentle", "rule": "CN-SMS-6", "count": "2",
    }  # fmt: skip
    loan = list(made.decisions)[1]
    found = explain_loan(made.path, loan, clock=lambda: 0.0)
    (unsaid,) = found["unlawful"]
    (rule,) = unsaid["rules"]
    assert (rule["id"], rule["over"]) == ("CN-SMS-6", unsaid["length"] - 134)
    assert f"超出 {rule['over']} 字" in page(found, "zh-CN")
    assert f"{rule['over']} characters too many" in page(found, "en")
    again = replay(made.path, key=KEY, loan_id=None, clock=lambda: 0.0, threads=1)
    assert again.differences == ()


def test_without_the_pack_that_counts_the_long_text_is_a_text_message(planned):
    made = planned({**LATE, "terms": {"jurisdiction": "eu"}}, packs=("decency", "eu"))
    assert rows_of(made) == [("contact", "standard_notice", "sms", [])]


def test_several_packs_hold_together_and_every_reason_is_kept(planned):
    made = planned(
        {**LATE, "borrower": {"locale": "en"}}, {**LATE, "borrower": {"locale": "en"}} | MAILED,
        packs=("decency", "cn", "in"), replaced=("version: 1", "version: 1"),
    )  # fmt: skip
    silent, mailed = rows_of(made)
    assert silent == (
        "task",
        "text_unlawful",
        None,
        ["IN-HOURS-1", "CN-ID-1", "CN-SMS-3", "CN-SMS-6"],
    )
    assert mailed == (
        "contact",
        "first_late",
        "email",
        ["IN-HOURS-1", "CN-ID-1", "CN-SMS-3", "CN-SMS-6"],
    )


def test_the_first_text_warns_of_private_accounts_and_the_next_one_need_not(planned):
    kept = ("version: 1", "version: 1")
    late = {"late": 10, "paid_late": [3, 3, 0]}
    made = planned(late, late | {"contacts": LATE["contacts"]}, replaced=kept)
    first, next_one = (made.message_of(loan) for loan in made.decisions)
    assert first is not None
    assert next_one is not None
    assert first["template"] == next_one["template"] == "overdue"
    assert first["text"].endswith("。请勿转账给个人")
    assert "个人" not in next_one["text"]
    assert len(first["text"]) <= 134
