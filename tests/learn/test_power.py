"""Goal: so many people find the effect with the power said, and fewer are refused unless told."""

from __future__ import annotations

import numpy as np
import pytest
from worlds import generator, off_by

from duly.core.errors import Refused
from duly.learn import power, sequential
from duly.learn.power import Design

HALF = {"a": 0.5, "b": 0.5}


@pytest.mark.parametrize(
    ("baseline", "effect", "per_arm"),
    [(0.62, 0.024, 6_350), (0.5, 0.05, 1_565), (0.1, -0.02, 3_213)],
)
def test_one_look_needs_what_the_tables_say(baseline: float, effect: float, per_arm: int) -> None:
    """Statsmodels' and Fleiss' formula without continuity, two-sided 5 %, power 80 %."""
    found = power.needed(Design(baseline=baseline, effect=effect, shares=HALF, control="a"))
    assert abs(found.people / 2 - per_arm) <= 0.008 * per_arm


def test_the_people_asked_for_find_the_effect_with_that_power() -> None:
    design = Design(baseline=0.6, effect=0.06, shares={"a": 0.7, "b": 0.3}, control="a")
    wanted, worlds = power.needed(design), 4_000
    rng = generator(31)
    for people, width in ((wanted.people, 1.96), (wanted.people_at_any_look, sequential.penalty())):
        n0, n1 = round(0.7 * people), round(0.3 * people)
        p0, p1 = rng.binomial(n0, 0.6, worlds) / n0, rng.binomial(n1, 0.66, worlds) / n1
        se = np.sqrt(p0 * (1 - p0) / n0 + p1 * (1 - p1) / n1)
        found = float((p1 - p0 > width * se).mean())
        assert abs(found - 0.8) <= off_by(0.8, worlds) + 0.01


def test_fewer_people_are_refused_unless_told_and_the_effect_they_find_is_said() -> None:
    design = Design(baseline=0.6, effect=0.02, shares=HALF, control="a")
    wanted = power.needed(design).people_at_any_look
    assert power.require(design, wanted).people_at_any_look == wanted
    with pytest.raises(Refused) as refused:
        power.require(design, 5_000)
    (one,) = refused.value.diagnostics
    assert (one.code, one.values["people"], one.values["needed"]) == (
        "under_powered",
        5_000,
        wanted,
    )
    assert power.require(design, 5_000, accepted=True).people_at_any_look == wanted
    least = power.detectable(design, 5_000)
    assert least is not None
    found = Design(baseline=0.6, effect=least, shares=HALF, control="a")
    assert power.needed(found).people_at_any_look == 5_000
    with pytest.raises(Refused, match="under_powered_always"):
        power.require(design, 3)


def test_more_arms_and_uneven_arms_need_more_people_and_covariates_fewer() -> None:
    def people(shares: dict[str, float], cut: float = 0.0) -> int:
        design = Design(
            baseline=0.5, effect=0.05, shares=shares, control="a", variance_cut=cut
        )  # fmt: skip
        return power.needed(design).people

    assert people(HALF) < people({"a": 0.8, "b": 0.2})
    assert people(HALF) < people({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3})
    assert people(HALF, 0.36) == pytest.approx(0.64 * people(HALF), abs=1)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"baseline": 0.0}, "baseline"),
        ({"baseline": float("nan")}, "baseline"),
        ({"effect": 0.0}, "effect"),
        ({"effect": 0.6}, "effect"),
        ({"variance_cut": 1.0}, "shares_between"),
        ({"control": "c"}, "nothing_compared"),
        ({"shares": {"a": 1.0}}, "nothing_compared"),
    ],
)
def test_a_design_that_is_none_is_refused(values: dict[str, object], code: str) -> None:
    usual = {"baseline": 0.5, "effect": 0.05, "shares": HALF, "control": "a"}
    with pytest.raises(Refused) as refused:
        power.needed(Design(**{**usual, **values}))  # type: ignore[arg-type]
    assert [one.code for one in refused.value.diagnostics] == [code]
