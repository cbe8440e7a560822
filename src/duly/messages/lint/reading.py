"""Messages as lines of JSON: what is asked, and every line that cannot be read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from duly.core.diagnostic import Diagnostic, Severity
from duly.core.errors import Refused
from duly.messages.lint.model import STAGES, Message
from duly.spelling import is_turned

#: Longer than any message: an SMS has at most 255 parts, a long e-mail a few thousand characters.
TEXT_CHARACTERS_MAX = 20_000
_MARK = b"\xef\xbb\xbf"
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One line: the message, the id it came with, and the line as it was read."""

    id: object
    message: Message
    row: Mapping[str, Any] = field(default_factory=dict)


def read_messages(content: bytes, file: str) -> tuple[tuple[Asked, ...], tuple[Diagnostic, ...]]:
    """Return the messages of a file of JSON lines, in order, and warnings.

    Refuses (Refused, all mistakes gathered) a file that is not UTF-8, a line that is no JSON
    object, one without `id` or without `text` as a text, and a text of more than 20,000
    characters. A stage that the guide does not know is warned of and taken as not given; a mark
    that turns a text around (U+202E) is warned of.
    """
    asked: list[Asked] = []
    wrong: list[Diagnostic] = []
    warned: list[Diagnostic] = []
    for number, written in enumerate(content.removeprefix(_MARK).split(b"\n"), start=1):
        if not written.strip():
            continue
        try:
            line = written.decode("utf-8")
        except UnicodeDecodeError as error:
            encoding = _whole_encoding(content)
            if encoding:  # Said once, not of every line.
                raise Refused(_found("not_utf8", file, number, encoding=encoding)) from error
            wrong.append(_found("not_utf8", file, number, encoding=""))
            continue
        if not line.strip():
            continue
        for one in _read(line, file, number):
            if isinstance(one, Asked):
                asked.append(one)
            else:
                (wrong if one.severity == "error" else warned).append(one)
    if wrong:
        raise Refused(*wrong)
    return tuple(asked), tuple(warned)


def _read(line: str, file: str, number: int) -> Iterator[Asked | Diagnostic]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        yield _found("not_json", file, number, column=str(error.colno), why=error.msg)
        return
    except (
        RecursionError,
        ValueError,
    ) as error:  # Brackets without end; a number of a million digits.
        yield _found("not_json", file, number, why=type(error).__name__)
        return
    if not isinstance(row, dict):
        yield _found("not_an_object", file, number)
        return
    if not _names(row.get("id")):
        yield _found("id_missing", file, number, column="id")
        return
    text, stage, facts = row.get("text"), row.get("stage"), row.get("facts")
    if not isinstance(text, str):
        code = "text_missing" if text is None else "text_is_no_text"
        yield _found(code, file, number, column="text")
        return
    if len(text) > TEXT_CHARACTERS_MAX:
        most = f"{TEXT_CHARACTERS_MAX:,}"
        yield _found(
            "text_too_long", file, number, column="text", count=f"{len(text):,}", most=most
        )
        return
    if stage not in (None, "", *STAGES):
        near = get_close_matches(str(stage), STAGES, n=1, cutoff=0.5)
        known = near[0] if near else ", ".join(STAGES)
        yield _found("unknown_stage", file, number, column="stage", severity="warning",
                     value=str(stage)[:40], known=known)  # fmt: skip
        stage = None
    if is_turned(text):
        place = str(text.index("\u202e") + 1)
        yield _found("text_turned", file, number, column="text", severity="warning", place=place)
    yield Asked(
        id=row.get("id"),
        message=Message(
            text=text, stage=stage or "", lang=str(row.get("lang") or ""), facts=_facts(facts)
        ),
        row=row,
    )


def _names(given: object) -> bool:
    """Return whether a value can name a row: a text or a whole number."""
    return (isinstance(given, str) and given != "") or (
        isinstance(given, int) and not isinstance(given, bool)
    )


def _facts(given: object) -> Mapping[str, object]:
    """Return facts as a mapping; a bare text or list is a note."""
    if isinstance(given, dict):
        return given
    return {} if given is None else {"note": given}


def _found(
    code: str,
    file: str,
    line: int,
    *,
    column: str = "",
    severity: Severity = "error",
    **values: object,
) -> Diagnostic:
    return Diagnostic(
        area="messages", code=code, severity=severity, file=file, line=line, column=column,
        values=values,
    )  # fmt: skip


def _whole_encoding(content: bytes) -> str:
    """Return what a whole file seems to be written in instead of UTF-8, or nothing."""
    if content.startswith(_WIDE_MARKS):
        return " (UTF-16)"
    try:
        chinese = any("\u4e00" <= char <= "\u9fff" for char in content.decode("gb18030"))
    except UnicodeDecodeError:
        return ""
    return " (GBK)" if chinese else ""
