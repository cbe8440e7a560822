"""Goal: an arm that harms ends by itself, soon; one that does not hardly ever ends,
however often it is looked at. Method: simulated days with known hazards; a slow oracle."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest
from worlds import generator, off_by

from duly.core.errors import Refused
from duly.learn.harm import NEVER, RATIOS, People, watch

DAYS, FOLLOW = 120, 30


def _arm(rng: np.random.Generator, count: int, hazard: float) -> People:
    """Return people who enter over ninety days and are harmed with a chance each day."""
    entered = rng.integers(0, 90, count)
    harmed = entered + rng.geometric(hazard, count) - 1
    return People(entered_on=entered, harmed_on=np.where(harmed <= entered + FOLLOW, harmed, NEVER))


def _stopped(seed: int, worlds: int, count: int, hazard: float, ratio: float) -> list[int | None]:
    rng = generator(seed)
    return [
        watch(_arm(rng, count, hazard), _arm(rng, count, ratio * hazard),
              until=DAYS, follow_days=FOLLOW).crossed_on
        for _ in range(worlds)
    ]  # fmt: skip


@pytest.mark.parametrize(("hazard", "ratio"), [(0.002, 1.0), (0.0003, 1.0), (0.004, 0.5)])
def test_an_arm_that_does_no_more_harm_is_hardly_ever_stopped(hazard: float, ratio: float) -> None:
    worlds = 800
    stopped = [day is not None for day in _stopped(41, worlds, 600, hazard, ratio)]
    assert np.mean(stopped) <= 0.05 + off_by(0.05, worlds) * (ratio == 1.0)


def test_an_arm_that_harms_twice_as_many_ends_before_the_end() -> None:
    days = _stopped(42, 100, 2_000, 0.002, 2.0)
    assert sum(day is not None for day in days) >= 95
    assert np.median([DAYS if day is None else day for day in days]) < 80


def test_the_e_value_is_what_the_definition_gives() -> None:
    rng = generator(43)
    control, arm = _arm(rng, 60, 0.01), _arm(rng, 50, 0.03)
    log_e, best = dict.fromkeys(RATIOS, 0.0), 0.0
    for day in range(DAYS + 1):
        risk, harmed = [], []
        for one in (control, arm):
            inside = (one.entered_on <= day) & (day <= one.entered_on + FOLLOW)
            before = (one.harmed_on != NEVER) & (one.harmed_on < day)
            risk.append(int((inside & ~before).sum()))
            harmed.append(int((one.harmed_on == day).sum()))
        if not sum(harmed):
            continue
        share = risk[1] / sum(risk)
        for ratio in RATIOS:
            log_e[ratio] += harmed[1] * log(ratio) - sum(harmed) * log(1 + share * (ratio - 1))
        best = max(best, sum(exp(one) for one in log_e.values()) / len(RATIOS))
    assert watch(control, arm, until=DAYS, follow_days=FOLLOW).e_value == pytest.approx(
        max(1, best)
    )


def test_what_is_dated_after_the_look_is_not_known() -> None:
    rng = generator(44)
    control, arm = _arm(rng, 500, 0.002), _arm(rng, 500, 0.006)
    early = watch(control, arm, until=40, follow_days=FOLLOW)

    def cut(one: People) -> People:
        known = one.entered_on <= 40
        harmed = np.where(one.harmed_on[known] <= 40, one.harmed_on[known], NEVER)
        return People(entered_on=one.entered_on[known], harmed_on=harmed)

    assert early == watch(cut(control), cut(arm), until=40, follow_days=FOLLOW)
    assert early.n_arm < 500


def test_without_harm_nothing_is_said_and_without_people_it_is_refused() -> None:
    nobody_harmed = People(entered_on=np.arange(40), harmed_on=np.full(40, NEVER))
    found = watch(nobody_harmed, nobody_harmed, until=DAYS, follow_days=FOLLOW)
    assert (found.e_value, found.stops, found.p_value) == (1.0, False, 1.0)
    nobody = People(entered_on=np.array([], int), harmed_on=np.array([], int))
    for control, arm in ((nobody, nobody_harmed), (nobody_harmed, nobody)):
        with pytest.raises(Refused, match="too_few"):
            watch(control, arm, until=DAYS, follow_days=FOLLOW)
