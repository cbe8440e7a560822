"""Read the primitives about words and days: text, parts and term."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from duly.conditions import Condition
from duly.rules import phrases
from duly.rules.facts import FACTS
from duly.rules.located import Findings, Located, mapping, number, sequence, word
from duly.rules.model import CLASSES, Parts, Span, Term, Text, Words

_DATES = tuple(name for name, field in FACTS.items() if field.kind == "date")
_PIECE = re.compile(r"([1-9][0-9]{0,3}) (years?|months?|working days?|days?)")
_LINKS = ("any", "own", "none")
_TEXT_LENGTH_MAX = 5_000


class Reader(Protocol):
    """What every primitive reads alike, whoever reads it."""

    findings: Findings

    def optional(self, node: Located | None) -> Condition | None:
        """Return a condition, None where there is none."""
        ...

    def channels(self, node: Located | None) -> tuple[str, ...]:
        """Return the channels that a primitive names."""
        ...

    def several(self, node: Located | None, what: str, known: tuple[str, ...]) -> tuple[str, ...]:
        """Return one known word or several."""
        ...


class WordingReader:
    """Reads what a text must say and when something is due; mistakes go to the pack's findings."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.findings = reader.findings

    def primitive(self, name: str, node: Located) -> Text | Parts | Term:
        """Return the primitive of that name."""
        if name == "text":
            return self._text(node)
        return self._parts(node) if name == "parts" else self._term(node)

    def _text(self, node: Located) -> Text:
        known = ("must", "never", "only", "signed", "named", "link", "length_max", "amounts",
                 "when", "classes", "channels")  # fmt: skip
        entries = mapping(node, self.findings, "a text", known, ())
        if not set(entries) - {"when", "classes", "channels"}:
            self.findings.add(node, "absent", what="a text", name="must")
        for name, only in (("signed", "lender"), ("named", "lender"), ("amounts", "ledger")):
            if name in entries:
                word(entries[name], self.findings, name, (only,))
        link = word(entries.get("link"), self.findings, "link", _LINKS) or "any"
        longest = entries.get("length_max")
        return Text(
            must=self._each(entries.get("must"), "must"),
            never=self._each(entries.get("never"), "never"),
            only=self._phrases(entries.get("only"), "only"),
            signed="signed" in entries,
            named="named" in entries,
            link="none" if link == "none" else "own" if link == "own" else "any",
            length_max=None
            if longest is None
            else number(longest, self.findings, "length_max", 1, _TEXT_LENGTH_MAX),
            amounts="amounts" in entries,
            when=self.reader.optional(entries.get("when")),
            classes=self.reader.several(entries.get("classes"), "class", CLASSES),
            channels=self.reader.channels(entries.get("channels")),
        )

    def _each(self, node: Located | None, what: str) -> tuple[Words, ...]:
        found = []
        for item in sequence(node, self.findings, what):
            known = ("any", "when", "add", "with")
            entries = mapping(item, self.findings, what, known, ("any",))
            add = entries.get("add")
            if "with" in entries:
                word(entries["with"], self.findings, "with", ("amount",))
            found.append(
                Words(
                    phrases=self._phrases(entries.get("any"), what) or ("-",),
                    when=self.reader.optional(entries.get("when")),
                    add=None if add is None else self._add(add),
                    with_amount="with" in entries,
                )
            )
        return tuple(found)

    def _add(self, node: Located) -> Mapping[str, str]:
        entries = mapping(node, self.findings, "add", ("en", "zh-CN"), ("en",))
        return {name: word(item, self.findings, "add") for name, item in entries.items()}

    def _phrases(self, node: Located | None, what: str) -> tuple[str, ...]:
        found = []
        for item in sequence(node, self.findings, what):
            phrase = word(item, self.findings, what)
            if phrase and not phrases.well_formed(phrase):
                self.findings.add(item, "bad_phrase", value=phrase)
                continue
            found.append(phrase)
        return tuple(found)

    def _parts(self, node: Located) -> Parts:
        known = ("must", "only", "never", "when")
        entries = mapping(node, self.findings, "parts", known, ())
        if not set(entries) - {"when"}:
            self.findings.add(node, "absent", what="parts", name="must")
        return Parts(
            must=self._names(entries.get("must"), "must"),
            only=self._names(entries.get("only"), "only"),
            never=self._names(entries.get("never"), "never"),
            when=self.reader.optional(entries.get("when")),
        )

    def _names(self, node: Located | None, what: str) -> tuple[str, ...]:
        return tuple(
            word(item, self.findings, what) for item in sequence(node, self.findings, what)
        )

    def _term(self, node: Located) -> Term:
        known = ("since", "until", "at_most", "at_least", "extended", "told", "calendar", "rolls",
                 "when")  # fmt: skip
        entries = mapping(node, self.findings, "a term", known, ("since", "until"))
        if not {"at_most", "at_least"} & set(entries):
            self.findings.add(node, "absent", what="a term", name="at_most")
        if ("extended" in entries) != ("told" in entries):
            self.findings.add(node, "absent", what="a term", name="told")
        if "rolls" in entries:
            word(entries["rolls"], self.findings, "rolls", ("working_day",))
        told = entries.get("told")
        return Term(
            since=self._since(entries.get("since")),
            until=word(entries.get("until"), self.findings, "date", _DATES),
            at_most=self._span(entries.get("at_most")),
            at_least=self._span(entries.get("at_least")),
            extended=self._span(entries.get("extended")),
            told=None if told is None else word(told, self.findings, "date", _DATES),
            calendar=word(entries.get("calendar"), self.findings, "calendar") or "CN",
            rolls="rolls" in entries,
            when=self.reader.optional(entries.get("when")),
        )

    def _since(self, node: Located | None) -> tuple[str, ...]:
        """Return one date or several, of which the latest counts."""
        several = node is not None and isinstance(node.value, list)
        items = sequence(node, self.findings, "since") if several else [node]
        return tuple(word(item, self.findings, "date", _DATES) for item in items)

    def _span(self, node: Located | None) -> Span | None:
        """Return a span such as `3 years` or `5 working days and 30 days`; note anything else."""
        if node is None:
            return None
        found = {"years": 0, "months": 0, "working days": 0, "days": 0}
        for piece in str(node.value).split(" and "):
            match = _PIECE.fullmatch(piece)
            if match is None:
                self.findings.add(node, "not_a_span", value=str(node.value))
                return None
            found[match[2] if match[2].endswith("s") else match[2] + "s"] += int(match[1])
        return Span(
            years=found["years"],
            months=found["months"],
            working_days=found["working days"],
            days=found["days"],
        )
