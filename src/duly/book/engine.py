"""The engine: DuckDB in this process, which says nothing by itself and fetches nothing."""

from __future__ import annotations

import duckdb


def connect() -> duckdb.DuckDBPyConnection:
    """Return a connection to a database in memory; its cursors are as silent as it is.

    DuckDB draws bars into the output of any query over two seconds, into a pipe too.
    """
    connection = duckdb.connect(":memory:", config={"autoinstall_known_extensions": False})
    connection.execute("SET enable_progress_bar = false")
    return connection
