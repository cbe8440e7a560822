"""Today: the latest run, what it decided about whom and why."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse

from duly.service.console.pages import page
from duly.service.console.signing_in import allowed
from duly.service.rows import Row, as_dicts

_RUN = """
SELECT plan_sha256, business_date, state, approvals_needed, loaded_at, messages_count, loans_count
FROM store_run WHERE kind = 'plan' AND state <> 'superseded'
ORDER BY business_date DESC LIMIT 1
"""
_DECIDED = """
SELECT decision, count(*) AS count FROM store_decision WHERE run_id = %s
GROUP BY decision ORDER BY array_position(
    ARRAY['contact', 'task', 'wait', 'hold', 'blocked', 'quarantined', 'none'], decision::text)
"""


@allowed("today.see", "GET")
def today(request: HttpRequest) -> HttpResponse:
    """Show the latest run: how many loans, what was decided about them."""
    run = latest()
    decided = [] if run is None else _asked(_DECIDED, run["plan_sha256"])
    return page(request, "today", open="today", run=run, decided=decided)


def latest() -> Row | None:
    """Return the run of the latest business date; None before the first."""
    return next(iter(_asked(_RUN)), None)


def _asked(question: str, *given: Any) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(question, list(given))
        return as_dicts(cursor)
