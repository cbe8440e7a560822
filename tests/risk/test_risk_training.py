"""Goal: a model learns from what was known by a day, says so, and is refused when it is not what
was trained. Method: a book of random lives; the file turned over byte by byte where it matters."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import risk_books

from duly.cli.main import run
from duly.core import digest
from duly.core.errors import Refused
from duly.risk import measures, model, table
from duly.risk.calibrating import probability
from duly.risk.forest import of_lightgbm, of_plain

UNTIL = risk_books.UNTIL.isoformat()


def _card(folder: Path) -> dict[str, Any]:
    card: dict[str, Any] = json.loads((folder / "card.json").read_text("utf-8"))
    return card


def test_a_model_has_a_card_and_a_plot(trained: Path) -> None:
    card = _card(trained)
    assert sorted(path.name for path in trained.iterdir()) == [
        "calibration.svg", "card.json", "card.md", "model.json"
    ]  # fmt: skip
    assert card["expires"] == "2026-09-30"
    assert card["fingerprint"] == model.load(trained).fingerprint
    late = card["questions"]["next_late"]
    assert late["auc"] > 0.6
    assert late["calibrated_from"] < late["judged_from"] <= UNTIL
    assert sum(one["rows"] for one in late["bins"]) < late["rows"]
    assert (trained / "calibration.svg").read_text("utf-8").startswith("<svg ")


def test_what_happened_later_teaches_nothing(book: Path, trained: Path, tmp_path: Path) -> None:
    """The book cut at the day gives the same trees; status is asked only for what it censors."""
    tables = risk_books.cut(risk_books.lives(3, 160), date.fromisoformat(UNTIL))
    ended = {row["loan_id"]: row["status"] for row in risk_books.lives(3, 160)["loans"]}
    for row in tables["loans"]:
        row["status"] = ended[row["loan_id"]]
    cut, out = risk_books.write(tables, tmp_path / "cut"), tmp_path / "model"
    assert run(["risk", "train", str(cut), "--until", UNTIL, "--out", str(out)]) == 0
    assert (out / "model.json").read_bytes() == (trained / "model.json").read_bytes()


def test_scores_answer_for_each_day(book: Path, trained: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.csv"
    days = ["--as-of", "2025-06-01", "--as-of", "2025-10-01"]
    told = ["risk", "score", str(book), "--model", str(trained), *days, "--out", str(out)]
    assert run(told) == 0
    rows = list(csv.DictReader(out.read_text("utf-8").splitlines()))
    assert list(rows[0]) == ["as_of", "loan_id", "number", "question", "probability", "reasons"]
    assert {row["as_of"] for row in rows} == {"2025-06-01", "2025-10-01"}
    assert {row["question"] for row in rows} == set(model.load(trained).answers)
    assert all(0 <= float(row["probability"]) <= 1 for row in rows)
    asked = {(row["as_of"], row["loan_id"], row["question"]) for row in rows}
    assert len(asked) == len(rows)
    for day in ("2025-06-01", "2025-10-01"):
        due = {
            row["loan_id"]
            for row in risk_books.lives(3, 160)["installments"]
            if str(row["due_on"]) > day
        }
        begun = {
            row["loan_id"]
            for row in risk_books.lives(3, 160)["loans"]
            if str(row["disbursed_on"]) <= day
        }
        assert {loan for on, loan, what in asked if on == day and what == "next_late"} == (
            due & begun
        )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda whole: whole["answers"]["next_late"].update(slope=2.0), "model_altered"),
        (lambda whole: whole.pop("answers"), "not_a_model"),
        (lambda whole: whole["answers"]["next_late"]["columns"].reverse(), "other_columns"),
        (
            lambda whole: whole["answers"]["next_late"]["columns"].__setitem__(3, "SEX"),
            "personal_attribute",
        ),
        (
            lambda whole: whole["answers"]["next_late"]["trees"]["value"].__setitem__(
                0, float("nan")
            ),
            "not_a_model",
        ),
        (
            lambda whole: whole["answers"]["next_late"]["trees"]["left"].__setitem__(0, 0),
            "not_a_model",
        ),
    ],
)
def test_an_altered_model_is_refused(
    trained: Path, tmp_path: Path, change: Any, code: str, book: Path
) -> None:
    whole = json.loads((trained / "model.json").read_text("utf-8"))
    change(whole)
    if code != "model_altered":  # Whoever forges the fingerprint too is still found out.
        body = {name: value for name, value in whole.items() if name != "fingerprint"}
        whole["fingerprint"] = digest.of_value(body)
    (tmp_path / "model.json").write_text(json.dumps(whole, indent=0), encoding="utf-8")
    with pytest.raises(Refused) as refused:
        model.load(tmp_path)
    assert {one.code for one in refused.value.diagnostics} == {code}
    if code == "personal_attribute":
        assert refused.value.diagnostics[0].line > 1
    out = tmp_path / "scores.csv"
    told = ["risk", "score", str(book), "--model", str(tmp_path), "--as-of", UNTIL]
    assert run([*told, "--out", str(out)]) == 2
    assert not out.exists()


@pytest.mark.parametrize("kind", ["three loans", "nothing due", "all late"])
def test_a_book_that_says_too_little_is_refused(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = risk_books.lives(3, 2 if kind == "three loans" else 160)
    if kind == "all late":
        tables["payments"] = []
    until = "2025-01-20" if kind == "nothing due" else UNTIL
    book, out = risk_books.write(tables, tmp_path / "book"), tmp_path / "model"
    assert run(["risk", "train", str(book), "--until", until, "--out", str(out)]) == 2
    assert "too_little" in capsys.readouterr().err
    assert not out.exists()


def test_a_flat_file_names_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw = np.random.default_rng(1)
    lines = ["id,SEX,pay,Age,label"]
    for at in range(600):
        pay = draw.normal()
        lines.append(f"{at},{at % 2},{pay:.3f},30,{int(draw.normal() + 2 * pay > 0)}")
    path, out = tmp_path / "flat.csv", tmp_path / "model"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    told = ["risk", "train", str(path), "--label", "label", "--out", str(out)]
    assert run([*told, "--without", "id"]) == 2
    error = capsys.readouterr().err
    assert f"{path}:1:2 personal_attribute" in error
    assert f"{path}:1:4 personal_attribute" in error
    assert not out.exists()
    assert run([*told, "--without", "id,SEX,Age"]) == 0
    assert _card(out)["questions"]["label"]["auc"] > 0.9
    assert model.load(out).answers["label"].columns == ("pay",)
    scores = tmp_path / "scores.csv"
    assert run(["risk", "score", str(path), "--model", str(out), "--out", str(scores)]) == 0
    rows = list(csv.DictReader(scores.read_text("utf-8").splitlines()))
    assert [row["row"] for row in rows] == [str(at) for at in range(1, 601)]
    path.write_text("id,label\n1,0\n", encoding="utf-8")
    assert run(["risk", "score", str(path), "--model", str(out), "--out", str(scores)]) == 2
    assert "no_column" in capsys.readouterr().err


def test_series_of_columns_say_something_together(tmp_path: Path) -> None:
    path = tmp_path / "flat.csv"
    path.write_text("limit,paid1,paid2,paid3,label\n10,5,0,-2,1\n", encoding="utf-8")
    names, values, came = table.read_table(path, label="label", without=[])
    assert dict(zip(names, values[0].tolist(), strict=True)) == {
        "limit": 10.0, "paid1": 5.0, "paid2": 0.0, "paid3": -2.0, "paid: mean": 1.0,
        "paid: least": -2.0, "paid: most": 5.0, "paid: positive": 1.0, "paid0: of limit": 0.5,
        "paid1: of limit": 0.0, "paid2: of limit": pytest.approx(-0.2),
    }  # fmt: skip
    assert came.tolist() == [True]


def test_our_walk_is_that_of_the_library() -> None:
    """With empty cells and without, to the last bit that a sum in another order leaves."""
    lightgbm = pytest.importorskip("lightgbm")
    draw = np.random.default_rng(5)
    values = draw.normal(size=(800, 4)).astype(np.float32)
    values[::7, 1] = np.nan
    came = values[:, 0] + np.nan_to_num(values[:, 1]) + draw.normal(size=800) > 0
    settings = {"objective": "binary", "num_threads": 1, "verbose": -1, "num_leaves": 7}
    grown = lightgbm.train(settings, lightgbm.Dataset(values, came.astype(int)), 20)
    asked = np.concatenate([values, np.full((1, 4), np.nan, np.float32)])
    forest = of_lightgbm(grown.dump_model())
    expected = grown.predict(asked, raw_score=True)
    assert np.abs(forest.raw(asked) - expected).max() < 1e-12
    again = of_plain(json.loads(json.dumps(forest.plain())), 4)
    assert np.array_equal(again.raw(asked), forest.raw(asked))
    start = sum(forest.value[root] for root in forest.roots)
    assert np.abs(forest.parts(asked).sum(axis=1) + start - expected).max() < 1e-9
    assert probability(np.array([0.0]), 1.0, 0.0)[0] == 0.5


def test_measures_by_hand() -> None:
    came = np.array([False, False, True, True])
    assert measures.auc(came, np.array([0.1, 0.4, 0.35, 0.8])) == 0.75
    assert measures.auc(came, np.full(4, 0.5)) == 0.5
    assert measures.ks(came, np.array([0.1, 0.4, 0.35, 0.8])) == 0.5
    assert measures.ks(came, np.full(4, 0.5)) == 0.0
    same = np.linspace(0, 1, 100)
    assert measures.psi(same, same) == pytest.approx(0.0)
    assert measures.psi(same, same + 1) > 1
