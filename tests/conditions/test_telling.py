"""Goal: explanations show each comparison with its values; places point into the YAML file."""

from __future__ import annotations

import importlib

import pytest
from condition_fields import VOCABULARY

import duly.conditions
from duly.conditions import describe, parse, place_in_scalar


def _told(text: str, row: dict[str, object]) -> list[tuple[str, bool | None]]:
    condition = parse(text, VOCABULARY).condition
    assert condition is not None
    return [(leaf.text, leaf.held) for leaf in describe(condition, row)]


def test_each_comparison_is_told_with_its_value_and_whether_it_held() -> None:
    row = {"days_past_due": 4, "late_count": 2, "bucket": "M1", "overdue_total": 73667}
    text = (
        "days_past_due between 1 and 6 and (late_count <= 1 or bucket in ('M0', 'M1'))"
        " and overdue_total >= 20 and not replied and days_to_due is null"
    )
    assert _told(text, row) == [
        ("days_past_due 4 between 1 and 6", True),
        ("late_count 2 <= 1", False),
        ("bucket 'M1' in ('M0', 'M1')", True),
        ("overdue_total 736.67 >= 20.00", True),
        ("not replied null", None),
        ("days_to_due null is null", True),
    ]


def test_arithmetic_shows_each_operand() -> None:
    row = {"overdue_total": 5, "monthly_income": -150, "yen": 7}
    assert _told("overdue_total + 2 * monthly_income > -1.00", row) == [
        ("(overdue_total 0.05 + (2 * monthly_income -1.50)) > -1.00", False)
    ]
    assert _told("yen = 7", row) == [("yen 7 = 7", True)]


def test_a_choice_is_told_whole() -> None:
    assert _told("case when replied then late_count else 0 end = 0", {"replied": False}) == [
        ("case when replied false then late_count null else 0 end = 0", True)
    ]


@pytest.mark.parametrize(
    ("source", "line", "column", "text", "offset", "expected"),
    [
        ("if: late = 1", 1, 5, "late = 1", 5, (1, 10)),
        ("if: late\n  and x", 1, 5, "late and x", 9, (2, 7)),
        ("if: >-\n  late\n  and x\n", 2, 1, "late and x", 9, (3, 7)),
        ("if: |\n  late\n  and x\n", 2, 1, "late\nand x\n", 9, (3, 7)),
        ("if: 'a = ''b'' or x'", 1, 6, "a = 'b' or x", 11, (1, 19)),
        ('if: "a = \\"b\\" or x"', 1, 6, 'a = "b" or x', 11, (1, 19)),
        ('if: "\\u0061 = x"', 1, 6, "a = x", 4, (1, 15)),
    ],
    ids=["plain", "folded plain", "folded", "literal", "single quotes", "double quotes", "escape"],
)
def test_a_place_in_a_yaml_scalar_is_found(
    source: str, line: int, column: int, text: str, offset: int, expected: tuple[int, int]
) -> None:
    assert place_in_scalar(source, line, column, text)(offset) == expected


def test_the_public_names_are_sorted_and_exist() -> None:
    for name in ("duly.conditions", "duly.policy", "duly.risk"):
        package = importlib.import_module(name)
        assert list(package.__all__) == sorted(package.__all__, key=_order)
        for public in package.__all__:
            assert hasattr(package, public)
    assert duly.conditions.__doc__


def _order(name: str) -> tuple[int, str]:
    kind = 0 if name.isupper() else 1 if name[0].isupper() else 2
    return (kind, name)
