"""What proves a message: its rows of the record, and the path of each to a signed root."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from duly.audit import inclusion_proof

_ROWS_MAX = 500
_ROWS = """
SELECT a.id, a.at, a.kind, a.payload, a.salt, a.payload_sha256, s.index
FROM store_audit AS a LEFT JOIN store_sealed AS s ON s.audit_id = a.id
WHERE a.subject = %s ORDER BY a.id LIMIT %s
"""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the record; without an index it is not sealed yet."""

    number: int
    at: datetime
    kind: str
    payload: str
    salt: bytes
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
        cursor.execute(_ROWS, [message_id, _ROWS_MAX])
        found = cursor.fetchall()
    nodes = _nodes([row[6] for row in found if row[6] is not None and row[6] < size], size)
    return Evidence(
        rows=tuple(_row(row, size, nodes) for row in found),
        size=size,
        root=bytes(root),
        root_at=root_at,
        key_id=key_id,
        signature=None if signature is None else bytes(signature),
    )


def _nodes(indexes: list[int], size: int) -> dict[tuple[int, int], bytes]:
    """Return the hashes that the proofs of these leaves need, in one question."""
    wanted: set[tuple[int, int]] = set()

    def note(level: int, number: int) -> bytes:
        wanted.add((level, number))
        return hashlib.sha256(b"").digest()

    for index in indexes:
        inclusion_proof(index, size, note)
    levels = [level for level, _ in sorted(wanted)]
    numbers = [number for _, number in sorted(wanted)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.level, n.number, n.hash FROM store_node AS n JOIN"
            " unnest(%s::smallint[], %s::bigint[]) AS w (level, number)"
            " ON n.level = w.level AND n.number = w.number",
            [levels, numbers],
        )
        return {(level, number): bytes(one) for level, number, one in cursor.fetchall()}


def _row(row: tuple[Any, ...], size: int, nodes: dict[tuple[int, int], bytes]) -> Row:
    number, at, kind, payload, salt, digest, index = row
    sealed = index is not None and index < size
    return Row(
        number=number, at=at, kind=kind, payload=payload, salt=bytes(salt), payload_sha256=digest,
        index=index if sealed else None,
        proof=inclusion_proof(index, size, lambda *at: nodes[at]) if sealed else (),
    )  # fmt: skip
