"""Who is signed in to the borrowers' pages; beginning and end stand under his key."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from duly.service.operations.recording import record
from duly.service.operations.sessions import Sessions

#: What ends it, in minutes: without a look, and in all. G-RPV-1: nothing of a debt is shown to who
#: was verified longer ago than half an hour.
IDLE_MINUTES, WHOLE_MINUTES = 15, 30
_KEPT = Sessions(
    table="store_portalsession", owner="borrower_id",
    idle_minutes=IDLE_MINUTES, whole_minutes=WHOLE_MINUTES,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Session:
    """Somebody who is signed in; `token` is there where the cookie has to change."""

    number: int
    borrower_id: str
    by: str
    token: str | None = None


def begin(borrower_id: str, *, by: str) -> str:
    """Sign a borrower in and return the token of his cookie; recorded under his key."""
    with transaction.atomic():
        number, token = _KEPT.begin(borrower_id, by=by)
        name = str(number)
        record("session.begun", [(name, {"by": by})], about={name: borrower_id})
    return token


def look(token: str) -> Session | None:
    """Return whose token it is, None where it is nobody's any more; it counts as seen now."""
    seen = _KEPT.look(token)
    if seen is None:
        return None
    return Session(number=seen.number, borrower_id=seen.owner, by=seen.by, token=seen.token)


def end(session: Session) -> None:
    """Sign somebody out."""
    with transaction.atomic():
        if _KEPT.end(session.number):
            name = str(session.number)
            record("session.ended", [(name, {"why": "out"})], about={name: session.borrower_id})


def end_all(people: list[str], *, why: str) -> None:
    """End every session of people, in the caller's transaction: it is not them any more."""
    ended = _KEPT.end_all(people)
    record("session.ended", [(name, {"why": why}) for name in ended], about=ended)
