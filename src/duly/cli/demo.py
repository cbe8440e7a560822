"""`duly demo`: the whole job on a generated book, told to a person."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from duly import book as books
from duly.book.schema import TABLES
from duly.cli import arguments, output, settings
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.reasons import DECISIONS
from duly.core.words import say

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

AT = "2026-03-10T09:00:00+08:00"
#: The templates whose messages are shown, the first that occur.
SHOWN = ("first_late", "plan_offer", "due_soon", "overdue", "credit_notice", "card_refused")
SHOWN_MAX = 3
EXPLAINED = ("first_late", "overdue", "plan_offer")
BOOK_FILES = frozenset({"book.json", *(f"{table}.csv" for table in TABLES)})
_MARK = ".duly-demo"  #: Says that a directory is the demo's own, to be written over.


def demo(
    *,
    out: arguments.Out | None = None,
    faces: Annotated[bool, arguments.named("--faces", "option.faces")] = False,
    locale: arguments.Locale = None,
) -> int:
    """Generate a sample book, check, position and plan it, explain a decision, write the report."""
    language = locale or settings.locale()
    folder = _own_folder((out or settings.home() / "demo").absolute())
    if not faces:
        _show_plan(folder, None, language)
        return output.DONE
    from duly.cli import demo_faces

    with demo_faces.own_home(folder):
        lender = demo_faces.write_lender(folder)
        messages = _show_plan(folder, lender, language)
        given = demo_faces.fill(folder, lender, language)
    demo_faces.tell(given, messages, folder, language)
    return output.DONE


def _show_plan(folder: Path, lender_file: Path | None, language: str) -> Sequence[dict[str, Any]]:
    """Make the plan of a sample book and show it; return its messages."""
    from duly.plan import replay
    from duly.plan.explain import explain_loan
    from duly.plan.explain_page import page
    from duly.plan.making import Request, make_and_write
    from duly.plan.report import write_report
    from duly.plan.write import write_whole
    from duly.simulate import write_sample

    with output.progress(say("cli", "planning", language)):
        write_whole(folder / "book", write_sample, ours=BOOK_FILES)
        started = time.perf_counter()
        lender = books.load_lender(lender_file)
        checked = books.check(folder / "book", lender, language)
        _position(folder)
        request = Request(
            book=folder / "book", instant=arguments.instant(AT), out=folder / "plan",
            lender_file=lender_file, policy=None, locale=language,
        )  # fmt: skip
        run = make_and_write(request, key=settings.keys(make=True).first, clock=time.perf_counter)
        seconds = round(time.perf_counter() - started, 1)
        messages: list[dict[str, Any]] = replay.read_table(folder / "plan", "messages").to_pylist()
        chosen = _first(messages, EXPLAINED)
        found = explain_loan(folder / "plan", chosen["loan_ids"][0], clock=time.perf_counter)
        write_report(folder / "plan", folder / "report.html", locale=language)
    console, text = output.page()
    _show_book(console, run, checked.rows, language)
    console.print(_decisions(run, language))
    _show_messages(console, messages, language, lender.time_zone, folder)
    console.rule(say("cli", "demo_explained", language))
    console.print(page(found, language), markup=False, soft_wrap=True)
    console.rule()
    output.line(text.getvalue().rstrip("\n"))
    output.line(say("cli", "demo_seconds", language, seconds=seconds, out=folder))
    output.line(say("cli", "report_written", language, out=folder / "report.html"))
    output.line(say("cli", "demo_next", language, out=folder))
    return messages


def _own_folder(folder: Path) -> Path:
    """Return the demo's directory, made where it is missing; refuse one that holds other things."""
    if folder.exists() and not (folder / _MARK).exists() and any(folder.iterdir()):
        raise Refused(Diagnostic(area="cli", code="not_the_demos", values={"path": folder}))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).touch()
    return folder


def _position(folder: Path) -> None:
    from duly.cli.position import write_positions

    write_positions(
        folder / "book", folder / "positions", on=arguments.day(AT[:10]),
        terms=books.load_lender(None), threads=0, form="parquet",
    )  # fmt: skip


def _show_book(
    console: Console, run: Mapping[str, Any], rows: Sequence[Mapping[str, object]], locale: str
) -> None:
    console.rule(say("cli", "demo_title", locale))
    book = say("cli", "demo_book", locale, loans=f"{run['loans']:,}", lender=run["lender"],
               date=run["business_date"])  # fmt: skip
    console.print(book, markup=False)
    if rows:
        first = rows[0]
        where = f"{first['file']}:{first['row']}:{first['column']}"
        console.print(say("cli", "demo_quarantine", locale, rows=len(rows)), markup=False)
        console.print(
            f"  {where} {first['code']} {first['message']}\n", markup=False, soft_wrap=True
        )


def _decisions(run: Mapping[str, Any], locale: str) -> Table:
    """Return the table of decisions, each with its reasons, the most frequent first."""
    from rich.table import Table

    table = Table(title=say("cli", "demo_decisions", locale), title_justify="left")
    table.add_column(say("cli", "demo_decision", locale), no_wrap=True)
    table.add_column(say("cli", "demo_loans", locale), justify="right", no_wrap=True)
    table.add_column(say("cli", "demo_why", locale))
    counts = sorted(run["reasons"].items(), key=lambda item: (-item[1], item[0]))
    for decision in DECISIONS:
        told = [
            f"{settings.reason_name(name.partition('/')[2], locale)} {rows}"
            for name, rows in counts
            if name.partition("/")[0] == decision
        ]
        if told:
            name, loans = say("reasons", f"decision.{decision}", locale), run["decisions"][decision]
            table.add_row(name, f"{loans:,}", " · ".join(told))
    return table


def _show_messages(
    console: Console, messages: list[dict[str, Any]], locale: str, zone: str, folder: Path
) -> None:
    from duly.rules.zones import zone as zone_named

    shown = _some(messages, SHOWN)[:SHOWN_MAX]
    console.print()
    console.rule(say("cli", "demo_messages", locale, count=len(messages)))
    local = zone_named(zone)
    for row in shown:
        start, end = (row[name].astimezone(local) for name in ("not_before", "not_after"))
        head = say(
            "cli", "demo_message", locale, start=f"{start:%H:%M}", end=f"{end:%H:%M}",
            channel=say("report", f"channel.{row['channel']}", locale),
            address=_masked(row["address"]), segments=row["segments"],
            template=say("report", f"template.{row['template']}", locale),
        )  # fmt: skip
        console.print(head, style="dim", markup=False)
        console.print(f"  {row['text']}\n", markup=False, soft_wrap=True)
    more = say("cli", "demo_more", locale, count=len(messages) - len(shown), out=folder / "plan")
    console.print(more, markup=False, soft_wrap=True)


def _some(messages: list[dict[str, Any]], templates: Sequence[str]) -> list[dict[str, Any]]:
    """Return the first message of each template, in the order of the templates."""
    firsts = (
        next((row for row in messages if row["template"] == template), None)
        for template in templates
    )
    return [row for row in firsts if row is not None]


def _first(messages: list[dict[str, Any]], templates: Sequence[str]) -> dict[str, Any]:
    found = _some(messages, templates)
    assert found, "the sample book has late borrowers who are written to"
    return found[0]


def _masked(address: str) -> str:
    return f"{address[:-8]}****{address[-4:]}" if address[0] == "+" else f"{address[:2]}****"
