"""A condition told with the values of one row: each comparison and whether it held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from duly.conditions.row import Value, value_of
from duly.conditions.tree import (
    And,
    Arithmetic,
    Between,
    Case,
    Compare,
    Condition,
    In,
    IsNull,
    Literal,
    Name,
    Negative,
    Node,
    Not,
    Or,
    children,
    decimals_of,
    kind_of,
)


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """One comparison with its values, such as `days_delinquent 4 between 1 and 6`."""

    text: str
    held: bool | None  #: None: unknown, because a value is missing


def describe(condition: Condition, row: Mapping[str, object]) -> tuple[Leaf, ...]:
    """Return the comparisons of a condition in the order of its text, asked of one row."""
    leaves: list[Leaf] = []
    _gather(condition.tree, row, leaves)
    return tuple(leaves)


def _gather(node: Node, row: Mapping[str, object], leaves: list[Leaf]) -> None:
    if isinstance(node, And | Or) or (isinstance(node, Not) and not _is_leaf(node.item)):
        for child in children(node):
            _gather(child, row, leaves)
        return
    held = value_of(node, row)
    assert held is None or isinstance(held, bool)
    leaves.append(Leaf(text=_told(node, row), held=held))


def _is_leaf(node: Node) -> bool:
    return not isinstance(node, And | Or | Not | Case)


def _told(node: Node, row: Mapping[str, object]) -> str:
    match node:
        case Literal():
            return _value(node.value, node)
        case Name():
            return f"{node.name} {_value(value_of(node, row), node)}"
        case Compare():
            return f"{_told(node.left, row)} {node.op} {_told(node.right, row)}"
        case Between():
            return f"{_told(node.item, row)} between {_told(node.low, row)} and " + _told(
                node.high, row
            )
        case In():
            values = ", ".join(_told(value, row) for value in node.values)
            return f"{_told(node.item, row)} in ({values})"
        case IsNull():
            return f"{_told(node.item, row)} is null"
        case Not():
            return f"not {_told(node.item, row)}"
        case Arithmetic():
            return f"({_told(node.left, row)} {node.op} {_told(node.right, row)})"
        case Negative():
            return f"-{_told(node.item, row)}"
        case And() | Or():
            word = " and " if isinstance(node, And) else " or "
            return "(" + word.join(_told(item, row) for item in node.items) + ")"
        case Case():
            return _told_case(node, row)


def _told_case(node: Case, row: Mapping[str, object]) -> str:
    branches = " ".join(
        f"when {_told(test, row)} then {_told(value, row)}" for test, value in node.branches
    )
    last = "" if node.otherwise is None else f" else {_told(node.otherwise, row)}"
    return f"case {branches}{last} end"


def _value(value: Value, node: Node) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return _major(value, decimals_of(node)) if kind_of(node) == "money" else str(value)
    return f"'{value}'"


def _major(minor: int, decimals: int) -> str:
    sign, digits = ("-" if minor < 0 else ""), str(abs(minor)).rjust(decimals + 1, "0")
    return sign + (f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits)
