"""When are two plans equal? Canonical rows and the tree of their SHA-256 (contract, section 3)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pyarrow as pa

from duly.book.engine import connect

ROWS_PER_LEAF = 4096
ROWS_PER_SLICE = 256 * ROWS_PER_LEAF

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
_LISTS = frozenset({"legal", "loan_ids", "arms"})
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
    return _line([_field(name) for name in columns])


def _line(fields: Sequence[str]) -> str:
    # One call: a chain of || copies the row again for each field.
    return f"concat({f', {_SEPARATOR}, '.join(fields)}, {_END})"


def decision_columns(*, with_arms: bool) -> tuple[str, ...]:
    """Return the columns of a decision; what was drawn is one where the policy draws."""
    return (*DECISION_COLUMNS, "arms") if with_arms else DECISION_COLUMNS


def decision_sql(columns: Sequence[str] = DECISION_COLUMNS) -> str:
    """Return `row_sql` of a decision, written short for the many loans with nothing to say.

    Both branches give the same text: where the named columns are empty, so is every one after
    the reason (a loan without a score never reached the stages).
    """
    known, legal = columns[:5], columns.index("legal")
    empty = ["''" if place == legal else _NULL for place in range(len(known), len(columns))]
    short = _line([*(_field(name) for name in known), *empty])
    silent = "score is null and rule is null and next_review_on is null and task_kind is null"
    return f"case when {silent} then {short} else {row_sql(columns)} end"


def message_sql() -> str:
    """Return `row_sql` of a message, its code unfilled."""
    return row_sql(MESSAGE_COLUMNS)


def plan_sha256(
    decision_leaves: Sequence[bytes],
    message_leaves: Sequence[bytes],
    columns: Sequence[str] = DECISION_COLUMNS,
) -> str:
    """Return the root over the leaves of `decisions` and `messages`, each with its columns."""
    root = hashlib.sha256()
    for table, names, found in (
        ("decisions", columns, decision_leaves),
        ("messages", MESSAGE_COLUMNS, message_leaves),
    ):
        root.update(table.encode() + b"\x1e" + ",".join(names).encode())
        for leaf in found:
            root.update(leaf)
    return root.hexdigest()


def leaves(table: pa.Table, row: str, *, threads: int = 0) -> list[bytes]:
    """Return the SHA-256 of each run of 4,096 canonical rows, in the order of the table.

    The table stands sorted by its key; `text` enters with `{code}` unfilled. Works on any
    number of threads at the same time, each call in a connection of its own.
    """
    found: list[bytes] = []
    with connect() as connection:
        if threads:
            connection.execute(f"set threads = {threads}")
        # Slice by slice: the rows of a large book as text would fill the memory a second time.
        for start in range(0, table.num_rows, ROWS_PER_SLICE):
            connection.register("written", table.slice(start, ROWS_PER_SLICE))
            query = f"select {row} as line from written"
            found += _hashed(connection.sql(query).to_arrow_table()["line"])
    return found


def _hashed(lines: pa.ChunkedArray) -> list[bytes]:
    found: list[bytes] = []
    pending: list[bytes] = []
    rows = 0
    for chunk in lines.chunks:
        start = 0
        while start < len(chunk):
            take = min(ROWS_PER_LEAF - rows, len(chunk) - start)
            pending.append(_bytes(chunk.slice(start, take)))
            rows, start = rows + take, start + take
            if rows == ROWS_PER_LEAF:
                found.append(hashlib.sha256(b"".join(pending)).digest())
                pending, rows = [], 0
    if rows:
        found.append(hashlib.sha256(b"".join(pending)).digest())
    return found


def _bytes(lines: pa.Array) -> bytes:
    """Return the rows' bytes one after the other (each row ends in a record separator)."""
    wide = lines.cast(pa.large_string())
    _, offsets_buffer, data = wide.buffers()
    offsets = memoryview(offsets_buffer).cast("q")
    first, last = offsets[wide.offset], offsets[wide.offset + len(wide)]
    return bytes(memoryview(data)[first:last]) if data is not None else b""
