"""Who listens is told of a promise, a dispute, a hardship: once, however it reached us."""

from __future__ import annotations

import json
from collections.abc import Sequence

from django.db import connection

from duly.service.facts.cloud_events import NewWord

#: Kind of a signal → what other programs are told.
TOLD = {
    "promise": "promise.made",
    "dispute": "dispute.opened",
    "hardship": "hardship.flagged",
    "plan": "plan.agreed",
}
#: What of a detail goes out; a detail may hold words about a person that no program needs.
_DETAIL = ("on", "amount", "accrual", "reply")


def tell_signals(first: Sequence[NewWord]) -> None:
    """Tell of signals whose key was told for the first time, in the transaction that stores them.

    A later event about the same signal changes what holds, and is no second promise.
    """
    with connection.cursor() as cursor:
        for word in first:
            kind = TOLD.get(str(word.cells.get("kind"))) if word.kind == "signal" else None
            if kind is not None:
                cursor.execute("SELECT store_tell(%s, %s::jsonb)", [kind, json.dumps(_told(word))])


def _told(word: NewWord) -> dict[str, object]:
    detail = json.loads(str(word.cells["detail"] or "{}"))
    return {
        **{name: detail[name] for name in _DETAIL if name in detail},
        **_agreed(word),
        "signal_id": word.key, "borrower_id": word.borrower_id, "loan_id": word.loan_id or None,
    }  # fmt: skip


def _agreed(word: NewWord) -> dict[str, object]:
    """Return how many payments a plan has, from when to when; its rows are in the export."""
    rows = word.cells.get("agreed")
    if not isinstance(rows, list) or not rows:
        return {}
    return {"payments": len(rows), "first_on": rows[0]["due_on"], "last_on": rows[-1]["due_on"]}
