"""Goal: a long query of ours draws nothing, on a terminal's streams or in a pipe."""

from __future__ import annotations

import os
import subprocess
import sys

from book.book_files import SOURCE
from duly.book.engine import connect

_LONG = """
import duckdb
connection = duckdb.connect()
connection.execute("SET threads = 1")
connection.execute("SET progress_bar_time = 10")  # Milliseconds; by itself after two seconds.
{silenced}
connection.execute("CREATE TEMP TABLE t AS SELECT sum(sin(i)) FROM range(100000000) AS r(i)")
"""


def _said(silenced: str) -> bytes:
    ran = subprocess.run(
        [sys.executable, "-c", _LONG.format(silenced=silenced)], capture_output=True, check=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )  # fmt: skip
    return ran.stdout + ran.stderr


def test_the_engine_draws_into_a_pipe_unless_it_is_told_not_to():
    assert _said("") != b""
    assert _said('connection.execute("SET enable_progress_bar = false")') == b""


def test_our_connections_are_told_not_to():
    with connect() as connection:
        told = connection.execute("SELECT current_setting('enable_progress_bar')").fetchall()
    assert told == [(False,)]
