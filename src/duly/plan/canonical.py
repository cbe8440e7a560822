"""When are two plans equal? Canonical rows and the tree of their SHA-256 (contract, section 3)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import duckdb
import pyarrow as pa

ROWS_PER_LEAF = 4096

DECISION_COLUMNS = (
    "loan_id",
    "borrower_id",
    "business_date",
    "decision",
    "reason",
    "rule",
    "legal",
    "channel",
    "template",
    "tone",
    "not_before",
    "not_after",
    "next_review_on",
    "message_id",
    "task_kind",
    "priority",
    "expires_on",
    "score",
    "score_band",
)
MESSAGE_COLUMNS = (
    "message_id",
    "borrower_id",
    "loan_ids",
    "channel",
    "address",
    "locale",
    "class",
    "template",
    "tone",
    "text",
    "params",
    "segments",
    "not_before",
    "not_after",
)
_INSTANTS = frozenset({"not_before", "not_after"})
_LISTS = frozenset({"legal", "loan_ids"})
_SEPARATOR, _END, _NULL = "chr(31)", "chr(30)", "chr(24)"


def _field(name: str) -> str:
    if name in _INSTANTS:
        text = f"cast(epoch_us({name}) // 1000000 as varchar)"
    elif name in _LISTS:
        text = f"array_to_string({name}, chr(29))"
    else:
        text = f'cast("{name}" as varchar)'
    return f"coalesce({text}, {_NULL})"


def row_sql(columns: Sequence[str]) -> str:
    """Return SQL for one canonical row: fields in the contract's order, unit-separated.

    Empty is a cancel character, so that it differs from an empty text; instants are UTC seconds.
    """
    return f" || {_SEPARATOR} || ".join(_field(name) for name in columns) + f" || {_END}"


def plan_sha256(connection: duckdb.DuckDBPyConnection) -> str:
    """Return the root over `decisions` and `messages`, which stand sorted by their keys.

    A leaf is a run of 4,096 canonical rows; `text` enters with `{code}` unfilled.
    """
    root = hashlib.sha256()
    for table, columns in (("decisions", DECISION_COLUMNS), ("messages", MESSAGE_COLUMNS)):
        root.update(table.encode() + b"\x1e" + ",".join(columns).encode())
        for digest in _leaves(connection, table, columns):
            root.update(digest)
    return root.hexdigest()


def _leaves(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str]
) -> list[bytes]:
    query = f"select {row_sql(columns)} as line from {table}"
    lines = connection.sql(query).to_arrow_table().column("line")
    leaves: list[bytes] = []
    pending: list[bytes] = []
    rows = 0
    for chunk in lines.chunks:
        start = 0
        while start < len(chunk):
            take = min(ROWS_PER_LEAF - rows, len(chunk) - start)
            pending.append(_bytes(chunk.slice(start, take)))
            rows, start = rows + take, start + take
            if rows == ROWS_PER_LEAF:
                leaves.append(hashlib.sha256(b"".join(pending)).digest())
                pending, rows = [], 0
    if rows:
        leaves.append(hashlib.sha256(b"".join(pending)).digest())
    return leaves


def _bytes(lines: pa.Array) -> bytes:
    """Return the rows' bytes one after the other (each row ends in a record separator)."""
    wide = lines.cast(pa.large_string())
    _, offsets_buffer, data = wide.buffers()
    offsets = memoryview(offsets_buffer).cast("q")
    first, last = offsets[wide.offset], offsets[wide.offset + len(wide)]
    return bytes(memoryview(data)[first:last]) if data is not None else b""
