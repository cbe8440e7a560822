"""Exit codes of every command: 0 done, 1 something was found wrong, 2 refused and nothing written.

Each refusal is asked of a process of its own; afterwards the working directory is as before.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

AT = "2026-03-10T09:00:00+08:00"


@pytest.fixture
def clean(write_book, tmp_path):
    """Give a book of one late loan without a bad row."""
    return write_book(tmp_path, {"loans": [{}], "installments": [{}]})


class TestDone:
    def test_a_clean_book_is_checked_positioned_and_planned_with_0(self, duly, clean, tmp_path):
        assert duly("check", clean).returncode == 0
        position = duly("position", clean, "--as-of", "2026-03-10", "--out", tmp_path / "a")
        assert (position.returncode, position.stderr.count("quarantined")) == (0, 0)
        plan = duly("plan", clean, "--at", AT, "--out", tmp_path / "b", "--json")
        assert plan.returncode == 0
        assert json.loads(plan.stdout)["loans"] == 1

    def test_a_plan_is_explained_replayed_and_reported_with_0(self, duly, plan_dir, tmp_path):
        explained = duly("explain", "--plan", plan_dir, "L000001", "--json")
        assert explained.returncode == 0
        assert json.loads(explained.stdout)["decision"]["loan_id"] == "L000001"
        replayed = duly("replay", "--plan", plan_dir, "--json")
        assert replayed.returncode == 0
        assert json.loads(replayed.stdout)["equal"] is True
        out = tmp_path / "deep" / "report.html"
        assert duly("report", "--plan", plan_dir, "--out", out).returncode == 0
        assert out.read_text(encoding="utf-8").startswith("<!doctype html>")

    @pytest.mark.parametrize(
        "tokens",
        ["rules list --json", "rules test --json", "rules show CN-FREQ-3", "doctor --json",
         "policy check cn-installment --json", "--version", "--help"],
    )  # fmt: skip
    def test_what_asks_only_the_code_ends_with_0(self, duly, tokens):
        ran = duly(*tokens.split())
        assert (ran.returncode, ran.stderr) == (0, "")
        if "--json" in tokens:
            json.loads(ran.stdout)


class TestFoundWrong:
    def test_quarantined_rows_end_with_1_and_everything_is_written(self, planned, plan_dir):
        assert planned.returncode == 1
        assert {path.name for path in plan_dir.iterdir()} == {
            "decisions.parquet", "messages.parquet", "positions.parquet", "quarantine.csv",
            "inputs", "run.json",
        }  # fmt: skip
        assert planned.stdout.startswith("600 loans decided for 2026-03-10: ")
        assert planned.stderr.splitlines()[-1].startswith("6 rows quarantined: see ")

    def test_a_snapshot_of_it_ends_with_1_and_gives_the_same_plan(
        self, duly, sample, plan_dir, tmp_path
    ):
        assert duly("snapshot", sample, "--out", tmp_path / "snapshot").returncode == 1
        again = duly(
            "plan", tmp_path / "snapshot", "--at", AT, "--out", tmp_path / "plan", "--json"
        )
        assert again.returncode == 1
        first = json.loads((plan_dir / "run.json").read_text(encoding="utf-8"))
        assert json.loads(again.stdout)["plan_sha256"] == first["plan_sha256"]

    def test_one_changed_cell_ends_the_replay_with_1_and_is_named(self, duly, plan_dir, tmp_path):
        shutil.copytree(plan_dir, tmp_path / "plan")
        path = tmp_path / "plan" / "decisions.parquet"
        table = pq.read_table(path)
        place = table.column_names.index("priority")
        changed = pc.if_else(
            pc.equal(table["loan_id"], "L000300"),
            pa.scalar(4711, table.schema.field("priority").type), table["priority"],
        )  # fmt: skip
        pq.write_table(table.set_column(place, table.schema.field("priority"), changed), path)
        ran = duly("replay", "--plan", tmp_path / "plan")
        assert (ran.returncode, ran.stdout) == (1, "")
        assert ran.stderr.startswith("replay_differs decisions L000300, column priority: ")

    def test_a_policy_with_a_mistake_ends_with_1(self, duly, tmp_path):
        policy = tmp_path / "policy.yaml"
        policy.write_text("policy: {name: x}\ntreatmnts: []\n", encoding="utf-8")
        ran = duly("policy", "check", policy)
        assert ran.returncode == 1
        assert ran.stderr.startswith(f"{policy}:")


REFUSED = {
    "no such book": ("check nowhere", "unreadable"),
    "a file as book": ("check afile", "unreadable"),
    "plan of no book": (f"plan nowhere --at {AT} --out x/y", "unreadable"),
    "instant without offset": ("plan {book} --at 2026-03-10T09:00:00 --out x", "bad_instant"),
    "no instant": ("plan {book} --at soon --out x", "bad_instant"),
    "instant too late": ("plan {book} --at 9999-12-31T23:59:59Z --out x", "instant_out_of_range"),
    "no date": ("position {book} --as-of 2026-02-30 --out x", "bad_date"),
    "date too early": ("position {book} --as-of 0001-01-01 --out x", "instant_out_of_range"),
    "unknown policy": (f"plan {{book}} --at {AT} --out x --policy nope", "unreadable"),
    "unread policy": ("policy check cn-installmnt", "unreadable"),
    "unknown lender": (f"plan {{book}} --at {AT} --out x --lender no.yaml", "lender_unreadable"),
    "unknown engine": (f"plan {{book}} --at {AT} --out x --engine spark", "engine_missing"),
    "out is a file": (f"plan {{book}} --at {AT} --out afile", "out_not_empty"),
    "out is below a file": (f"plan {{book}} --at {AT} --out afile/x", "cannot_use"),
    "out holds other things": (f"plan {{book}} --at {AT} --out full", "out_not_empty"),
    "out is here": (f"plan {{book}} --at {AT} --out .", "out_not_empty"),
    "out is the book": ("position {book} --as-of 2026-03-10 --out {book}", "out_not_empty"),
    "out is a plan": ("position {book} --as-of 2026-03-10 --out {plan}", "out_not_empty"),
    "snapshot onto a file": ("snapshot {book} --out afile", "output_exists"),
    "a demo among other things": ("demo --out full", "not_the_demos"),
    "a book is no plan": ("explain --plan {book} L000001", "not_a_plan"),
    "replay of a book": ("replay --plan {book}", "not_a_plan"),
    "report of nothing": ("report --plan nowhere", "not_a_plan"),
    "report onto a directory": ("report --plan {plan} --out full", "cannot_use"),
    "unknown loan": ("explain --plan {plan} L1", "unknown_loan"),
    "unknown loan replayed": ("replay --plan {plan} L1", "unknown_loan"),
    "unknown rule": ("rules show CN-FREQ-33", "unknown_rule"),
    "unknown pack": ("rules list --pack xx", "unknown"),
    "misspelt command": ("chek {book}", "unknown_command"),
    "misspelt option": (f"plan {{book}} --at {AT} --otu x", "unknown_option"),
    "no book given": ("check", "missing_argument"),
    "no value given": ("plan {book} --out x --at", "missing_argument"),
    "no number": (f"plan {{book}} --at {AT} --out x --threads many", "bad_value"),
    "number too small": (f"plan {{book}} --at {AT} --out x --threads -1", "bad_value"),
    "no such format": (f"plan {{book}} --at {AT} --out x --format xml", "bad_value"),
    "no loans to measure": ("bench --loans 0", "bad_value"),
    "given twice": (f"plan {{book}} --at {AT} --at {AT} --out x", "given_twice"),
    "one word too many": ("rules show CN-FREQ-3 CN-FREQ-2", "too_many"),
}  # fmt: skip


class TestRefused:
    @pytest.mark.parametrize("name", REFUSED)
    def test_it_says_one_sentence_and_writes_nothing(self, duly, sample, plan_dir, tmp_path, name):
        tokens, code = REFUSED[name]
        (tmp_path / "afile").write_text("mine", encoding="utf-8")
        (tmp_path / "full").mkdir()
        (tmp_path / "full" / "mine.txt").write_text("mine", encoding="utf-8")
        around = (tmp_path, sample.parent, plan_dir.parent)
        before = [_listing(folder) for folder in around]
        ran = duly(
            *(token.format(book=sample, plan=plan_dir) for token in tokens.split()), cwd=tmp_path
        )
        assert (ran.returncode, ran.stdout) == (2, "")
        assert f" {code} " in f" {ran.stderr}"
        assert ran.stderr.count("\n") == 1, ran.stderr
        assert [_listing(folder) for folder in around] == before

    def test_a_near_name_is_offered(self, duly, sample, plan_dir):
        assert "did you mean check?" in duly("chek", sample).stderr
        assert "did you mean --out?" in duly("plan", sample, "--at", AT, "--otu", "x").stderr
        assert "did you mean CN-FREQ-3?" in duly("rules", "show", "CN-FREQ-33").stderr

    def test_a_damaged_plan_is_told_without_a_traceback(self, duly, plan_dir, tmp_path):
        shutil.copytree(plan_dir, tmp_path / "plan")
        (tmp_path / "plan" / "decisions.parquet").write_bytes(b"PAR1 cut off")
        for tokens in ("explain L000001", "replay", "report"):
            ran = duly(*tokens.split(), "--plan", tmp_path / "plan", cwd=tmp_path)
            assert (ran.returncode, ran.stdout) == (2, ""), ran.stderr
            assert ran.stderr.startswith("damaged "), ran.stderr


def _listing(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
