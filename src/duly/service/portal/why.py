"""'Why did I get this, and what would stop it?': each message with the decision behind it."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse

from duly.rules import lenders_rules
from duly.service.api.serving import present
from duly.service.faces.looks import look_of
from duly.service.operations.own_texts import SIGN_IN
from duly.service.portal.burden import purpose_of
from duly.service.portal.loans import known_of
from duly.service.portal.pages import page
from duly.service.portal.signing_in import signed_in, who_of
from duly.service.rows import Row, as_dicts

_DAYS, _SHOWN = 90, 30
#: Our own limits, in the words of the rules: hours, counts, quiet hours that somebody asked for.
_LIMITS = ("DEC-HOURS-1", "DEC-HOURS-2", "DEC-QUIET-1", "DEC-FREQ-1", "DEC-FREQ-3")
_MESSAGES = """
SELECT m.message_id, m.business_date, m.channel, m.message_class, m.template, m.code, m.state,
    m.params->>'about' AS about,
    m.loan_ids::text AS loan_ids, coalesce(t.at, m.state_at) AS at, d.reason,
    d.figures::text AS figures
FROM store_message AS m
LEFT JOIN LATERAL (SELECT max(a.at) AS at FROM store_attempt AS a
    WHERE a.message_id = m.message_id) AS t ON true
LEFT JOIN LATERAL (SELECT d.reason, d.figures FROM store_decision AS d
    WHERE d.run_id = m.run_id AND d.message_id = m.message_id AND d.decision = 'contact'
    ORDER BY (d.figures->>'overdue_total')::bigint DESC NULLS LAST, d.loan_id LIMIT 1) AS d ON true
WHERE m.borrower_id = %(who)s AND m.business_date > %(since)s
    AND m.state IN ('submitted', 'accepted', 'delivered', 'undelivered', 'unknown')
ORDER BY m.business_date DESC, m.message_id LIMIT %(limit)s
"""


@signed_in("GET")
def why(request: HttpRequest) -> HttpResponse:
    """Show what was sent to a person, why, and what would stop it."""
    serving = present()
    _, receipts = known_of(request)
    due = [one for one in receipts if one.known and one.position["overdue_total"]]
    locale = look_of(request).locale
    return page(
        request, "why",
        sent=[_told(row) for row in _sent(who_of(request).borrower_id, serving.today)],
        due=due, paused=bool(due) and all(one.pauses for one in due),
        limits=_limits(serving.lender.packs, serving.lender.switched_off, locale),
        days=_DAYS,
    )  # fmt: skip


def _sent(borrower_id: str, day: date) -> list[Row]:
    since = day - timedelta(days=_DAYS)
    given: dict[str, Any] = {"who": borrower_id, "since": since, "limit": _SHOWN}
    with connection.cursor() as cursor:
        cursor.execute(_MESSAGES, given)
        return as_dicts(cursor)


def _told(row: Row) -> dict[str, Any]:
    """Return what the page says of one message: why, and the figures that the decision had."""
    at: datetime = row["at"]
    figures = json.loads(row["figures"]) if row["figures"] else None
    return {
        "id": row["message_id"], "on": row["business_date"], "at": at, "channel": row["channel"],
        "code": "" if row["template"] == SIGN_IN else row["code"],
        "why": purpose_of(row), "state": row["state"],
        "figures": figures if row["message_class"] == "dunning" else None,
    }  # fmt: skip


@lru_cache(maxsize=8)
def _limits(
    packs: tuple[str, ...], switched_off: tuple[str, ...], locale: str
) -> tuple[dict[str, str], ...]:
    """Return the limits that bind us, each with its rule."""
    rules = {rule.id: rule for rule in lenders_rules(packs, switched_off)}
    return tuple(
        {"id": one, "says": rules[one].says[locale]} for one in _LIMITS if one in rules
    )  # fmt: skip
