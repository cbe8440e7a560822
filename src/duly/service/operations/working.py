"""Working at tasks: found in their order, handed over, closed, called about; each in a name.

Whatever is done takes the task's row first: of two people one is told that the other was quicker.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import connection, transaction

from duly.book import Lender
from duly.core import digest
from duly.core.money import major
from duly.service.borrower_keys import keys_of, unwrap
from duly.service.operations import events, requests, tasks
from duly.service.operations.locking import lock_people
from duly.service.operations.recording import record
from duly.service.operations.reserving import Reserved, Wish, reserve
from duly.service.rows import Row, as_dicts

SOURCE = "duly:console"
_NUMBER_MAX = 2**63 - 1
NOTE_MAX = 500  #: characters
PROMISE_DAYS_MAX = 30
_NONCE_BYTES = 12
#: Kind of a task → the lender's own days for it (`answers` of the lender file).
_DAYS = {
    "answer_dispute": "dispute_days",
    "answer_complaint": "complaint_days",
    "match_payment": "payment_days",
    "offer_relief": "hardship_days",
    "offer_plan": "request_days",
    "offer_extension": "request_days",
    "call_back": "request_days",
}
#: What has to be done on the day it comes.
_TODAY = ("care_now",)
#: How a call ended, as whoever made it says.
CALLED = ("reached", "not_reached", "call_later", "not_in_service", "wrong_person")
#: How a task ended, in the order of the keys 1 to 9.
ENDED = ("settled", "relief", "answered", "promise", "no_contact", "passed_on", "needless")
_SHOWN = "id, kind, priority, borrower_id, loan_id, reply_id, opened_at, closed_at, for_role"
_MINE = "closed_at IS NULL AND (%(all)s OR for_role IS NULL OR for_role = %(role)s)"
_ORDER = "priority, opened_at, id"
_BESIDE = f"""
SELECT (SELECT id FROM store_task WHERE {_MINE} AND ({_ORDER}) < (%(priority)s, %(at)s, %(id)s)
    ORDER BY priority DESC, opened_at DESC, id DESC LIMIT 1),
  (SELECT id FROM store_task WHERE {_MINE} AND ({_ORDER}) > (%(priority)s, %(at)s, %(id)s)
    ORDER BY {_ORDER} LIMIT 1)
"""
_CALLING = """
SELECT x.contact_id, x.channel, x.at, x.address FROM store_contact AS x
WHERE x.borrower_id = %s AND starts_with(x.contact_id, %s)
    AND NOT EXISTS (SELECT 1 FROM store_tasknote AS n WHERE n.contact_id = x.contact_id)
ORDER BY x.at DESC, x.contact_id LIMIT 1
"""
_NOTES = """
SELECT n.id, n.task_id, n.kind, n.by, n.code, n.at, n.ciphertext, n.borrower_id, k.wrapped,
    k.master, t.kind AS task
FROM store_tasknote AS n JOIN store_task AS t ON t.id = n.task_id
LEFT JOIN store_borrowerkey AS k ON k.id = n.key_id
WHERE n.borrower_id = %s ORDER BY n.at DESC, n.id DESC LIMIT %s
"""


class TaskGone(Exception):
    """Somebody closed or handed over the task meanwhile."""


@dataclass(frozen=True, kw_only=True)
class Worker:
    """Who works: his name, his role, whether he sees what was handed to other roles."""

    name: str
    role: str
    sees_all: bool

    @property
    def asked(self) -> dict[str, Any]:
        """Return what the questions about tasks are asked with."""
        return {"role": self.role, "all": self.sees_all}


def due_on(kind: str, opened_at: datetime, *, lender: Lender) -> date | None:
    """Return the day by which a task has to be done; None where nobody set one."""
    if kind in requests.KINDS:
        return requests.answer_on(lender.day_of(opened_at), lender=lender)
    days = days_of(lender).get(kind)
    return None if days is None else lender.day_of(opened_at) + timedelta(days=days)


def days_of(lender: Lender) -> Mapping[str, int]:
    """Return in how many days each kind of task has to be done, where somebody set it."""
    own = {kind: int(getattr(lender.answers, name)) for kind, name in _DAYS.items()}
    return {**dict.fromkeys(_TODAY, 0), **own}


def mine(worker: Worker, *, limit: int) -> list[Row]:
    """Return the open tasks that somebody may work at, the most urgent and oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_SHOWN}, count(*) OVER () AS of FROM store_task WHERE {_MINE}"
            f" ORDER BY {_ORDER} LIMIT %(limit)s",
            {**worker.asked, "limit": limit},
        )
        return as_dicts(cursor)


def one(number: int, worker: Worker) -> Row | None:
    """Return an open task with those before and after it; None where there is none for him."""
    if number > _NUMBER_MAX:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_SHOWN} FROM store_task WHERE {_MINE} AND id = %(id)s",
            {**worker.asked, "id": number},
        )
        found = next(iter(as_dicts(cursor)), None)
        if found is None:
            return None
        given = {"priority": found["priority"], "at": found["opened_at"], "id": number}
        cursor.execute(_BESIDE, {**worker.asked, **given})
        before, after = cursor.fetchone()
    return {**found, "before": before, "after": after}


def hand_over(number: int, worker: Worker, *, to: str, note: str) -> None:
    """Hand an open task to a role, in the worker's name."""
    with transaction.atomic(), connection.cursor() as cursor:
        task = _taken(number, worker)
        cursor.execute("UPDATE store_task SET for_role = %s WHERE id = %s", [to, number])
        _note(task, worker, "handed_over", to, note)
        name = str(number)
        told = {"by": worker.name, "to": to}
        record("task.handed_over", [(name, told)], about={name: task["borrower_id"]})


def close(number: int, worker: Worker, *, outcome: str, note: str, at: datetime) -> None:
    """Close an open task, with how it ended and what there is to say."""
    assert outcome in ENDED
    with transaction.atomic():
        task = _taken(number, worker)
        tasks.close(number, by=worker.name, outcome=outcome, at=at)
        _note(task, worker, "closed", outcome, note)


def call(
    number: int, worker: Worker, *, loan_id: str, address: str, mark: str, contact_class: str,
    lender: Lender, at: datetime,
) -> Reserved | None:  # fmt: skip
    """Ask every rule whether a call may be made now, and count it before it is; None: no loan.

    The same mark twice is one call.
    """
    with transaction.atomic():
        _taken(number, worker)
        wish = Wish(
            contact_id=f"{_calls_of(number)}{mark}", loan_id=loan_id, channel="voice",
            address=address, contact_class=contact_class, agency="lender", own=True,
        )  # fmt: skip
        return reserve(wish, lender=lender, at=at)


def calling(number: int, borrower_id: str) -> Row | None:
    """Return the call about a task of which nobody has said yet how it ended."""
    with connection.cursor() as cursor:
        cursor.execute(_CALLING, [borrower_id, _calls_of(number)])
        return next(iter(as_dicts(cursor)), None)


def called(number: int, worker: Worker, *, outcome: str, note: str, at: datetime) -> None:
    """Say how the call that was reserved last ended; a stranger's number is taken away at once."""
    assert outcome in CALLED
    with transaction.atomic(), connection.cursor() as cursor:
        task = _taken(number, worker)
        found = calling(number, task["borrower_id"])
        if found is None:
            raise TaskGone
        _note(task, worker, "called", outcome, note, contact_id=found["contact_id"])
        told = {"by": worker.name, "outcome": outcome, "task": number}
        record("contact.ended", [(found["contact_id"], told)],
               about={found["contact_id"]: task["borrower_id"]})  # fmt: skip
        if outcome == "wrong_person":
            lock_people(cursor, [task["borrower_id"]])
            _strange(task, found["address"], at)
            tasks.open_tasks(["find_right_person"], borrower_id=task["borrower_id"])


def promise(
    number: int, worker: Worker, *, loan_id: str, on: date, amount: int, currency: str, at: datetime
) -> None:
    """Write down that the borrower promised to pay: the signal that a reply would raise."""
    with transaction.atomic(), connection.cursor() as cursor:
        task = _taken(number, worker)
        who = task["borrower_id"]
        lock_people(cursor, [who])
        detail = {"amount": major(amount, currency), "on": on.isoformat(), "by": "console"}
        name = f"console-{digest.of_value([number, loan_id, detail['amount'], detail['on']])[:16]}"
        data = {"signal_id": name, "borrower_id": who, "loan_id": loan_id, "kind": "promise",
                "starts_at": at.isoformat(), "detail": detail}  # fmt: skip
        if _is_new(name):
            events.accept([_event("signal.raised", name, at, data)], at=at)
            _note(task, worker, "promised", detail["on"], detail["amount"])


def notes_of(borrower_id: str, *, limit: int) -> list[Row]:
    """Return what was done about a person's tasks, the newest first, with what was written."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTES, [borrower_id, limit])
        rows = as_dicts(cursor)
    return [{**row, "text": _opened(row)} for row in rows]


def _taken(number: int, worker: Worker) -> Row:
    """Return an open task, locked for this transaction; refused (TaskGone) where it is not."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_SHOWN} FROM store_task WHERE {_MINE} AND id = %(id)s FOR UPDATE",
            {**worker.asked, "id": number},
        )
        found = next(iter(as_dicts(cursor)), None)
    if found is None:
        raise TaskGone
    return found


def _note(
    task: Row, worker: Worker, kind: str, code: str, text: str, *, contact_id: str | None = None
) -> None:
    who, key, sealed = task["borrower_id"], None, None
    text = text.strip()[:NOTE_MAX]
    if who is not None and text:
        connection.ensure_connection()
        assert connection.connection is not None
        found = keys_of(connection.connection, [who])[who]
        nonce = secrets.token_bytes(_NONCE_BYTES)
        key = found.number
        sealed = nonce + AESGCM(found.secret).encrypt(nonce, text.encode(), _about(task["id"]))
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO store_tasknote (task_id, borrower_id, kind, "by", code, contact_id,'
            " key_id, ciphertext) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [task["id"], who, kind, worker.name, code, contact_id, key, sealed],
        )


def _opened(row: Mapping[str, Any]) -> str:
    if row["ciphertext"] is None or row["wrapped"] is None:
        return ""
    secret = unwrap(bytes(row["wrapped"]), master=row["master"], borrower_id=row["borrower_id"])
    sealed = bytes(row["ciphertext"])
    return (
        AESGCM(secret)
        .decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _about(row["task_id"]))
        .decode()
    )


def _about(task: int) -> bytes:
    return f"task note\n{task}".encode()


def _calls_of(number: int) -> str:
    return f"call-{number}-"


def _strange(task: Row, address: str, at: datetime) -> None:
    who = task["borrower_id"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT channel FROM store_book_contact_points"
            " WHERE borrower_id = %s AND address = %s ORDER BY 1",
            [who, address],
        )
        channels = [row[0] for row in cursor.fetchall()] or ["voice"]
    told = []
    for channel in channels:
        name = f"console-{digest.of_value([task['id'], who, channel, address])[:16]}"
        data = {"borrower_id": who, "channel": channel, "address": address,
                "status": "wrong_person"}  # fmt: skip
        if _is_new(name):
            told.append(_event("contact_point.changed", name, at, data))
    events.accept(told, at=at)


def _is_new(name: str) -> bool:
    """Return whether nothing was said under a name; the caller holds the person."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT NOT EXISTS (SELECT 1 FROM store_event WHERE source = %s AND event_id = %s)",
            [SOURCE, name],
        )
        return bool(cursor.fetchone()[0])


def _event(kind: str, name: str, at: datetime, data: Mapping[str, object]) -> dict[str, Any]:
    return {"specversion": "1.0", "id": name, "source": SOURCE, "type": kind,
            "time": at.isoformat(), "data": dict(data)}  # fmt: skip
