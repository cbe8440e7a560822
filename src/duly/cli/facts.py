"""`duly load` and `duly events`: what the lender tells the service, and what it knows."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from duly.cli import arguments, output, settings
from duly.cli.opening import legal_now, opened_store
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.words import say

if TYPE_CHECKING:
    from duly.service.facts.book_out import Exported
    from duly.service.operations.books import LoadedBook

_STDIN = "-"
At = Annotated[str | None, arguments.worded("option.at_legal")]


def load(
    book: Annotated[Path | None, arguments.worded("option.book")] = None,
    /,
    *,
    export: Annotated[Path | None, arguments.worded("option.export")] = None,
    at: At = None,
    lender: arguments.LenderFile = None,
    threads: arguments.Threads = 0,
    json: arguments.Json = False,
) -> int:
    """Upsert a book into the service's store, or write the book that it knows."""
    from duly import book as books
    from duly.service.operations.books import export_book, load_book

    if (book is None) == (export is None):
        raise Refused(Diagnostic(area="service", code="load_one"))
    locale, now = settings.locale(), legal_now(at)
    terms = books.load_lender(settings.lender_file(lender))
    if book is not None:
        with opened_store(), output.progress(say("cli", "loading", locale)):
            loaded = load_book(book, lender=terms, at=now(), locale=locale, threads=threads or None)
        return _tell_loaded(loaded, json=json)
    assert export is not None
    with opened_store(), output.progress(say("cli", "loading", locale)):
        exported = export_book(export, lender=terms, at=now())
    return _tell_exported(exported, export, json=json)


def _tell_loaded(loaded: LoadedBook, *, json: bool) -> int:
    locale = settings.locale()
    output.diagnostics(loaded.warnings, locale)
    if json:
        output.as_json(
            {
                "book_sha256": loaded.book_sha256,
                "cut_at": loaded.cut_at.isoformat(),
                "rows": loaded.rows,
                "aside": loaded.aside,
                "again": loaded.again,
            }
        )
    else:
        key = "book_again" if loaded.again else "book_loaded"
        output.line(
            say("service", key, locale, loans=loaded.rows["loans"], rows=sum(loaded.rows.values()),
                aside=loaded.aside, cut=loaded.cut_at.isoformat())
        )  # fmt: skip
    return output.FOUND_WRONG if loaded.aside else output.DONE


def _tell_exported(exported: Exported, out: Path, *, json: bool) -> int:
    locale = settings.locale()
    output.diagnostics(exported.alerts, locale)
    if json:
        output.as_json(
            {
                "cut_at": exported.cut_at.isoformat(),
                "rows": exported.rows,
                "alerts": [
                    {"code": one.code, **one.values, "message": one.sentence(locale)}
                    for one in exported.alerts
                ],
            }
        )
    else:
        output.line(
            say("service", "book_exported", locale, loans=exported.rows["loans"], out=out,
                cut=exported.cut_at.isoformat())
        )  # fmt: skip
    return output.DONE


def events(
    file: Annotated[str, arguments.worded("option.events_file", hyphen=True)],
    /,
    *,
    at: At = None,
    json: arguments.Json = False,
) -> int:
    """Take CloudEvents from a file of JSON lines or of one array, or from stdin."""
    from duly.service.facts.event_file import read_events
    from duly.service.operations.events import EventsRefused, accept

    if file.startswith("-") and file != _STDIN:
        values = {"name": file, "near": "", "command": "duly events"}
        raise Refused(Diagnostic(area="cli", code="unknown_option", values=values))
    content = sys.stdin.buffer.read() if file == _STDIN else Path(file).read_bytes()
    name = "stdin" if file == _STDIN else file
    told, lines = read_events(content, name)
    with opened_store(), output.progress(say("cli", "loading", settings.locale())):
        try:
            found = accept(told, at=legal_now(at)())
        except EventsRefused as refused:
            raise EventsRefused(refused.problems, name, lines) from refused
    for one in found.unread:
        output.diagnostics(
            [Diagnostic(area="service", code="event_unread", severity="warning", file=name,
                        values={"field": one})],
            settings.locale(),
        )  # fmt: skip
    if json:
        output.as_json(
            {
                "accepted": found.accepted,
                "duplicates": found.duplicates,
                "cancelled": list(found.cancelled),
            }
        )
    else:
        output.line(
            say("service", "events_taken", settings.locale(), accepted=found.accepted,
                duplicates=found.duplicates, cancelled=len(found.cancelled))
        )  # fmt: skip
    return output.DONE
