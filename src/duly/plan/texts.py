"""Orders become texts: the templates rendered in batches, with segments and check codes."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from duly.core.check_key import CheckKey
from duly.messages import COLUMNS, check_code, fill_code, render_table
from duly.plan.inputs import PlanInputs

BATCH_ROWS = 20_000
_SAID = frozenset({"text", "params", "segments"})

MESSAGE_SCHEMA = pa.schema(
    [
        ("message_id", pa.string()),
        ("borrower_id", pa.string()),
        ("loan_ids", pa.list_(pa.string())),
        ("channel", pa.string()),
        ("address", pa.string()),
        ("locale", pa.string()),
        ("class", pa.string()),
        ("template", pa.string()),
        ("tone", pa.string()),
        ("text", pa.string()),
        ("params", pa.string()),
        ("segments", pa.int32()),
        ("not_before", pa.timestamp("us")),
        ("not_after", pa.timestamp("us")),
    ]
)


def read_orders(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return the messages to write, sorted by message_id."""
    return connection.sql("select * from orders order by message_id").to_arrow_table()


def write_texts(orders: pa.Table, inputs: PlanInputs) -> pa.Table:
    """Return the `messages` table, `{code}` unfilled in its texts, sorted by message_id."""
    as_of_time = known_until(inputs)
    whole = orders.combine_chunks().to_batches(max_chunksize=BATCH_ROWS)
    batches = [_batch(rows, inputs, as_of_time) for rows in whole]
    return pa.Table.from_batches(batches, schema=MESSAGE_SCHEMA)


def known_until(inputs: PlanInputs) -> str:
    """Return the local HH:MM up to which the book knew payments on the business date."""
    cut_at = inputs.cut_at
    if cut_at is None:
        return "00:00"
    local = cut_at.astimezone(inputs.zone)
    return local.strftime("%H:%M") if local.date() == inputs.business_date else "00:00"


def _batch(rows: pa.RecordBatch, inputs: PlanInputs, as_of_time: str) -> pa.RecordBatch:
    size = rows.num_rows
    columns = {name: rows.column(name).to_pylist() for name in COLUMNS if name in rows.schema.names}
    columns["loan_ids"] = [tuple(ids) for ids in columns["loan_ids"]]
    columns["as_of"] = [inputs.business_date] * size
    columns["as_of_time"] = [as_of_time] * size
    said = render_table(columns, inputs.lender)
    made = [
        pa.array(said[field.name], field.type)
        if field.name in _SAID
        else rows.column(field.name).cast(field.type)
        for field in MESSAGE_SCHEMA
    ]
    return pa.RecordBatch.from_arrays(made, schema=MESSAGE_SCHEMA)


def sign(messages: pa.Table, key: CheckKey) -> pa.Table:
    """Return the messages with their check codes filled in, in the contract's column order."""
    codes = [check_code(key.secret, name) for name in messages.column("message_id").to_pylist()]
    texts = [
        fill_code(text, code)
        for text, code in zip(messages.column("text").to_pylist(), codes, strict=True)
    ]
    signed = messages.set_column(
        messages.schema.get_field_index("text"), "text", pa.array(texts, pa.string())
    )
    at = signed.schema.get_field_index("segments") + 1
    signed = signed.add_column(at, "code", pa.array(codes, pa.string()))
    return signed.add_column(at + 1, "key_id", pa.array([key.key_id] * len(codes), pa.string()))
