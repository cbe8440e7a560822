"""`duly position`: what is owed as of a date?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Literal

from duly import book as books
from duly.cli import arguments, output, settings
from duly.core.words import say

if TYPE_CHECKING:
    from duly.book import Snapshot
    from duly.book.lender import Lender

#: What `duly position` writes, and may therefore write over.
FILES = frozenset(
    {"quarantine.csv"}
    | {f"{table}.{form}" for table in ("positions", "installments") for form in ("parquet", "csv")}
)


@dataclass(frozen=True, kw_only=True)
class Written:
    """What was written, and what the book said about itself."""

    loans: int
    snapshot: Snapshot


def position(
    book: arguments.Book,
    /,
    *,
    as_of: Annotated[str, arguments.worded("option.as_of")],
    out: arguments.Out,
    lender: arguments.LenderFile = None,
    threads: arguments.Threads = 0,
    form: arguments.Form = "parquet",
) -> int:
    """Write the positions and installments of every loan as of a date."""
    locale, on = settings.locale(), arguments.day(as_of)
    terms = books.load_lender(settings.lender_file(lender))
    with output.progress(say("cli", "positioning", locale)):
        done = write_positions(book, out, on=on, terms=terms, threads=threads, form=form)
    taken = done.snapshot
    output.diagnostics((*taken.warnings, *taken.alerts), locale)
    output.line(say("cli", "positioned", locale, loans=done.loans, as_of=on, out=out))
    if taken.quarantined_rows:
        output.error(say("cli", "quarantined", locale, rows=taken.quarantined_rows, out=out))
        return output.FOUND_WRONG
    return output.DONE


def write_positions(
    book: Path,
    out: Path,
    *,
    on: date,
    terms: Lender,
    threads: int,
    form: Literal["parquet", "csv"],
) -> Written:
    """Write positions, installments and quarantine of a book or snapshot into `out`."""
    from duly.plan.write import write_quarantine, write_whole
    from duly.position import compute, write

    done: list[Written] = []

    def fill(half: Path) -> None:
        with TemporaryDirectory(dir=half) as work:
            taken = (
                books.open_snapshot(book)
                if books.is_snapshot(book)
                else books.take_snapshot(
                    book, Path(work) / "snapshot", lender=terms, needs="position",
                    locale=settings.locale(), threads=threads or None,
                )
            )  # fmt: skip
            found = compute(
                taken, as_of=on, time_zone=terms.time_zone, threads=threads, installments=True
            )
            write(found, half, form)
            write_quarantine(taken.path, half)
            done.append(Written(loans=found.loans.num_rows, snapshot=taken))

    write_whole(out, fill, ours=FILES)
    return done[0]
