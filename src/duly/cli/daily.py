"""`duly daily`: the service runs each business date by itself; `list` says how they ended."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from duly.cli import arguments, output, settings
from duly.cli.opening import legal_now, opened_store, store, watched
from duly.core.diagnostic import Diagnostic
from duly.core.words import say

if TYPE_CHECKING:
    from duly.service.operations.daily import Desk, Outcome, Round
    from duly.service.rows import Row

_LOOK_SECONDS = 30
_STEP_SECONDS = 0.5  #: how late a stop is heard
_SHOWN_MAX = 1_000


def daily(
    *,
    once: Annotated[bool, arguments.named("--once", "option.daily_once")] = False,
    at: Annotated[str | None, arguments.worded("option.at_legal")] = None,
    lender: arguments.LenderFile = None,
    threads: arguments.Threads = 0,
    json: arguments.Json = False,
) -> int:
    """Run each business date: its book, its plan, and the plan loaded, until stopped."""
    from duly.service import postgres, setting_up

    setting_up.prepare()
    from duly.service.operations import daily as running

    now = legal_now(at)
    file = settings.lender_file(lender)
    running.refuse_unset(file)
    watched("daily")
    with postgres.opened(settings.home(), settings.database_url()) as url, store(url):
        desk = running.Desk(
            url=url, lender_file=file, plans=settings.plans(), key=settings.keys(make=True).first,
            locale=settings.locale(), now=now, clock=time.perf_counter, threads=threads,
        )  # fmt: skip
        if once:
            return _tell(running.work(desk), json=json)
        _until_stopped(desk)
    return output.DONE


def _until_stopped(desk: Desk) -> None:
    """Look each half a minute; a stop lets the day end that is worked on."""
    import psycopg
    from django.db import Error, connection

    from duly.core.errors import Refused
    from duly.service import journal
    from duly.service.operations import daily as running

    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: asked.append(number))
    journal.note("daily.began")
    while not asked:
        try:
            running.work(desk, patient=True)
        except Refused as refused:
            journal.warn("daily.refused", code=refused.diagnostics[0].code)
        except (Error, psycopg.OperationalError) as error:
            journal.broken("database.away", error)
            connection.close()
        until = time.monotonic() + _LOOK_SECONDS
        while not asked and time.monotonic() < until:
            time.sleep(_STEP_SECONDS)
    journal.note("daily.ended")


def _tell(found: Round, *, json: bool) -> int:
    locale = settings.locale()
    if json:
        rows = [
            {
                "business_date": one.business_date.isoformat(),
                "state": one.state,
                "plan_sha256": one.run,
                "messages": one.messages,
                "errors": _errors(one.diagnostics, locale),
            }
            for one in found.outcomes
        ]
        output.as_json({"busy": found.busy, "days": rows})
    else:
        for one in found.outcomes:
            output.line(_said(one, locale))
            for told in one.diagnostics:
                output.line("  " + told.render(locale))
        if not found.outcomes:
            output.line(say("service", "daily_busy" if found.busy else "daily_nothing", locale))
    return output.DONE if all(one.is_well for one in found.outcomes) else output.FOUND_WRONG


def _said(one: Outcome, locale: str) -> str:
    state = say("service", f"day.{one.state}", locale)
    return f"{one.business_date}  {state}  {(one.run or '-')[:12]}  {one.messages:>8}"


def list_days(
    *,
    limit: Annotated[int, arguments.worded("option.limit"), arguments.between(1, _SHOWN_MAX)] = 31,
    json: arguments.Json = False,
) -> int:
    """List business dates, the newest first: how each ended, from which book, with which plan."""
    with opened_store():
        from duly.service.operations import days

        found = days.listed(limit=limit)
    locale = settings.locale()
    if json:
        output.as_json([_plain(row, locale) for row in found])
        return output.DONE
    for row in found:
        state = say("service", f"day.{row['state']}", locale)
        shas = "  ".join((row[name] or "-")[:12] for name in ("book_sha256", "plan_sha256"))
        output.line(f"{row['business_date']}  {state}  {shas}  {row['messages'] or 0:>8}")
        for one in row["diagnostics"]:
            output.line("  " + one.render(locale))
    if not found:
        output.line(say("service", "no_days", locale))
    return output.DONE


def _plain(row: Row, locale: str) -> dict[str, object]:
    shown = output.plain({name: row[name] for name in row if name != "diagnostics"})
    return {**shown, "errors": _errors(row["diagnostics"], locale)}


def _errors(diagnostics: Sequence[Diagnostic], locale: str) -> list[dict[str, str]]:
    return [{"code": one.code, "message": one.render(locale)} for one in diagnostics]
