"""Goal: a plan scores with the model that two people approved, else with the scorecard, and can be
worked out again. Method: plans of one book with no model, one approval, two, an expired one, and
one that was altered."""

from __future__ import annotations

import csv
import json
import shutil
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from duly.cli.main import run
from duly.core.errors import Refused
from duly.risk import load_scorecard
from duly.risk.registry import approve, champion

AT = "2025-09-30T09:00:00+08:00"
ON = date(2025, 10, 1)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DULY_HOME", str(tmp_path / "home"))


def _lender(folder: Path) -> Path:
    path = folder / "lender.yaml"
    example = resources.files("duly.book").joinpath("lender.example.yaml").read_text("utf-8")
    path.write_text(example + "\nmodels: models\n", encoding="utf-8")
    return path


def _plan(book: Path, folder: Path, *more: str) -> tuple[int, Path]:
    out = folder / "plan"
    told = ["plan", str(book), "--at", AT, "--lender", str(_lender(folder)), "--out", str(out)]
    return run([*told, "--format", "csv", *more]), out


def _run_record(out: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((out / "run.json").read_text("utf-8"))
    return record


def _scores(out: Path) -> dict[str, str]:
    rows = csv.DictReader((out / "decisions.csv").read_text("utf-8").splitlines())
    return {row["loan_id"]: row["score"] for row in rows}


def test_a_plan_scores_with_the_champion(
    book: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "models").mkdir()
    code, out = _plan(book, tmp_path)
    assert code in (0, 1)
    by_card = _scores(out)
    assert _run_record(out)["versions"]["model"] == load_scorecard().fingerprint
    approve(tmp_path / "models", trained, by="Li Ming", on=ON)
    assert champion(tmp_path / "models") is None
    _plan(book, tmp_path)
    assert _scores(out) == by_card
    approve(tmp_path / "models", trained, by="Wang Fang", on=ON)
    _plan(book, tmp_path)
    assert _run_record(out)["versions"]["model"] != load_scorecard().fingerprint
    scores = tmp_path / "scores.csv"
    told = ["risk", "score", str(book), "--model", str(trained), "--as-of", "2025-09-30"]
    assert run([*told, "--out", str(scores)]) == 0
    said = {
        row["loan_id"]: float(row["probability"]) * 10_000
        for row in csv.DictReader(scores.read_text("utf-8").splitlines())
        if row["question"] == "next_late"
    }
    scored = {loan: int(score) for loan, score in _scores(out).items() if score}
    asked = scored.keys() & said.keys()
    assert len(asked) > 30
    assert all(abs(scored[loan] - said[loan]) <= 0.51 for loan in asked)
    rest = scored.keys() - said.keys()  # No installment is due any more: the scorecard says.
    assert rest
    assert all(scored[loan] == int(by_card[loan]) for loan in rest)
    capsys.readouterr()
    shutil.rmtree(tmp_path / "models")  # What was kept is enough to work it out again.
    assert run(["replay", "--plan", str(out)]) == 0
    capsys.readouterr()
    loan = min(asked)
    assert run(["explain", "--plan", str(out), loan, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["features"]["score"] == scored[loan]


def test_an_expired_champion_gives_way_and_is_told_of(
    book: Path, trained: Path, tmp_path: Path
) -> None:
    for name in ("Li Ming", "Wang Fang"):
        approve(tmp_path / "models", trained, by=name, on=ON)
    index = tmp_path / "models" / "registry.json"
    index.write_text(index.read_text("utf-8").replace("2026-09-30", "2025-09-29"), "utf-8")
    _, out = _plan(book, tmp_path)
    record = _run_record(out)
    assert record["versions"]["model"] == load_scorecard().fingerprint
    assert "model_expired" in {one["code"] for one in record["alerts"]}
    assert run(["replay", "--plan", str(out)]) == 0


def test_an_altered_champion_refuses_the_plan(book: Path, trained: Path, tmp_path: Path) -> None:
    for name in ("Li Ming", "Wang Fang"):
        approve(tmp_path / "models", trained, by=name, on=ON)
    kept = next((tmp_path / "models").glob("*/model.json"))
    kept.write_text(kept.read_text("utf-8").replace('"slope": ', '"slope": 1'), "utf-8")
    code, out = _plan(book, tmp_path)
    assert code == 2
    assert not out.exists()


def test_two_people_and_no_less(trained: Path, tmp_path: Path) -> None:
    registry = tmp_path / "models"
    assert approve(registry, trained, by="Li Ming", on=ON)["role"] == "challenger"
    before = (registry / "registry.json").read_bytes()
    for by, code in (("li  ming", "same_person"), (" ", "nobody")):
        with pytest.raises(Refused) as refused:
            approve(registry, trained, by=by, on=ON)
        assert [one.code for one in refused.value.diagnostics] == [code]
    with pytest.raises(Refused) as late:
        approve(registry, trained, by="Wang Fang", on=date(2026, 10, 1))
    assert [one.code for one in late.value.diagnostics] == ["model_expired"]
    assert (registry / "registry.json").read_bytes() == before
    assert approve(registry, trained, by="Wang Fang", on=ON)["role"] == "champion"
    found = champion(registry)
    assert found is not None
    assert found.expires == date(2026, 9, 30)


def test_a_registry_that_is_not_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as gone:
        champion(tmp_path / "nowhere")
    assert [one.code for one in gone.value.diagnostics] == ["no_registry"]
    (tmp_path / "registry.json").write_text('{"models": {"x": {"role": "champion"}}}', "utf-8")
    with pytest.raises(Refused) as broken:
        champion(tmp_path)
    assert [one.code for one in broken.value.diagnostics] == ["not_a_registry"]
    assert champion(None) is None
