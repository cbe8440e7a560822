"""An embedded server of the tests' own, in a directory that only its owner may enter."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import prepared  # noqa: F401 Models need Django's settings first.
import psycopg
import pytest
import serving
from databases import database, hasten
from served_home import forget
from serving import Served

from duly.service import migrating, postgres, setting_up
from duly.service.outbox.identity import Identity

_NUMBERS = itertools.count(1)


@pytest.fixture
def own_home() -> Iterator[Path]:
    """Give a DULY_HOME that only its owner may enter; its server is stopped and forgotten."""
    home = Path(tempfile.mkdtemp(prefix="duly-tests-"))
    yield home
    forget(home)


@pytest.fixture
def own_server(own_home: Path) -> postgres.Place:
    """Give the place of a server that one test may stop, break and start."""
    return postgres.place_of(own_home)


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Place]:
    """Give a running server whose database `duly` is migrated and otherwise empty."""
    home = Path(tempfile.mkdtemp(prefix="duly-tests-"))
    place = postgres.place_of(home)
    url = postgres.start(place).url
    hasten(place)
    setting_up.set_up(url)
    migrating.migrate()
    setting_up.close()
    yield place
    setting_up.close()
    forget(home)


@pytest.fixture
def store(server: postgres.Place) -> Iterator[str]:
    """Give the URL of an empty migrated database, and let Django use it."""
    with database(server, f"test_{next(_NUMBERS)}") as url:
        yield url


@pytest.fixture(scope="session")
def served(server: postgres.Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a running `duly serve` over a database of its own, with a loaded plan in it."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as ours:
        ours.execute("CREATE DATABASE served TEMPLATE duly")
    folder = tmp_path_factory.mktemp("served")
    found = serving.begin(folder, server.url("served"))
    yield found
    assert serving.end(found) == 0, (folder / "err").read_text()


@pytest.fixture
def facts(served: Served) -> Iterator[Served]:
    """Give the running server, and let Django use its database meanwhile."""
    with setting_up.using(served.url):
        yield served


@pytest.fixture
def ours(store: str) -> Iterator[psycopg.Connection[Any]]:
    """Give a connection to the store, each statement a transaction of its own."""
    with psycopg.connect(store, autocommit=True) as connection:
        yield connection


@pytest.fixture
def me(store: str) -> Iterator[int]:
    """Give the number of a worker that lives as long as the test."""
    identity = Identity(store)
    yield identity.number
    identity.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Give a seat at the browser, for the pages of one module; skipped where there is none."""
    from chromium import running

    with running() as seat:
        yield seat
