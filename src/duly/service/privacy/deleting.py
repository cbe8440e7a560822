"""Delete a person's data: his key is destroyed, his rows are emptied, the log keeps its proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from duly.book import Lender
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.rules import lenders_rules
from duly.service.operations.locking import lock_people
from duly.service.operations.recording import record
from duly.service.operations.releasing import person
from duly.service.privacy.erasing import erase
from duly.service.privacy.forbidding import Forbidden, forbids, known
from duly.service.privacy.letters import Letters, SpooledLetters

#: The rule of the packs that gives a person the right to it, and the word where none does.
_RIGHT, _REQUEST = "CN-PI-7", "request"
_BECAUSE_MAX = 500


@dataclass(frozen=True, kw_only=True)
class Deleted:
    """What a deletion did: table → rows that were emptied or deleted; under which rule; letters."""

    under: str
    rows: dict[str, int]
    letters: Letters


def standing_against(borrower_id: str, *, lender: Lender, at: datetime) -> tuple[Forbidden, ...]:
    """Return what forbids that a person's data are deleted; refused: nobody known."""
    with connection.cursor() as cursor:
        _refuse_unknown(cursor, borrower_id)
        return tuple(forbids(cursor, borrower_id, lender=lender, at=at))


def delete(borrower_id: str, *, by: str, because: str, lender: Lender, at: datetime) -> Deleted:
    """Delete a person's data in one transaction, under his lock, at a legal instant.

    Refused, all reasons told: whatever `forbids` finds, nobody known, no name, no reason.
    """
    by, because = person(by), reason(because)
    spooled = SpooledLetters(lender)
    with spooled, transaction.atomic(), connection.cursor() as cursor:
        _refuse_unknown(cursor, borrower_id)
        lock_people(cursor, [borrower_id])
        against = forbids(cursor, borrower_id, lender=lender, at=at)
        if against:
            raise Refused(*(one.diagnostic for one in against))
        under = right_of(lender)
        rows = destroy([borrower_id], by=by, because=because, under=under, at=at, spooled=spooled)
    return Deleted(under=under, rows=rows, letters=spooled.of.get(borrower_id, Letters()))


def right_of(lender: Lender) -> str:
    """Return under which rule of the lender's packs a person may ask for it."""
    rules = {rule.id for rule in lenders_rules(lender.packs, lender.switched_off)}
    return _RIGHT if _RIGHT in rules else _REQUEST


def destroy(
    people: Sequence[str], *, by: str, because: str, under: str, at: datetime,
    spooled: SpooledLetters,
) -> dict[str, int]:  # fmt: skip
    """Destroy what is personal of people whom the caller's transaction holds locked; return rows.

    Each has a row of the record that names the destroyed keys and what became of his letters: the
    log tells that it was deleted.
    """
    with connection.cursor() as cursor:
        cursor.executemany(
            'INSERT INTO store_deletion (borrower_id, "by", because, under, at, made_at)'
            " VALUES (%s, %s, %s, %s, %s, now())",
            [(one, by, because, under, at) for one in people],
        )
        cursor.execute(
            "SELECT borrower_id, array_agg(id ORDER BY id) FROM store_borrowerkey"
            " WHERE borrower_id = ANY(%s) AND wrapped IS NOT NULL GROUP BY borrower_id",
            [list(people)],
        )
        keys = dict(cursor.fetchall())
        rows = erase(cursor, people)
        spooled.take(cursor, people)
    told = {"by": by, "because": because, "under": under, "at": at}
    record(
        "person.deleted",
        [
            (one, {**told, "keys": keys.get(one, []), **spooled.of.get(one, Letters()).told})
            for one in sorted(people)
        ],
    )
    return rows


def reason(text: str) -> str:
    """Return why somebody does it, as it is written down; refuse a text that says nothing."""
    found = " ".join(text.split())
    if not found or len(found) > _BECAUSE_MAX or not found.isprintable():
        raise Refused(Diagnostic(area="privacy", code="no_reason"))
    return found


def _refuse_unknown(cursor: Any, borrower_id: str) -> None:
    if not known(cursor, borrower_id):
        raise Refused(
            Diagnostic(area="privacy", code="unknown_borrower", values={"borrower": borrower_id})
        )
