"""From log odds to chances that come true: a logistic curve, or steps where they measure better.

Logistic: Platt (1999). Steps: isotonic regression by pooling adjacent violators (Zadrozny, Elkan,
KDD 2002), joined by lines so that few rows fall together. Which of them is used is measured, each
half of the calibrating rows by a curve of the other: steps only where their Brier score is better
by more than its standard error, as few rows make steps of noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Kind = Literal["logistic", "steps"]
_NEWTON_STEPS = 50
_SLOPE_MIN = 0.05
#: Rows in each half below which nothing is chosen by them.
HALF_MIN = 200


def probability(raw: Floats, slope: float, shift: float) -> Floats:
    """Return calibrated probabilities of log odds."""
    found: Floats = 1.0 / (1.0 + np.exp(-np.clip(slope * raw + shift, -35, 35)))
    return found


@dataclass(frozen=True, kw_only=True)
class Steps:
    """A rising line through points: log odds, and the chance there."""

    knots: tuple[float, ...]
    levels: tuple[float, ...]

    def __post_init__(self) -> None:
        knots, levels = np.array(self.knots), np.array(self.levels)
        sound = (
            knots.size == levels.size
            and knots.size > 0
            and np.isfinite(knots).all()
            and (np.diff(knots) > 0).all()
            and (np.diff(levels) >= 0).all()
            and ((levels > 0) & (levels < 1)).all()
        )
        if not sound:
            raise ValueError("calibration")

    def probability(self, raw: Floats) -> Floats:
        """Return the chance at each log odds; beyond the ends, that of the end."""
        return np.interp(raw, self.knots, self.levels).astype(np.float64)


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """A curve, and what the choice was made by; `steps` is set where they were chosen."""

    slope: float
    shift: float
    steps: Steps | None
    brier_logistic: float  #: of each half by the other's curve; NaN where the halves are too small
    brier_steps: float

    @property
    def kind(self) -> Kind:
        """Return which of the two is used."""
        return "logistic" if self.steps is None else "steps"

    def probability(self, raw: Floats) -> Floats:
        """Return calibrated probabilities of log odds."""
        if self.steps is not None:
            return self.steps.probability(raw)
        return probability(raw, self.slope, self.shift)


def calibrate(
    raw: Floats, came: Flags, weight: Floats, group: npt.NDArray[np.int64]
) -> Calibration:
    """Return the curve that is used; rows of one group fall into one half."""
    slope, shift = logistic(raw, came, weight)
    _, place = np.unique(group, return_inverse=True)
    first = place % 2 == 0
    plain, stepped = float("nan"), float("nan")
    better = False
    if min(_least(came[first]), _least(came[~first])) >= 1 and min(
        int(first.sum()), int((~first).sum())
    ) >= HALF_MIN:  # fmt: skip
        losses = _losses(raw, came, weight, first)
        plain, stepped = (float(np.average(one, weights=weight)) for one in losses)
        better = plain - stepped > _standard_error(losses[0] - losses[1], weight, place)
    return Calibration(
        slope=slope, shift=shift, brier_logistic=plain, brier_steps=stepped,
        steps=isotonic(raw, came, weight) if better else None,
    )  # fmt: skip


def _least(came: Flags) -> int:
    return min(int(came.sum()), int((~came).sum()))


def _losses(raw: Floats, came: Flags, weight: Floats, first: Flags) -> tuple[Floats, Floats]:
    """Return the squared error of each row, by each curve of the other half."""
    plain, stepped = np.empty(raw.size), np.empty(raw.size)
    for here, there in ((first, ~first), (~first, first)):
        curve = logistic(raw[there], came[there], weight[there])
        plain[here] = (probability(raw[here], *curve) - came[here]) ** 2
        steps = isotonic(raw[there], came[there], weight[there])
        stepped[here] = (steps.probability(raw[here]) - came[here]) ** 2
    return plain, stepped


def _standard_error(gain: Floats, weight: Floats, place: npt.NDArray[np.int64]) -> float:
    """Return the standard error of a weighted mean whose rows of one group go together."""
    mean = float(np.average(gain, weights=weight))
    sums = np.bincount(place, weights=weight * (gain - mean))
    return sqrt(float((sums**2).sum())) / float(weight.sum())


def logistic(raw: Floats, came: Flags, weight: Floats) -> tuple[float, float]:
    """Return slope and shift of the logistic curve through later outcomes, by Newton's steps."""
    design = np.column_stack([raw, np.ones_like(raw)])
    found = np.array([1.0, 0.0])
    for _ in range(_NEWTON_STEPS):
        said = probability(design @ found, 1.0, 0.0)
        slope = design.T @ (weight * (came - said)) - 1e-3 * (found - (1.0, 0.0))
        curve = (design * (weight * said * (1 - said))[:, None]).T @ design + 1e-3 * np.eye(2)
        step = np.linalg.solve(curve, slope)
        found = found + step
        if np.abs(step).max() < 1e-9:
            break
    # A slope below nought would turn the order round: then the calibration says nothing.
    return (float(max(found[0], _SLOPE_MIN)), float(found[1]))


def isotonic(raw: Floats, came: Flags, weight: Floats) -> Steps:
    """Return the rising steps nearest to the outcomes, each at its mean, never at 0 or 1.

    >>> isotonic(np.array([0., 1., 2., 3.]), np.array([0, 1, 0, 1]) > 0, np.ones(4)).knots
    (0.0, 1.5, 3.0)
    """
    order = np.argsort(raw, kind="stable")
    blocks: list[list[float]] = []  # weight, weight x outcome, weight x log odds
    for at in order.tolist():
        blocks.append([weight[at], weight[at] * came[at], weight[at] * raw[at]])
        while len(blocks) > 1 and (
            blocks[-2][1] * blocks[-1][0] >= blocks[-1][1] * blocks[-2][0]
            or blocks[-2][2] * blocks[-1][0] >= blocks[-1][2] * blocks[-2][0]
        ):
            last = blocks.pop()
            blocks[-1] = [one + other for one, other in zip(blocks[-1], last, strict=True)]
    # Half an outcome of each kind more: a block of one kind is no certainty.
    levels = [(yes + 0.5) / (total + 1) for total, yes, _ in blocks]
    return Steps(
        knots=tuple(float(mean / total) for total, _, mean in blocks),
        levels=tuple(np.maximum.accumulate(levels).tolist()),
    )
