"""A plan on disk: decisions, messages, positions, quarantine, its inputs and run.json."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from duly.book.engine import connect
from duly.core.check_key import CheckKey
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.plan import canonical, texts
from duly.plan.pipeline import Clock, Plan
from duly.position.tables import BESIDE

Format = Literal["parquet", "csv"]
CONTRACT_VERSION = 1
INSTANTS = frozenset({"not_before", "not_after"})
LISTS = frozenset({"legal", "loan_ids", "arms"})

#: What `duly plan` writes, and may therefore write over; a report often lies beside it.
FILES = frozenset(
    {"inputs", "quarantine.csv", "run.json", "report.html"}
    | {
        f"{table}.{form}"
        for table in ("decisions", "messages", "positions")
        for form in ("parquet", "csv")
    }
)

#: The contract's order; `code` and `key_id` are no part of the canonical rows.
MESSAGE_COLUMNS = (
    *canonical.MESSAGE_COLUMNS[: canonical.MESSAGE_COLUMNS.index("segments") + 1],
    "code",
    "key_id",
    "not_before",
    "not_after",
)
#: Columns of the positions that only the stages use.
INTERNAL = frozenset({"loan", *BESIDE})


def write_whole(out: Path, fill: Callable[[Path], None], *, ours: frozenset[str] = FILES) -> None:
    """Fill a directory near `out` and put it in its place at once, or leave nothing behind.

    Refuses an `out` that holds anything else than the files of an earlier result, `ours`.
    """
    out = out.resolve()
    if out.exists() and not (out.is_dir() and {item.name for item in out.iterdir()} <= ours):
        raise Refused(Diagnostic(area="plan", code="out_not_empty", values={"path": out}))
    near = next(folder for folder in out.parents if folder.exists())
    half = near / f".{out.name}.half-{os.getpid()}"
    sweep(near, f".{out.name}.half-")
    half.mkdir()
    try:
        fill(half)
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.exists():
            old = out.with_name(f".{out.name}.half-{os.getpid()}-old")
            out.rename(old)
            half.rename(out)
            shutil.rmtree(old)
        else:
            half.rename(out)
    finally:
        shutil.rmtree(half, ignore_errors=True)


def sweep(near: Path, prefix: str) -> None:
    """Remove what processes that are gone left half done."""
    for left in near.glob(f"{prefix}*"):
        owner = left.name.removeprefix(prefix).partition("-")[0]
        if owner.isdigit() and (int(owner) == os.getpid() or not Path(f"/proc/{owner}").exists()):
            shutil.rmtree(left, ignore_errors=True)


def write_positions(positions: pa.Table, out: Path, form: Format) -> None:
    """Write what every loan owes."""
    names = [name for name in positions.schema.names if name not in INTERNAL]
    write_table(positions.select(names), out / f"positions.{form}", form)


def write_decisions(decisions: pa.Table, out: Path, form: Format) -> None:
    """Write what happens to every loan."""
    write_table(decisions, out / f"decisions.{form}", form)


def write_messages(messages: pa.Table, out: Path, key: CheckKey, form: Format) -> None:
    """Write the messages, each with its check code."""
    signed = texts.sign(messages, key).select(list(MESSAGE_COLUMNS))
    write_table(signed, out / f"messages.{form}", form)


def write_plan(
    plan: Plan,
    out: Path,
    *,
    key: CheckKey,
    clock: Clock,
    before: Mapping[str, float],
) -> Mapping[str, object]:
    """Write the rest of a plan into a directory that exists; return run.json.

    The kept inputs (`inputs/`) and what `write_positions`, `write_decisions` and
    `write_messages` write are already
    there. `before` are the seconds of earlier stages.
    """
    started = clock()
    write_quarantine(plan.inputs.snapshot.path, out)
    seconds = {**before, **plan.seconds, "write": round(clock() - started, 3)}
    record = run_record(plan, key, seconds)
    (out / "run.json").write_text(
        json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
    )
    return record


def write_table(table: pa.Table, path: Path, form: Format) -> None:
    """Write a table in its order: instants with their zone in Parquet, as ISO text in CSV."""
    if form == "csv":
        selected = ", ".join(_csv_column(column) for column in table.schema.names)
        target = str(path).replace("'", "''")
        with connect() as connection:
            connection.register("written", table)
            connection.execute(
                f"copy (select {selected} from written) to '{target}' (format csv, header)"
            )
        return
    zoned = [
        pa.field(one.name, pa.timestamp("us", "UTC")) if one.name in INSTANTS else one
        for one in table.schema
    ]
    pq.write_table(table.cast(pa.schema(zoned)), path, compression="zstd")


def _csv_column(column: str) -> str:
    """Return a column as CSV has it: instants in UTC, lists as JSON arrays, empty for null."""
    if column in INSTANTS:
        return f"strftime({column}, '%Y-%m-%dT%H:%M:%SZ') as {column}"
    if column in LISTS:
        return f"cast(to_json({column}) as varchar) as {column}"
    return f'"{column}"'


def write_quarantine(snapshot: Path, out: Path) -> None:
    """Write quarantine.csv: table, row, column, code, message."""
    source = str(snapshot / "quarantine.parquet").replace("'", "''")
    target = str(out / "quarantine.csv").replace("'", "''")
    with connect() as connection:
        connection.execute(
            f'copy (select "table", row, "column", code, message from read_parquet(\'{source}\')'
            f' order by "table", row, "column", code) to \'{target}\' (format csv, header)'
        )


def run_record(plan: Plan, key: CheckKey, seconds: Mapping[str, float]) -> Mapping[str, object]:
    """Return run.json: what was decided, from which versions, how long each stage took."""
    inputs = plan.inputs
    counts = plan.connection.execute(
        "select decision, reason, count(*) from decisions group by all order by all"
    ).fetchall()
    decisions: dict[str, int] = {}
    for decision, _, rows in counts:
        decisions[decision] = decisions.get(decision, 0) + rows
    locale = inputs.lender.locale
    return {
        "contract": CONTRACT_VERSION,
        "duly": metadata.version("duly"),
        "engine": f"duckdb {duckdb.__version__}",
        "lender": inputs.lender.name,
        "time_zone": inputs.lender.time_zone,
        "policy": {"name": inputs.policy.name, "version": inputs.policy.version},
        "business_date": inputs.business_date.isoformat(),
        "instant": inputs.instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "cut_at": _instant(inputs.cut_at),
        "loans": sum(decisions.values()),
        "messages": plan.messages.num_rows,
        "quarantined_rows": inputs.snapshot.quarantined_rows,
        "decisions": decisions,
        "reasons": {f"{decision}/{reason}": rows for decision, reason, rows in counts},
        "texts": texts.versions_said(plan.messages, inputs),
        "versions": {**inputs.versions(), "python_arrow": pa.__version__},
        "inputs_sha256": inputs.sha256(),
        "plan_sha256": plan.plan_sha256,
        "key_id": key.key_id,
        "seconds": dict(seconds),
        "alerts": [
            {
                "area": item.area,
                "code": item.code,
                "file": item.file,
                "row": item.line,
                "column": item.column,
                "values": {name: str(value) for name, value in item.values.items()},
                "severity": item.severity,
                "message": item.sentence(locale),
                "hint": item.hint(locale),
            }
            for item in all_alerts(plan)
        ],
    }


def all_alerts(plan: Plan) -> Sequence[Diagnostic]:
    """Return what the run must say: of its book first, then of the plan."""
    snapshot = plan.inputs.snapshot
    return (*snapshot.warnings, *snapshot.alerts, *plan.alerts)


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
