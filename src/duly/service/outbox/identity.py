"""A worker is alive while it holds its advisory lock: no heartbeat, no clock, no guess."""

from __future__ import annotations

import secrets
from typing import Any

import psycopg

#: The first half of the lock's key; the second is the worker's number.
LOCK_CLASS = 0x4455
_NUMBERS = 2**31

#: Numbers of the workers that live, for use inside other questions.
ALIVE = (
    "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2"
    f" AND classid = {LOCK_CLASS} AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class Identity:
    """One worker's number, its own as long as its connection lives."""

    def __init__(self, url: str) -> None:
        self._connection: psycopg.Connection[Any] = psycopg.connect(
            url, autocommit=True, application_name="duly worker"
        )
        while True:
            self.number = secrets.randbelow(_NUMBERS)
            row = self._connection.execute(
                "SELECT pg_try_advisory_lock(%s, %s)", (LOCK_CLASS, self.number)
            ).fetchone()
            if row and row[0]:
                return

    def check(self) -> None:
        """Refuse (OperationalError) where the connection, and the lock with it, is gone."""
        self._connection.execute("SELECT 1")

    def close(self) -> None:
        """Give the number up; what is still claimed under it is anybody's."""
        self._connection.close()
