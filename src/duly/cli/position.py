"""`duly position`: what is owed as of a date?"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from cyclopts import Parameter

from duly import book as books
from duly.cli import arguments, output, settings
from duly.core.words import say
from duly.plan.write import write_quarantine, write_whole


def position(
    book: arguments.Book,
    /,
    *,
    as_of: Annotated[str, arguments.worded("option.as_of")],
    out: arguments.Out,
    lender: arguments.LenderFile = None,
    threads: arguments.Threads = 0,
    form: arguments.Form = "parquet",
    quiet: Annotated[bool, Parameter(show=False)] = False,
) -> int:
    """Write the positions and installments of every loan as of a date."""
    from duly.position import compute, write

    locale, on = settings.locale(), arguments.day(as_of)
    terms = books.load_lender(settings.lender_file(lender))
    quarantined = 0

    def fill(half: Path) -> None:
        nonlocal quarantined
        with TemporaryDirectory(dir=half) as work:
            if books.is_snapshot(book):
                taken = books.open_snapshot(book)
            else:
                taken = books.take_snapshot(
                    book, Path(work) / "snapshot", lender=terms, needs="position", locale=locale,
                    threads=threads or None,
                )  # fmt: skip
            found = compute(
                taken, as_of=on, time_zone=terms.time_zone, threads=threads, installments=True
            )
            write(found, half, form)
            write_quarantine(taken.path, half)
            quarantined = taken.quarantined_rows
            if quiet:
                return
            output.diagnostics((*taken.warnings, *taken.alerts), locale)
            output.line(
                say("cli", "positioned", locale, loans=found.loans.num_rows, as_of=on, out=out)
            )

    with output.progress(say("cli", "positioning", locale)):
        write_whole(out, fill, mark="quarantine.csv")
    return output.FOUND_WRONG if quarantined else output.DONE
