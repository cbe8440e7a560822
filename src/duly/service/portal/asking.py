"""What a borrower tells us on a page becomes a signal at once, as a reply would make it.

Whatever he says is stored, what it forbids is cancelled, and a person has a task, in one
transaction. The same tap twice is one signal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from duly.book import Lender
from duly.core import digest
from duly.plan.addresses import key_of
from duly.service.operations import events
from duly.service.operations.deriving import review_on
from duly.service.operations.events import Accepted
from duly.service.operations.locking import lock_people
from duly.service.operations.tasks import open_tasks
from duly.service.operations.verifying import Found
from duly.service.operations.whose import whose
from duly.service.portal import papers, sessions
from duly.service.portal.papers import Paper

SOURCE = "duly:portal"
#: Kind of a signal → what a person of the lender does about it.
_TASKS = {
    "dispute": "answer_dispute",
    "payment_pending": "match_payment",
    "hardship": "offer_relief",
    "promise": "",  # Nobody has to do anything about it before its day.
}
_AGAIN_MAX = 40  #: times that the same may be said and ended on one day


@dataclass(frozen=True, kw_only=True)
class Told:
    """What followed: the signal, the messages that will not leave any more, whether it was new."""

    signal_id: str
    cancelled: int
    new: bool


@dataclass(frozen=True, kw_only=True)
class Saying:
    """What somebody who has signed in says about one of his loans."""

    borrower_id: str
    loan_id: str
    kind: str
    about: str  #: what makes it another saying: the line, the payment
    detail: Mapping[str, str]


def tell(
    said: Saying, handed: Sequence[Paper] = (), *, lender: Lender, at: datetime,
    first: Sequence[str] = (),
) -> Told:  # fmt: skip
    """Raise a signal about a loan, keep what was handed in with it, and open its task.

    `first` are tasks that are opened before it.
    """
    name = _name(said, lender.day_of(at))
    data = {
        "signal_id": name, "borrower_id": said.borrower_id, "loan_id": said.loan_id,
        "kind": said.kind, "starts_at": at.isoformat(), "detail": dict(said.detail),
    }  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        lock_people(cursor, [said.borrower_id])
        accepted = accept_new([event("signal.raised", name, at, data)], at=at)
        new = accepted.accepted == 1
        if new:
            tasks = [one for one in (*first, _TASKS[said.kind]) if one]
            open_tasks(tasks, borrower_id=said.borrower_id, loan_id=said.loan_id)
        papers.keep(said.borrower_id, name, handed)
    return Told(signal_id=name, cancelled=len(accepted.cancelled), new=new)


def take_back(signal_id: str, *, borrower_id: str, at: datetime) -> bool:
    """End a signal that this borrower raised here; False where there is none."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM store_word WHERE kind = 'signal' AND key = %s AND borrower_id = %s"
            " AND source = %s AND data->>'kind' = 'dispute'",
            [signal_id, borrower_id, SOURCE],
        )
        if cursor.fetchone() is None:
            return False
        data = {"signal_id": signal_id, "ends_at": at.isoformat()}
        accept_new([event("signal.cleared", f"{signal_id}-back", at, data)], at=at)
    return True


def not_me(found: Found, *, at: datetime) -> int:
    """Take a number away from whoever we took its owner for; return the cancelled messages.

    Of the only person of the number the identity is in doubt as well, and nobody stays signed in.
    """
    key = key_of(found.address)
    known = whose(key)
    told = []
    people = known.people or (found.borrower_id,)
    if tuple(people) == (found.borrower_id,):
        name = f"portal-{digest.of_value([found.message_id, 'not me'])[:16]}"
        told.append(event("signal.raised", name, at, {
            "signal_id": name, "borrower_id": found.borrower_id, "kind": "identity_dispute",
            "starts_at": at.isoformat(), "detail": {"message": found.message_id},
        }))  # fmt: skip
    points = {(one.borrower_id, one.channel, one.address): one for one in known.points}
    for who, channel, address in sorted(points) or [(found.borrower_id, "sms", found.address)]:
        point = points.get((who, channel, address))
        name = f"portal-{digest.of_value([found.message_id, who, channel, address])[:16]}"
        data: dict[str, Any] = {"borrower_id": who, "channel": channel, "address": address,
                                "status": "wrong_person"}  # fmt: skip
        if point is not None:
            data |= {"use": point.use, "verified_on": point.verified_on}
        told.append(event("contact_point.changed", name, at, data))
    with transaction.atomic(), connection.cursor() as cursor:
        lock_people(cursor, people)
        accepted = accept_new(told, at=at)
        if accepted.accepted:
            open_tasks(["find_right_person"], borrower_id=found.borrower_id)
        sessions.end_all(sorted(people), why="not_me")
    return len(accepted.cancelled)


def accept_new(told: Sequence[dict[str, Any]], *, at: datetime) -> Accepted:
    """Store what was not said before; the caller holds the person, so that two taps are one.

    The same again, a minute later, would be another event under the same name.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT event_id FROM store_event WHERE source = %s AND event_id = ANY(%s)",
            [SOURCE, [one["id"] for one in told]],
        )
        before = {row[0] for row in cursor.fetchall()}
    return events.accept([one for one in told if one["id"] not in before], at=at)


def answer_by(kind: str, since: datetime, *, lender: Lender) -> date:
    """Return the day by which the borrower is answered: never after the hold was looked at."""
    answers = lender.answers
    days = {
        "dispute": answers.dispute_days,
        "payment_pending": answers.payment_days,
        "hardship": answers.hardship_days,
    }[kind]
    return min(lender.day_of(since) + timedelta(days=days), review_on(kind, since, lender=lender))


def _name(said: Saying, day: date) -> str:
    """Return the id of a signal: the same for the same saying of a day, until it was ended."""
    told = [said.borrower_id, said.loan_id, said.kind, said.about, day.isoformat()]
    base = f"portal-{digest.of_value(told)[:16]}"
    names = [base, *(f"{base}-{n}" for n in range(1, _AGAIN_MAX))]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM store_word WHERE kind = 'clearing' AND key = ANY(%s)", [names]
        )
        ended = int(cursor.fetchone()[0])
    return names[min(ended, len(names) - 1)]


def event(kind: str, name: str, at: datetime, data: Mapping[str, object]) -> dict[str, Any]:
    """Return a CloudEvent of these pages."""
    return {"specversion": "1.0", "id": name, "source": SOURCE, "type": kind,
            "time": at.isoformat(), "data": dict(data)}  # fmt: skip
