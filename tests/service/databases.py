"""An empty migrated database of its own, over the server of the tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from duly.service import postgres, setting_up


@contextmanager
def database(server: postgres.Place, name: str) -> Iterator[str]:
    """Give the URL of an empty migrated database, and let Django use it meanwhile."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as ours:
        ours.execute(f'CREATE DATABASE "{name}" TEMPLATE duly')
    url = server.url(name)
    with setting_up.using(url):
        yield url
    with psycopg.connect(server.url("postgres"), autocommit=True) as ours:
        ours.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def until_gone(ours: psycopg.Connection[Any], number: int) -> None:
    """Wait until the worker of a closed connection is held for dead."""
    for _ in range(200):
        row = ours.execute("SELECT count(*) FROM pg_locks WHERE objid = %s", (number,)).fetchone()
        if row == (0,):
            return
        ours.execute("SELECT pg_sleep(0.02)")
    pytest.fail("a closed connection keeps its lock")
