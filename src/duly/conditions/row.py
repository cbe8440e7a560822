"""A condition asked of one row: the same truth table as the SQL, in Python."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import TypeAlias

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
)

Value: TypeAlias = int | str | bool | date | None

_COMPARE: Mapping[str, Callable[..., bool]] = MappingProxyType(
    {
        "=": operator.eq,
        "<>": operator.ne,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
    }
)
_COMPUTE: Mapping[str, Callable[[int, int], int]] = MappingProxyType(
    {"+": operator.add, "-": operator.sub, "*": operator.mul}
)


def evaluate(condition: Condition, row: Mapping[str, object]) -> bool | None:
    """Return whether the condition holds for one row; None means unknown.

    A field that the row lacks, or that is None, is unknown. Money is in minor units, dates are
    `datetime.date` values or ISO texts.
    """
    answer = value_of(condition.tree, row)
    assert answer is None or isinstance(answer, bool)
    return answer


def value_of(node: Node, row: Mapping[str, object]) -> Value:
    """Return the value of one node for one row."""
    match node:
        case Literal():
            return date.fromisoformat(str(node.value)) if node.kind == "date" else node.value
        case Name():
            return _value(node, row.get(node.name))
        case Compare():
            left, right = value_of(node.left, row), value_of(node.right, row)
            return None if left is None or right is None else _COMPARE[node.op](left, right)
        case Between():
            return _between(node, row)
        case In():
            item = value_of(node.item, row)
            return None if item is None else item in {value_of(v, row) for v in node.values}
        case IsNull():
            return value_of(node.item, row) is None
        case Not():
            inner = value_of(node.item, row)
            return None if inner is None else not inner
        case And():
            return _all([value_of(item, row) for item in node.items])
        case Or():
            return _any([value_of(item, row) for item in node.items])
        case Arithmetic() | Negative():
            return _number(node, row)
        case Case():
            return _case(node, row)


def _value(node: Name, value: object) -> Value:
    if node.kind == "date" and isinstance(value, str):
        return date.fromisoformat(value)
    assert value is None or isinstance(value, int | str | date), (node.name, value)
    return value


def _all(values: list[Value]) -> bool | None:
    if any(value is False for value in values):
        return False
    return None if any(value is None for value in values) else True


def _any(values: list[Value]) -> bool | None:
    if any(value is True for value in values):
        return True
    return None if any(value is None for value in values) else False


def _between(node: Between, row: Mapping[str, object]) -> bool | None:
    low = Compare(op=">=", left=node.item, right=node.low)
    high = Compare(op="<=", left=node.item, right=node.high)
    return _all([value_of(low, row), value_of(high, row)])


def _number(node: Arithmetic | Negative, row: Mapping[str, object]) -> int | None:
    if isinstance(node, Negative):
        inner = value_of(node.item, row)
        return -inner if isinstance(inner, int) else None
    left, right = value_of(node.left, row), value_of(node.right, row)
    if not isinstance(left, int) or not isinstance(right, int):
        return None
    return _COMPUTE[node.op](left, right)


def _case(node: Case, row: Mapping[str, object]) -> Value:
    for test, value in node.branches:
        if value_of(test, row) is True:
            return value_of(value, row)
    return None if node.otherwise is None else value_of(node.otherwise, row)
