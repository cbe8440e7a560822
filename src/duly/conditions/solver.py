"""A condition as terms of a solver: every value is a pair of a term and whether it is null.

Whole numbers and money (minor units) are integers, dates are days, and texts are integers too: each
literal has one of its own, every other integer is some other text. The only module that knows z3
beside the proofs; nothing that makes a plan imports it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

import z3
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.tokenizer_core import TokenType

from duly.conditions.tree import (
    And,
    Arithmetic,
    Between,
    Case,
    Compare,
    Condition,
    Field,
    In,
    IsNull,
    Literal,
    Name,
    Negative,
    Node,
    Not,
    OpenKind,
    Or,
    children,
    kind_of,
    names_in,
)

Term: TypeAlias = Any  #: a z3 expression; the solver's bindings carry no types

TRUE, FALSE = z3.BoolVal(True), z3.BoolVal(False)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A value and whether it is null; where it is, `value` says nothing."""

    value: Term
    null: Term


Terms: TypeAlias = Mapping[str, Pair]


class UnprovableError(Exception):
    """Two values that vary are multiplied; `offset` is the place of the `*` in the text."""

    def __init__(self, offset: int) -> None:
        self.offset = offset
        super().__init__(offset)


class Symbols:
    """Which integer stands for which text; the same text has one in every condition."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}

    def code(self, text: str) -> int:
        """Return the integer of a text."""
        return self._codes.setdefault(text, len(self._codes))

    def text(self, code: int) -> str | None:
        """Return the text of an integer, None for one that no condition names."""
        return next((text for text, known in self._codes.items() if known == code), None)


def unknown(field: Field, symbols: Symbols, name: str) -> tuple[Pair, list[Term]]:
    """Return a field as a pair that may take any value, and what every value of it keeps to."""
    value = z3.Bool(name) if field.kind == "boolean" else z3.Int(name)
    null = z3.Bool(f"{name}?") if field.nullable else FALSE
    keeps = []
    if field.values:
        keeps.append(z3.Or([value == symbols.code(text) for text in field.values]))
    return Pair(value=value, null=null), keeps


def constant(kind: OpenKind, value: object, symbols: Symbols) -> Pair:
    """Return a value of a row, or None, as a pair."""
    if value is None:
        return Pair(value=_nothing(kind), null=TRUE)
    if kind == "boolean":
        return Pair(value=z3.BoolVal(bool(value)), null=FALSE)
    if kind == "text":
        return Pair(value=z3.IntVal(symbols.code(str(value))), null=FALSE)
    if kind == "date":
        day = value if isinstance(value, date) else date.fromisoformat(str(value))
        return Pair(value=z3.IntVal(day.toordinal()), null=FALSE)
    return Pair(value=z3.IntVal(int(str(value))), null=FALSE)


def to_terms(condition: Condition, row: Terms, symbols: Symbols) -> Pair:
    """Return the answer over a row; refuse (UnprovableError) a product of two values."""
    check_linear(condition)
    return _pair(condition.tree, row, symbols)


def check_linear(condition: Condition) -> None:
    """Refuse (UnprovableError) a product of two values."""
    products = [node for node in _in_order(condition.tree) if _is_product(node)]
    for place, node in enumerate(products):
        if names_in(node.left) and names_in(node.right):
            raise UnprovableError(_star(condition.text, place))


def holds(condition: Condition, row: Terms, symbols: Symbols) -> Term:
    """Return whether the condition is TRUE: false and unknown are both no."""
    answer = to_terms(condition, row, symbols)
    return conjunction([negation(answer.null), answer.value])


def conjunction(terms: Sequence[Term]) -> Term:
    """Return whether all hold; what is known already is left out."""
    kept = [term for term in terms if not z3.is_true(term)]
    if any(z3.is_false(term) for term in kept):
        return FALSE
    return TRUE if not kept else kept[0] if len(kept) == 1 else z3.And(kept)


def disjunction(terms: Sequence[Term]) -> Term:
    """Return whether one holds; what is known already is left out."""
    kept = [term for term in terms if not z3.is_false(term)]
    if any(z3.is_true(term) for term in kept):
        return TRUE
    return FALSE if not kept else kept[0] if len(kept) == 1 else z3.Or(kept)


def negation(term: Term) -> Term:
    """Return the contrary."""
    if z3.is_true(term) or z3.is_false(term):
        return FALSE if z3.is_true(term) else TRUE
    return z3.Not(term)


def _is_product(node: Node) -> bool:
    return isinstance(node, Arithmetic) and node.op == "*"


def _in_order(node: Node) -> list[Any]:
    """Return the nodes in the order in which their operators stand in the text."""
    below = children(node)
    if isinstance(node, Arithmetic):
        return [*_in_order(below[0]), node, *_in_order(below[1])]
    return [node, *(inner for child in below for inner in _in_order(child))]


def _star(text: str, place: int) -> int:
    """Return the offset of one `*` of the text; the last one where a `case` repeats its operand."""
    stars = [one.start for one in DuckDB().tokenize(text) if one.token_type == TokenType.STAR]
    return int(stars[min(place, len(stars) - 1)])


def _nothing(kind: OpenKind) -> Term:
    return FALSE if kind == "boolean" else z3.IntVal(0)


def _pair(node: Node, row: Terms, symbols: Symbols) -> Pair:
    match node:
        case Literal():
            return constant(node.kind, node.value, symbols)
        case Name():
            return row[node.name]
        case Compare():
            left, right = (_pair(side, row, symbols) for side in (node.left, node.right))
            return _compared(node.op, left, right)
        case Between():
            item, low, high = (_pair(part, row, symbols) for part in children(node))
            return _all([_compared(">=", item, low), _compared("<=", item, high)])
        case In():
            item = _pair(node.item, row, symbols)
            values = [_pair(value, row, symbols).value for value in node.values]
            found = disjunction([item.value == value for value in values])
            return Pair(value=found, null=item.null)
        case IsNull():
            return Pair(value=_pair(node.item, row, symbols).null, null=FALSE)
        case Not():
            inner = _pair(node.item, row, symbols)
            return Pair(value=negation(inner.value), null=inner.null)
        case And():
            return _all([_pair(item, row, symbols) for item in node.items])
        case Or():
            return _any([_pair(item, row, symbols) for item in node.items])
        case Arithmetic() | Negative():
            return _number(node, row, symbols)
        case Case():
            return _case(node, row, symbols)


def _compared(op: str, left: Pair, right: Pair) -> Pair:
    one, two = left.value, right.value
    value = {
        "=": lambda: one == two,
        "<>": lambda: one != two,
        "<": lambda: one < two,
        "<=": lambda: one <= two,
        ">": lambda: one > two,
        ">=": lambda: one >= two,
    }[op]()
    return Pair(value=value, null=disjunction([left.null, right.null]))


def _all(items: Sequence[Pair]) -> Pair:
    """Return FALSE where one is, else unknown where one is, else TRUE."""
    refuted = [conjunction([negation(one.null), negation(one.value)]) for one in items]
    value = conjunction([disjunction([one.null, one.value]) for one in items])
    null = conjunction([disjunction([one.null for one in items]), negation(disjunction(refuted))])
    return Pair(value=value, null=null)


def _any(items: Sequence[Pair]) -> Pair:
    """Return TRUE where one is, else unknown where one is, else FALSE."""
    value = disjunction([conjunction([negation(one.null), one.value]) for one in items])
    null = conjunction([disjunction([one.null for one in items]), negation(value)])
    return Pair(value=value, null=null)


def _number(node: Arithmetic | Negative, row: Terms, symbols: Symbols) -> Pair:
    if isinstance(node, Negative):
        inner = _pair(node.item, row, symbols)
        return Pair(value=-inner.value, null=inner.null)
    left, right = (_pair(side, row, symbols) for side in (node.left, node.right))
    one, two = left.value, right.value
    value = one + two if node.op == "+" else one - two if node.op == "-" else one * two
    return Pair(value=value, null=disjunction([left.null, right.null]))


def _case(node: Case, row: Terms, symbols: Symbols) -> Pair:
    """Return the value of the first branch whose test is TRUE, built from the last one back."""
    if node.otherwise is None:
        found = Pair(value=_nothing(kind_of(node)), null=TRUE)
    else:
        found = _pair(node.otherwise, row, symbols)
    for test, value in reversed(node.branches):
        asked, then = _pair(test, row, symbols), _pair(value, row, symbols)
        held = conjunction([negation(asked.null), asked.value])
        found = Pair(
            value=z3.If(held, then.value, found.value), null=z3.If(held, then.null, found.null)
        )
    return found
