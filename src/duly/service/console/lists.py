"""The lists behind each number of today, as pages and as files for a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse

from duly.core.money import major
from duly.core.words import catalogue, say
from duly.rules import lenders_rules
from duly.service.api.serving import present
from duly.service.console import periods, portfolio_sql
from duly.service.console.files import spreadsheet
from duly.service.console.listing import Listing
from duly.service.console.pages import page, problem
from duly.service.console.periods import Period
from duly.service.console.reasons import REASON, reason_name, told_rules
from duly.service.console.signing_in import allowed, who_of
from duly.service.console.today import LEFT, asked, late_where, latest_run
from duly.service.faces.looks import look_of
from duly.service.operations.recording import record
from duly.service.rows import Row

SHOWN = 100
#: Rows of a file; a spreadsheet takes no more than a million.
EXPORTED_MAX = 100_000
_NOWHERE = 404
_LONG = 200
_DECISIONS = f"""
SELECT * FROM (SELECT d.loan_id, d.borrower_id, d.decision, {REASON} AS reason,
    (d.figures->>'days_past_due')::int AS days, (d.figures->>'overdue_total')::bigint AS overdue,
    d.figures->>'currency' AS currency, d.next_review_on AS review
FROM store_decision AS d WHERE d.run_id = %(run)s AND (%(kind)s = '' OR d.decision = %(kind)s)
    AND (%(rule)s = '' OR d.legal @> to_jsonb(%(rule)s::text)
        AND (%(all)s OR %(rule)s = ANY(%(told)s)))
    AND d.loan_id > %(after)s) AS d
WHERE %(reason)s = '' OR d.reason = %(reason)s ORDER BY loan_id LIMIT %(limit)s
"""
_MESSAGES = f"""
SELECT * FROM (SELECT d.message_id, d.borrower_id, d.channel, d.message_class, d.template, d.state,
    CASE WHEN d.state IN ('blocked', 'expired', 'cancelled') THEN {REASON} END AS reason,
    d.not_before, d.route
FROM store_message AS d WHERE d.run_id = %(run)s AND d.message_id > %(after)s
    AND (%(state)s = '' OR d.state = %(state)s OR %(state)s = 'left' AND d.state = ANY(%(left)s)))
    AS d
WHERE %(reason)s = '' OR d.reason = %(reason)s ORDER BY message_id LIMIT %(limit)s
"""
_ASIDE = """
SELECT id, "table", row, "column", code, borrower_id, cut_at FROM store_aside
WHERE cut_at = (SELECT max(cut_at) FROM store_book) AND id > %(number)s ORDER BY id LIMIT %(limit)s
"""
_DEAD = """
SELECT d.id, m.borrower_id, m.channel, m.template, d.reason, d.route, d.attempts, d.at
FROM store_deadletter AS d JOIN store_message AS m ON m.message_id = d.message_id
WHERE d.ended IS NULL AND d.id > %(number)s ORDER BY d.id LIMIT %(limit)s
"""
_LATE = """
SELECT id, kind, borrower_id, loan_id, opened_at FROM store_task
WHERE closed_at IS NULL AND ({late}) AND id > %(number)s ORDER BY id LIMIT %(limit)s
"""
#: Whom a proposal moves, with what the latest plan decided about the loan.
_MOVED = f"""
SELECT m.loan_id, d.borrower_id, m.kind AS moved, d.decision, {REASON} AS reason,
    (d.figures->>'days_past_due')::int AS days, (d.figures->>'overdue_total')::bigint AS overdue,
    d.figures->>'currency' AS currency
FROM store_policymove AS m LEFT JOIN store_decision AS d
    ON d.loan_id = m.loan_id AND d.run_id = %(run)s
WHERE m.comparison_id = %(of)s AND (%(kind)s = '' OR m.kind = %(kind)s)
    AND m.loan_id > %(after)s ORDER BY m.loan_id LIMIT %(limit)s
"""


LISTS: Mapping[str, Listing] = {
    "decisions": Listing(
        sql=_DECISIONS, key="loan_id", narrows=("kind", "reason", "rule"),
        columns=(("loan_id", "text"), ("borrower_id", "borrower"), ("decision", "decision"),
                 ("reason", "reason"), ("days", "text"), ("overdue", "money"), ("review", "day")),
    ),
    "messages": Listing(
        sql=_MESSAGES, key="message_id", narrows=("state", "reason"),
        columns=(("message_id", "text"), ("borrower_id", "borrower"), ("channel", "channel"),
                 ("message_class", "class"), ("template", "text"), ("state", "message_state"),
                 ("reason", "reason"), ("not_before", "hour"), ("route", "text")),
    ),
    "aside": Listing(
        sql=_ASIDE, key="id",
        columns=(("table", "text"), ("row", "text"), ("column", "text"), ("code", "text"),
                 ("borrower_id", "borrower"), ("cut_at", "hour")),
    ),
    "dead": Listing(
        sql=_DEAD, key="id",
        columns=(("id", "text"), ("borrower_id", "borrower"), ("channel", "channel"),
                 ("template", "text"), ("reason", "reason"), ("route", "text"),
                 ("attempts", "text"), ("at", "hour")),
    ),
    "late": Listing(
        sql=_LATE, key="id",
        columns=(("id", "task"), ("kind", "kind"), ("borrower_id", "borrower"),
                 ("loan_id", "text"), ("opened_at", "hour")),
    ),
    "moved": Listing(
        sql=_MOVED, key="loan_id", narrows=("comparison", "kind"),
        columns=(("loan_id", "text"), ("borrower_id", "borrower"), ("moved", "moved"),
                 ("decision", "decision"), ("reason", "reason"), ("days", "text"),
                 ("overdue", "money")),
    ),
    **portfolio_sql.LISTS,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell as people read it, and where it leads."""

    text: str
    kind: str
    value: Any


@allowed("lists.see", "GET")
def listing(request: HttpRequest, name: str) -> HttpResponse:
    """Show one list, a page at a time."""
    if name not in LISTS:
        return problem(request, "nowhere", status=_NOWHERE)
    found, period = LISTS[name], _period_of(request, name)
    rows = _rows(request, found, period, limit=SHOWN + 1)
    shown = rows[:SHOWN]
    after = str(shown[-1][found.key]) if len(rows) > SHOWN else ""
    locale, staff = look_of(request).locale, who_of(request)
    return page(
        request, "list", listed=name, columns=[one for one, _ in found.columns],
        rows=[list(_cells(found, row, locale)) for row in shown], after=after,
        filters=_filters(request, found, period), exports=staff.may("lists.export"), period=period,
        narrowed=_narrowed(request, found, locale), dated=found.dated,
        sees=staff.may("borrower.see"), works=staff.may("tasks.see"),
        of_rule=_rule_of(request) if name == "decisions" else None,
    )  # fmt: skip


@allowed("lists.export", "GET")
def export(request: HttpRequest, name: str) -> HttpResponse:
    """Give one list as a file; who took it, and how many rows, is recorded."""
    if name not in LISTS:
        return problem(request, "nowhere", status=_NOWHERE)
    found, period, locale = LISTS[name], _period_of(request, name), look_of(request).locale
    rows = _rows(request, found, period, limit=EXPORTED_MAX)
    told = {"list": name, "rows": len(rows), **_filters(request, found, period)}
    record("staff.exported", [(who_of(request).name, told)])
    head = [say("console", f"column.{one}", locale) for one, _ in found.columns]
    cells = ([cell.text for cell in _cells(found, row, locale)] for row in rows)
    return spreadsheet(name, head, cells)


def _period_of(request: HttpRequest, name: str) -> Period | None:
    return periods.chosen(request, periods.runs()) if LISTS[name].dated else None


def _asked_for(request: HttpRequest, found: Listing) -> dict[str, str]:
    given = {one: request.GET.get(one, "")[:_LONG] for one in found.narrows}
    return {name: one for name, one in given.items() if one and one.isprintable()}


def _filters(request: HttpRequest, found: Listing, period: Period | None) -> dict[str, str]:
    """Return what narrows a list, as its address says it."""
    dated = {} if period is None else {
        "since": "" if period.then is None else period.then.day.isoformat(),
        "until": period.now.day.isoformat(),
    }  # fmt: skip
    return _asked_for(request, found) | {name: one for name, one in dated.items() if one}


def _narrowed(request: HttpRequest, found: Listing, locale: str) -> list[tuple[str, str]]:
    """Return what narrows a list of the portfolio, in words."""
    if not found.dated:
        return []
    said = catalogue("console", locale)
    kinds = {"was": "place", "became": "place", "how": "how", "outcome": "outcome",
             "kind": "signal"}  # fmt: skip
    return [
        (say("console", f"narrow.{name}", locale), said.get(f"{kinds.get(name)}.{one}", one))
        for name, one in _asked_for(request, found).items()
    ]


def _rule_of(request: HttpRequest) -> dict[str, Any] | None:
    """Return the rule that a list was asked for, and whether it has a page."""
    asked_for = _asked_for(request, LISTS["decisions"]).get("rule")
    if asked_for is None:
        return None
    lender = present().lender
    known = {one.id for one in lenders_rules(lender.packs, lender.switched_off)}
    return {"id": asked_for, "known": asked_for in known}


def _rows(request: HttpRequest, found: Listing, period: Period | None, *, limit: int) -> list[Row]:
    if found.dated and period is None:
        return []
    after = request.GET.get("after", "")[:_LONG]
    number = _number(after)
    after = after if after.isprintable() else ""
    narrowed = dict.fromkeys(found.narrows, "") | _asked_for(request, found)
    if period is not None:
        given = {**period.given, **narrowed, "cursor": after, "limit": limit,
                 "ranks": list(portfolio_sql.RANKS)}  # fmt: skip
        return asked(found.sql, given)
    lender = present().lender
    given = {
        **narrowed, "run": latest_run(), "after": after, "number": number, "limit": limit,
        "of": _number(narrowed.get("comparison", "")), "left": list(LEFT),
        "all": who_of(request).may("investigation.know"),
        "told": list(told_rules(lender.packs, lender.switched_off)),
    }  # fmt: skip
    late, more = late_where()
    return asked(found.sql.replace("{late}", late), {**given, **more})


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _cells(found: Listing, row: Row, locale: str) -> Iterator[Cell]:
    for name, kind in found.columns:
        yield Cell(text=_SAID.get(kind, _text)(row, row[name], kind, locale), kind=kind,
                   value=row[name])  # fmt: skip


def _text(_row: Row, value: object, kind: str, locale: str) -> str:
    """Return a value as it is, or the word of its code."""
    if value is None:
        return ""
    said = catalogue("service", locale) if kind == "kind" else catalogue("console", locale)
    group = "task" if kind == "kind" else kind
    return said.get(f"{group}.{value}", str(value))


def _reason(_row: Row, value: str | None, _kind: str, locale: str) -> str:
    return reason_name(value, locale)


def _money(row: Row, value: int | None, _kind: str, _locale: str) -> str:
    return "" if value is None else f"{major(value, row['currency'])} {row['currency']}"


def _hour(_row: Row, value: datetime | None, _kind: str, _locale: str) -> str:
    if value is None:
        return ""
    return f"{value.astimezone(ZoneInfo(present().lender.time_zone)):%Y-%m-%d %H:%M}"


def _day(_row: Row, value: date | None, _kind: str, _locale: str) -> str:
    return "" if value is None else value.isoformat()


def _moved(_row: Row, value: str, _kind: str, locale: str) -> str:
    return say("proofs", f"moved.{value}", locale)


_SAID: dict[str, Callable[[Row, Any, str, str], str]] = {
    "reason": _reason, "money": _money, "hour": _hour, "day": _day, "moved": _moved,
}  # fmt: skip
