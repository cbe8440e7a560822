"""Audit rows of an operation, written in the transaction of what they tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import connection

from duly.service.outbox.auditing import audit


def record(
    kind: str,
    rows: Iterable[tuple[str, Mapping[str, object]]],
    *,
    about: Mapping[str, str | None] | None = None,
) -> None:
    """Add an audit row for each subject and payload, in Django's own transaction.

    `about` says whom each subject is about where the kind does not.
    """
    connection.ensure_connection()
    assert connection.connection is not None
    audit(connection.connection, kind, rows, about=about)
