"""Looks at any time, as often as wanted: intervals that hold at all of them together.

The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (Time-uniform
central limit theory and asymptotic confidence sequences, Annals of Statistics 52, 2024, theorem
2.2), with the normal mixture of Robbins (1970). It is wider than the interval of one look, at
least by half, and in exchange an experiment may end at any look.
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, log, sqrt

from duly.learn.arrays import refused
from duly.learn.estimating import Estimate

ALPHA = 0.05
#: People in each arm before the first look: the sequence is asymptotic.
FIRST_LOOK_MIN = 100


def half_width(se: float, people: int, *, tuned_at: int, alpha: float = ALPHA) -> float:
    """Return the half width of the sequence at `people` in all arms, `se` the effect's there.

    It is narrowest, compared with a single look, at `tuned_at` people, which must be said before
    the start and not changed.
    """
    ratio = best_ratio(alpha) * people / tuned_at
    return se * sqrt((ratio + 1) / ratio * log((ratio + 1) / alpha**2))


def looked(estimate: Estimate, *, tuned_at: int, alpha: float = ALPHA) -> Estimate:
    """Return an estimate with the interval and p-value that hold at every look.

    Refuses (Refused) a look before there are enough people.
    """
    least = min(estimate.n_control, estimate.n_treated)
    if least < FIRST_LOOK_MIN:
        raise refused("looked_too_early", count=least, least=FIRST_LOOK_MIN)
    if tuned_at < 1:
        raise refused("tuned_at", value=tuned_at)
    people = estimate.n_control + estimate.n_treated
    wide = half_width(estimate.se, people, tuned_at=tuned_at, alpha=alpha)
    ratio = best_ratio(alpha) * people / tuned_at
    z2 = (estimate.effect / estimate.se) ** 2
    # The alpha at which the sequence's edge would touch nought.
    p_value = min(1.0, sqrt(ratio + 1) * exp(-z2 * ratio / (ratio + 1) / 2))
    return Estimate(
        **{
            **vars(estimate),
            "low": estimate.effect - wide,
            "high": estimate.effect + wide,
            "level": 1 - alpha,
            "p_value": p_value,
        }
    )


@lru_cache(maxsize=64)
def best_ratio(alpha: float) -> float:
    """Return the n·rho² at which the sequence is narrowest, by golden section.

    >>> round(best_ratio(0.05), 1)
    8.2
    """
    low, high, golden = 0.01, 1_000.0, (sqrt(5) - 1) / 2

    def width(ratio: float) -> float:
        return (ratio + 1) / ratio * log((ratio + 1) / alpha**2)

    while high - low > 1e-9 * high:
        left, right = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, right) if width(left) < width(right) else (left, high)
    return (low + high) / 2


def penalty(alpha: float = ALPHA) -> float:
    """Return the half width in standard errors where the sequence is tuned."""
    ratio = best_ratio(alpha)
    return sqrt((ratio + 1) / ratio * log((ratio + 1) / alpha**2))
