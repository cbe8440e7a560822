"""Work a plan out again from the inputs kept with it, and name the first cell that differs."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from duly.book.engine import connect
from duly.core.check_key import CheckKey
from duly.core.diagnostic import Diagnostic
from duly.messages import check_code, fill_code
from duly.plan import kept, write
from duly.plan.pipeline import Clock, Plan, make_plan

#: Values of run.json that tell of the run itself, not of its inputs.
_OF_THE_RUN = ("duly", "engine", "key_id", "seconds.", "versions.python_arrow")

#: What plans of earlier releases do not say; their sentences say the same.
_LATER = re.compile(r"alerts\.[0-9]+\.(area|file|row|column|values\.)")


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What a replay found; no differences and equal roots mean that the plan is genuine."""

    rows: int
    plan_sha256: str
    differences: tuple[Diagnostic, ...]
    notes: tuple[Diagnostic, ...]


def replay(
    plan_dir: Path, *, key: CheckKey | None, loan_id: str | None, clock: Clock, threads: int = 0
) -> Replayed:
    """Recompute a plan and compare each cell of its tables and what run.json says of them.

    Without the key that signed it, check codes are taken from the plan and that is said. Refuses
    what `kept.reopen` refuses.
    """
    run = kept.read_run(plan_dir)
    inputs = kept.reopen(plan_dir)
    plan = make_plan(inputs, clock=clock, threads=threads)
    said_messages = read_table(plan_dir, "messages")
    notes = () if key is not None else (_plan("no_key", key=run.get("key_id")),)
    if key is not None and _is_of_another_key(plan, said_messages, key):
        key, notes = None, (_plan("other_key", key=run.get("key_id")),)
    expected = {
        "decisions": plan.decisions,
        "messages": _signed(plan, said_messages, key),
        "positions": plan.positions.select(
            [name for name in plan.positions.schema.names if name not in write.INTERNAL]
        ),
    }
    keys = {"decisions": "loan_id", "messages": "message_id", "positions": "loan_id"}
    differences: list[Diagnostic] = []
    rows = 0
    for name, table in expected.items():
        said = said_messages if name == "messages" else read_table(plan_dir, name)
        rows += table.num_rows
        found = _first_difference(name, keys[name], said, table, loan_id)
        if found is not None:
            differences.append(found)
    if loan_id is None:
        differences += _quarantine_difference(plan_dir, inputs.snapshot.path)
        differences += _run_differences(run, plan)
    plan.connection.close()
    return Replayed(
        rows=rows, plan_sha256=plan.plan_sha256, differences=tuple(differences), notes=notes
    )


def _run_differences(run: Mapping[str, object], plan: Plan) -> list[Diagnostic]:
    """Return the first value of run.json that its inputs do not give; clocks are left aside."""
    key = CheckKey(key_id=str(run.get("key_id")), secret=b"")
    record = json.loads(json.dumps(write.run_record(plan, key, {})))
    said, found = dict(_leaves("", run)), dict(_leaves("", record))
    for name in sorted({*said, *found}):
        later = name not in said and _LATER.match(name)
        if later or name.startswith(_OF_THE_RUN):
            continue
        if said.get(name) != found.get(name):
            return [_differs("run.json", "", name, said.get(name), found.get(name))]
    return []


def _leaves(path: str, value: object) -> Iterator[tuple[str, object]]:
    """Give each value of a JSON document with its dotted path."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _leaves(f"{path}.{name}" if path else str(name), item)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _leaves(f"{path}.{place}", item)
    else:
        yield path, value


def _quarantine_difference(plan_dir: Path, snapshot: Path) -> list[Diagnostic]:
    """Return the first row of quarantine.csv that the snapshot does not give."""
    with TemporaryDirectory() as work:
        write.write_quarantine(snapshot, Path(work))
        found = _csv_rows(Path(work) / "quarantine.csv")
    said = _csv_rows(plan_dir / "quarantine.csv")
    for place, (left, right) in enumerate(zip_longest(said, found, fillvalue=()), start=1):
        if left != right:
            return [_differs("quarantine", place, "table", ",".join(left), ",".join(right))]
    return []


def _csv_rows(path: Path) -> list[list[str]]:
    """Return the rows of a CSV file below its header; none where the file is gone."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


def read_table(plan_dir: Path, name: str) -> pa.Table:
    """Return one table of a plan, from Parquet or CSV (all text), in file order."""
    parquet = plan_dir / f"{name}.parquet"
    if parquet.exists():
        return pq.read_table(parquet)
    with connect() as connection:
        path = str(plan_dir / f"{name}.csv").replace("'", "''")
        return connection.sql(
            f"select * from read_csv('{path}', header = true, all_varchar = true)"
        ).to_arrow_table()


def _signed(plan: Plan, said: pa.Table, key: CheckKey | None) -> pa.Table:
    """Return the messages with codes: made with the key, else as the plan on disk has them."""
    if key is None:
        return with_codes(plan.messages, said)
    names = plan.messages.column("message_id").to_pylist()
    codes = [check_code(key.secret, name) for name in names]
    return _coded(plan.messages, codes, [key.key_id] * len(names))


def _is_of_another_key(plan: Plan, said: pa.Table, key: CheckKey) -> bool:
    """Say whether the plan has codes and none of them was made with the key.

    Keys of two machines may have the same id. A code that was changed leaves others genuine.
    """
    named = set(plan.messages.column("message_id").to_pylist())
    columns = (said.column(name).to_pylist() for name in ("message_id", "code"))
    codes = [(name, code) for name, code in zip(*columns, strict=True) if name in named]
    return bool(codes) and all(check_code(key.secret, name) != code for name, code in codes)


def with_codes(messages: pa.Table, said: pa.Table) -> pa.Table:
    """Return messages made again with the codes of a plan on disk; empty where it has none."""
    columns = ("message_id", "code", "key_id")
    rows = zip(*(said.column(name).to_pylist() for name in columns), strict=True)
    known = {name: (code, key_id) for name, code, key_id in rows}
    found = [known.get(name, ("", "")) for name in messages.column("message_id").to_pylist()]
    return _coded(messages, [code for code, _ in found], [key_id for _, key_id in found])


def _coded(messages: pa.Table, codes: Sequence[str], key_ids: Sequence[str]) -> pa.Table:
    texts = [
        fill_code(text, code)
        for text, code in zip(messages.column("text").to_pylist(), codes, strict=True)
    ]
    table = messages.drop_columns(["text"])
    for name, values in (("text", texts), ("code", codes), ("key_id", key_ids)):
        table = table.append_column(name, pa.array(values, pa.string()))
    return table.select(list(write.MESSAGE_COLUMNS))


def _first_difference(
    table: str, key: str, said: pa.Table, found: pa.Table, loan_id: str | None
) -> Diagnostic | None:
    """Return the first row and column, in key order, in which two tables differ."""
    missing = [name for name in found.schema.names if name not in said.schema.names]
    if missing:
        return _differs(table, "", missing[0], None, "a column")
    if loan_id is None and _equal(said, found):
        return None
    said_rows = {row[key]: row for row in said.select(found.schema.names).to_pylist()}
    found_rows = {row[key]: row for row in found.to_pylist()}
    if loan_id is not None:
        said_rows = _of_loan(said_rows, loan_id)
        found_rows = _of_loan(found_rows, loan_id)
    for name in sorted({*said_rows, *found_rows}, key=lambda item: str(item).encode()):
        if name not in said_rows or name not in found_rows:
            there = "a row" if name in said_rows else None
            return _differs(table, name, key, there, None if there else "a row")
        for column in found.schema.names:
            left, right = _plain(said_rows[name][column]), _plain(found_rows[name][column])
            if left != right:
                return _differs(table, name, column, left, right)
    if loan_id is None and said.num_rows != found.num_rows:
        return _differs(table, "", key, f"{said.num_rows} rows", f"{found.num_rows} rows")
    return None


def _of_loan(
    rows: Mapping[str, Mapping[str, object]], loan_id: str
) -> dict[str, Mapping[str, object]]:
    """Return the rows about one loan: its own, or the messages that list it."""
    return {
        name: row
        for name, row in rows.items()
        if row.get("loan_id") == loan_id or loan_id in listed(row.get("loan_ids"))
    }


def listed(value: object) -> Sequence[str]:
    """Return the loan ids of a message, from a list or its JSON text."""
    if isinstance(value, str):
        return [str(item) for item in json.loads(value)]
    return [str(item) for item in value] if isinstance(value, list) else []


def _equal(said: pa.Table, found: pa.Table) -> bool:
    """Return whether two typed tables are equal cell by cell (CSV is compared as text)."""
    if said.num_rows != found.num_rows:
        return False
    names = [name for name in found.schema.names if name not in write.INSTANTS]
    try:
        same = all(
            said.column(name).cast(found.schema.field(name).type).equals(found.column(name))
            for name in names
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False
    return same and all(
        _instants(said, name) == _instants(found, name)
        for name in found.schema.names
        if name in write.INSTANTS
    )


def _instants(table: pa.Table, name: str) -> list[object]:
    return [_plain(value) for value in table.column(name).to_pylist()]


def _plain(value: object) -> object:
    """Return a cell as CSV writes it, so that Parquet and CSV plans compare alike."""
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        zoned = value if value.tzinfo else value.replace(tzinfo=UTC)
        return zoned.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)


def _differs(table: str, key: object, column: str, said: object, found: object) -> Diagnostic:
    return _plan("replay_differs", table=table, key=key, column=column, said=said, found=found)


def _plan(code: str, **values: object) -> Diagnostic:
    return Diagnostic(area="plan", code=code, values=values)
