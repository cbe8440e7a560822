"""Goal: a long query of ours draws nothing, on a terminal's streams or in a pipe."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from book.book_files import SOURCE

_LONG = """
import duckdb
from duly.book.engine import connect
connection = {made}
connection.execute("SET threads = 1")  # Bars are drawn after two seconds.
connection.execute("CREATE TEMP TABLE t AS SELECT sum(sin(i)) FROM range(100000000) AS r(i)")
"""


@pytest.mark.slow
@pytest.mark.parametrize(("made", "draws"), [("connect()", False), ("duckdb.connect()", True)])
def test_its_connections_are_silent(made, draws):
    ran = subprocess.run(
        [sys.executable, "-c", _LONG.format(made=made)], capture_output=True, check=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )  # fmt: skip
    assert bool(ran.stdout + ran.stderr) is draws
