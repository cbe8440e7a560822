"""What proves a message: its rows of the record, and the path of each to a signed root."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from duly.audit import EMPTY_ROOT, consistency_proof, inclusion_proof
from duly.service.borrower_keys import COLUMNS, Payload, payload_of

_ROWS_MAX = 500
#: Rows as `proven` takes them; what follows says which.
ROWS = f"""
SELECT a.id, a.at, a.payload_sha256, s.index, {COLUMNS}
FROM store_audit AS a LEFT JOIN store_sealed AS s ON s.audit_id = a.id
LEFT JOIN store_borrowerkey AS k ON k.id = a.key_id
"""
_OF_SUBJECT = ROWS + "WHERE a.subject = %s ORDER BY a.id LIMIT %s"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the record; without an index it is not sealed yet.

    Without a payload nobody can read it any more: the borrower's key was destroyed.
    """

    number: int
    at: datetime
    kind: str
    subject: str
    payload: Payload | None
    payload_sha256: str
    index: int | None
    proof: tuple[bytes, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The rows of a message in their order, and the root of the log that their proofs lead to."""

    rows: tuple[Row, ...]
    size: int
    root: bytes
    root_at: datetime | None
    key_id: str | None
    signature: bytes | None


def evidence(message_id: str) -> Evidence:
    """Return the record of a message with proofs (RFC 9162, 2.1.3) to the newest root."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT size, root, at, key_id, signature FROM store_root ORDER BY size DESC LIMIT 1"
        )
        size, root, root_at, key_id, signature = cursor.fetchone() or (0, b"", None, None, None)
        cursor.execute(_OF_SUBJECT, [message_id, _ROWS_MAX])
        found = cursor.fetchall()
    return Evidence(
        rows=proven(found, size),
        size=size,
        root=bytes(root),
        root_at=root_at,
        key_id=key_id,
        signature=None if signature is None else bytes(signature),
    )


def proven(found: Sequence[tuple[Any, ...]], size: int) -> tuple[Row, ...]:
    """Return rows with their proofs to the log's root at a size, by one question for all of them.

    A row is `id, at, payload_sha256, index` and the COLUMNS of its payload.
    """
    nodes = nodes_of([row[3] for row in found if row[3] is not None and row[3] < size], size)
    return tuple(_row(row, size, nodes) for row in found)


def nodes_of(
    indexes: Sequence[int], size: int, *, earlier: Sequence[int] = ()
) -> Mapping[tuple[int, int], bytes]:
    """Return the hashes that prove these leaves, and earlier sizes, to the log's root at a size."""
    wanted: set[tuple[int, int]] = set()

    def note(level: int, number: int) -> bytes:
        wanted.add((level, number))
        return EMPTY_ROOT

    for index in indexes:
        inclusion_proof(index, size, note)
    for one in earlier:
        consistency_proof(one, size, note)
    places = sorted(wanted)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.level, n.number, n.hash FROM store_node AS n JOIN"
            " unnest(%s::smallint[], %s::bigint[]) AS w (level, number)"
            " ON n.level = w.level AND n.number = w.number",
            [[level for level, _ in places], [number for _, number in places]],
        )
        return {(level, number): bytes(one) for level, number, one in cursor.fetchall()}


def _row(row: tuple[Any, ...], size: int, nodes: Mapping[tuple[int, int], bytes]) -> Row:
    number, at, digest, index, *cells = row
    sealed = index is not None and index < size
    return Row(
        number=number, at=at, kind=cells[0], subject=cells[1], payload=payload_of(cells),
        payload_sha256=digest, index=index if sealed else None,
        proof=inclusion_proof(index, size, lambda *at: nodes[at]) if sealed else (),
    )  # fmt: skip
