"""From sqlglot's tree to ours, by a list of what is allowed; every other form is refused."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Literal as Choice

from sqlglot import exp

from duly.conditions import kinds
from duly.conditions.kinds import KindError
from duly.conditions.tree import (
    And,
    Between,
    Case,
    Compare,
    Field,
    In,
    IsNull,
    Literal,
    Name,
    Negative,
    Node,
    Not,
    Or,
    Vocabulary,
    decimals_of,
    kind_of,
)

_NUMBER = re.compile(r"[0-9]{1,36}(\.[0-9]{1,8})?")
_Op = Choice["=", "<>", "<", "<=", ">", ">="]
_COMPARE: Mapping[type[exp.Expr], _Op] = MappingProxyType(
    {exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}
)
_COMPUTE: Mapping[type[exp.Expr], Choice["+", "-", "*"]] = MappingProxyType(
    {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}
)
#: What stands before the first token with a place, where an expression begins with a word.
_LEADS: Mapping[type[exp.Expr], re.Pattern[str]] = MappingProxyType(
    {
        kind: re.compile(word + r"(?:[\s(-]|\bnot\b|\bcase\b|\bwhen\b)*$", re.IGNORECASE)
        for kind, word in ((exp.Case, r"\bcase\b"), (exp.Not, r"\bnot\b"), (exp.Neg, "-"))
    }
)


@dataclass(frozen=True)
class Finding:
    """One mistake at an offset of the text."""

    offset: int
    code: str
    values: tuple[tuple[str, object], ...]

    @staticmethod
    def at(offset: int, code: str, **values: object) -> Finding:
        """Return a finding with named values."""
        return Finding(offset, code, tuple(sorted(values.items())))


class WrongTextError(Exception):
    """A part of the text cannot become a node; the findings say why."""

    def __init__(self, *findings: Finding) -> None:
        self.findings = findings
        super().__init__(findings)


def nearest(wanted: str, known: Sequence[str]) -> str:
    """Return the known name closest to `wanted`, or an empty text where none is close."""
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.6)
    near = near or [item for item in known if item.lower() == wanted.lower()]
    near = near or difflib.get_close_matches(wanted.lower(), known, n=1, cutoff=0.6)
    return near[0] if near else ""


class Converter:
    """Reads one parsed text; a part that is wrong raises, its siblings are read all the same."""

    def __init__(self, text: str, vocabulary: Vocabulary, depth_max: int) -> None:
        self.text = text
        self.vocabulary = vocabulary
        self.depth_max = depth_max
        self.readers: Mapping[type[exp.Expr], Callable[..., Node]] = {
            # Parentheses make no node; their own nesting is limited before anything is parsed.
            exp.Paren: lambda item, depth, start: self._convert(item.this, depth - 1, start),
            exp.Column: self._name,
            exp.Literal: self._literal,
            exp.Boolean: lambda item, _d, _s: Literal(kind="boolean", value=bool(item.this)),
            exp.And: self._chain,
            exp.Or: self._chain,
            exp.Not: self._not,
            exp.Between: self._between,
            exp.In: self._in,
            exp.Is: self._is,
            exp.Case: self._case,
            exp.Neg: self._negative,
            **dict.fromkeys(_COMPARE, self._compare),
            **dict.fromkeys(_COMPUTE, self._arithmetic),
        }

    def convert(self, parsed: exp.Expr) -> Node:
        """Return the boolean tree of the whole text; refuse (WrongTextError) with findings."""
        return self._truth(parsed, 0, 0)

    def _start(self, item: exp.Expr, otherwise: int) -> int:
        """Return the offset where an expression begins: its first token with a known place."""
        starts = [int(node.meta["start"]) for node in item.walk() if "start" in node.meta]
        if not starts:
            return otherwise
        first = min(starts)
        lead = _LEADS.get(type(item))
        found = lead.search(self.text, 0, first) if lead else None
        return found.start() if found else first

    def _slice(self, item: exp.Expr) -> str:
        metas = [node.meta for node in item.walk() if "start" in node.meta]
        return self.text[min(m["start"] for m in metas) : max(m["end"] for m in metas) + 1]

    def _convert(self, item: exp.Expr, depth: int, otherwise: int) -> Node:
        """Return one node; `depth` counts the nodes above, `otherwise` is their offset."""
        start = self._start(item, otherwise)
        if depth >= self.depth_max:
            raise WrongTextError(Finding.at(start, "too_deep", max=self.depth_max))
        reader = self.readers.get(type(item))
        if reader is None:
            raise WrongTextError(_forbidden(item, start))
        node: Node = reader(item, depth + 1, start)
        return node

    def _each(self, items: Sequence[exp.Expr], depth: int, start: int) -> list[Node]:
        """Return a node for each item; gather what is wrong in all of them first."""
        return self._gather([partial(self._convert, item, depth, start) for item in items])

    def _truths(self, items: Sequence[exp.Expr], depth: int, start: int) -> list[Node]:
        return self._gather([partial(self._truth, item, depth, start) for item in items])

    def _gather(self, readers: Sequence[Callable[[], Node]]) -> list[Node]:
        nodes: list[Node] = []
        findings: list[Finding] = []
        for reader in readers:
            try:
                nodes.append(reader())
            except WrongTextError as wrong:
                findings.extend(wrong.findings)
        if findings:
            raise WrongTextError(*findings)
        return nodes

    def _truth(self, item: exp.Expr, depth: int, start: int) -> Node:
        node = self._convert(item, depth, start)
        if kind_of(node) != "boolean":
            at = self._start(item, start)
            raise WrongTextError(Finding.at(at, "not_boolean", kind=_word(node)))
        return node

    def _name(self, item: exp.Column, _depth: int, start: int) -> Node:
        written = ".".join(part.name for part in item.parts)
        field = self.vocabulary.get(written)
        if field is None:
            near = nearest(written, tuple(self.vocabulary))
            raise WrongTextError(Finding.at(start, "unknown_name", name=written, suggestion=near))
        return Name(name=field.name, kind=field.kind, decimals=_decimals(field))

    def _literal(self, item: exp.Literal, _depth: int, start: int) -> Node:
        text = str(item.this)
        if item.is_string:
            return Literal(kind="text", value=text)
        if not _NUMBER.fullmatch(text):
            raise WrongTextError(Finding.at(start, "bad_number", value=text))
        return Literal(kind="number", value=text)

    def _chain(self, item: exp.And | exp.Or, depth: int, start: int) -> Node:
        kind = type(item)
        parts: list[exp.Expr] = []
        pending: list[exp.Expr] = [item]
        while pending:
            part = pending.pop()
            if type(part) is kind:
                pending += [part.expression, part.this]
            else:
                parts.append(part)
        items = tuple(self._truths(parts, depth, start))
        return And(items=items) if kind is exp.And else Or(items=items)

    def _not(self, item: exp.Not, depth: int, start: int) -> Node:
        return Not(item=self._truth(item.this, depth, start))

    def _compare(self, item: exp.Binary, depth: int, start: int) -> Node:
        left, right = self._each((item.this, item.expression), depth, start)
        left, right = self._pair(left, right, item, start)
        op = _COMPARE[type(item)]
        if kind_of(left) in {"text", "boolean"} and op not in {"=", "<>"}:
            raise WrongTextError(Finding.at(start, "no_order", kind=_word(left), op=op))
        return Compare(op=op, left=left, right=right)

    def _pair(self, left: Node, right: Node, item: exp.Binary, start: int) -> tuple[Node, Node]:
        """Return both sides brought to one kind, each literal a value of the field beside it."""
        try:
            left, right = kinds.unite(left, right)
        except KindError as wrong:
            literal = item.expression if isinstance(right, Literal) else item.this
            at = start if wrong.code == "kinds_differ" else self._start(literal, start)
            raise WrongTextError(Finding.at(at, wrong.code, **wrong.values)) from None
        left, right = kinds.settle_alone(left), kinds.settle_alone(right)
        self._check_value(right, left, self._start(item.expression, start))
        self._check_value(left, right, self._start(item.this, start))
        return left, right

    def _check_value(self, literal: Node, beside: Node, start: int) -> None:
        if not isinstance(beside, Name) or not isinstance(literal, Literal):
            return
        values = self.vocabulary[beside.name].values
        if values and literal.value not in values:
            value, near = str(literal.value), nearest(str(literal.value), values)
            raise WrongTextError(
                Finding.at(start, "unknown_value", value=value, name=beside.name, suggestion=near)
            )

    def _between(self, item: exp.Between, depth: int, start: int) -> Node:
        if item.args.get("symmetric") is not None:
            raise WrongTextError(Finding.at(start, "not_allowed", construct="between symmetric"))
        bounds = (
            exp.GTE(this=item.this, expression=item.args["low"]),
            exp.LTE(this=item.this, expression=item.args["high"]),
        )
        low, high = self._gather([partial(self._compare, pair, depth, start) for pair in bounds])
        assert isinstance(low, Compare)
        assert isinstance(high, Compare)
        if low.left != high.left:  # An open number beside bounds of two kinds, such as 3 and 4.50.
            raise WrongTextError(Finding.at(start, "kinds_differ", left="integer", right="money"))
        return Between(item=low.left, low=low.right, high=high.right)

    def _in(self, item: exp.In, depth: int, start: int) -> Node:
        if any(item.args.get(part) is not None for part in ("query", "unnest", "field")):
            raise WrongTextError(Finding.at(start, "not_allowed", construct="in"))
        if not item.expressions:
            raise WrongTextError(Finding.at(start, "empty_list"))
        pairs = [exp.EQ(this=item.this, expression=part) for part in item.expressions]
        compared = self._gather([partial(self._compare, pair, depth, start) for pair in pairs])
        values: list[Literal] = []
        subjects: list[Node] = []
        for node, part in zip(compared, item.expressions, strict=True):
            assert isinstance(node, Compare)
            value = _fold(node.right)
            if not isinstance(value, Literal):
                at = self._start(part, start)
                raise WrongTextError(Finding.at(at, "list_of_literals"))
            values.append(value)
            subjects.append(node.left)
        if any(subject != subjects[0] for subject in subjects):
            raise WrongTextError(Finding.at(start, "kinds_differ", left="integer", right="money"))
        return In(item=subjects[0], values=tuple(values))

    def _is(self, item: exp.Is, depth: int, start: int) -> Node:
        if not isinstance(item.expression, exp.Null):
            raise WrongTextError(Finding.at(start, "not_allowed", construct="is"))
        return IsNull(item=kinds.settle_alone(self._convert(item.this, depth, start)))

    def _negative(self, item: exp.Neg, depth: int, start: int) -> Node:
        inner = self._convert(item.this, depth, start)
        kind = kind_of(inner)
        if not kinds.is_number(kind):
            raise WrongTextError(Finding.at(start, "not_a_number", kind=_word(inner)))
        return Negative(item=inner, kind=kind, decimals=decimals_of(inner))

    def _arithmetic(self, item: exp.Binary, depth: int, start: int) -> Node:
        sides = (item.this, item.expression)
        left, right = self._each(sides, depth, start)
        for node, side in zip((left, right), sides, strict=True):
            if not kinds.is_number(kind_of(node)):
                at = self._start(side, start)
                raise WrongTextError(Finding.at(at, "not_a_number", kind=_word(node)))
        op = _COMPUTE[type(item)]
        try:
            made = kinds.product(left, right) if op == "*" else kinds.total(op, left, right)
        except KindError as wrong:
            raise WrongTextError(Finding.at(start, wrong.code, **wrong.values)) from None
        if kinds.bound(made) >= kinds.BOUND:
            raise WrongTextError(Finding.at(start, "too_large", value=self._slice(item)))
        return made

    def _case(self, item: exp.Case, depth: int, start: int) -> Node:
        tests: list[exp.Expr] = []
        values: list[exp.Expr] = []
        for branch in item.args["ifs"]:
            test = branch.this
            whole = item.this is None
            tests.append(test if whole else exp.EQ(this=item.this, expression=test))
            values.append(branch.args["true"])
        last = item.args.get("default")
        nodes = self._gather(
            [partial(self._truth, test, depth, start) for test in tests]
            + [partial(self._convert, value, depth, start) for value in values]
            + ([] if last is None else [partial(self._convert, last, depth, start)])
        )
        try:
            results = kinds.unite_all(nodes[len(tests) :])
        except KindError as wrong:
            raise WrongTextError(Finding.at(start, wrong.code, **wrong.values)) from None
        return Case(
            branches=tuple(zip(nodes[: len(tests)], results[: len(tests)], strict=True)),
            otherwise=None if last is None else results[-1],
            kind=kind_of(results[0]),
            decimals=decimals_of(results[0]),
        )


def _forbidden(item: exp.Expr, start: int) -> Finding:
    if isinstance(item, exp.Null):
        return Finding.at(start, "null_literal")
    if isinstance(item, exp.Func) and not isinstance(item, exp.Cast):
        name = str(item.this) if isinstance(item, exp.Anonymous) else item.sql_name()
        return Finding.at(start, "function", name=name.lower())
    return Finding.at(start, "not_allowed", construct=item.key)


def _fold(node: Node) -> Node:
    """Return a negative literal as a literal."""
    if isinstance(node, Negative) and isinstance(node.item, Literal):
        inner = node.item
        return Literal(kind=inner.kind, value=-int(inner.value), decimals=inner.decimals)
    return node


def _word(node: Node) -> str:
    kind = kind_of(node)
    return "integer" if kind == "number" else kind


def _decimals(field: Field) -> int:
    return field.decimals if field.kind == "money" else 0
