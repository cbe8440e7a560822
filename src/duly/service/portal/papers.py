"""What a borrower hands in: words and papers, known by their content, sealed under his key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.service.borrower_keys import keys_of
from duly.service.operations.recording import record
from duly.service.operations.releasing import person
from duly.service.portal.sealed import opened, seal

WORDS_MAX = 500  #: characters
BYTES_MAX = 5 << 20  #: of a paper
OF_A_SIGNAL = 6  #: what one signal may hold
#: Beginning and end of a file → what it is, whatever its name says.
_BEGINS = {
    b"%PDF-": "application/pdf",
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
}


@dataclass(frozen=True, kw_only=True)
class Paper:
    """One thing that was handed in."""

    kind: str
    data: bytes

    @property
    def ending(self) -> str:
        """Return how a file of it ends."""
        return {"text/plain": "txt", "image/jpeg": "jpg"}.get(self.kind, self.kind[-3:])


def words(text: str) -> Paper | None:
    """Return what somebody wrote; None where he wrote nothing.

    What does not print is left out; lines stay.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = "\n".join("".join(one for one in line if one.isprintable()) for line in lines).strip()
    return Paper(kind="text/plain", data=kept[:WORDS_MAX].encode()) if kept else None


def paper(data: bytes) -> Paper | None:
    """Return a paper by its content; None for what is no PDF, JPEG or PNG."""
    for begins, kind in _BEGINS.items():
        if data.startswith(begins):
            return Paper(kind=kind, data=data)
    return None


def keep(borrower_id: str, signal_id: str, handed: Sequence[Paper]) -> None:
    """Seal what was handed in with a signal, in the caller's transaction; so many, no more."""
    if not handed:
        return
    connection.ensure_connection()
    assert connection.connection is not None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM store_portalpaper WHERE borrower_id = %s AND signal_id = %s",
            [borrower_id, signal_id],
        )
        room = max(0, OF_A_SIGNAL - int(cursor.fetchone()[0]))
        key = keys_of(connection.connection, [borrower_id])[borrower_id]
        for one in handed[:room]:
            sealed = seal(key.secret, one.data, _about(signal_id, one.kind))
            cursor.execute(
                "INSERT INTO store_portalpaper (borrower_id, signal_id, kind, key_id, ciphertext)"
                " VALUES (%s, %s, %s, %s, %s)",
                [borrower_id, signal_id, one.kind, key.number, sealed],
            )


def handed_in(borrower_id: str, signal_id: str) -> list[Paper]:
    """Return what was handed in with a signal, opened; refused (UnreadableKey) without the key."""
    return _opened(
        "SELECT borrower_id, signal_id, kind, ciphertext FROM store_portalpaper"
        " WHERE borrower_id = %s AND signal_id = %s ORDER BY id",
        [borrower_id, signal_id],
    )


def of_task(number: int, *, by: str) -> list[Paper]:
    """Return what was handed in about the loan of an open task, and record who looked.

    Refused: no open task of this number, no name.
    """
    by = person(by)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT borrower_id, loan_id FROM store_task WHERE id = %s AND closed_at IS NULL",
            [number],
        )
        row = cursor.fetchone()
        if row is None:
            raise Refused(Diagnostic(area="service", code="no_open_task", values={"id": number}))
        who, loan = row
        found = _opened(
            "SELECT p.borrower_id, p.signal_id, p.kind, p.ciphertext FROM store_portalpaper AS p"
            " WHERE p.borrower_id = %s AND (%s::text IS NULL OR EXISTS (SELECT 1 FROM store_word"
            " AS w WHERE w.kind = 'signal' AND w.key = p.signal_id AND w.loan_id = %s))"
            " ORDER BY p.id",
            [who, loan, loan],
        )
        told = {"by": by, "papers": len(found)}
        record("task.papers_seen", [(str(number), told)], about={str(number): who})
    return found


def _opened(question: str, given: Sequence[str | None]) -> list[Paper]:
    with connection.cursor() as cursor:
        cursor.execute(question, list(given))
        rows = cursor.fetchall()
    if not rows:
        return []
    assert connection.connection is not None
    keys = keys_of(connection.connection, {row[0] for row in rows})
    return [
        Paper(
            kind=kind,
            data=opened(keys[who].secret, bytes(sealed), _about(signal, kind)),
        )
        for who, signal, kind, sealed in rows
    ]


def _about(signal_id: str, kind: str) -> bytes:
    return f"{signal_id}\n{kind}".encode()
