"""How far two arms are apart, by intention to treat, with an interval that holds what it says.

Means: Neyman's variance, each arm its own (Neyman 1923). Shares: Newcombe's hybrid score interval
(Statistics in Medicine 17, 1998, method 10), which also stands where an outcome is rare. With
covariates known before the entry: CUPED (Deng, Xu, Kohavi, Walker, WSDM 2013).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from duly.learn import normal
from duly.learn.arrays import Floats, enough, floats, refused, same_length

LEVEL = 0.95
#: A mismatch of shares rarer than this by chance means that the arms are no longer comparable.
MISMATCH_ALPHA = 0.001


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """An effect with its interval; `se` is its standard error, `n_…` are people."""

    effect: float
    se: float
    low: float
    high: float
    level: float
    p_value: float
    control: float  #: mean of the control arm
    treated: float  #: mean of the other arm
    n_control: int
    n_treated: int
    variance_cut: float = 0.0  #: the share of the variance that covariates explained


def difference_in_means(
    control: npt.ArrayLike, treated: npt.ArrayLike, *, level: float = LEVEL
) -> Estimate:
    """Return treated minus control; refuse (Refused) few people, NaN, outcomes all alike."""
    left, right = _outcomes(control, treated)
    effect = float(right.mean() - left.mean())
    se = sqrt(left.var(ddof=1) / left.size + right.var(ddof=1) / right.size)
    wide = normal.two_sided(level) * se
    return Estimate(
        effect=effect, se=se, low=effect - wide, high=effect + wide, level=level,
        p_value=normal.p_value(effect / se), control=float(left.mean()),
        treated=float(right.mean()), n_control=left.size, n_treated=right.size,
    )  # fmt: skip


def difference_in_shares(
    control: npt.ArrayLike, treated: npt.ArrayLike, *, level: float = LEVEL
) -> Estimate:
    """Return the difference of two shares of yes; outcomes are 0 or 1. Refuses as means do."""
    left, right = _outcomes(control, treated)
    if not (np.isin(left, (0, 1)).all() and np.isin(right, (0, 1)).all()):
        raise refused("not_yes_or_no")
    p0, p1 = float(left.mean()), float(right.mean())
    (low0, high0), (low1, high1) = (
        wilson(p, n, level) for p, n in ((p0, left.size), (p1, right.size))
    )
    effect = p1 - p0
    pooled = (left.sum() + right.sum()) / (left.size + right.size)
    score_se = sqrt(pooled * (1 - pooled) * (1 / left.size + 1 / right.size))
    return Estimate(
        effect=effect,
        se=sqrt(p0 * (1 - p0) / left.size + p1 * (1 - p1) / right.size),
        low=effect - sqrt((p1 - low1) ** 2 + (high0 - p0) ** 2),
        high=effect + sqrt((high1 - p1) ** 2 + (p0 - low0) ** 2),
        level=level, p_value=normal.p_value(effect / score_se), control=p0, treated=p1,
        n_control=left.size, n_treated=right.size,
    )  # fmt: skip


def wilson(share: float, count: int, level: float) -> tuple[float, float]:
    """Return Wilson's score interval of one share."""
    z = normal.two_sided(level)
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    spread = share * (1 - share) / count + z * z / (4 * count * count)
    half = z * sqrt(spread) / (1 + z * z / count)
    return middle - half, middle + half


def cuped(
    control: npt.ArrayLike,
    treated: npt.ArrayLike,
    before_control: npt.ArrayLike,
    before_treated: npt.ArrayLike,
    *,
    level: float = LEVEL,
) -> Estimate:
    """Return the difference of means less what covariates from before the entry explain.

    Covariates are arrays of people x covariates; one that never varies explains nothing. Nothing
    from after the entry may be among them: the arms would no longer be comparable.
    """
    left, right = _outcomes(control, treated)
    x_left, x_right = (_table(one) for one in (before_control, before_treated))
    same_length(outcomes=left, covariates=x_left)
    same_length(outcomes=right, covariates=x_right)
    centred = [(x_left - x_left.mean(0), left), (x_right - x_right.mean(0), right)]
    # One slope for both arms, from what varies within them: an effect is no part of it.
    slope, *_ = np.linalg.lstsq(
        np.concatenate([x for x, _ in centred]),
        np.concatenate([y - y.mean() for _, y in centred]),
        rcond=None,
    )
    middle = np.concatenate([x_left, x_right]).mean(0)
    found = difference_in_means(
        left - (x_left - middle) @ slope, right - (x_right - middle) @ slope, level=level
    )
    plain = difference_in_means(left, right, level=level)
    cut = 1 - (found.se / plain.se) ** 2
    return Estimate(**{**vars(found), "variance_cut": max(0.0, cut)})


def mismatched(counts: Mapping[str, int], shares: Mapping[str, float]) -> tuple[str, ...]:
    """Return the arms whose people are not as many as the draw gives (sample ratio mismatch)."""
    total, arms = sum(counts.values()), [name for name in shares if shares[name] > 0]
    least = MISMATCH_ALPHA / max(1, len(arms))
    return tuple(
        name
        for name in arms
        if shares[name] < 1
        and normal.p_value(
            (counts.get(name, 0) - total * shares[name])
            / sqrt(max(total, 1) * shares[name] * (1 - shares[name]))
        )
        < least
    )


def _outcomes(control: npt.ArrayLike, treated: npt.ArrayLike) -> tuple[Floats, Floats]:
    left, right = floats(control, "control"), floats(treated, "treated")
    enough(left.size, "control")
    enough(right.size, "treated")
    if np.ptp(np.concatenate([left, right])) == 0:
        raise refused("all_alike", value=f"{left[0]:g}")
    return left, right


def _table(values: npt.ArrayLike) -> Floats:
    made = floats(values, "covariates")
    return made[:, None] if made.ndim == 1 else made
