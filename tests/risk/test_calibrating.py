"""Goal: chances come true, by the curve that measures better; few rows make no steps of noise.
Method: log odds whose true chance is known; an oracle for pooling; a model's file turned over."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from duly.core import digest
from duly.core.errors import Refused
from duly.risk import model
from duly.risk.calibrating import Calibration, Steps, calibrate, isotonic, probability


def _rows(count: int, *, bent: bool, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return log odds, outcomes and true chances; bent: two plateaus that no logistic has."""
    rng = np.random.default_rng(seed)
    raw = rng.uniform(-4, 4, count)
    true = np.where(raw > 0, 0.65, 0.35) if bent else probability(raw, 0.7, 0.3)
    return raw, rng.random(count) < true, true


def _calibrated(count: int, *, bent: bool, seed: int = 95) -> tuple[Calibration, float]:
    """Return the curve and its mean distance from the true chance on new rows."""
    raw, came, _ = _rows(count, bent=bent, seed=seed)
    found = calibrate(raw, came, np.ones(count), np.arange(count))
    new, _, true = _rows(20_000, bent=bent, seed=seed + 1)
    return found, float(np.abs(found.probability(new) - true).mean())


def test_a_logistic_world_is_told_by_a_logistic_curve() -> None:
    found, off = _calibrated(5_000, bent=False)
    assert (found.kind, found.steps) == ("logistic", None)
    assert (found.slope, found.shift) == (pytest.approx(0.7, abs=0.05), pytest.approx(0.3, abs=0.1))
    assert off < 0.02


def test_plateaus_are_told_by_steps_where_there_are_rows_to_see_them() -> None:
    found, off = _calibrated(5_000, bent=True)
    assert found.kind == "steps"
    assert found.brier_steps < found.brier_logistic
    assert off < 0.03
    logistic = probability(np.array([-4.0, 4.0]), found.slope, found.shift)
    assert abs(logistic - [0.35, 0.65]).max() > 0.1


def test_few_rows_make_no_steps() -> None:
    for seed in range(20):
        found, _ = _calibrated(150, bent=False, seed=seed)
        assert found.kind == "logistic"
        assert np.isnan(found.brier_steps)
    chosen = [_calibrated(500, bent=False, seed=seed)[0].kind for seed in range(40)]
    assert chosen.count("steps") <= 6


def test_pooling_is_what_another_programme_pools() -> None:
    raw, came, _ = _rows(400, bent=True, seed=97)
    weight = np.random.default_rng(98).uniform(0.5, 2, raw.size)
    found = isotonic(raw, came, weight)
    other = IsotonicRegression().fit(raw, came, sample_weight=weight)
    blocks, place = np.unique(other.predict(raw), return_inverse=True)
    total = np.bincount(place, weights=weight)
    levels = np.maximum.accumulate((blocks * total + 0.5) / (total + 1))
    assert found.levels == pytest.approx(levels.tolist())
    middles = np.bincount(place, weights=weight * raw) / total
    assert found.knots == pytest.approx(middles.tolist())


def test_steps_rise_and_are_never_certain() -> None:
    raw = np.arange(300.0)
    steps = isotonic(raw, raw >= 150, np.ones(300))
    said = steps.probability(np.linspace(-10, 310, 500))
    assert (np.diff(said) >= 0).all()
    assert (said.min() > 0) and (said.max() < 1)


@pytest.mark.parametrize(
    ("knots", "levels"),
    [
        ((), ()),
        ((0.0, 0.0), (0.1, 0.2)),
        ((0.0, 1.0), (0.3, 0.2)),
        ((0.0,), (0.1, 0.2)),
        ((0.0, float("nan")), (0.1, 0.2)),
        ((0.0, 1.0), (0.0, 0.5)),
        ((0.0, 1.0), (0.5, 1.0)),
    ],
)
def test_steps_that_are_none_are_refused(
    knots: tuple[float, ...], levels: tuple[float, ...], trained: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="calibration"):
        Steps(knots=knots, levels=levels)
    whole = json.loads((trained / "model.json").read_text("utf-8"))
    whole["answers"]["next_late"].update(knots=list(knots), levels=list(levels))
    del whole["fingerprint"]
    whole = {"fingerprint": digest.of_value(whole), **whole}
    (tmp_path / "model.json").write_text(json.dumps(whole), encoding="utf-8")
    with pytest.raises(Refused, match="not_a_model"):
        model.load(tmp_path)


def test_a_model_with_steps_is_read_as_it_was_written(trained: Path, tmp_path: Path) -> None:
    used = model.load(trained)
    before = used.answers["next_late"]
    steps = Steps(knots=(-2.0, 0.0, 2.0), levels=(0.1, 0.4, 0.8))
    answers = {"next_late": model.Answer(**{**vars(before), "steps": steps})}
    (tmp_path / "model.json").write_bytes(
        model.dump(kind="book", until=used.until, families=used.families, scale=used.scale,
                   answers=answers)
    )  # fmt: skip
    found = model.load(tmp_path).answers["next_late"]
    assert found.steps == steps
    values = np.zeros((3, len(before.columns)), np.float32)
    assert found.probability(values) == pytest.approx(steps.probability(before.forest.raw(values)))


def test_the_card_says_which_curve_was_chosen(trained: Path) -> None:
    card = json.loads((trained / "card.json").read_text("utf-8"))
    told = card["questions"]["next_late"]["calibration"]
    assert told["kind"] in ("logistic", "steps")
    assert (told["kind"] == "steps") <= (told["brier_steps"] < told["brier_logistic"])
    assert f"{told['brier_steps']:.6f}" in (trained / "card.md").read_text("utf-8")
