"""A file of CloudEvents: one a line, or all in one array."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused


def read_events(content: bytes, name: str) -> tuple[list[dict[str, Any]], tuple[int, ...]]:
    """Return the events of a file and the line of each; an array is one place, line 1.

    Refuses what is no JSON, with every broken line; what an event says is read by `accept`.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Refused(_broken(name, line, "not UTF-8")) from error
    if text.lstrip().startswith("["):
        found = _parsed(text, name, 1)
        if isinstance(found, Diagnostic):
            raise Refused(found)
        return found, (1,) * len(found)
    events, lines, broken = [], [], []
    for number, row in enumerate(text.split("\n"), start=1):
        if not row.strip():
            continue
        one = _parsed(row, name, number)
        if isinstance(one, Diagnostic):
            broken.append(one)
        else:
            events.append(one)
            lines.append(number)
    if broken:
        raise Refused(*broken)
    return events, tuple(lines)


def _parsed(text: str, name: str, line: int) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_refuse_constant)
    except RecursionError:
        return _broken(name, line, "nested too deep")
    except ValueError as error:
        return _broken(name, line, str(error))


def _broken(name: str, line: int, why: str) -> Diagnostic:
    return Diagnostic(
        area="service", code="event_not_json", file=name, line=line, values={"why": why}
    )


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object; refuse one that says something twice: nobody knows which it meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice} twice")
    return found


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")
