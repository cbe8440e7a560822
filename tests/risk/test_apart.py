"""Goal: what a borrower can and what he wants are told apart, each with its own reasons.
Method: the model of the random lives; its own trees say how much each column moved."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from duly.cli.main import run
from duly.core.words import say
from duly.risk import model
from duly.risk.apart import SIDES, told
from duly.risk.feature_table import FEATURES

OTHERS = {one.name for one in FEATURES if one.family not in SIDES}
SIGNS = ("good", "bad", "none", "not_known")
ROWS = 300


@pytest.fixture(scope="module")
def answer(trained: Path) -> model.Answer:
    return model.load(trained).answers["next_late"]


def _rows(answer: model.Answer) -> np.ndarray:
    values = np.random.default_rng(81).normal(1, 1, (ROWS, len(answer.columns)))
    return values.astype(np.float32)


def test_each_side_is_what_its_own_columns_moved(answer: model.Answer) -> None:
    values = _rows(answer)
    parts = -answer.slope * answer.forest.parts(values)
    for side in SIDES:
        mine = [at for at, name in enumerate(answer.columns)
                if next(one.family for one in FEATURES if one.name == name) == side]  # fmt: skip
        found = [one.chance for one in told(answer, values, side)]
        assert found == pytest.approx(1 / (1 + np.exp(-parts[:, mine].sum(axis=1))))


def test_the_past_and_the_other_side_are_in_neither(answer: model.Answer) -> None:
    values = _rows(answer)
    names = {
        "ability": {one.name for one in FEATURES if one.family == "ability"},
        "willingness": {one.name for one in FEATURES if one.family == "willingness"},
    }
    for side in SIDES:
        for one in told(answer, values, side):
            assert {reason[1:] for reason in one.reasons} <= names[side]
            assert one.sign in ("good", "bad", "none")
            assert (one.chance > 0.5) is (one.sign == "good") or one.sign == "none"


def test_more_income_never_lowers_ability(answer: model.Answer) -> None:
    """The trees were grown so; what is left over is the rounding of a column's share."""
    at = answer.columns.index("income_relative")
    values = _rows(answer)
    more = values.copy()
    more[:, at] += 3
    whole = answer.forest.raw(more) - answer.forest.raw(values)
    assert (whole <= 1e-9).all()


def test_what_is_not_told_is_not_known(answer: model.Answer) -> None:
    values = np.full((2, len(answer.columns)), np.nan, np.float32)
    for side in SIDES:
        assert {one.sign for one in told(answer, values, side)} == {"not_known"}


@pytest.mark.parametrize(("locale", "told_in"), [("en_US.UTF-8", "en"), ("zh_CN.UTF-8", "zh-CN")])
def test_the_file_says_both_in_words(
    locale: str, told_in: str, book: Path, trained: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("LC_ALL", locale)
    monkeypatch.setenv("LANG", locale)
    scores, both = tmp_path / "scores.csv", tmp_path / "both.csv"
    asked = ["risk", "score", str(book), "--model", str(trained), "--as-of", "2025-10-01"]
    assert run([*asked, "--out", str(scores)]) == 0
    alone = scores.read_bytes()
    assert run([*asked, "--out", str(scores), "--can-and-wants", str(both)]) == 0
    assert scores.read_bytes() == alone
    rows = list(csv.DictReader(both.read_text("utf-8").splitlines()))
    late = [
        row["loan_id"] for row in csv.DictReader(alone.decode().splitlines())
        if row["question"] == "next_late"
    ]  # fmt: skip
    assert [row["loan_id"] for row in rows] == late
    assert {row["as_of"] for row in rows} == {"2025-10-01"}
    for side in SIDES:
        words = {one: say("risk", f"{side}.{one}", told_in) for one in SIGNS}
        seen = {row[f"{side}_words"] for row in rows}
        assert {words["good"], words["bad"]} <= seen <= set(words.values())
        for row in rows:
            assert (row[side] == "") is (row[f"{side}_words"] == words["not_known"])
            assert row[side] == "" or 0 < float(row[side]) < 1


def test_a_model_of_a_flat_file_tells_nothing_apart(tmp_path: Path) -> None:
    made = tmp_path / "table.csv"
    rng = np.random.default_rng(82)
    lines = ["a,b,late"]
    for _ in range(400):
        a, b = rng.normal(size=2)
        lines.append(f"{a:.4f},{b:.4f},{int(rng.random() < 1 / (1 + np.exp(-2 * a)))}")
    made.write_text("\n".join(lines) + "\n", encoding="utf-8")
    trained, out = tmp_path / "model", tmp_path / "scores.csv"
    assert run(["risk", "train", str(made), "--label", "late", "--out", str(trained)]) == 0
    asked = ["risk", "score", str(made), "--model", str(trained), "--out", str(out)]
    assert run([*asked, "--can-and-wants", str(tmp_path / "both.csv")]) == 2
    assert not out.exists()
    assert not (tmp_path / "both.csv").exists()
