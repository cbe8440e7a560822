"""A YAML file as values that remember where they stand, so that each mistake has a position."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime

from duly.book.nodes import (
    MappingNode,
    Node,
    NotYamlError,
    ScalarNode,
    SequenceNode,
    compose,
    is_plain,
    turns,
)
from duly.conditions import nearest
from duly.core.diagnostic import Diagnostic

_WHOLE = re.compile(r"[-+]?[0-9]{1,18}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
#: The largest pack that is built in has a tenth of it.
FILE_BYTES_MAX = 1_200_000
#: Whoever made more mistakes than this mends them in several goes.
FINDINGS_MAX = 500


@dataclass(frozen=True, kw_only=True)
class Located:
    """A text, number, boolean, null, list or mapping, with its 1-based line and column."""

    value: str | int | bool | list[Located] | dict[str, Located] | None
    line: int
    column: int
    keys: Mapping[str, tuple[int, int]] = field(default_factory=dict)  #: where each key stands


@dataclass
class Findings:
    """Gathers the mistakes of one file."""

    file: str
    found: list[Diagnostic] = field(default_factory=list)

    def add(self, at: Located | tuple[int, int], code: str, **values: object) -> None:
        """Add one mistake at a place of the file."""
        line, column = (at.line, at.column) if isinstance(at, Located) else at
        if len(self.found) >= FINDINGS_MAX:
            return
        if len(self.found) == FINDINGS_MAX - 1:
            code, values = "more", {"most": FINDINGS_MAX}
        self.found.append(
            Diagnostic(
                area="rules",
                code=code,
                file=self.file,
                line=line,
                column=str(column),
                values=values,
            )
        )

    def take(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Add mistakes that another reader found, as far as there is room."""
        for item in diagnostics:
            if len(self.found) < FINDINGS_MAX - 1:
                self.found.append(item)
            else:
                self.add((item.line, int(item.column or 1)), item.code)

    def unknown(
        self, at: Located | tuple[int, int], what: str, value: str, known: tuple[str, ...]
    ) -> None:
        """Add 'not a known …; did you mean …'."""
        self.add(at, "unknown", what=what, value=value, suggestion=nearest(value, known))


def read_yaml(text: str, findings: Findings) -> Located | None:
    """Return the file's one document, or None after noting why it cannot be read."""
    size = len(text.encode(errors="surrogatepass"))
    if size > FILE_BYTES_MAX:
        findings.add((1, 1), "too_big", most=FILE_BYTES_MAX)
        return None
    for line, column, mark in turns(text):
        findings.add((line, column), "turned", mark=mark)
    if findings.found:
        return None
    try:
        node = compose(text)
    except NotYamlError as error:
        findings.add((error.line, error.column), "yaml", problem=error.problem)
        return None
    if node is None:
        findings.add((1, 1), "empty")
        return None
    return _located(node, findings)


def _located(node: Node, findings: Findings) -> Located:
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    if isinstance(node, SequenceNode):
        items = [_located(item, findings) for item in node.value]
        return Located(value=items, line=line, column=column)
    if isinstance(node, MappingNode):
        entries: dict[str, Located] = {}
        keys: dict[str, tuple[int, int]] = {}
        for key, item in node.value:
            place = (key.start_mark.line + 1, key.start_mark.column + 1)
            if not isinstance(key, ScalarNode):
                findings.add(place, "not_a_text", what="a key")
                continue
            name = str(key.value)
            if name in entries:
                findings.add(place, "twice", name=name)
            entries[name], keys[name] = _located(item, findings), place
        return Located(value=entries, line=line, column=column, keys=keys)
    assert isinstance(node, ScalarNode)
    return Located(value=_scalar(node), line=line, column=column)


def _scalar(node: ScalarNode) -> str | int | bool | None:
    text = str(node.value)
    if not is_plain(node):
        return text
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _WHOLE.fullmatch(text):
        return int(text)
    return text  # Dates, times and fractions stay as written: whoever asks reads them strictly.


def mapping(
    node: Located, findings: Findings, what: str, known: tuple[str, ...], needed: tuple[str, ...]
) -> dict[str, Located]:
    """Return the entries of a mapping; note unknown keys and those that are needed and absent."""
    if not isinstance(node.value, dict):
        findings.add(node, "not_a_mapping", what=what)
        return {}
    for name in node.value:
        if name not in known:
            findings.unknown(node.keys[name], f"key of {what}", name, known)
    for name in needed:
        if name not in node.value:
            findings.add(node, "absent", what=what, name=name)
    return node.value


def sequence(node: Located | None, findings: Findings, what: str) -> list[Located]:
    """Return the items of a list; note anything else."""
    if node is None:
        return []
    if not isinstance(node.value, list):
        findings.add(node, "not_a_list", what=what)
        return []
    return node.value


def word(node: Located | None, findings: Findings, what: str, known: tuple[str, ...] = ()) -> str:
    """Return a text, one of `known` where that is given; note anything else."""
    if node is None:
        return ""
    if not isinstance(node.value, str) or not node.value.strip():
        findings.add(node, "not_a_text", what=what)
        return ""
    if known and node.value not in known:
        findings.unknown(node, what, node.value, known)
        return ""
    return node.value


def number(node: Located | None, findings: Findings, what: str, low: int, high: int) -> int:
    """Return a whole number of [low, high]; note anything else."""
    if node is None:
        return low
    if isinstance(node.value, bool) or not isinstance(node.value, int):
        findings.add(node, "not_a_number", what=what)
        return low
    if not low <= node.value <= high:
        findings.add(node, "out_of_range", what=what, value=node.value, low=low, high=high)
        return low
    return node.value


def day(node: Located | None, findings: Findings, what: str) -> date | None:
    """Return a date written as YYYY-MM-DD; note anything else."""
    if node is None:
        return None
    written = as_written(node)
    with suppress(ValueError):
        if _DAY.fullmatch(written):
            return date.fromisoformat(written)
    findings.add(node, "not_a_date", what=what, value=written)
    return None


def instant(node: Located, findings: Findings, what: str) -> datetime | None:
    """Return an ISO 8601 instant with its offset; note anything else."""
    written = as_written(node)
    try:
        read = datetime.fromisoformat(written)
    except ValueError:
        read = None
    if read is None or read.tzinfo is None:
        findings.add(node, "not_an_instant", what=what, value=written)
        return None
    return read


def as_written(node: Located) -> str:
    """Return a scalar as it stands in the file, brackets for anything else."""
    if isinstance(node.value, list):
        return "[…]"
    return "{…}" if isinstance(node.value, dict) else str(node.value)


def minute(node: Located | None, findings: Findings, what: str) -> int:
    """Return the minute of the day of HH:MM (24:00 is the end of the day); note anything else."""
    if node is None:
        return 0
    hours, colon, minutes = as_written(node).partition(":")
    if colon and len(hours) == 2 and len(minutes) == 2 and (hours + minutes).isdecimal():
        total = int(hours) * 60 + int(minutes)
        if int(minutes) < 60 and total <= 1440:
            return total
    findings.add(node, "not_a_time", what=what, value=as_written(node))
    return 0
