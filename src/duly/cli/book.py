"""`duly check` and `duly snapshot`: what were we told, and may it be used?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from duly import book as books
from duly.book import Lender, Snapshot
from duly.cli import arguments, output, settings
from duly.core.diagnostic import Diagnostic
from duly.core.visible import visible
from duly.core.words import say

#: What the contract says of a row in JSON.
ROW = ("table", "row", "column", "code", "message")


def check(
    book: arguments.Book, /, *, lender: arguments.LenderFile = None, json: arguments.Json = False
) -> int:
    """Check every row and reference of a book."""
    locale = settings.locale()
    terms = books.load_lender(settings.lender_file(lender))
    with output.progress(say("cli", "checking", locale)):
        found = books.check(book, terms, locale)
    if json:
        output.as_json(
            {
                "rows": [{name: row[name] for name in ROW} for row in found.rows],
                "warnings": [_warning(item, locale) for item in (*found.warnings, *found.alerts)],
            }
        )
    else:
        for row in found.rows:
            where = visible(f"{row['file']}:{row['row']}:{row['column']}")
            output.error(f"{where} {row['code']} {row['message']}")
        output.diagnostics((*found.warnings, *found.alerts), locale)
        output.line(
            say("cli", "checked", locale, rows=len(found.rows), warnings=len(found.warnings))
        )
    return output.FOUND_WRONG if found.rows else output.DONE


def snapshot(
    book: arguments.Book,
    /,
    *,
    out: arguments.Out,
    lender: arguments.LenderFile = None,
    threads: arguments.Threads = 0,
) -> int:
    """Write the checked book as Parquet, named by its hash."""
    from duly.plan.write import sweep

    sweep(out.absolute().parent, f".{out.name}.half-")
    locale = settings.locale()
    terms = books.load_lender(settings.lender_file(lender))
    with output.progress(say("cli", "checking", locale)):
        taken = books.take_snapshot(
            book, out, lender=terms, needs="plan", locale=locale, threads=threads or None
        )
    output.diagnostics((*taken.warnings, *taken.alerts), locale)
    output.line(
        say("cli", "snapshot_taken", locale, out=out, sha256=taken.sha256,
            loans=taken.rows.get("loans", 0), rows=taken.quarantined_rows)
    )  # fmt: skip
    return output.FOUND_WRONG if taken.quarantined_rows else output.DONE


def _warning(item: Diagnostic, locale: str) -> dict[str, object]:
    return {
        "table": item.file.partition(".")[0].rstrip("/"),
        "file": item.file,
        "row": item.line,
        "column": item.column,
        "code": item.code,
        "message": item.sentence(locale),
    }


@contextmanager
def opened_snapshot(book: Path, terms: Lender, locale: str, *, tells: bool) -> Iterator[Snapshot]:
    """Give the snapshot of a book, checked, or one that is already made.

    With `tells`, what the check of a book warns of is printed.
    """
    if books.is_snapshot(book):
        yield books.open_snapshot(book)
        return
    with TemporaryDirectory() as folder:
        taken = books.take_snapshot(
            book, Path(folder) / "snapshot", lender=terms, needs="plan", locale=locale
        )
        if tells:
            output.diagnostics((*taken.warnings, *taken.alerts), locale)
        yield taken
