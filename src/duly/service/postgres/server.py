"""Start, stop and ask the embedded server; one at a time, under a lock.

The server runs in a session of its own: killing whoever started it does not touch it. It ends by
`stop`, or by its keeper after a time without clients.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.service.postgres.place import Place, place_of

IDLE_SECONDS = 900
_WAIT_SECONDS = 60
_CONNECT_SECONDS = 10
#: Files alone may carry this: nothing but the owner's processes and root reach the socket.
_SETTINGS = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "lc_messages": "'C'",
}


@dataclass(frozen=True, kw_only=True)
class Status:
    """Whether a server runs; `clients` are the connections of others."""

    running: bool
    url: str
    version: str | None = None
    clients: int = 0
    data: Path | None = None


def start(place: Place, *, idle_seconds: int = IDLE_SECONDS) -> Status:
    """Start the server where it does not run, and return its status; a second call changes nothing.

    Refused where the data are another major version's, or the server's number cannot be taken on.
    """
    with _locked(place):
        _ensure(place, idle_seconds)
    return status(place)


def hold(place: Place, *, idle_seconds: int = IDLE_SECONDS) -> psycopg.Connection[Any]:
    """Return a connection of a server that is started if it must be; while it is open nobody idles.

    It is made under the lock: the keeper cannot stop the server between the look and the call.
    """
    with _locked(place):
        _ensure(place, idle_seconds)
        return psycopg.connect(place.url(), autocommit=True, connect_timeout=_CONNECT_SECONDS)


def stop(place: Place) -> bool:
    """Stop the server, open transactions rolled back; return whether there was one to stop."""
    with _locked(place):
        if not _runs(place):
            return False
        _control(place, "stop", "-m", "fast")
        return True


def stop_if_idle(place: Place) -> bool:
    """Stop the server where nobody is connected; return whether it is down now."""
    with _locked(place):
        if not _runs(place):
            return True
        if _clients(place):
            return False
        _control(place, "stop", "-m", "fast")
        return True


def status(place: Place) -> Status:
    """Return whether the server runs, its version and how many others are connected."""
    if not _runs(place):
        return Status(running=False, url=place.url(), data=place.data)
    with psycopg.connect(
        place.url("postgres"), autocommit=True, connect_timeout=_CONNECT_SECONDS
    ) as ours:
        version = ours.execute("SHOW server_version").fetchone()
    assert version is not None
    return Status(
        running=True,
        url=place.url(),
        version=str(version[0]),
        clients=_clients(place),
        data=place.data,
    )


def status_of_url(url: str) -> Status:
    """Return whether a server by URL answers, its version and how many others are connected.

    Refused where it does not answer: the reason is the server's own.
    """
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=_CONNECT_SECONDS) as ours:
            row = ours.execute(
                "SELECT current_setting('server_version'), (SELECT count(*) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid())"
            ).fetchone()
    except psycopg.OperationalError as error:
        why = str(error).strip().splitlines()[0]
        raise Refused(Diagnostic(area="service", code="no_database", values={"why": why})) from None
    assert row is not None
    return Status(running=True, url=url, version=str(row[0]), clients=int(row[1]))


@contextmanager
def opened(home: Path, url: str) -> Iterator[str]:
    """Give the URL of the database: the one given, else our own, kept running meanwhile."""
    if url:
        status_of_url(url)
        yield url
        return
    place = place_of(home)
    with hold(place):
        yield place.url()


@contextmanager
def _locked(place: Place) -> Iterator[None]:
    """Hold the lock; it falls with the process that holds it."""
    descriptor = os.open(place.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _ensure(place: Place, idle_seconds: int) -> None:
    if not _runs(place):
        if not place.data.exists():
            _initialize(place)
        _check_version(place)
        _control(place, "start", "-l", str(place.log))
        _keep(place, idle_seconds)
    with psycopg.connect(
        place.url("postgres"), autocommit=True, connect_timeout=_CONNECT_SECONDS
    ) as ours:
        if not ours.execute("SELECT 1 FROM pg_database WHERE datname = 'duly'").fetchone():
            ours.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier("duly")))


def _runs(place: Place) -> bool:
    """Return whether the server answers; one that starts up or shuts down counts as running.

    A number in a file proves nothing after a crash: another process may have it by now.
    """
    if not (place.data / "postmaster.pid").exists():
        return False
    try:
        psycopg.connect(place.url("postgres"), connect_timeout=_CONNECT_SECONDS).close()
    except psycopg.errors.CannotConnectNow:
        return True
    except psycopg.OperationalError:
        return False
    return True


def _clients(place: Place) -> int:
    """Return how many others are connected; the counting connection does not count itself."""
    with psycopg.connect(
        place.url("postgres"), autocommit=True, connect_timeout=_CONNECT_SECONDS
    ) as ours:
        row = ours.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchone()
    assert row is not None
    return int(row[0])


def _initialize(place: Place) -> None:
    """Make the cluster beside its place and move it there whole.

    `initdb` wants an account with a name, the server does not: as root it is made by `nobody` and
    given to the server's number afterwards.
    """
    half = place.root / f".half-{os.getpid()}"
    maker = place.owner if place.owner is None else pwd.getpwnam("nobody").pw_uid
    if maker is not None:
        place.root.chmod(0o711)
        half.mkdir(mode=0o700)
        os.chown(half, maker, maker)
    try:
        _run(
            place, "initdb", "--no-sync", "-D", str(half), "-U", "duly", "-A", "trust",
            "-E", "UTF8", "--locale=C.UTF-8", "--locale-provider=builtin", uid=maker,
        )  # fmt: skip
        settings = _SETTINGS | {"unix_socket_directories": f"'{place.sockets}'"}
        with (half / "postgresql.auto.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())
        if place.owner is not None:
            for one in (half, *half.rglob("*")):
                os.chown(one, place.owner, place.owner, follow_symlinks=False)
        half.rename(place.data)
    finally:
        shutil.rmtree(half, ignore_errors=True)
        if maker is not None:
            place.root.chmod(0o700)
    os.sync()


def _check_version(place: Place) -> None:
    found = (place.data / "PG_VERSION").read_text(encoding="utf-8").strip()
    if found != str(place.major):
        raise Refused(
            Diagnostic(
                area="service",
                code="other_major",
                values={"path": place.data, "found": found, "ours": place.major},
            )
        )


def _control(place: Place, verb: str, *options: str) -> None:
    _run(
        place, "pg_ctl", verb, "-D", str(place.data), "-w", "-t", str(_WAIT_SECONDS), *options,
        quiet=True,
    )  # fmt: skip


def _run(
    place: Place,
    program: str,
    *options: str,
    uid: int | None = None,
    quiet: bool = False,
) -> None:
    """Run one of the server's programs under its number; refuse what it refuses.

    `quiet`: its output is not read, since the server that it leaves behind would keep the pipe.
    """
    out = subprocess.DEVNULL if quiet else subprocess.PIPE
    try:
        done = subprocess.run(
            [place.programs / program, *options],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, text=True, check=False, cwd="/",
            env={"LC_ALL": "C", "PATH": os.environ.get("PATH", os.defpath)},
            start_new_session=True, umask=0o077, **_as_user(place.owner if uid is None else uid),
        )  # fmt: skip
    except PermissionError as error:
        raise Refused(Diagnostic(area="service", code="no_setuid", values={"why": error})) from None
    if done.returncode:
        raise Refused(
            Diagnostic(
                area="service",
                code="server_refused",
                values={"program": program, "why": _why(place, done)},
            )
        )


def _as_user(uid: int | None) -> Mapping[str, Any]:
    return {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}


def _why(place: Place, done: subprocess.CompletedProcess[str]) -> str:
    """Return the last line that was said about a failure: the program's own, else the log's."""
    said = (done.stderr or done.stdout or "").strip()
    if not said and place.log.exists():
        said = place.log.read_text(encoding="utf-8", errors="replace").strip()
    return said.splitlines()[-1] if said else str(done.returncode)


def _keep(place: Place, idle_seconds: int) -> None:
    """Leave a keeper behind that stops the server when nobody needs it, in its own session."""
    subprocess.run(
        [
            sys.executable, "-m", "duly.service.postgres.keeper",
            str(place.root), str(place.sockets), str(place.programs), str(place.major),
            str(-1 if place.owner is None else place.owner), str(idle_seconds),
        ],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        check=True, cwd="/", start_new_session=True,
    )  # fmt: skip
