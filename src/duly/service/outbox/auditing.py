"""Audit rows of the outbox, written in its own transactions."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg

SALT_BYTES = 16
_ADD = """
INSERT INTO store_audit (kind, subject, payload, salt, payload_sha256)
SELECT %s, n.subject, n.payload, n.salt, n.hash
FROM unnest(%s::text[], %s::text[], %s::bytea[], %s::text[])
    WITH ORDINALITY AS n(subject, payload, salt, hash, place)
ORDER BY n.place
"""


def audit(
    connection: psycopg.Connection[Any], kind: str, rows: Iterable[tuple[str, Mapping[str, object]]]
) -> None:
    """Add an audit row for each subject and payload; the payload's hash is salted."""
    told = list(rows)
    if not told:
        return
    texts = [
        json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        for _, payload in told
    ]
    salts = [secrets.token_bytes(SALT_BYTES) for _ in told]
    hashes = [
        hashlib.sha256(salt + text.encode()).hexdigest()
        for salt, text in zip(salts, texts, strict=True)
    ]
    connection.execute(_ADD, (kind, [subject for subject, _ in told], texts, salts, hashes))
