"""Goal: an interval of 95 % holds the true effect 95 times in 100, also where an outcome is rare.
Method: worlds from a seed in which the effect is known; bad input is refused by name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from worlds import generator, off_by

from duly.core.errors import Refused
from duly.learn.estimating import (
    Estimate,
    cuped,
    difference_in_means,
    difference_in_shares,
    mismatched,
)

WORLDS = 2_000
Asked = Callable[[np.ndarray, np.ndarray], Estimate]


def _covered(found: list[Estimate], truth: float) -> float:
    return float(np.mean([one.low <= truth <= one.high for one in found]))


@pytest.mark.parametrize(
    ("p0", "p1", "n0", "n1"), [(0.6, 0.65, 200, 200), (0.02, 0.03, 400, 200), (0.5, 0.5, 60, 240)]
)
def test_the_interval_of_shares_covers_the_truth(p0: float, p1: float, n0: int, n1: int) -> None:
    rng = generator(11)
    left = (rng.random((WORLDS, n0)) < p0).astype(float)
    right = (rng.random((WORLDS, n1)) < p1).astype(float)
    left[left.sum(1) + right.sum(1) == 0, 0] = (
        1  # A world of none is refused; there are hardly any.
    )
    found = [difference_in_shares(a, b) for a, b in zip(left, right, strict=True)]
    assert 0.95 - off_by(0.95, WORLDS) <= _covered(found, p1 - p0) <= 0.975


def test_the_interval_of_means_covers_the_truth_of_skewed_amounts() -> None:
    rng = generator(12)
    left, right = rng.exponential(100, (WORLDS, 300)), rng.exponential(120, (WORLDS, 150))
    found = [difference_in_means(a, b) for a, b in zip(left, right, strict=True)]
    assert abs(_covered(found, 20.0) - 0.95) <= off_by(0.95, WORLDS)


def test_two_equal_arms_differ_in_five_worlds_of_a_hundred() -> None:
    rng = generator(13)
    left, right = (rng.random((WORLDS, 300)) < 0.4).astype(float), (
        rng.random((WORLDS, 300)) < 0.4
    ).astype(float)  # fmt: skip
    found = [difference_in_shares(a, b).p_value for a, b in zip(left, right, strict=True)]
    assert abs(np.mean(np.array(found) < 0.05) - 0.05) <= off_by(0.05, WORLDS)


def test_newcombes_published_example() -> None:
    """56/70 and 48/80: 0.2, interval 0.0524 to 0.3339 (Newcombe 1998, table II, method 10)."""
    first, second = np.repeat([1, 0], [56, 14]), np.repeat([1, 0], [48, 32])
    found = difference_in_shares(second, first)
    assert (round(found.effect, 4), round(found.low, 4), round(found.high, 4)) == (
        0.2, 0.0524, 0.3339,
    )  # fmt: skip


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.8])
def test_cuped_cuts_the_variance_by_the_square_of_the_correlation(correlation: float) -> None:
    rng = generator(14)
    x = rng.normal(size=40_000)
    y = correlation * x + np.sqrt(1 - correlation**2) * rng.normal(size=x.size)
    treated = rng.random(x.size) < 0.5
    y[treated] += 0.1
    found = cuped(y[~treated], y[treated], x[~treated], x[treated])
    assert abs(found.variance_cut - correlation**2) < 0.015
    assert found.low < 0.1 < found.high


def test_the_interval_of_cuped_covers_the_truth() -> None:
    rng, found = generator(15), []
    for _ in range(WORLDS // 2):
        x = rng.normal(size=(400, 2))
        y = x @ [1.0, -0.5] + rng.normal(size=400)
        y[200:] += 0.3
        found.append(cuped(y[:200], y[200:], x[:200], x[200:]))
    assert abs(_covered(found, 0.3) - 0.95) <= off_by(0.95, WORLDS // 2)


def test_a_covariate_that_never_varies_explains_nothing() -> None:
    y = generator(16).normal(size=200)
    found = cuped(y[:100], y[100:], np.ones(100), np.ones(100))
    assert found.variance_cut == 0
    assert found.effect == pytest.approx(y[100:].mean() - y[:100].mean())


@pytest.mark.parametrize(
    ("ask", "left", "right", "code"),
    [
        (difference_in_means, [1.0] * 3, [0.0] * 40, "too_few"),
        (difference_in_means, [], [], "too_few"),
        (difference_in_means, [1.0] * 40, [np.nan] + [0.0] * 39, "not_finite"),
        (difference_in_shares, [1.0] * 40, [1.0] * 40, "all_alike"),
        (difference_in_shares, [0.0] * 40, [0.5] * 40, "not_yes_or_no"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    ask: Asked, left: list[float], right: list[float], code: str
) -> None:
    with pytest.raises(Refused) as refused:
        ask(np.array(left), np.array(right))
    assert [one.code for one in refused.value.diagnostics] == [code]


def test_arms_that_the_draw_cannot_have_made_are_named() -> None:
    shares = {"a": 0.5, "b": 0.5}
    assert mismatched({"a": 5_000, "b": 5_100}, shares) == ()
    assert mismatched({"a": 5_000, "b": 5_500}, shares) == ("a", "b")
    assert mismatched({"a": 10}, {"a": 1.0}) == ()
