"""An empty migrated database of its own, over the server of the tests.

One that a test has left is emptied and serves the next: that takes a third of making one. It is
taken up again only where it equals a fresh one, to the last column, trigger and sequence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from duly.service import postgres, setting_up

#: Server → databases that lie ready, and what a fresh one looks like.
_READY: dict[Path, list[str]] = defaultdict(list)
_FRESH: dict[Path, str] = {}
_LEAVING_MILLISECONDS = 5_000
#: A table whose file has no byte never held a row.
_FILLED = """
SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND pg_relation_size(oid) > 0
    AND relnamespace = 'public'::regnamespace AND relname <> 'django_migrations'
"""
_LOOK = """
SELECT md5(concat_ws('|',
    (SELECT string_agg(c::text, ',' ORDER BY c) FROM (SELECT
        relnamespace, relname, relkind, relacl, reloptions, relrowsecurity, relispartition
        FROM pg_class WHERE oid >= 16384 AND relkind <> 't' AND relname !~ '^pg_toast') AS c),
    (SELECT string_agg(c::text, ',' ORDER BY c) FROM (SELECT
        attrelid, attname, attnum, atttypid, atttypmod, attnotnull, attacl, attisdropped
        FROM pg_attribute WHERE attrelid >= 16384 AND attrelid IN (
            SELECT oid FROM pg_class WHERE relkind IN ('r', 'v', 'i'))) AS c),
    (SELECT string_agg(c::text, ',' ORDER BY c) FROM (SELECT
        adrelid, adnum, adbin::text FROM pg_attrdef) AS c),
    (SELECT string_agg(c::text, ',' ORDER BY c) FROM (SELECT
        conname, conrelid, contype, convalidated, conkey, confrelid FROM pg_constraint
        WHERE oid >= 16384) AS c),
    (SELECT string_agg(c::text, ',' ORDER BY c) FROM (SELECT
        indexrelid, indrelid, indisunique, indisvalid, indkey::text FROM pg_index
        WHERE indrelid >= 16384) AS c),
    (SELECT string_agg(c::text, ',' ORDER BY c) FROM (SELECT
        tgrelid, tgname, tgenabled, tgtype, tgfoid FROM pg_trigger) AS c),
    (SELECT string_agg(c::text, ',' ORDER BY c) FROM (SELECT
        proname, prosrc, proacl FROM pg_proc WHERE oid >= 16384) AS c),
    (SELECT string_agg(c::text, ',' ORDER BY c) FROM (SELECT
        nspname, nspacl FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast_temp)') AS c),
    (SELECT string_agg(c::text, ',' ORDER BY c) FROM (SELECT
        schemaname, sequencename, last_value, increment_by, cycle FROM pg_sequences) AS c),
    (SELECT string_agg(c::text, ',' ORDER BY c) FROM (SELECT
        setrole, setconfig FROM pg_db_role_setting AS s JOIN pg_database AS d
        ON d.oid = s.setdatabase WHERE d.datname = current_database()) AS c),
    (SELECT concat_ws(',', datacl, datconnlimit, datallowconn) FROM pg_database
        WHERE datname = current_database()),
    (SELECT string_agg(extname, ',' ORDER BY extname) FROM pg_extension),
    (SELECT count(*) FROM pg_largeobject_metadata),
    (SELECT count(*) FROM pg_policy), (SELECT count(*) FROM pg_publication),
    (SELECT count(*) FROM pg_event_trigger),
    (SELECT string_agg(m::text, ',' ORDER BY m) FROM django_migrations AS m)
))
"""


def hasten(server: postgres.Place) -> None:
    """Let a server wait for no disk: its processes may be killed, the machine is not."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as ours:
        for name in ("fsync", "full_page_writes"):
            ours.execute(f"ALTER SYSTEM SET {name} = off")
        ours.execute("SELECT pg_reload_conf()")


@contextmanager
def database(server: postgres.Place, name: str) -> Iterator[str]:
    """Give the URL of an empty migrated database, and let Django use it meanwhile."""
    _take(server, name)
    url = server.url(name)
    with setting_up.using(url):
        yield url
    _leave(server, name)


def until_gone(ours: psycopg.Connection[Any], number: int) -> None:
    """Wait until the worker of a closed connection is held for dead."""
    for _ in range(200):
        row = ours.execute("SELECT count(*) FROM pg_locks WHERE objid = %s", (number,)).fetchone()
        if row == (0,):
            return
        ours.execute("SELECT pg_sleep(0.02)")
    pytest.fail("a closed connection keeps its lock")


def _take(server: postgres.Place, name: str) -> None:
    """Give a database that lies ready its name, else make one.

    The name is one that nobody had: what keeps something by a URL keeps nothing of another test.
    """
    ready = _READY[server.root]
    with psycopg.connect(server.url("postgres"), autocommit=True) as ours:
        if ready:
            names = map(sql.Identifier, (ready.pop(), name))
            ours.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*names))
            return
        ours.execute(f'CREATE DATABASE "{name}" TEMPLATE duly')
    if server.root not in _FRESH:
        with psycopg.connect(server.url(name)) as inside:
            _FRESH[server.root] = _look(inside)


def _leave(server: postgres.Place, name: str) -> None:
    """Empty a database for the next test, or drop one that is not as it was made."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as ours:
        ours.execute(
            "SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity WHERE datname = %s",
            (_LEAVING_MILLISECONDS, name),
        )
        try:
            with psycopg.connect(server.url(name), autocommit=True) as inside:
                filled = [one for (one,) in inside.execute(_FILLED).fetchall()]
                if filled:
                    inside.execute(f"TRUNCATE {', '.join(filled)} RESTART IDENTITY CASCADE")
                as_made = _look(inside) == _FRESH[server.root]
        except psycopg.Error:  # A test may have broken it, or taken it away.
            as_made = False
        if as_made:
            _READY[server.root].append(name)
        else:
            ours.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _look(inside: psycopg.Connection[Any]) -> str:
    """Return a digest of all that a database is; of its rows, of those that migrating made."""
    row = inside.execute(_LOOK).fetchone()
    assert row is not None
    return str(row[0])
