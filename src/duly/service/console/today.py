"""Today: the latest run, what it decided about whom and why, what left, what needs somebody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.http import HttpRequest, HttpResponse

from duly.service.api.serving import present
from duly.service.console.pages import page
from duly.service.console.reasons import REASON, reason_name
from duly.service.console.signing_in import allowed, who_of
from duly.service.faces.looks import look_of
from duly.service.operations import working
from duly.service.rows import Row, as_dicts
from duly.service.store.models import Run

#: The plan of the latest business date.
RUN = """
SELECT plan_sha256, business_date, state, approvals_needed, loaded_at, messages_count, loans_count
FROM store_run WHERE kind = 'plan' AND state <> 'superseded'
ORDER BY business_date DESC LIMIT 1
"""
_DECIDED = f"""
SELECT decision, {REASON} AS reason, count(*) AS count FROM store_decision AS d
WHERE run_id = %(run)s GROUP BY 1, 2 ORDER BY array_position(
    ARRAY['contact', 'task', 'wait', 'hold', 'blocked', 'quarantined', 'none'], decision::text),
    3 DESC, 2
"""
_MESSAGES = f"""
SELECT state, CASE WHEN state IN ('blocked', 'expired', 'cancelled') THEN {REASON} END AS reason,
    count(*) AS count
FROM store_message AS d WHERE run_id = %(run)s GROUP BY 1, 2 ORDER BY array_position(
    ARRAY['planned', 'released', 'claimed', 'submitted', 'accepted', 'delivered', 'undelivered',
        'unknown', 'blocked', 'expired', 'cancelled'], state::text), 3 DESC, 2
"""
LEFT = ("submitted", "accepted", "delivered", "undelivered", "unknown")
_FOLLOWED = """
SELECT (SELECT count(DISTINCT r.message_id) FROM store_reply AS r
        JOIN store_message AS m ON m.message_id = r.message_id WHERE m.run_id = %(run)s),
    (SELECT count(DISTINCT w.loan_id) FROM store_word AS w
        JOIN store_decision AS d ON d.loan_id = w.loan_id AND d.run_id = %(run)s
        WHERE w.kind = 'payment' AND w.time >= %(since)s AND d.decision = 'contact')
"""
_ALERTS = """
SELECT 'braked' AS code, count(*) AS count FROM store_brake
WHERE run_id = %(run)s AND state = 'broken'
UNION ALL SELECT 'approval', count(*) FROM store_run WHERE plan_sha256 = %(run)s
    AND state = 'planned' AND approvals_needed > 0
UNION ALL SELECT 'days', count(*) FROM store_businessday WHERE state IN ('waiting', 'missed')
    AND business_date > %(today)s::date - 7
UNION ALL SELECT 'stopped', count(*) FROM store_stopped WHERE lifted_at IS NULL
UNION ALL SELECT 'dead', count(*) FROM store_deadletter WHERE ended IS NULL
UNION ALL SELECT 'aside', count(*) FROM store_aside
    WHERE cut_at = (SELECT max(cut_at) FROM store_book)
UNION ALL SELECT 'late', count(*) FROM store_task WHERE closed_at IS NULL AND ({late})
"""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the flow from the book to the money."""

    code: str
    count: int
    listed: str = ""  #: its list, and which rows of it; empty: none
    kind: str = ""
    state: str = ""


@allowed("today.see", "GET")
def today(request: HttpRequest) -> HttpResponse:
    """Show the latest run: what it decided and why, what left, what followed."""
    run = next(iter(asked(RUN, {})), None)
    given: dict[str, Any] = {
        "run": run and run["plan_sha256"],
        "all": who_of(request).may("investigation.know"),
    }
    locale = look_of(request).locale
    decided = asked(_DECIDED, given) if run else []
    messages = asked(_MESSAGES, given) if run else []
    return page(
        request, "today", open="today", run=run, decided=_by(decided, "decision", locale),
        messages=_by(messages, "state", locale), flow=_flow(run, decided, messages) if run else (),
        alerts=_alerts(given["run"]), lists=who_of(request).may("lists.see"),
        works=who_of(request).may("tasks.see"),
    )  # fmt: skip


def latest_run() -> str | None:
    """Return the run of the latest business date; None before the first."""
    found = Run.objects.filter(kind="plan").exclude(state="superseded")
    return found.order_by("-business_date").values_list("plan_sha256", flat=True).first()


def late_where() -> tuple[str, dict[str, Any]]:
    """Return which open tasks are late, as a condition and what it is asked with."""
    serving = present()
    parts: list[str] = []
    given: dict[str, Any] = {}
    midnight = datetime.combine(serving.today, time(), ZoneInfo(serving.lender.time_zone))
    for place, (kind, days) in enumerate(working.days_of(serving.lender).items()):
        parts.append(f"kind = %(kind{place})s AND opened_at < %(before{place})s")
        # Due on the day of the opening and so many days: late from the day after on.
        given |= {f"kind{place}": kind, f"before{place}": midnight - timedelta(days=days)}
    return " OR ".join(parts), given


def _alerts(run: str | None) -> list[Row]:
    late, given = late_where()
    told = {**given, "run": run, "today": present().today}
    return [row for row in asked(_ALERTS.replace("{late}", late), told) if row["count"]]


def _flow(run: Row, decided: list[Row], messages: list[Row]) -> tuple[Step, ...]:
    contacts = sum(row["count"] for row in decided if row["decision"] == "contact")
    left = sum(row["count"] for row in messages if row["state"] in LEFT)
    with connection.cursor() as cursor:
        cursor.execute(_FOLLOWED, {"run": run["plan_sha256"], "since": run["loaded_at"]})
        answered, paid = cursor.fetchone()
    loans = sum(row["count"] for row in decided)
    return (
        Step(code="loans", count=loans, listed="decisions"),
        Step(code="contact", count=contacts, listed="decisions", kind="contact"),
        Step(code="left", count=left, listed="messages", state="left"),
        Step(code="answered", count=answered),
        Step(code="paid", count=paid),
    )


def _by(rows: list[Row], name: str, locale: str) -> list[dict[str, Any]]:
    """Return rows gathered by their first word, each with its sum and its reasons in words."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        said = reason_name(row["reason"], locale)
        found.setdefault(row[name], []).append({**row, "said": said})
    return [
        {"code": code, "count": sum(row["count"] for row in each), "reasons": each}
        for code, each in found.items()
    ]


def asked(question: str, given: dict[str, Any]) -> list[Row]:
    """Return what the store answers."""
    with connection.cursor() as cursor:
        cursor.execute(question, given)
        return as_dicts(cursor)
