"""What a person asks about his data or a decision: one open task of a kind, and its last day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import connection

from duly.book import Lender
from duly.rules import kept_rules
from duly.rules.calendars import UnknownYearError
from duly.rules.model import Term
from duly.rules.terms import ends_on
from duly.service.operations.recording import record
from duly.service.operations.tasks import open_tasks
from duly.service.rows import Row, as_dicts

KINDS = ("correct_data", "delete_data", "decide_by_person")
#: Rules of the packs about such requests; the earliest last day counts.
_RULES = frozenset({"CN-PI-6", "EU-RIGHTS-1"})
_MINE = """
SELECT id, kind, opened_at, closed_at FROM store_task
WHERE borrower_id = %s AND kind = ANY(%s) ORDER BY opened_at DESC, id DESC LIMIT 50
"""


def answer_on(since: date, *, lender: Lender) -> date:
    """Return the last day of an answer to a request: the law's, else that of a complaint."""
    days = []
    for rule in kept_rules(lender):
        term = rule.primitive
        if rule.id in _RULES and isinstance(term, Term) and term.at_most is not None:
            try:
                days.append(ends_on(term, since, term.at_most))
            except UnknownYearError:
                continue  # Nobody knows its working days yet: our own days are sooner.
    return min(days, default=since + timedelta(days=lender.answers.complaint_days))


def requests_of(borrower_id: str) -> list[Row]:
    """Return a person's requests, the newest first."""
    with connection.cursor() as cursor:
        cursor.execute(_MINE, [borrower_id, list(KINDS)])
        return as_dicts(cursor)


def ask(borrower_id: str, kind: str, *, lender: Lender, at: datetime) -> int:
    """Open a request in the caller's transaction, who holds the person; one open of a kind.

    Return the number of its task, the open one's where it was asked before.
    """
    assert kind in KINDS
    found = next((one for one in requests_of(borrower_id)
                  if one["kind"] == kind and one["closed_at"] is None), None)  # fmt: skip
    if found is not None:
        return int(found["id"])
    open_tasks([kind], borrower_id=borrower_id)
    number = int(requests_of(borrower_id)[0]["id"])
    told = {"kind": kind, "answer_on": answer_on(lender.day_of(at), lender=lender)}
    record("task.requested", [(str(number), told)], about={str(number): borrower_id})
    return number
