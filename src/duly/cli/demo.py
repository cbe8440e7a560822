"""`duly demo`: the whole job on a generated book, told to a person."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from rich.console import Console
from rich.table import Table

from duly import book as books
from duly.cli import arguments, output, settings
from duly.core.words import say

AT = "2026-03-10T09:00:00+08:00"
_MESSAGES = ("first_late", "plan_offer", "due_soon", "overdue", "credit_notice", "card_refused")


def demo(
    *,
    out: arguments.Out | None = None,
    locale: Annotated[str | None, arguments.worded("option.locale")] = None,
) -> int:
    """Generate a sample book, check, position and plan it, explain a decision, write the report."""
    from duly.plan import replay
    from duly.plan.explain import explain_loan
    from duly.plan.explain_page import page
    from duly.plan.making import Request, make_and_write
    from duly.plan.report import write_report
    from duly.simulate import write_sample

    language = locale or settings.locale()
    folder = out or settings.home() / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    console = Console(highlight=False, width=100 if not output.is_terminal() else None)
    write_sample(folder / "book")
    started = time.perf_counter()
    checked = books.check(folder / "book", books.load_lender(None), language)
    _position(folder)
    request = Request(
        book=folder / "book",
        instant=arguments.instant(AT),
        out=folder / "plan",
        lender_file=None,
        policy=None,
        locale=language,
    )
    run = make_and_write(request, key=settings.keys(make=True).first, clock=time.perf_counter)
    seconds = round(time.perf_counter() - started, 1)
    console.rule(say("cli", "demo_title", language))
    console.print(
        say("cli", "demo_book", language, loans=run["loans"], lender=run["lender"],
            date=run["business_date"])
    )  # fmt: skip
    if checked.rows:
        example = checked.rows[0]
        told = f"{example['table']}:{example['row']}:{example['column']} {example['message']}"
        console.print(say("cli", "demo_quarantine", language, rows=len(checked.rows), example=told))
    console.print(_decisions(run, language))
    messages = replay.read_table(folder / "plan", "messages").to_pylist()
    _show_messages(console, messages, language)
    chosen = _explained(messages, folder / "plan")
    console.rule(say("cli", "demo_explained", language))
    found = explain_loan(folder / "plan", chosen, clock=time.perf_counter)
    console.print(page(found, language), markup=False, soft_wrap=True)
    write_report(folder / "plan", folder / "report.html", locale=language)
    console.rule()
    console.print(say("cli", "demo_seconds", language, seconds=seconds, out=folder.absolute()))
    output.line(say("cli", "report_written", language, out=(folder / "report.html").absolute()))
    console.print(say("cli", "demo_next", language))
    return output.DONE


def _position(folder: Path) -> None:
    from duly.cli.position import position

    position(folder / "book", as_of=AT[:10], out=folder / "positions", quiet=True)


def _decisions(run: Mapping[str, Any], locale: str) -> Table:
    table = Table(title=say("cli", "demo_decisions", locale), title_justify="left")
    table.add_column(say("cli", "demo_decision", locale))
    table.add_column(say("cli", "demo_reason", locale))
    table.add_column(say("cli", "demo_loans", locale), justify="right")
    for name, rows in sorted(
        run["reasons"].items(), key=lambda item: (item[0].split("/")[0], -item[1])
    ):
        decision, _, reason = name.partition("/")
        table.add_row(
            say("reasons", f"decision.{decision}", locale),
            settings.reason(reason, locale),
            f"{rows:,}",
        )
    return table


def _show_messages(console: Console, messages: list[dict[str, Any]], locale: str) -> None:
    console.rule(say("cli", "demo_messages", locale, count=len(messages)))
    shown = [
        next((row for row in messages if row["template"] == template), None)
        for template in _MESSAGES
    ]
    for row in [row for row in shown if row is not None][:3]:
        console.print(
            say("cli", "demo_message", locale, address=_masked(row["address"]),
                channel=row["channel"], start=row["not_before"], end=row["not_after"],
                segments=row["segments"]),
            style="dim",
        )  # fmt: skip
        console.print("  " + row["text"] + "\n", markup=False, soft_wrap=True)


def _masked(address: str) -> str:
    return f"{address[:4]}****{address[-4:]}"


def _explained(messages: list[dict[str, Any]], plan_dir: Path) -> str:
    """Return a loan worth explaining: late, with a message and a late charge."""
    for row in messages:
        if row["template"] in ("overdue", "first_late"):
            return str(row["loan_ids"][0])
    run = json.loads((plan_dir / "run.json").read_text("utf-8"))
    raise AssertionError(run["decisions"])
