"""Read the one primitive of a rule: hours, counts and conditions here, texts and terms beside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from duly.conditions import Condition, nearest, parse, place_in_scalar
from duly.core.reasons import REASONS
from duly.rules import zones
from duly.rules.facts import FACTS
from duly.rules.located import Findings, Located, mapping, minute, number, sequence, word
from duly.rules.model import (
    CHANNELS,
    CLASSES,
    MINUTES_A_DAY,
    OUTCOMES,
    TEXT_CHANNELS,
    VOICE_CHANNELS,
    Bar,
    Cap,
    CapCount,
    Check,
    Primitive,
    Ranges,
    Require,
    Window,
)
from duly.rules.wording_reader import WordingReader

PRIMITIVES = ("window", "cap", "bar", "require", "text", "parts", "term")
_REASONS = tuple(sorted({code for codes in REASONS.values() for code in codes}))
_HOURS = re.compile(r"([1-9][0-9]{0,3}) hours?")
_DAYS = re.compile(r"([1-9][0-9]{0,2}) days?")
_MINUTES = re.compile(r"([1-9][0-9]{0,4}) minutes?")
_PER: tuple[Literal["borrower", "address", "loan"], ...] = ("borrower", "address", "loan")


class PrimitiveReader:
    """Reads primitives of one pack; a part that is wrong is noted and its siblings are read."""

    def __init__(self, text: str, findings: Findings) -> None:
        self.text = text
        self.findings = findings

    def primitive(self, rule: Located, entries: Mapping[str, Located]) -> Primitive:
        """Return the primitive that a rule's entries name; note none or several."""
        present = [name for name in PRIMITIVES if name in entries]
        if len(present) != 1:
            self.findings.add(rule, "one_primitive", count=len(present))
            return Window(ranges=(), zone="local", channels=())
        node = entries[present[0]]
        match present[0]:
            case "window":
                return self._window(node)
            case "cap":
                return self._cap(node)
            case "bar":
                return self._bar(node)
            case "require":
                return self._require(node)
            case _:
                return WordingReader(self).primitive(present[0], node)

    def _window(self, node: Located) -> Window:
        known = ("open", "close", "zone", "channels", "regions", "unless", "quiet", "saturday",
                 "holidays", "spring_festival", "unknown_zones", "agreed", "when")  # fmt: skip
        entries = mapping(node, self.findings, "a window", known, ("zone", "channels"))
        quiet = "quiet" in entries
        if quiet:
            word(entries["quiet"], self.findings, "quiet", ("borrower",))
        ranges = self._hours_of(entries)
        if quiet == ("open" in entries or "close" in entries):
            self.findings.add(node, "hours_or_quiet")
        elif not quiet and not self._in_order(ranges):
            self.findings.add(node, "closes_before_open")
        saturday = entries.get("saturday")
        if "spring_festival" in entries:
            word(entries["spring_festival"], self.findings, "spring_festival", ("closed",))
        holidays = entries.get("holidays")
        national = holidays is not None and holidays.value == "closed_nationwide"
        agreed = entries.get("agreed")
        return Window(
            ranges=() if quiet else ranges,
            zone=self._zone(entries.get("zone")),
            channels=self.channels(entries.get("channels")),
            regions=self._words(entries.get("regions"), "region"),
            unless=self.optional(entries.get("unless")),
            quiet=quiet,
            saturday=None if saturday is None else self._other_hours(saturday, "saturday"),
            holidays=None if holidays is None else self._other_hours(holidays, "holidays"),
            regional=not national,
            spring_festival="spring_festival" not in entries,
            unknown_zones=tuple(
                self._zone(item)
                for item in sequence(entries.get("unknown_zones"), self.findings, "unknown_zones")
            ),
            agreed_days=None if agreed is None else self._count(agreed, _DAYS, "not_a_span"),
            when=self.optional(entries.get("when")),
        )

    def _hours_of(self, entries: Mapping[str, Located]) -> Ranges:
        opens = minute(entries.get("open"), self.findings, "open")
        return ((opens, minute(entries.get("close"), self.findings, "close")),)

    def _other_hours(self, node: Located, what: str) -> Ranges:
        """Return the hours of Saturdays or of holidays, none where they are closed."""
        if isinstance(node.value, str):
            closed = ("closed",) if what == "saturday" else ("closed", "closed_nationwide")
            word(node, self.findings, what, closed)
            return ()
        entries = mapping(node, self.findings, what, ("open", "close"), ("open", "close"))
        ranges = self._hours_of(entries)
        if not self._in_order(ranges):
            self.findings.add(node, "closes_before_open")
        return ranges

    @staticmethod
    def _in_order(ranges: Ranges) -> bool:
        return all(low < high <= MINUTES_A_DAY for low, high in ranges)

    def _cap(self, node: Located) -> Cap:
        known = ("classes", "channels", "per", "outcomes", "limits", "zone", "min_gap",
                 "directions", "templates", "excused")  # fmt: skip
        entries = mapping(
            node, self.findings, "a cap", known, ("channels", "per", "limits", "zone")
        )
        per = word(entries.get("per"), self.findings, "per", _PER)
        limits = tuple(
            self._limit(item) for item in sequence(entries.get("limits"), self.findings, "limits")
        )
        gap = entries.get("min_gap")
        if "excused" in entries:
            word(entries["excused"], self.findings, "excused", ("not_counted",))
        return Cap(
            classes=self.several(entries.get("classes"), "class", CLASSES),
            channels=self.channels(entries.get("channels")),
            per=next((known for known in _PER if known == per), "borrower"),
            outcomes=self.several(entries["outcomes"], "outcome", OUTCOMES)
            if "outcomes" in entries
            else None,
            limits=limits,
            zone=self._zone(entries.get("zone")),
            min_gap_hours=None if gap is None else self._count(gap, _HOURS, "not_hours"),
            directions=self.several(entries["directions"], "direction", ("out", "in"))
            if "directions" in entries
            else ("out",),
            templates=self._words(entries.get("templates"), "template"),
            excused="excused" in entries,
        )

    def _limit(self, node: Located) -> CapCount:
        limit = mapping(node, self.findings, "a limit", ("count", "window"), ("count", "window"))
        window = limit.get("window")
        count = number(limit.get("count"), self.findings, "count", 0, 10_000)
        if window is None or window.value == "calendar_day":
            return CapCount(count=count, hours=None)
        days = re.fullmatch(r"([1-9][0-9]{0,2}) calendar_days", str(window.value))
        if days is not None:
            return CapCount(count=count, hours=None, days=int(days[1]))
        if _MINUTES.fullmatch(str(window.value)):
            minutes = self._count(window, _MINUTES, "not_hours")
            return CapCount(count=count, hours=None, minutes=minutes)
        return CapCount(count=count, hours=self._count(window, _HOURS, "not_hours"))

    def _bar(self, node: Located) -> Bar:
        known = ("if", "reason", "any", "classes", "channels")
        entries = mapping(node, self.findings, "a bar", known, ())
        several = entries["any"].value if "any" in entries else None
        given = {"if", "reason"} & entries.keys()
        if given != (set() if isinstance(several, dict) else {"if", "reason"}):
            self.findings.add(node, "if_or_any")
        if isinstance(several, dict):
            checks = [self._check(item, name, item) for name, item in several.items()]
        else:
            checks = [self._single(entries, "if")]
        kept = tuple(check for check in checks if check is not None)
        joined = " or ".join(f"({check.condition.text})" for check in kept) or "false"
        whole = parse(joined, FACTS, file=self.findings.file, line=node.line).condition
        assert whole is not None, "parts that were read join to a whole"
        return Bar(
            checks=kept,
            condition=whole,
            classes=self.several(entries.get("classes"), "class", CLASSES),
            channels=self.channels(entries.get("channels")),
        )

    def _require(self, node: Located) -> Require:
        known = ("that", "reason", "classes", "channels")
        entries = mapping(node, self.findings, "a require", known, ("that", "reason"))
        never = parse("false", FACTS).condition
        assert never is not None
        return Require(
            check=self._single(entries, "that") or Check(reason="other_rule", condition=never),
            classes=self.several(entries.get("classes"), "class", CLASSES),
            channels=self.channels(entries.get("channels")),
        )

    def _single(self, entries: Mapping[str, Located], key: str) -> Check | None:
        if key not in entries or "reason" not in entries:
            return None
        reason = word(entries["reason"], self.findings, "reason", _REASONS)
        return self._check(entries[key], reason, entries["reason"])

    def _check(self, node: Located, reason: str, at: Located) -> Check | None:
        if reason and reason not in _REASONS:
            self.findings.unknown(at, "reason", reason, _REASONS)
        condition = self._condition(node)
        return None if condition is None else Check(reason=reason, condition=condition)

    def _condition(self, node: Located) -> Condition | None:
        if isinstance(node.value, list | dict) or node.value is None:
            self.findings.add(node, "not_a_text", what="a condition")
            return None
        text = node.value if isinstance(node.value, str) else str(node.value).lower()
        place = place_in_scalar(self.text, node.line, node.column, text)
        parsed = parse(text, FACTS, file=self.findings.file, place=place)
        self.findings.take(parsed.diagnostics)
        return parsed.condition

    def channels(self, node: Located | None) -> tuple[str, ...]:
        """Return channels by name or group; an absent list means all."""
        groups = {"text": TEXT_CHANNELS, "voice": VOICE_CHANNELS}
        if node is not None and isinstance(node.value, str) and node.value in groups:
            return groups[node.value]
        return self.several(node, "channel", CHANNELS)

    def several(self, node: Located | None, what: str, known: tuple[str, ...]) -> tuple[str, ...]:
        """Return the words of a list in their known order; `all` and an absent list mean all."""
        if node is None or node.value == "all":
            return known
        if isinstance(node.value, str):
            self.findings.unknown(node, what, node.value, ("all", *known))
            return known
        items = sequence(node, self.findings, what)
        chosen = {word(item, self.findings, what, known) for item in items}
        return tuple(value for value in known if value in chosen)

    def _zone(self, node: Located | None) -> str:
        zone = word(node, self.findings, "zone")
        if node is not None and zone and zone != "local" and zone not in zones.names():
            known = ("local", *sorted(zones.names()))
            self.findings.add(
                node, "unknown", what="time zone", value=zone, suggestion=nearest(zone, known)
            )
            return "UTC"
        return zone

    def _count(self, node: Located, form: re.Pattern[str], code: str) -> int:
        match = form.fullmatch(str(node.value))
        if match is None:
            self.findings.add(node, code, value=str(node.value))
            return 1
        return int(match[1])

    def _words(self, node: Located | None, what: str) -> tuple[str, ...]:
        return tuple(
            word(item, self.findings, what) for item in sequence(node, self.findings, what)
        )

    def optional(self, node: Located | None) -> Condition | None:
        """Return a condition where one is written; its mistakes are noted."""
        return None if node is None else self._condition(node)
