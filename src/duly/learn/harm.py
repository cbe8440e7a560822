"""When does an arm end by itself? A one-sided test of each harm that may be looked at every day.

Each day on which somebody is harmed asks one thing: of the people at risk in both arms, were there
more in this arm than a draw among them gives? The answer multiplies an e-value (a safe logrank
test: ter Schure, Perez-Ortiz, Ly, Grünwald, The Anytime-Valid Logrank Test, New England Journal of
Statistics in Data Science 2, 2024), a mixture over hazard ratios above one. If the arm is no worse
than the control the e-value reaches 1 / alpha with a chance of at most alpha, however often and
however long one looks (Ville 1939), also with a handful of harms.

Ties within a day are counted as drawn with replacement. The true draw is without; the factor is
convex in the count, so its mean is no larger (Hoeffding 1963, theorem 4) and the bound stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log

import numpy as np
import numpy.typing as npt

from duly.learn.arrays import Floats, Ints, floats, refused, same_length

ALPHA = 0.05  #: of one experiment, shared by its harms and arms
#: Hazard ratios that the test looks for, each with the same weight.
RATIOS = (1.25, 1.5, 2.0, 3.0, 5.0)
NEVER = -1


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What one harm says of one arm; `e_value` is the largest so far, days are since 1970."""

    e_value: float
    bound: float  #: the e-value at which the arm ends
    harmed_control: int
    harmed_arm: int
    n_control: int
    n_arm: int
    crossed_on: int | None  #: the first day on which the bound was reached

    @property
    def stops(self) -> bool:
        """Return whether the arm ends."""
        return self.crossed_on is not None

    @property
    def p_value(self) -> float:
        """Return the p-value that holds at every look."""
        return min(1.0, 1 / self.e_value)


@dataclass(frozen=True, kw_only=True)
class People:
    """The people of one arm: the day of entry, and of the first harm (NEVER where there is none).

    A harm counts from the day of entry on, through `follow_days` after it.
    """

    entered_on: Ints
    harmed_on: Ints


def watch(
    control: People, arm: People, *, until: int, follow_days: int, alpha: float = ALPHA
) -> Watched:
    """Return what the days through `until` say; refuse (Refused) an arm without anybody."""
    if not 0 < alpha < 1:
        raise refused("shares_between")
    lives = [_lived(one, until, follow_days) for one in (control, arm)]
    for one in lives:
        if one.entered.size == 0:
            raise refused("too_few", what="arm", count=0, least=1)
    harms = [np.sort(one.harmed[one.harmed != NEVER]) for one in lives]
    days = np.unique(np.concatenate(harms))
    at_risk = [one.at_risk(days) for one in lives]
    counts = [np.searchsorted(h, days, "right") - np.searchsorted(h, days) for h in harms]
    share = at_risk[1] / np.maximum(at_risk[0] + at_risk[1], 1)
    together = counts[0] + counts[1]
    ratios = np.array(RATIOS)[:, None]
    steps = counts[1] * np.log(ratios) - together * np.log1p(share * (ratios - 1))
    path = _log_mean_exp(np.cumsum(steps, axis=1))
    bound = 1 / alpha
    over = np.flatnonzero(path >= log(bound))
    return Watched(
        e_value=exp(min(float(path.max(initial=0.0)), 700.0)),
        bound=bound,
        harmed_control=harms[0].size,
        harmed_arm=harms[1].size,
        n_control=lives[0].entered.size,
        n_arm=lives[1].entered.size,
        crossed_on=int(days[over[0]]) if over.size else None,
    )


@dataclass(frozen=True, kw_only=True)
class _Lives:
    entered: Ints
    harmed: Ints
    leaves: Ints  #: the first day on which somebody is no longer at risk

    def at_risk(self, days: Ints) -> Floats:
        """Return how many are at risk at the start of each day."""
        begun = np.searchsorted(np.sort(self.entered), days, "right")
        over = np.searchsorted(np.sort(self.leaves), days, "right")
        return (begun - over).astype(np.float64)


def _lived(people: People, until: int, follow_days: int) -> _Lives:
    same_length(entered=people.entered_on, harmed=people.harmed_on)
    floats(people.entered_on, "entered_on")
    known = people.entered_on <= until
    entered, harmed = people.entered_on[known], people.harmed_on[known]
    last = np.minimum(entered + follow_days, until)
    counted = (harmed >= entered) & (harmed <= last)
    harmed = np.where(counted, harmed, NEVER)
    # Who is harmed is at risk through that day.
    leaves = np.where(counted, harmed, last) + 1
    return _Lives(entered=entered, harmed=harmed, leaves=leaves)


def _log_mean_exp(values: npt.NDArray[np.float64]) -> Floats:
    """Return the log of the mean of exponentials over the first axis."""
    if values.shape[1] == 0:
        return np.zeros(0)
    top = values.max(axis=0)
    found: Floats = top + np.log(np.exp(values - top).mean(axis=0))
    return found
