"""Goal: a condition means what SQL says. Method: pairs of text and the SQL that it becomes."""

from __future__ import annotations

import pytest
from condition_fields import VOCABULARY

from duly.conditions import parse, to_sql

_WIDE = "DECIMAL(38, 0)"
PAIRS = [
    ("days_past_due between 1 and 7", '("days_past_due" BETWEEN 1 AND 7)'),
    ("not replied and late_count = 0", '((NOT "replied") AND ("late_count" = 0))'),
    (
        "replied or undelivered and late_count = 0",
        '("replied" OR ("undelivered" AND ("late_count" = 0)))',
    ),
    (
        "late_count = 1 and late_count = 2 and late_count = 3",
        '(("late_count" = 1) AND ("late_count" = 2) AND ("late_count" = 3))',
    ),
    ("overdue_total >= 20", '("overdue_total" >= 2000)'),
    ("overdue_total >= 20.5", '("overdue_total" >= 2050)'),
    ("yen >= 20", '("yen" >= 20)'),
    ("0.01 < overdue_total", '(1 < "overdue_total")'),
    ("days_to_due = -3", f'("days_to_due" = (- CAST(3 AS {_WIDE})))'),
    ("days_to_due in (3, -1, 0)", '("days_to_due" IN (3, (-1), 0))'),
    ("days_to_due not in (3)", '(NOT ("days_to_due" IN (3)))'),
    ("days_to_due is not null", '(NOT ("days_to_due" IS NULL))'),
    ("product = 'it''s'", "(\"product\" = 'it''s')"),
    ("bucket in ('M1', 'M7+')", "(\"bucket\" IN ('M1', 'M7+'))"),
    ("'M1' <> bucket", "('M1' <> \"bucket\")"),
    ("bucket != 'M1'", "(\"bucket\" <> 'M1')"),
    ("changed_on >= '2026-02-28'", "(\"changed_on\" >= CAST('2026-02-28' AS DATE))"),
    ("replied = true", '("replied" = TRUE)'),
    ("true", "TRUE"),
    ("class = 'dunning' and at = 'x'", "((\"class\" = 'dunning') AND (\"at\" = 'x'))"),
    (
        "overdue_total * 2 > monthly_income",
        f'((CAST("overdue_total" AS {_WIDE}) * CAST(2 AS {_WIDE})) > "monthly_income")',
    ),
    (
        "2.50 * late_count < overdue_total",
        f'((CAST(250 AS {_WIDE}) * CAST("late_count" AS {_WIDE})) < "overdue_total")',
    ),
    (
        "overdue_total - 20 > 10 * 3",
        f'((CAST("overdue_total" AS {_WIDE}) - CAST(2000 AS {_WIDE}))'
        f" > (CAST(1000 AS {_WIDE}) * CAST(3 AS {_WIDE})))",
    ),
    (
        "case when replied then 1 when undelivered then 2.5 else overdue_total end > 3",
        '((CASE WHEN "replied" THEN 100 WHEN "undelivered" THEN 250 ELSE "overdue_total" END)'
        " > 300)",
    ),
    (
        "case bucket when 'M1' then replied end",
        '(CASE WHEN ("bucket" = \'M1\') THEN "replied" END)',
    ),
    ("product = '-- /* no remark */'", "(\"product\" = '-- /* no remark */')"),
    (
        "not replied = undelivered",
        '(NOT ("replied" = "undelivered"))',
    ),
]


@pytest.mark.parametrize(("text", "expected"), PAIRS, ids=[text for text, _ in PAIRS])
def test_a_condition_becomes_its_sql(text: str, expected: str) -> None:
    parsed = parse(text, VOCABULARY)
    assert [item.render("en") for item in parsed.diagnostics] == []
    assert parsed.condition is not None
    assert to_sql(parsed.condition) == expected


def test_a_condition_knows_its_fields() -> None:
    condition = parse("days_past_due > late_count or product is null", VOCABULARY).condition
    assert condition is not None
    assert condition.fields == frozenset({"days_past_due", "late_count", "product"})


def test_the_prefix_stands_before_each_column() -> None:
    condition = parse("days_past_due > late_count", VOCABULARY).condition
    assert condition is not None
    assert to_sql(condition, "f.") == '(f."days_past_due" > f."late_count")'


def test_trees_are_equal_when_only_blanks_and_parentheses_differ() -> None:
    one = parse("days_past_due>=1 and replied", VOCABULARY).condition
    other = parse("( days_past_due >= 1 )\n  AND replied", VOCABULARY).condition
    assert one is not None
    assert other is not None
    assert one.tree == other.tree
    assert one != other  # The texts differ, and explanations show the text.


def test_many_comparisons_in_a_row_are_not_deep() -> None:
    text = " or ".join(f"late_count={n}" for n in range(230))
    assert parse(text, VOCABULARY).diagnostics == ()
