"""Whom does contact change? Scores of one half of the people judged on the other half.

Each person's score is doubly robust (Robins, Rotnitzky, Zhao 1994; Kennedy, Towards optimal doubly
robust estimation of heterogeneous causal effects, 2023): an outcome model of the other half, made
right by the known draw. The Qini coefficient is the area between treating the best first and
treating at random (Radcliffe 2007), as a rank-weighted average effect; its standard error counts
the noise of the ranks too (Yadlowsky, Fleming, Shah, Brunskill, Wager, JASA 2025).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from duly.learn import normal
from duly.learn.arrays import Flags, Floats, Ints, enough, floats, refused, same_length
from duly.policy import draw

LEVEL = 0.95
GROUPS = 5
HALF_MIN = 200  #: people in each half
_RIDGE = 1.0  #: penalty of a standardised slope, in people
_HALF = 5_000

Verdict: TypeAlias = Literal["contact", "leave_alone", "not_known"]


@dataclass(frozen=True, kw_only=True)
class Qini:
    """The area over treating at random, per person; 0 means that the order says nothing."""

    coefficient: float
    se: float
    low: float
    high: float
    share: tuple[float, ...]  #: of people treated, best first
    gain: tuple[float, ...]  #: what treating this share gains, per person of all


@dataclass(frozen=True, kw_only=True)
class Group:
    """People of like score: what contact does to them, with simultaneous intervals."""

    people: int
    effect: float
    low: float
    high: float
    verdict: Verdict


def halves(borrower_ids: Sequence[str], salt: str) -> Flags:
    """Return which people are in the first half: a draw of their own, apart from the arms'."""
    named = f"halves\x1f{salt}"
    return np.array([draw(one, named) < _HALF for one in borrower_ids], np.bool_)


def robust_scores(
    outcome: npt.ArrayLike, treated: Flags, covariates: Floats, first: Flags, *, share: float
) -> Floats:
    """Return for each person a score whose mean is the effect of treating.

    `share` is the known share of the treated arm among these people. The outcome model of a half
    is fitted on the other. Refuses (Refused) halves that are too small, NaN and outcomes all alike.
    """
    y, x = floats(outcome, "outcome"), floats(covariates, "covariates")
    same_length(outcome=y, treated=treated, covariates=x, first=first)
    if not 0 < share < 1:
        raise refused("shares_between")
    for half in (first, ~first):
        enough(int(half.sum()), "half", least=HALF_MIN)
    if y.size and np.ptp(y) == 0:
        raise refused("all_alike", value=f"{y[0]:g}")
    scores = np.empty(y.size)
    for here, there in ((first, ~first), (~first, first)):
        known = []
        for arm in (treated, ~treated):
            enough(int((arm & there).sum()), "arm of a half")
            known.append(_predict(x[here], *_fit(x[arm & there], y[arm & there])))
        with_, without = known
        t, real = treated[here], y[here]
        scores[here] = with_ - without + np.where(
            t, (real - with_) / share, -(real - without) / (1 - share)
        )  # fmt: skip
    return scores


def expected_rewards(
    outcome: npt.ArrayLike, action: Ints, actions: int, covariates: Floats, first: Flags
) -> Floats:
    """Return the outcome to expect of each action for each person, by a model of the other half.

    Refuses (Refused) an action that fewer than 30 people of a half got, and what `robust_scores`
    refuses.
    """
    y, x = floats(outcome, "outcome"), floats(covariates, "covariates")
    same_length(outcome=y, action=action, covariates=x, first=first)
    made = np.empty((y.size, actions))
    for here, there in ((first, ~first), (~first, first)):
        for one in range(actions):
            got = there & (action == one)
            enough(int(got.sum()), "arm of a half")
            made[here, one] = _predict(x[here], *_fit(x[got], y[got]))
    return made


def expected(scores: Floats, covariates: Floats, first: Flags) -> Floats:
    """Return the effect to expect for each person, by a linear model of the other half."""
    x, found = floats(covariates, "covariates"), np.empty(len(scores))
    for here, there in ((first, ~first), (~first, first)):
        found[here] = _predict(x[here], *_fit(x[there], scores[there]))
    return found


def qini(scores: Floats, order: npt.ArrayLike, *, level: float = LEVEL) -> Qini:
    """Return the Qini coefficient of an order that these scores had no part in.

    Equal places in the order count half each. Refuses (Refused) few people and NaN.
    """
    gamma, by = floats(scores, "scores"), floats(order, "order")
    count = same_length(scores=gamma, order=by)
    enough(count, "half", least=HALF_MIN)
    above = _share_above(by)
    coefficient = float((gamma * (0.5 - above)).mean())
    # How much a person's own place moves the ranks of the others.
    moves = _mean_below(gamma, by) - (gamma * above).mean()
    influence = gamma * (0.5 - above) - coefficient - moves
    se = float(influence.std(ddof=1) / sqrt(count))
    wide = normal.two_sided(level) * se
    best = np.argsort(-by, kind="stable")
    steps = np.linspace(0, count, 11).round().astype(int)
    total = np.concatenate([[0.0], np.cumsum(gamma[best])]) / count
    return Qini(
        coefficient=coefficient, se=se, low=coefficient - wide, high=coefficient + wide,
        share=tuple(float(step / count) for step in steps),
        gain=tuple(float(total[step]) for step in steps),
    )  # fmt: skip


def groups(
    scores: Floats, order: npt.ArrayLike, *, worth: float, count: int = GROUPS, level: float = LEVEL
) -> tuple[Group, ...]:
    """Return the effect by fifths of an order, the least first, and what it says of contact.

    `leave_alone` is no missing proof: the whole interval lies below `worth`, the least effect for
    which somebody may be disturbed. Intervals hold all together (Bonferroni).
    """
    gamma, by = floats(scores, "scores"), floats(order, "order")
    enough(same_length(scores=gamma, order=by), "half", least=HALF_MIN)
    wide = normal.two_sided(1 - (1 - level) / count)
    return tuple(
        _group(gamma[part], worth, wide)
        for part in np.array_split(np.argsort(by, kind="stable"), count)
    )


def named_groups(
    scores: Floats, names: npt.NDArray[np.str_], *, worth: float, level: float = LEVEL
) -> dict[str, Group]:
    """Return the effect in groups that have a name; those with too few people are left out."""
    gamma = floats(scores, "scores")
    same_length(scores=gamma, names=names)
    found, counts = np.unique(names, return_counts=True)
    kept = [str(name) for name, people in zip(found, counts, strict=True) if people >= HALF_MIN]
    wide = normal.two_sided(1 - (1 - level) / max(1, len(kept)))
    return {name: _group(gamma[names == name], worth, wide) for name in kept}


def _group(gamma: Floats, worth: float, wide: float) -> Group:
    effect, half = float(gamma.mean()), wide * float(gamma.std(ddof=1)) / sqrt(gamma.size)
    low, high = effect - half, effect + half
    verdict: Verdict = "not_known"
    if high < worth:
        verdict = "leave_alone"
    elif low > 0:
        verdict = "contact"
    return Group(people=gamma.size, effect=effect, low=low, high=high, verdict=verdict)


def _share_above(by: Floats) -> Floats:
    """Return for each person the share of people with a higher place, equals by half."""
    ordered = np.sort(by)
    more = by.size - np.searchsorted(ordered, by, "right")
    same = by.size - np.searchsorted(ordered, by, "left") - more
    made: Floats = (more + same / 2) / by.size
    return made


def _mean_below(gamma: Floats, by: Floats) -> Floats:
    """Return for each person the sum of scores below his place, equals by half, per person."""
    order = np.argsort(by, kind="stable")
    total = np.concatenate([[0.0], np.cumsum(gamma[order])])
    ordered = by[order]
    left, right = (np.searchsorted(ordered, by, side) for side in ("left", "right"))
    made: Floats = (total[left] + total[right]) / 2 / by.size
    return made


def _fit(x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """Return middle and scale of the covariates, and the slopes with the mean first (ridge)."""
    middle, scale = x.mean(0), x.std(0)
    scale = np.where(scale > 0, scale, 1.0)
    z = (x - middle) / scale
    slopes = np.linalg.solve(z.T @ z + _RIDGE * np.eye(z.shape[1]), z.T @ (y - y.mean()))
    return middle, scale, np.concatenate([[y.mean()], slopes])


def _predict(x: Floats, middle: Floats, scale: Floats, slopes: Floats) -> Floats:
    made: Floats = slopes[0] + (x - middle) / scale @ slopes[1:]
    return made


def codes(names: npt.NDArray[np.str_]) -> Ints:
    """Return the place of each name among the sorted names."""
    return np.unique(names, return_inverse=True)[1].astype(np.int64)
