"""Back the database up to one file, and bring it back whole."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.service.postgres.place import installed_programs

_MAGIC = b"PGDMP"
#: The server ends a session a little after its client has closed it: looks, and the rest between.
_LEAVING_LOOKS, _LEAVING_SECONDS = 20, 0.1
#: Parts of a URL whose variable is not PG and their name.
_VARIABLES = {"dbname": "PGDATABASE"}


def back_up(url: str, out: Path) -> int:
    """Write the database of a URL to a file, mode 0600, and return its bytes.

    It is one consistent state, taken while others write. A file that stands there is replaced
    only by a complete one.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.half-")
    half = Path(name)
    try:
        os.close(descriptor)
        _run(url, "pg_dump", "--format=custom", "--no-owner", "--file", name)
        with half.open("rb") as file:
            os.fsync(file.fileno())
        size = half.stat().st_size
        half.replace(out)
    finally:
        half.unlink(missing_ok=True)
    return size


def restore(url: str, file: Path, *, replace: bool = False) -> str | None:
    """Bring a backup back as the database of a URL; return what the former one is called now.

    It is read into a new database first and takes the name only when complete. Refused: a file
    that is no backup, a database that holds tables (without `replace`), others connected.
    """
    with file.open("rb") as opened:
        if opened.read(len(_MAGIC)) != _MAGIC:
            raise Refused(Diagnostic(area="service", code="no_backup", file=str(file)))
    name = str(conninfo_to_dict(url)["dbname"])
    admin = make_conninfo(url, dbname="postgres")
    fresh = f"{name}_restored_{os.getpid()}"
    with psycopg.connect(admin, autocommit=True) as ours:
        _check_free(ours, url, name, replace=replace)
        _ask(ours, "CREATE DATABASE {} TEMPLATE template0", fresh)
        try:
            _run(
                url, "pg_restore", "--no-owner", "--exit-on-error", "--single-transaction",
                "--dbname", fresh, str(file),
            )  # fmt: skip
            return _swap(ours, name, fresh)
        except BaseException:
            _ask(ours, "DROP DATABASE IF EXISTS {}", fresh)
            raise


def _check_free(ours: psycopg.Connection, url: str, name: str, *, replace: bool) -> None:
    others = _others(ours, name)
    if others:
        raise Refused(Diagnostic(area="service", code="others_connected", values={"count": others}))
    exists = ours.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
    if exists and not replace:
        with psycopg.connect(url) as inside:
            row = inside.execute(
                "SELECT count(*) FROM pg_class WHERE relkind = 'r'"
                " AND relnamespace = 'public'::regnamespace"
            ).fetchone()
        if row and row[0]:
            raise Refused(
                Diagnostic(
                    area="service", code="not_empty", values={"name": name, "tables": row[0]}
                )
            )


def _others(ours: psycopg.Connection, name: str) -> int:
    """Return how many are connected; who has just said goodbye is given a moment to be gone."""
    count = 0
    for _ in range(_LEAVING_LOOKS):
        row = ours.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s", (name,)
        ).fetchone()
        count = int(row[0]) if row else 0
        if not count:
            break
        time.sleep(_LEAVING_SECONDS)
    return count


def _swap(ours: psycopg.Connection, name: str, fresh: str) -> str | None:
    """Give the fresh database the name; both renames happen, or neither."""
    former = f"{name}_before_{os.getpid()}"
    exists = ours.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
    with ours.transaction():
        if exists:
            _ask(ours, "ALTER DATABASE {} RENAME TO {}", name, former)
        _ask(ours, "ALTER DATABASE {} RENAME TO {}", fresh, name)
    return former if exists else None


def _ask(ours: psycopg.Connection, text: LiteralString, *names: str) -> None:
    ours.execute(sql.SQL(text).format(*(sql.Identifier(one) for one in names)))


def _run(url: str, program: str, *options: str) -> None:
    """Run a client program against a URL; it goes by the environment, where no list shows it."""
    path = installed_programs() / program
    given = {
        _VARIABLES.get(key, f"PG{key.upper()}"): str(value)
        for key, value in conninfo_to_dict(url).items()
        if value is not None
    }
    words: Sequence[str | Path] = [path, *options]
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        env=os.environ | {"LC_ALL": "C"} | given,
    )  # fmt: skip
    if done.returncode:
        said = done.stderr.strip().splitlines()
        why = said[-1] if said else str(done.returncode)
        raise Refused(
            Diagnostic(area="service", code="server_refused",
                       values={"program": program, "why": why})
        )  # fmt: skip
