"""Seal audit rows into the log: one sealer at a time, and what it sealed can be checked by anybody.

Writers add rows in their own transactions and wait for nobody. The sealer gives each committed row
the next place. A row's leaf is its number, instant, kind, subject and the salted hash of its
payload: what a person's data were can be forgotten, that they were recorded cannot.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from struct import Struct
from typing import Any

import psycopg

from duly.audit import grow, leaf_hash, root_of
from duly.audit.merkle import Peaks
from duly.audit.signing import SigningKey, verify_root
from duly.service.borrower_keys import COLUMNS, UnreadableKey, payload_of

_LOCK = 0x44554C70
BATCH = 20_000
UNSEALED_SECONDS_MAX = 60
_ROWS_A_LOOK = 10_000
_NONE: Peaks = ()
#: Rows of a binary COPY: how many columns, and before each how many bytes it has.
_COPY_HEAD, _COPY_END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_PLACE, _NODE = Struct("!hiqiq"), Struct("!hihiqi32s")

Connection = psycopg.Connection[Any]

#: Keys that were destroyed, and no row says by whom.
_GONE = """
SELECT k.id FROM store_borrowerkey AS k WHERE k.wrapped IS NULL AND NOT EXISTS (
    SELECT 1 FROM store_audit AS a WHERE a.kind = 'person.deleted' AND a.subject = k.borrower_id
        AND a.payload::jsonb->'keys' @> to_jsonb(k.id))
ORDER BY k.id LIMIT 100
"""


def instant_of(at: datetime) -> str:
    """Return an instant in UTC as a leaf writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def leaf_of(number: int, at: datetime, kind: str, subject: str, payload_sha256: str) -> bytes:
    """Return the bytes of an audit row's leaf."""
    return "\n".join((str(number), instant_of(at), kind, subject, payload_sha256)).encode()


def seal(connection: Connection, *, key: SigningKey | None = None) -> int:
    """Seal the rows that are committed and not yet sealed; return how many.

    Another sealer at work makes it none. With a key the new root is signed.
    """
    with connection.transaction():
        row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (_LOCK,)).fetchone()
        if row is None or not row[0]:
            return 0
        found = connection.execute(
            "SELECT a.id, a.at AT TIME ZONE 'UTC', a.kind, a.subject, a.payload_sha256"
            " FROM store_unsealed AS u JOIN store_audit AS a ON a.id = u.audit_id"
            " ORDER BY u.audit_id LIMIT %s",
            (BATCH,),
        ).fetchall()
        if not found:
            return 0
        connection.execute(
            "DELETE FROM store_unsealed WHERE audit_id = ANY(%s)", ([row[0] for row in found],)
        )
        size, peaks = _state(connection)
        grown = grow(size, peaks, [leaf_hash(leaf_of(*row)) for row in found])
        _copy(
            connection, "store_sealed (index, audit_id)", _PLACE,
            ((2, 8, index, 8, one[0]) for index, one in enumerate(found, start=size)),
        )  # fmt: skip
        _copy(
            connection, "store_node (level, number, hash)", _NODE,
            ((3, 2, level, 8, number, 32, digest)
             for (level, number), digest in grown.nodes.items()),
        )  # fmt: skip
        root = root_of(grown.peaks)
        connection.execute(
            "INSERT INTO store_root (size, root, key_id, signature) VALUES (%s, %s, %s, %s)",
            (
                grown.size,
                root,
                None if key is None else key.key_id,
                None if key is None else key.sign(grown.size, root),
            ),
        )
    return len(found)


def _copy(
    connection: Connection, into: str, row: Struct, cells: Iterable[tuple[object, ...]]
) -> None:
    """Copy rows in the binary form of PostgreSQL, each packed as one: a log has many."""
    packed = b"".join([_COPY_HEAD, *(row.pack(*one) for one in cells), _COPY_END])
    form = f"COPY {into} FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(form) as copy:
        copy.write(packed)


def node_of(connection: Connection, level: int, number: int) -> bytes:
    """Return the hash that is kept of a complete subtree."""
    row = connection.execute(
        "SELECT hash FROM store_node WHERE level = %s AND number = %s", (level, number)
    ).fetchone()
    assert row is not None, "complete subtrees are kept"
    return bytes(row[0])


def _state(connection: Connection) -> tuple[int, Peaks]:
    row = connection.execute("SELECT coalesce(max(index) + 1, 0) FROM store_sealed").fetchone()
    assert row is not None
    size, start = int(row[0]), 0
    peaks: list[tuple[int, bytes]] = []
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            peaks.append((level, node_of(connection, level, start >> level)))
            start += 1 << level
    return size, tuple(peaks)


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """One thing that is wrong with the log: what, and of which row or size."""

    code: str
    subject: str


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What a verification found; nothing wrong means that the log is whole."""

    size: int
    root: bytes
    wrong: tuple[Wrong, ...]
    forgotten: int = 0  #: rows that nobody can read any more: their borrower's key was destroyed


def verify(connection: Connection, *, public: bytes | None = None) -> Verified:
    """Work the whole log out again from the audit rows and compare every root and signature.

    Wrong is a payload that its hash does not fit or that no key of this machine opens, a leaf, root
    or signature that differs, a place without a row, a row unsealed for more than a minute, a
    borrower's key that was destroyed without a record of it.
    """
    wrong = [
        Wrong(code="unsealed", subject=str(row[0]))
        for row in connection.execute(
            "SELECT a.id FROM store_audit AS a LEFT JOIN store_sealed AS s ON s.audit_id = a.id"
            " WHERE s.index IS NULL AND a.at < now() - make_interval(secs => %s) LIMIT 100",
            (UNSEALED_SECONDS_MAX,),
        )
    ]
    roots = {
        size: (bytes(root), signature)
        for size, root, signature in connection.execute(
            "SELECT size, root, signature FROM store_root"
        )
    }
    wrong += [
        Wrong(code="key_gone", subject=str(row[0])) for row in connection.execute(_GONE.encode())
    ]
    size, peaks, forgotten = 0, _NONE, 0
    unopened: set[str] = set()
    for index, *row in _sealed(connection):
        if index != size:
            wrong.append(Wrong(code="gap", subject=str(size)))
            break
        try:
            payload = payload_of(row[5:])
        except UnreadableKey as unreadable:
            unopened.add(unreadable.master)
        else:
            forgotten += payload is None
            if payload is not None and not payload.fits(row[4]):
                wrong.append(Wrong(code="payload", subject=str(row[0])))
        grown = grow(size, peaks, [leaf_hash(leaf_of(*row[:5]))])
        size, peaks = grown.size, grown.peaks
        if size in roots:
            wrong += _root_wrong(size, root_of(peaks), *roots.pop(size), public=public)
    wrong += [Wrong(code="root_beyond", subject=str(one)) for one in sorted(roots)]
    wrong += [Wrong(code="unopened", subject=name) for name in sorted(unopened)]
    return Verified(size=size, root=root_of(peaks), wrong=tuple(wrong), forgotten=forgotten)


def _root_wrong(
    size: int,
    found: bytes,
    kept: bytes,
    signature: bytes | None,
    *,
    public: bytes | None,
) -> list[Wrong]:
    if found != kept:
        return [Wrong(code="root", subject=str(size))]
    if public is None or signature is None or verify_root(public, size, found, bytes(signature)):
        return []
    return [Wrong(code="signature", subject=str(size))]


def _sealed(connection: Connection) -> Iterator[tuple[Any, ...]]:
    """Give the sealed rows in the order of the log, read as a stream."""
    with connection.transaction(), connection.cursor(name="sealed") as cursor:
        cursor.itersize = _ROWS_A_LOOK
        cursor.execute(
            "SELECT s.index, a.id, a.at AT TIME ZONE 'UTC', a.kind, a.subject, a.payload_sha256,"
            f" {COLUMNS} FROM store_sealed AS s JOIN store_audit AS a ON a.id = s.audit_id"
            " LEFT JOIN store_borrowerkey AS k ON k.id = a.key_id ORDER BY s.index"
        )
        yield from cursor
