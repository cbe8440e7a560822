"""Audit rows of the outbox, written in its own transactions."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg

SALT_BYTES = 16


def audit(
    connection: psycopg.Connection[Any], kind: str, rows: Iterable[tuple[str, Mapping[str, object]]]
) -> None:
    """Add an audit row for each subject and payload; the payload's hash is salted."""
    found = []
    for subject, payload in rows:
        text = json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        salt = secrets.token_bytes(SALT_BYTES)
        digest = hashlib.sha256(salt + text.encode()).hexdigest()
        found.append((kind, subject, text, salt, digest))
    if not found:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO store_audit (kind, subject, payload, salt, payload_sha256)"
            " VALUES (%s, %s, %s, %s, %s)",
            found,
        )
