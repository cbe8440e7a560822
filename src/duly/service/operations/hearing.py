"""A reply is heard: read, acted upon at once, and handed to a person where we are not sure.

What a gateway brings is committed first, raw; reading and acting come after it, in a transaction of
their own, by whoever is there: a reply that made the reader fail is still there for a person.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import DatabaseError, OperationalError, connection, transaction

from duly.book import Lender
from duly.core import digest
from duly.core.errors import Refused
from duly.messages import load_templates
from duly.replies import Followed, Reading, Sender, Signal, read, signals_of, tasks_of
from duly.replies import Reply as Said
from duly.replies.model import built_in
from duly.service import journal
from duly.service.operations import events
from duly.service.operations.answering import Answered, Heard, answer
from duly.service.operations.positions import position_of
from duly.service.operations.recording import record
from duly.service.operations.responding import Added, to_reply
from duly.service.operations.tasks import open_tasks, open_work
from duly.service.operations.whose import Whose, local, whose
from duly.service.rows import Row, as_dicts, unpacked

SOURCE = "duly:replies"
_ANY_DAY = datetime(2026, 1, 5, tzinfo=UTC)
#: A gateway's clock is believed within these bounds; else the reply was said when it was heard.
_BEHIND, _AHEAD = timedelta(days=3), timedelta(minutes=5)
#: A text has a menu where it says so: other numbers in it are dates and amounts.
_MENU = re.compile(r"(?:回复?|按|选|reply|press)\s*[\"'“【\[]?\s*\d", re.IGNORECASE)
_NEXT = """
SELECT report_id, route, address, address_key, text, said_at, heard_at, fingerprint
FROM store_reply WHERE state = 'new' ORDER BY report_id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_LISTED = """
SELECT r.report_id AS id, r.route, r.address, r.text, r.heard_at, r.state, r.whose, r.borrower_id,
    r.loan_id, r.message_id, r.reading->>'intent' AS intent, r.reading->>'confidence' AS confidence,
    r.error,
    ARRAY(SELECT w.data->>'kind' FROM store_word AS w WHERE w.kind = 'signal'
        AND w.key IN (SELECT jsonb_array_elements_text(r.signals)) ORDER BY w.key) AS signals,
    ARRAY(SELECT t.kind FROM store_task AS t WHERE t.reply_id = r.report_id
        ORDER BY t.priority, t.id) AS tasks
FROM store_reply AS r ORDER BY r.report_id DESC LIMIT %s
"""
_DONE = """
UPDATE store_reply SET state = %(state)s, whose = %(whose)s, borrower_id = %(borrower)s,
    loan_id = %(loan)s, message_id = %(message)s, reading = %(reading)s, reader = %(reader)s,
    signals = %(signals)s, error = %(error)s, acted_at = clock_timestamp()
WHERE report_id = %(report)s
"""
#: What is done for a number whoever of several people it is.
_OF_THE_NUMBER = ("opt_out", "dispute_identity")


def hear_waiting(*, lender: Lender, at: datetime) -> int:
    """Read and act upon every reply that waits, one transaction each; return how many."""
    heard = 0
    while _hear_next(lender, at):
        heard += 1
    return heard


def hear_beside(*, lender: Lender, at: datetime) -> None:
    """Hear what waits, in a thread of other work: a database that is away is come back to."""
    try:
        hear_waiting(lender=lender, at=at)
    except DatabaseError as error:  # What was brought is kept: whoever comes next reads it.
        journal.broken("replies.waiting", error)
    finally:
        connection.close()  # It is this thread's own, and nobody knows how long that lives.


def listed(*, limit: int) -> list[Row]:
    """Return what was heard, the newest first, with what followed; of a number its end alone."""
    with connection.cursor() as cursor:
        cursor.execute(_LISTED, [limit])
        found = as_dicts(cursor)
    return [row | {"address": "…" + str(row["address"])[-4:]} for row in found]


def warm() -> None:
    """Load what reads and answers, so that the first reply is not kept waiting."""
    read(Said(id="", text="好的", received_at=_ANY_DAY))
    load_templates(None)


def _hear_next(lender: Lender, at: datetime) -> bool:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_NEXT)
        rows = as_dicts(cursor)
        if not rows:
            return False
        row = rows[0]
        try:
            with transaction.atomic():
                _act(row, lender, at)
        except DatabaseError:
            raise  # The reply stays; whoever comes next begins anew.
        except Exception as error:  # noqa: BLE001 Whatever broke, the reply must reach a person.
            journal.broken("reply.unread", error, route=row["route"])
            _hand_over(row, type(error).__name__)
    return True


def _act(row: Mapping[str, Any], lender: Lender, at: datetime) -> None:
    found = whose(row["address_key"])
    said = row["said_at"]
    if said is None or not at - _BEHIND <= said <= at + _AHEAD:
        said = at
    reading = _read(row, found, local(said, found.time_zone, lender.time_zone))
    followed = [
        (who, _followed(reading, row, found, who, lender, said))
        for who in _concerned(found, reading)
    ]
    added = _added(reading, found, followed, said)
    if added.signals:
        followed += [(str(found.borrower_id), Followed(signals=added.signals, tasks=()))]
    told = [one for who, each in followed for one in _events(each, row, found, who, reading, said)]
    if told:
        events.accept(told, at=max(at, said))
    signals = [one for _, each in followed for one in each.signals]
    tasks = list(dict.fromkeys(task for _, each in followed for task in each.tasks))
    if found.whose != "one":
        tasks = ["whose_reply", *(tasks or tasks_of(reading, said))]
    open_tasks(tasks, borrower_id=found.borrower_id, loan_id=found.loan_id, reply=row["report_id"])
    open_work(added.work, borrower_id=str(found.borrower_id), loan_id=found.loan_id,
              reply=row["report_id"])  # fmt: skip
    _write(row, found, "acted", reading=reading, signals=[one.signal_id for one in signals])
    answered = _answer(row, found, reading, tuple(signals), said, lender, at)
    record(
        "reply.heard",
        [(str(row["report_id"]),
          {"whose": found.whose, "borrower_id": found.borrower_id, "intent": reading.intent,
           "confidence": str(reading.confidence), "tasks": tasks, "answer": answered.as_json(),
           "signals": [one.signal_id for one in signals], "added": added.told})],
        about={str(row["report_id"]): found.borrower_id},
    )  # fmt: skip


def _answer(
    row: Mapping[str, Any],
    found: Whose,
    reading: Reading,
    signals: tuple[Signal, ...],
    said: datetime,
    lender: Lender,
    at: datetime,
) -> Answered:
    """Confirm what followed. An answer that breaks undoes nothing of it: a stop stands."""
    heard = Heard(
        reply=row["report_id"], fingerprint=row["fingerprint"], address_key=row["address_key"],
        text=row["text"], said=said, reading=reading, found=found, signals=signals,
    )  # fmt: skip
    try:
        with transaction.atomic():
            return answer(heard, lender=lender, at=at)
    except OperationalError:
        raise  # The reply stays; whoever comes next begins anew.
    except Exception as error:  # noqa: BLE001 Whatever broke, what the reply says is done.
        journal.broken("reply.unanswered", error, route=row["route"])
        return Answered(why=type(error).__name__)


def _read(row: Mapping[str, Any], found: Whose, received_at: datetime) -> Reading:
    text = "" if found.message is None else str(found.message["text"])
    lang = None if found.locale is None else found.locale[:2]
    return read(
        Said(
            id=row["fingerprint"][:32], text=row["text"], received_at=received_at,
            lang=lang if lang in ("zh", "en") else None, menu=text if _MENU.search(text) else None,
        )
    )  # fmt: skip


def _concerned(found: Whose, reading: Reading) -> tuple[str, ...]:
    """Return whose signals follow: of several people only what is said about the number."""
    if found.whose == "one":
        assert found.borrower_id is not None
        return (found.borrower_id,)
    spoken = {reading.intent, reading.secondary_intent}
    return found.people if spoken & set(_OF_THE_NUMBER) else ()


def _followed(
    reading: Reading, row: Mapping[str, Any], found: Whose, who: str, lender: Lender, said: datetime
) -> Followed:
    mine = found.whose == "one"
    sender = Sender(
        borrower_id=who,
        loan_id=(found.loan_id or "") if mine else "",
        address=row["address"],
        owed=_owed(reading, found, lender, said) if mine else None,
    )
    followed = signals_of(reading, sender, said)
    if mine:
        return replace(followed, signals=tuple(map(partial(_all_loans, found), followed.signals)))
    # The number is a stranger's: nothing is said about any of those who gave it to us.
    kept = tuple(one for one in followed.signals if one.kind == "opt_out")
    return Followed(signals=kept, tasks=followed.tasks)


def _added(
    reading: Reading, found: Whose, followed: Sequence[tuple[str, Followed]], said: datetime
) -> Added:
    """Return what the policy adds, where it is known whose reply it is.

    A policy that breaks undoes nothing of what follows without it.
    """
    if found.whose != "one":
        return Added()
    assert found.borrower_id is not None
    sender = Sender(borrower_id=found.borrower_id, loan_id=found.loan_id or "")
    opened = [one.kind for _, each in followed for one in each.signals]
    if "dispute_identity" in (reading.intent, reading.secondary_intent):
        opened.append("identity_dispute")
    try:
        with transaction.atomic():
            added = to_reply(reading, sender, opened, said=said)
    except OperationalError:
        raise  # The reply stays; whoever comes next begins anew.
    except Exception as error:  # noqa: BLE001 Whatever broke, what the reply says is done.
        journal.broken("reply.policy", error)
        return Added()
    return replace(added, signals=tuple(map(partial(_all_loans, found), added.signals)))


def _all_loans(found: Whose, one: Signal) -> Signal:
    """Return a signal as it binds: who is in need or complains does not do so about one loan.

    A text about several loans is answered about all of them, where the answer names none.
    """
    several = found.message is not None and len(unpacked(found.message["loan_ids"])) > 1
    whole = one.kind in ("hardship", "complaint")
    if whole or (several and one.kind in ("dispute", "payment_pending")):
        return replace(one, loan_id="")
    return one


def _owed(reading: Reading, found: Whose, lender: Lender, at: datetime) -> Decimal | None:
    """Return what is overdue, where a promise named no figure; None where nobody knows it."""
    if reading.intent != "promise_to_pay" or reading.amount is not None or not found.loan_id:
        return None
    try:
        owed = position_of(found.loan_id, lender=lender, at=at)["overdue_total"]
    except Refused:
        return None
    return Decimal(owed).scaleb(-2) if owed > 0 else None


def _events(
    followed: Followed,
    row: Mapping[str, Any],
    found: Whose,
    who: str,
    reading: Reading,
    said: datetime,
) -> list[dict[str, Any]]:
    """Return the CloudEvents of one person's signals; the same reply gives the same ids."""
    told = []
    for one in followed.signals:
        detail: dict[str, str] = dict(one.detail)
        if one.kind == "opt_out":
            detail["address"] = row["address"]
        told.append(
            _event("signal.raised", one.signal_id, said,
                   {"signal_id": one.signal_id, "borrower_id": one.borrower_id,
                    "loan_id": one.loan_id or None, "kind": one.kind,
                    "starts_at": one.starts_at.isoformat(), "detail": detail})
        )  # fmt: skip
    if "dispute_identity" in (reading.intent, reading.secondary_intent):
        told += [_strange(point, row, said) for point in _points(found, who)]
    return told


def _points(found: Whose, who: str) -> list[dict[str, Any]]:
    """Return the contact points of a person with this number; where no book has it, our text's."""
    rows = {
        (one.channel, one.address): {"borrower_id": who, "channel": one.channel,
                                     "address": one.address, "use": one.use,
                                     "verified_on": one.verified_on}
        for one in found.points if one.borrower_id == who
    }  # fmt: skip
    if not rows and who in found.named:
        address = found.named[who]
        rows["sms", address] = {"borrower_id": who, "channel": "sms", "address": address}
    return list(rows.values())


def _strange(point: Mapping[str, Any], row: Mapping[str, Any], said: datetime) -> dict[str, Any]:
    name = digest.of_value([row["fingerprint"], point["borrower_id"], point["channel"],
                            point["address"]])[:16]  # fmt: skip
    return _event(
        "contact_point.changed", f"number-{name}", said, {**point, "status": "wrong_person"}
    )


def _event(kind: str, name: str, said: datetime, data: Mapping[str, Any]) -> dict[str, Any]:
    return {"specversion": "1.0", "id": name, "source": SOURCE, "type": kind,
            "time": said.isoformat(), "data": dict(data)}  # fmt: skip


def _hand_over(row: Mapping[str, Any], error: str) -> None:
    """Give a person a reply that we could not read or act upon."""
    open_tasks(["read_reply"], reply=row["report_id"])
    _write(row, None, "person", error=error)
    name = str(row["report_id"])
    record("reply.unread", [(name, {"error": error})], about={name: None})


def _write(
    row: Mapping[str, Any],
    found: Whose | None,
    state: str,
    *,
    reading: Reading | None = None,
    signals: list[str] | None = None,
    error: str = "",
) -> None:
    message = None if found is None or found.message is None else found.message["message_id"]
    with connection.cursor() as cursor:
        cursor.execute(
            _DONE,
            {
                "state": state, "report": row["report_id"],
                "whose": None if found is None else found.whose,
                "borrower": None if found is None else found.borrower_id,
                "loan": None if found is None else found.loan_id,
                "message": message,
                "reading": None if reading is None else json.dumps(_as_json(reading)),
                "reader": "" if reading is None else built_in().corpus_sha256,
                "signals": json.dumps(signals or []), "error": error[:200],
            },
        )  # fmt: skip


def _as_json(reading: Reading) -> dict[str, object]:
    return {
        "intent": reading.intent,
        "confidence": str(reading.confidence),
        "promise_date": None if reading.promise_date is None else reading.promise_date.isoformat(),
        "promise_date_expr": reading.promise_date_expr,
        "date_confidence": reading.date_confidence,
        "amount": None if reading.amount is None else str(reading.amount),
        "vulnerable": reading.vulnerable,
        "secondary_intent": reading.secondary_intent,
        "needs_person": reading.needs_person,
        "fate": reading.fate,
        "words": list(reading.words),
    }
