"""A plan can be worked out again without its book, and one changed cell is named."""

from __future__ import annotations

import csv
import json
import shutil
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from plan_made import AT, KEY, Made, make

from duly.core.check_key import CheckKey
from duly.core.errors import Refused
from duly.plan.replay import Replayed, replay
from duly.simulate import write_sample


def replayed(plan: Path, *, loan_id: str | None = None, keyed: bool = True) -> Replayed:
    key = KEY if keyed else None
    return replay(plan, key=key, loan_id=loan_id, clock=time.perf_counter, threads=1)


@pytest.fixture(scope="session", params=["parquet", "csv"])
def kept_plan(request, tmp_path_factory) -> Made:
    """Give a plan of the sample whose book is gone."""
    folder = tmp_path_factory.mktemp("kept")
    write_sample(folder / "book", loans=460)
    made = make(folder / "book", folder / "plan", at=AT, form=request.param)
    shutil.rmtree(folder / "book")
    return made


def test_a_plan_agrees_with_its_inputs_when_the_book_is_gone(kept_plan: Made) -> None:
    found = replayed(kept_plan.path)
    assert (found.differences, found.notes) == ((), ())
    assert found.plan_sha256 == kept_plan.run["plan_sha256"]
    assert found.rows > 2 * len(kept_plan.decisions) - 50


def test_one_loan_can_be_replayed_alone(kept_plan: Made) -> None:
    name = next(iter(kept_plan.messages.values()))["loan_ids"]
    first = json.loads(name)[0] if isinstance(name, str) else name[0]
    assert replayed(kept_plan.path, loan_id=first).differences == ()


def test_without_its_key_the_codes_are_not_compared_and_that_is_said(kept_plan: Made) -> None:
    found = replayed(kept_plan.path, keyed=False)
    assert [note.code for note in found.notes] == ["no_key"]
    assert found.differences == ()


def test_another_key_of_the_same_id_does_not_accuse_the_plan(kept_plan: Made) -> None:
    other = CheckKey(key_id=KEY.key_id, secret=b"the key of another machine, 32 b")
    found = replay(kept_plan.path, key=other, loan_id=None, clock=time.perf_counter, threads=1)
    assert [note.code for note in found.notes] == ["other_key"]
    assert found.differences == ()


def _columns(name: str, made: Made) -> list[str]:
    path = made.path / f"{name}.parquet"
    if path.exists():
        return list(pq.read_schema(path).names)
    with (made.path / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file))


def change(plan: Path, name: str, column: str, row: int) -> str:
    """Change one cell of a table and return the key of its row."""
    path = plan / f"{name}.parquet"
    if not path.exists():
        return _change_csv(plan / f"{name}.csv", column, row)
    table = pq.read_table(path)
    place = table.schema.get_field_index(column)
    cells = table.column(column).to_pylist()
    cells[row] = _other(table.schema.field(column).type, cells[row])
    changed = table.set_column(
        place, table.schema.field(column), pa.array(cells, table.schema.field(column).type)
    )
    pq.write_table(changed, path)
    return str(table.column(0)[row])


def _other(kind: pa.DataType, cell: object) -> object:
    if pa.types.is_list(kind):
        return [*(cell or []), "X"]
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return f"{cell or ''}x"
    if cell is None:
        wide = pa.scalar(7, pa.int32() if pa.types.is_date32(kind) else pa.int64())
        return wide.cast(kind).as_py()
    return cell + (1 if pa.types.is_integer(kind) else timedelta(days=1))


def _change_csv(path: Path, column: str, row: int) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    place = header.index(column)
    cell = rows[row][place]
    rows[row][place] = '["X"]' if cell.startswith("[") else f"{cell}9"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    return rows[row][0]


@pytest.mark.parametrize("number", [0, 1])
def test_one_changed_cell_of_each_table_is_named(
    kept_plan: Made, tmp_path: Path, number: int
) -> None:
    plan = tmp_path / "plan"
    shutil.copytree(kept_plan.path, plan)
    changed = []
    for name in ("decisions", "messages", "positions"):
        rng = Random(name)
        column = rng.sample(_columns(name, kept_plan)[1:], 2)[number]
        changed.append((name, change(plan, name, column, rng.randrange(20)), column))
    found = replayed(plan).differences
    assert [item.code for item in found] == ["replay_differs"] * len(changed)
    said = [dict(item.values) for item in found]
    assert sorted((one["table"], one["key"], one["column"]) for one in said) == changed


@pytest.mark.parametrize(
    ("path", "edit"),
    [
        ("plan_sha256", lambda run: run.update(plan_sha256="0" * 64)),
        ("decisions.contact", lambda run: run["decisions"].update(contact=1)),
        ("reasons.none/closed", lambda run: run["reasons"].update({"none/closed": 0})),
        ("alerts.0.code", lambda run: run["alerts"].insert(0, {"code": "aaa"})),
    ],
)
def test_one_changed_value_of_the_run_is_named(
    sample_plan: Made, tmp_path: Path, path: str, edit: Callable[[dict[str, object]], None]
) -> None:
    plan = tmp_path / "plan"
    shutil.copytree(sample_plan.path, plan)
    run = json.loads((plan / "run.json").read_text("utf-8"))
    edit(run)
    (plan / "run.json").write_text(json.dumps(run), encoding="utf-8")
    found = replayed(plan).differences
    assert [(item.values["table"], item.values["column"]) for item in found] == [("run.json", path)]


def test_a_changed_row_of_the_quarantine_is_named(sample_plan: Made, tmp_path: Path) -> None:
    plan = tmp_path / "plan"
    shutil.copytree(sample_plan.path, plan)
    path = plan / "quarantine.csv"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join([lines[0], *lines[2:]]), encoding="utf-8")
    found = replayed(plan).differences
    assert [(item.values["table"], item.values["key"]) for item in found] == [("quarantine", 1)]


@pytest.mark.parametrize("name", ["lender.yaml", "policy.yaml", "snapshot/payments.parquet"])
def test_inputs_that_were_changed_refuse_the_replay(
    sample_plan: Made, tmp_path: Path, name: str
) -> None:
    plan = tmp_path / "plan"
    shutil.copytree(sample_plan.path, plan)
    path = plan / "inputs" / name
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content.replace(b"20.00", b"30.00") if name.endswith("yaml") else content[:-1])
    with pytest.raises(Refused):
        replayed(plan)


def test_a_plan_of_a_release_whose_alerts_said_less_is_equal(
    sample_plan: Made, tmp_path: Path
) -> None:
    plan = tmp_path / "plan"
    shutil.copytree(sample_plan.path, plan)
    run = json.loads((plan / "run.json").read_text("utf-8"))
    assert run["alerts"]
    run["alerts"] = [
        {name: alert[name] for name in ("code", "severity", "message", "hint")}
        for alert in run["alerts"]
    ]
    (plan / "run.json").write_text(json.dumps(run), encoding="utf-8")
    assert replayed(plan).differences == ()
