"""Take events in: all of a batch or nothing, each once, in any order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import OperationalError, transaction
from psycopg.errors import DeadlockDetected

from duly.service import journal
from duly.service.facts.cloud_events import NewWord, ReadEvent, read_all
from duly.service.facts.owners import whose
from duly.service.facts.problems import EventProblem, EventsRefused
from duly.service.facts.storing import store
from duly.service.operations import responding
from duly.service.operations.cancelling import cancel
from duly.service.operations.recording import record
from duly.service.operations.telling_signals import tell_signals

_TRIES = 5
#: Who has asked the policy already, or is the policy: hearing does so with the reply in hand.
_ASKED = frozenset({"duly:replies", responding.SOURCE})

__all__ = ["Accepted", "EventProblem", "EventsRefused", "accept"]


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """How many events are new, how many were here before or twice in the batch.

    `cancelled` are the messages that will not leave any more because of them; `unread` the fields
    of the data that no column of the book has, as `type.field`: they are kept and mean nothing.
    """

    accepted: int
    duplicates: int
    cancelled: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def accept(events: Sequence[dict[str, Any]], *, at: datetime) -> Accepted:
    """Store a batch of CloudEvents (contract, section 5) and cancel what they forbid.

    One transaction: every fault of every event is gathered and refused together (EventsRefused),
    with nothing stored. `at` is the legal instant of the reception.
    """
    read, problems = read_all(events, at=at)
    if problems:
        raise EventsRefused(problems)
    if not read:
        return Accepted(accepted=0, duplicates=0)
    for left in reversed(range(_TRIES)):
        try:
            new, duplicates, cancelled = _taken(read, at)
            break
        except OperationalError as error:
            # A plan that is loaded meanwhile locks many messages: one of the two begins again.
            if not (left and isinstance(error.__cause__, DeadlockDetected)):
                raise
    unread = tuple(sorted({name for one in read for name in one.unread}))
    return Accepted(accepted=len(new), duplicates=duplicates, cancelled=cancelled, unread=unread)


def _taken(
    read: Sequence[ReadEvent], at: datetime
) -> tuple[tuple[ReadEvent, ...], int, tuple[str, ...]]:
    """Store, record and cancel in one transaction; return what is new, known before, cancelled."""
    with transaction.atomic():
        stored = store(list(enumerate(read)), at=at)
        new = stored.new
        about = dict(zip((_name(one) for one in new), whose(new), strict=True))
        told = [_told(one, owner) for one, owner in zip(new, about.values(), strict=True)]
        record("event.accepted", zip(about, told, strict=True), about=about)
        tell_signals(stored.first)
        more = _respond(new, stored.first, at)
        cancelled = cancel(new, at=at)
        if more:
            cancelled += _taken(more, at)[2]
        return new, stored.duplicates, cancelled


def _respond(
    new: Sequence[ReadEvent], first: Sequence[NewWord], at: datetime
) -> Sequence[ReadEvent]:
    """Do what policies say of signals that were told for the first time; return further holds.

    A policy that breaks undoes nothing of what was told.
    """
    asked = {word.key for one in new if one.source in _ASKED for word in one.words}
    told = [one for one in first if one.kind == "signal" and one.key not in asked]
    if not told:
        return ()
    try:
        with transaction.atomic():
            events = responding.to_signals(told, at=at)
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 Whatever broke, what was told is stored.
        journal.broken("signal.policy", error)
        return ()
    read, problems = read_all(events, at=at)
    assert not problems, "a hold is a signal like any other"
    return read


def _told(event: ReadEvent, owner: str | None) -> dict[str, object]:
    """Return what the record says of an event; its data only under the key of whom they are about.

    Nobody could forget the data of who is not known yet.
    """
    told: dict[str, object] = {
        "type": event.type, "source": event.source, "id": event.event_id, "time": event.time,
    }  # fmt: skip
    return told if owner is None else {**told, "data": json.loads(event.data)}


def _name(event: ReadEvent) -> str:
    """Return what the log calls an event: nothing of its data can be guessed from it."""
    return hashlib.sha256(f"{event.source}\n{event.event_id}".encode()).hexdigest()
