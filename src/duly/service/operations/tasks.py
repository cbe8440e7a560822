"""What people of the lender have to do: opened once, care first, closed in a name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.service.operations.recording import record
from duly.service.rows import Row, as_dicts

#: Kind → how soon; what is not here comes last. 0 and 1 are people in need and strangers.
PRIORITY = {
    "care_now": 0,
    "care_for_family": 0,
    "care_for_bereaved": 0,
    "find_right_person": 1,
    "write_to_representative": 1,
    "whose_reply": 1,
    "read_reply": 2,
    "answer_complaint": 2,
    "answer_dispute": 2,
    "match_payment": 2,
    "offer_relief": 3,
    "offer_plan": 3,
    "offer_extension": 3,
    "call_back": 3,
    "take_over_number": 3,
    "decide_by_person": 2,
    "correct_data": 3,
    "delete_data": 3,
}
_LAST = 5
_TEXT_MAX = 200
_SHOWN = (
    "id, kind, script, priority, expires_on, borrower_id, loan_id, reply_id, opened_at, closed_at,"
    " closed_by, outcome"
)


@dataclass(frozen=True, kw_only=True)
class Work:
    """A task that a policy wants: what to say, how soon, and the day on which it lapses.

    A task that lapsed stays until somebody closes it: nobody follows its script any more.
    """

    kind: str
    script: str
    priority: int
    expires_on: date


def open_tasks(
    kinds: Iterable[str],
    *,
    borrower_id: str | None = None,
    loan_id: str | None = None,
    reply: int | None = None,
) -> None:
    """Open tasks in the caller's transaction; one kind of one reply is one task."""
    with connection.cursor() as cursor:
        for kind in dict.fromkeys(kinds):
            cursor.execute(
                "INSERT INTO store_task (kind, priority, borrower_id, loan_id, reply_id)"
                " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                [kind, PRIORITY.get(kind, _LAST), borrower_id, loan_id, reply],
            )


def open_work(
    work: Iterable[Work],
    *,
    borrower_id: str,
    loan_id: str | None,
    reply: int | None = None,
    cause: str | None = None,
) -> int:
    """Open a policy's tasks in the caller's transaction and return how many are new.

    One kind with one script is one task of a reply or of whatever else is the `cause`.
    """
    opened = 0
    with connection.cursor() as cursor:
        for one in work:
            cursor.execute(
                "INSERT INTO store_task (kind, script, priority, expires_on, borrower_id, loan_id,"
                " reply_id, cause) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
                " ON CONFLICT DO NOTHING",
                [one.kind, one.script, one.priority, one.expires_on, borrower_id, loan_id, reply,
                 cause],
            )  # fmt: skip
            opened += int(cursor.rowcount)
    return opened


def listed(*, after: Sequence[str] = (), limit: int = 50, borrower_id: str = "") -> list[Row]:
    """Return open tasks, the most urgent and oldest first, after (priority, opening, id)."""
    place = ""
    given: list[str | int] = []
    if after:
        place = " AND (priority, opened_at, id) > (%s::smallint, %s::timestamptz, %s::bigint)"
        given += list(after)
    if borrower_id:
        place += " AND borrower_id = %s"
        given.append(borrower_id)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_SHOWN} FROM store_task WHERE closed_at IS NULL{place}"
            " ORDER BY priority, opened_at, id LIMIT %s",
            [*given, limit],
        )
        return as_dicts(cursor)


def close(number: int, *, by: str, outcome: str, at: datetime) -> Row:
    """Close a task in a name; refused where there is none, it is closed, or a word is missing."""
    by, outcome = by.strip(), outcome.strip()
    if not (0 < len(by) <= _TEXT_MAX and 0 < len(outcome) <= _TEXT_MAX):
        raise Refused(Diagnostic(area="service", code="task_words", values={"most": _TEXT_MAX}))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE store_task SET closed_at = %s, closed_by = %s, outcome = %s"
            f" WHERE id = %s AND closed_at IS NULL RETURNING {_SHOWN}",
            [at, by, outcome, number],
        )
        found = as_dicts(cursor)
        if not found:
            raise Refused(Diagnostic(area="service", code="no_open_task", values={"id": number}))
        record(
            "task.closed", [(str(number), {"by": by, "outcome": outcome})],
            about={str(number): found[0]["borrower_id"]},
        )  # fmt: skip
    return found[0]
