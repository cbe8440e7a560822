"""Goal: whoever looks every day still errs five times in a hundred, and finds what is there.
Method: whole paths of simulated experiments, all looks of each at once."""

from __future__ import annotations

import numpy as np
import pytest
from worlds import generator, off_by

from duly.core.errors import Refused
from duly.learn import sequential
from duly.learn.estimating import difference_in_shares

WORLDS, PER_ARM, EVERY = 1_000, 1_500, 20


def _paths(seed: int, p0: float, p1: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return effects and standard errors at every look (worlds x looks), and people at each."""
    rng = generator(seed)
    n = np.arange(sequential.FIRST_LOOK_MIN, PER_ARM + 1, EVERY)
    shares = [np.cumsum(rng.random((WORLDS, PER_ARM)) < p, axis=1)[:, n - 1] / n for p in (p0, p1)]
    se = np.sqrt(sum(p * (1 - p) for p in shares) / n)
    return shares[1] - shares[0], se, 2 * n


def _half(se: np.ndarray, people: np.ndarray, tuned_at: int) -> np.ndarray:
    factors = [sequential.half_width(1.0, int(n), tuned_at=tuned_at) for n in people]
    return se * np.array(factors)


def test_peeking_at_two_equal_arms_finds_no_winner() -> None:
    effect, se, people = _paths(21, 0.3, 0.3)
    won = (abs(effect) > _half(se, people, 2_000)).any(axis=1).mean()
    assert won <= 0.05 + off_by(0.05, WORLDS)
    naive = (abs(effect) > 1.96 * se).any(axis=1).mean()
    assert naive > 0.25  # What the sequence is for: the interval of one look errs this often.


def test_the_sequence_holds_the_true_effect_at_all_looks_together() -> None:
    effect, se, people = _paths(22, 0.3, 0.36)
    held = (abs(effect - 0.06) <= _half(se, people, 2_000)).all(axis=1).mean()
    assert held >= 0.95 - off_by(0.95, WORLDS)


def test_an_effect_that_is_there_is_found() -> None:
    effect, se, people = _paths(23, 0.3, 0.38)
    found = (effect > _half(se, people, 2_000)).any(axis=1).mean()
    assert found > 0.9


def test_the_p_value_says_what_the_interval_says() -> None:
    for yes in (320, 360, 375, 390, 420):
        left, right = np.repeat([1, 0], [300, 700]), np.repeat([1, 0], [yes, 1_000 - yes])
        found = sequential.looked(difference_in_shares(left, right), tuned_at=2_000)
        assert (found.p_value < 0.05) is (found.low > 0)
    assert found.p_value < 1e-4


def test_the_sequence_is_wider_than_one_look_and_narrowest_where_it_is_tuned() -> None:
    widths = {n: sequential.half_width(1.0, 2_000, tuned_at=n) for n in (200, 2_000, 20_000)}
    assert min(widths, key=lambda n: widths[n]) == 2_000
    assert widths[2_000] == pytest.approx(sequential.penalty())
    assert sequential.penalty() == pytest.approx(3.0351, abs=1e-4)


def test_a_look_before_there_are_enough_people_is_refused() -> None:
    estimate = difference_in_shares([1, 0] * 40, [1, 0] * 40)
    with pytest.raises(Refused, match="looked_too_early"):
        sequential.looked(estimate, tuned_at=1_000)
