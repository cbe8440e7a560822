"""An embedded server of the tests' own, in a directory that only its owner may enter."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from served_home import forget

from duly.service import postgres


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
