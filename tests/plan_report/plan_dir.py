"""A small plan directory, written cell by cell, so that every figure of the report is known."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

DAY = date(2026, 3, 10)

_DECISIONS = pa.schema(
    [
        ("loan_id", pa.string()),
        ("borrower_id", pa.string()),
        ("business_date", pa.date32()),
        ("decision", pa.string()),
        ("reason", pa.string()),
        ("rule", pa.string()),
        ("legal", pa.list_(pa.string())),
        ("channel", pa.string()),
        ("template", pa.string()),
        ("tone", pa.string()),
        ("not_before", pa.timestamp("us")),
        ("not_after", pa.timestamp("us")),
        ("next_review_on", pa.date32()),
        ("message_id", pa.string()),
        ("task_kind", pa.string()),
        ("priority", pa.int32()),
        ("expires_on", pa.date32()),
        ("score", pa.int32()),
        ("score_band", pa.string()),
    ]
)
_MESSAGES = pa.schema(
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
        ("code", pa.string()),
        ("key_id", pa.string()),
        ("not_before", pa.timestamp("us")),
        ("not_after", pa.timestamp("us")),
    ]
)
_POSITIONS = pa.schema(
    [
        ("loan_id", pa.string()),
        ("borrower_id", pa.string()),
        ("currency", pa.string()),
        ("days_past_due", pa.int32()),
        ("bucket", pa.string()),
        ("overdue_total", pa.int64()),
        ("outstanding_total", pa.int64()),
    ]
)
_SCHEMAS = {"decisions": _DECISIONS, "messages": _MESSAGES, "positions": _POSITIONS}

RUN: Mapping[str, object] = {
    "contract": 1,
    "lender": {"name": "示例消费金融有限公司", "time_zone": "Asia/Shanghai"},
    "business_date": "2026-03-10",
    "at": "2026-03-10T09:00:00+08:00",
    "book": {"sha256": "b" * 64},
    "policy": {"name": "cn-installment", "version": 3, "sha256": "c" * 64},
    "packs": {"cn": {"version": "2026-03", "sha256": "d" * 64}},
    "plan_sha256": "a" * 64,
    "alerts": [],
}


def at(hour: int, minute: int = 0) -> datetime:
    """Return an instant of the business date in UTC, without zone, as a plan stores it."""
    return datetime(DAY.year, DAY.month, DAY.day, hour, minute)  # noqa: DTZ001


def utc_text(value: object) -> object:
    """Return an instant as the text that a CSV plan holds."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z")
    return json.dumps(value) if isinstance(value, list) else value


def write_plan(
    out: Path,
    *,
    decisions: Sequence[Mapping[str, object]],
    messages: Sequence[Mapping[str, object]] = (),
    positions: Sequence[Mapping[str, object]] = (),
    quarantine: Sequence[Sequence[object]] = (),
    run: Mapping[str, object] = RUN,
    leave_out: Sequence[str] = (),
    as_csv: bool = False,
) -> Path:
    """Write a plan directory; a cell that a row does not name is null."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "run.json").write_text(json.dumps(run, ensure_ascii=False), encoding="utf-8")
    rows = {"decisions": decisions, "messages": messages, "positions": positions}
    for name, schema in _SCHEMAS.items():
        if name in leave_out:
            continue
        if as_csv:
            with (out / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, schema.names)
                writer.writeheader()
                writer.writerows(
                    {key: utc_text(value) for key, value in row.items()} for row in rows[name]
                )
        else:
            pq.write_table(pa.Table.from_pylist(list(rows[name]), schema), out / f"{name}.parquet")
    if "quarantine" not in leave_out:
        with (out / "quarantine.csv").open("w", encoding="utf-8", newline="") as file:
            listed = csv.writer(file)
            listed.writerow(["table", "row", "column", "code", "message"])
            listed.writerows(quarantine)
    return out
