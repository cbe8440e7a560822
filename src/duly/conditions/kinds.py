"""Which kinds may stand together, and what a number literal becomes beside them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Literal as Choice

from duly.conditions.tree import (
    Arithmetic,
    Case,
    Kind,
    Literal,
    Name,
    Negative,
    Node,
    OpenKind,
    children,
    decimals_of,
    kind_of,
)

BOUND = 10**38  #: from it on DECIMAL(38) arithmetic could overflow
FIELD_BOUND = 2**63  #: columns are at most BIGINT

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class KindError(Exception):
    """Two kinds that do not go together, or a literal that its kind does not take."""

    def __init__(self, code: str, **values: object) -> None:
        self.code = code
        self.values = values
        super().__init__(code)


def is_number(kind: OpenKind) -> bool:
    """Return whether the kind takes part in arithmetic."""
    return kind in {"integer", "money", "number"}


def settle(node: Node, kind: OpenKind, decimals: int = 0) -> Node:
    """Return the node with its open number literals given a kind; refuse (KindError)."""
    if kind_of(node) != "number" or kind == "number":
        return node
    assert kind in {"integer", "money"}
    closed: Kind = "money" if kind == "money" else "integer"
    match node:
        case Literal():
            return _close(node, closed, decimals)
        case Negative():
            inner = settle(node.item, closed, decimals)
            return Negative(item=inner, kind=closed, decimals=decimals)
        case Arithmetic(op="*"):
            left, right = node.left, node.right
            if closed == "money" and _has_point(right) and not _has_point(left):
                left, right = right, left
            first, second = settle(left, closed, decimals), settle(right, "integer")
            return replace(node, left=first, right=second, kind=closed, decimals=decimals)
        case Arithmetic():
            left, right = (settle(side, closed, decimals) for side in (node.left, node.right))
            return replace(node, left=left, right=right, kind=closed, decimals=decimals)
        case Case():
            branches = tuple(
                (test, settle(value, closed, decimals)) for test, value in node.branches
            )
            last = None if node.otherwise is None else settle(node.otherwise, closed, decimals)
            return replace(node, branches=branches, otherwise=last, kind=closed, decimals=decimals)
    raise AssertionError(node)


def _has_point(node: Node) -> bool:
    if isinstance(node, Literal):
        return "." in str(node.value)
    return any(_has_point(child) for child in children(node))


def _close(node: Literal, kind: Kind, decimals: int) -> Literal:
    text = str(node.value)
    whole, point, fraction = text.partition(".")
    if kind == "integer":
        if point:
            raise KindError("not_whole", value=text)
        return Literal(kind="integer", value=int(whole))
    if len(fraction) > decimals:
        raise KindError("too_many_decimals", value=text, decimals=decimals)
    minor = int(whole + fraction.ljust(decimals, "0"))
    return Literal(kind="money", value=minor, decimals=decimals)


def settle_alone(node: Node) -> Node:
    """Return a number without a partner as money where it has a decimal point, else integer."""
    if kind_of(node) != "number":
        return node
    return settle(node, "money", 2) if _has_point(node) else settle(node, "integer")


def unite(left: Node, right: Node) -> tuple[Node, Node]:
    """Return two nodes brought to one kind; refuse (KindError) kinds that do not compare."""
    kinds = (kind_of(left), kind_of(right))
    if kinds == ("number", "number"):
        if _has_point(left) or _has_point(right):
            return settle(left, "money", 2), settle(right, "money", 2)
        return left, right
    if kinds[0] == "number" and is_number(kinds[1]):
        return settle(left, kinds[1], decimals_of(right)), right
    if kinds[1] == "number" and is_number(kinds[0]):
        return left, settle(right, kinds[0], decimals_of(left))
    if kinds == ("date", "text"):
        return left, _date_literal(right)
    if kinds == ("text", "date"):
        return _date_literal(left), right
    if kinds[0] != kinds[1] or decimals_of(left) != decimals_of(right):
        raise KindError("kinds_differ", left=kinds[0], right=kinds[1])
    return left, right


def _date_literal(node: Node) -> Literal:
    if not isinstance(node, Literal):
        raise KindError("kinds_differ", left="date", right="text")
    text = str(node.value)
    if not _is_date(text):
        raise KindError("not_a_date", value=text)
    return Literal(kind="date", value=text)


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def unite_all(nodes: Sequence[Node]) -> list[Node]:
    """Return nodes brought to one kind; refuse (KindError) kinds that differ."""
    united = list(nodes)
    for _ in range(2):  # The second pass settles what stood before the first kind known.
        for at in range(1, len(united)):
            united[0], united[at] = unite(united[0], united[at])
    return united


def total(op: Choice["+", "-"], left: Node, right: Node) -> Arithmetic:
    """Return `left op right`: both sides are brought to one kind (KindError)."""
    left, right = unite(left, right)
    return Arithmetic(op=op, left=left, right=right, kind=kind_of(left), decimals=decimals_of(left))


def product(left: Node, right: Node) -> Arithmetic:
    """Return `left * right`: money times money is refused (KindError)."""
    kinds = (kind_of(left), kind_of(right))
    if kinds == ("money", "money"):
        raise KindError("money_times_money")
    if kinds == ("number", "number"):
        return Arithmetic(op="*", left=left, right=right, kind="number")
    if kinds[0] == "number":
        left = _factor(left, kinds[1])
    if kinds[1] == "number":
        right = _factor(right, kinds[0])
    money = [side for side in (left, right) if kind_of(side) == "money"]
    kind: OpenKind = "money" if money else "integer"
    return Arithmetic(
        op="*", left=left, right=right, kind=kind, decimals=decimals_of(money[0]) if money else 0
    )


def _factor(node: Node, beside: OpenKind) -> Node:
    if beside == "integer" and _has_point(node):
        return settle(node, "money", 2)
    return settle(node, "integer")


def bound(node: Node) -> int:
    """Return a number that the absolute value of the node cannot exceed."""
    match node:
        case Literal(kind="number"):
            return int(str(node.value).replace(".", "")) * 100
        case Literal():
            return abs(int(node.value)) if is_number(node.kind) else 0
        case Name():
            return FIELD_BOUND if is_number(node.kind) else 0
        case Negative():
            return bound(node.item)
        case Arithmetic(op="*"):
            return bound(node.left) * bound(node.right)
        case Arithmetic():
            return bound(node.left) + bound(node.right)
        case Case():
            values = [value for _, value in node.branches]
            last = [] if node.otherwise is None else [node.otherwise]
            return max(bound(value) for value in values + last)
    return 0
