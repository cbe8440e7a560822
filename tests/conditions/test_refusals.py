"""Goal: every mistake is named, with its place. Method: texts with the code and column expected."""

from __future__ import annotations

import pytest
from condition_fields import VOCABULARY
from hypothesis import given, settings
from hypothesis import strategies as st

from duly.conditions import DEPTH_MAX, TEXT_BYTES_MAX, parse

#: Text; (code, column) of each diagnostic, in order.
REFUSED = [
    ("days_past_du > 3", [("unknown_name", 1)]),
    ("replied and pp", [("unknown_name", 13)]),
    (
        "aa = 1 or bb = 2 and cc in (3)",
        [("unknown_name", 1), ("unknown_name", 11), ("unknown_name", 22)],
    ),
    ("f.days_past_due = 1", [("not_allowed", 2)]),
    ("bucket = 'm1'", [("unknown_value", 10)]),
    ("bucket in ('M1', 'M8')", [("unknown_value", 18)]),
    ('bucket = "M1"', [("unknown_name", 10)]),
    ("product = 3", [("kinds_differ", 1)]),
    ("overdue_total > days_past_due", [("kinds_differ", 1)]),
    ("overdue_total > yen", [("kinds_differ", 1)]),
    ("changed_on = product", [("kinds_differ", 1)]),
    ("days_past_due > 2.5", [("not_whole", 17)]),
    ("overdue_total > 20.001", [("too_many_decimals", 17)]),
    ("yen > 1.5", [("too_many_decimals", 7)]),
    ("days_past_due > 1e3", [("bad_number", 17)]),
    ("changed_on > '2026-02-30'", [("not_a_date", 14)]),
    ("changed_on > '2026-2-3'", [("not_a_date", 14)]),
    ("bucket > 'M1'", [("no_order", 1)]),
    ("replied > undelivered", [("no_order", 1)]),
    ("days_past_due", [("not_boolean", 1)]),
    ("replied and late_count", [("not_boolean", 13)]),
    ("not late_count", [("not_boolean", 5)]),
    ("1", [("not_boolean", 1)]),
    ("days_past_due + product > 3", [("not_a_number", 17)]),
    ("- product = 'x'", [("not_a_number", 1)]),
    ("overdue_total * overdue_total > 3", [("money_times_money", 1)]),
    ("late_count * late_count * late_count > 3", [("too_large", 1)]),
    ("days_past_due = null", [("null_literal", 1)]),
    ("days_past_due / 2 = 1", [("division", 15)]),
    ("days_past_due // 2 = 1", [("division", 15)]),
    ("days_past_due % 2 = 1", [("division", 15)]),
    ("abs(days_past_due) = 1", [("function", 1)]),
    ("replied and coalesce(undelivered, true)", [("function", 13)]),
    ("current_date = changed_on", [("function", 1)]),
    ("days_past_due::text = '1'", [("not_allowed", 14)]),
    ("cast(days_past_due as text) = '1'", [("function", 1)]),
    ("days_past_due in (select 1)", [("not_allowed", 19)]),
    ("exists (select 1)", [("function", 1), ("not_allowed", 9)]),
    ("late_count = 1; drop table loans", [("not_allowed", 15)]),
    ("late_count = 1;", [("not_allowed", 15)]),
    ("late_count = $1", [("not_allowed", 14)]),
    ("late_count = ?", [("not_allowed", 14)]),
    ("product like 'x%'", [("not_allowed", 1)]),
    ("replied is true", [("not_allowed", 1)]),
    ("days_past_due is not distinct from 3", [("not_allowed", 1)]),
    ("days_past_due between symmetric 3 and 1", [("not_allowed", 1)]),
    ("late_count = any(days_past_due)", [("function", 14)]),
    ("(late_count, 1) = (1, 1)", [("not_allowed", 2), ("not_allowed", 20)]),
    ("late_count in ()", [("empty_list", 1)]),
    ("late_count in (1, days_past_due)", [("list_of_literals", 19)]),
    ("late_count = 'x", [("unclosed_text", 14)]),
    ("late_count <", [("syntax", 12)]),
    ("late_count = 1 andd replied", [("syntax", 16)]),
    ("late_count = 1 and and replied", [("syntax", 20)]),
    ("(late_count = 1", [("syntax", 15)]),
    ("late_count = 1)", [("syntax", 15)]),
    ("a b c d", [("syntax", 3)]),
    ("", [("empty", 1)]),
    ("   ", [("empty", 1)]),
    ("-- only a remark", [("comment", 1)]),
    ("days_past_due >= 1 -- and false", [("comment", 20)]),
    ("days_past_due /* or */ >= 1", [("comment", 15)]),
    ("true /*+ hint */ -- a", [("comment", 6)]),
    ("late_count = 1 -- or replied", [("comment", 16)]),
    ("late_count = /* 1 or */ 2", [("comment", 14)]),
    ("late_count = 1 /* never closed", [("comment", 16)]),
    ("days_past_due < late_count < 3", [("kinds_differ", 1)]),
    ("case when replied then 1 else 'x' end = 1", [("kinds_differ", 1)]),
    ("case when late_count then 1 end = 1", [("not_boolean", 11)]),
]


@pytest.mark.parametrize(("text", "expected"), REFUSED, ids=[text for text, _ in REFUSED])
def test_a_mistake_is_refused_at_its_place(text: str, expected: list[tuple[str, int]]) -> None:
    parsed = parse(text, VOCABULARY, file="p.yaml", line=7, column=1)
    assert parsed.condition is None
    found = [(item.code, item.line, item.column) for item in parsed.diagnostics]
    assert found == [(code, 7, str(column)) for code, column in expected]
    for item in parsed.diagnostics:
        assert item.render("en").startswith("p.yaml:7:")
        assert "{" not in item.render("en")
        assert "{" not in item.render("zh-CN")


def test_the_sentence_says_what_was_meant() -> None:
    parsed = parse("days_past_du > 3", VOCABULARY, file="p.yaml", line=7, column=9)
    assert [item.render("en") for item in parsed.diagnostics] == [
        "p.yaml:7:9 unknown_name days_past_du is not a known name; did you mean days_past_due?"
    ]
    assert parsed.diagnostics[0].sentence("zh-CN") == "days_past_du 不是已知的名称"


def test_a_mistake_on_a_later_line_has_that_line() -> None:
    parsed = parse("replied\n  and lat_count = 1", VOCABULARY, file="p.yaml", line=7, column=9)
    assert [(item.line, item.column) for item in parsed.diagnostics] == [(8, "7")]


def test_chinese_text_before_a_mistake_counts_one_column_a_character() -> None:
    parsed = parse("product = '消费贷' and x = 1", VOCABULARY, line=1, column=1)
    assert [(item.code, item.column) for item in parsed.diagnostics] == [("unknown_name", "21")]


class TestLimits:
    def test_a_text_of_four_kilobytes_is_read_and_one_byte_more_is_refused(self) -> None:
        text = "late_count = 1".ljust(TEXT_BYTES_MAX)
        assert parse(text, VOCABULARY).diagnostics == ()
        refused = parse(text + " ", VOCABULARY, line=3, column=5).diagnostics
        assert [(item.code, item.line, item.column) for item in refused] == [("too_long", 3, "5")]

    @pytest.mark.parametrize(
        ("text", "column"),
        [
            ("(" * 51 + "replied" + ")" * 51, 51),
            ("(" * 2000 + "replied" + ")" * 2000, 51),
            ("not " * 51 + "replied", 201),
            ("not " * 1000 + "replied", 201),
            ("- " * 51 + "late_count = 1", 101),
            ("case when " * 51 + "replied" + " then replied end" * 51, 501),
            ("replied = not " * 60 + "replied", 711),
        ],
        ids=["parentheses", "many parentheses", "not", "many not", "signs", "case", "not between"],
    )
    def test_nesting_beyond_the_limit_is_refused_at_its_place(self, text: str, column: int) -> None:
        refused = parse(text, VOCABULARY, line=1, column=1).diagnostics
        assert [(item.code, item.column) for item in refused] == [("too_deep", str(column))]

    def test_nesting_at_the_limit_is_read(self) -> None:
        text = "(" * DEPTH_MAX + "replied" + ")" * DEPTH_MAX
        assert parse(text, VOCABULARY).diagnostics == ()
        assert parse("not " * (DEPTH_MAX - 1) + "replied", VOCABULARY).diagnostics == ()

    def test_a_long_sum_is_refused_and_a_short_one_read(self) -> None:
        read = parse("late_count" + " + 1" * 40 + " > 0", VOCABULARY)
        assert read.diagnostics == ()
        refused = parse("late_count" + " + 1" * 60 + " > 0", VOCABULARY).diagnostics
        assert [item.code for item in refused] == ["too_deep"]


_WORDS = """
    replied late_count overdue_total bucket 'M1' 1 2.5 null true and or not in between is case when
    then else end ( ) , = < <> + - * / :: ; . select exists interval date array [ ] { } ' " $ @ 征
"""
WORDS = [*_WORDS.split(), "\n"]


@settings(max_examples=400, deadline=None)
@given(words=st.lists(st.sampled_from(WORDS), max_size=12))
def test_no_text_breaks_the_reader(words: list[str]) -> None:
    parsed = parse(" ".join(words), VOCABULARY, file="p.yaml", line=2, column=3)
    assert (parsed.condition is None) == bool(parsed.diagnostics)
    for item in parsed.diagnostics:
        assert item.line >= 2
        assert int(item.column) >= 1
