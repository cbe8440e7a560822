"""How many people an experiment needs, and the refusal to start one that cannot find its effect.

Shares, two-sided, unpooled under the effect and pooled under none (Fleiss, Levin, Paik, Statistical
Methods for Rates and Proportions, 3rd edition, 4.14 without its correction for continuity).
Several arms share alpha among their comparisons with the control (Bonferroni). To look at any time
costs people: `people_at_any_look` is what the confidence sequence needs to find the effect with
the same power.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, sqrt

from duly.learn import normal, sequential
from duly.learn.arrays import refused

POWER = 0.8
ALPHA = 0.05
_STEPS = 60  #: halvings of the interval in which the smallest effect is sought


@dataclass(frozen=True, kw_only=True)
class Design:
    """What is known before the start; shares are between 0 and 1."""

    baseline: float  #: the control's share of yes
    effect: float  #: the smallest difference worth finding, positive or negative
    shares: Mapping[str, float]  #: each arm's share of people
    control: str
    alpha: float = ALPHA
    power: float = POWER
    variance_cut: float = 0.0  #: what covariates are known to explain (CUPED)

    @property
    def compared(self) -> tuple[str, ...]:
        """The arms that are compared with the control."""
        return tuple(name for name, share in self.shares.items() if name != self.control and share)

    @property
    def alpha_each(self) -> float:
        """The alpha of one comparison."""
        return self.alpha / max(1, len(self.compared))


@dataclass(frozen=True, kw_only=True)
class Needed:
    """People in all arms together."""

    people: int  #: for one look, at the end
    people_at_any_look: int
    per_arm: Mapping[str, int]  #: of `people_at_any_look`


def needed(design: Design) -> Needed:
    """Return how many people the weakest comparison needs; refuse (Refused) a design that is none.

    >>> needed(Design(baseline=0.6, effect=0.024, shares={"a": .5, "b": .5}, control="a")).people
    12941
    """
    _check(design)
    once = max(_people(design, arm, look=False) for arm in design.compared)
    always = max(_people(design, arm, look=True) for arm in design.compared)
    return Needed(
        people=once,
        people_at_any_look=always,
        per_arm={name: ceil(always * share) for name, share in design.shares.items()},
    )


def detectable(design: Design, people: int) -> float | None:
    """Return the smallest effect, of the design's sign, that so many people find at any look.

    None where not even the largest possible difference would be found.
    """
    _check(design)
    low, high = 0.0, _largest(design)
    sign = 1 if design.effect > 0 else -1

    def wants(size: float) -> int:
        return needed(_with_effect(design, sign * size)).people_at_any_look

    if wants(high) > people:
        return None
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if wants(middle) <= people else (middle, high)
    return sign * high


def require(design: Design, people: int, *, accepted: bool = False) -> Needed:
    """Return what is needed; refuse (Refused) too few people unless that is `accepted`."""
    wanted = needed(design)
    if people < wanted.people_at_any_look and not accepted:
        least = detectable(design, people)
        raise refused(
            "under_powered" if least is not None else "under_powered_always",
            people=people, needed=wanted.people_at_any_look, effect=f"{100 * design.effect:.2f}",
            detectable="" if least is None else f"{100 * abs(least):.2f}",
        )  # fmt: skip
    return wanted


def _people(design: Design, arm: str, *, look: bool) -> int:
    p0, p1 = design.baseline, design.baseline + design.effect
    n0, n1 = design.shares[design.control], design.shares[arm]
    z_power = normal.quantile(design.power)
    apart = sqrt(p0 * (1 - p0) / n0 + p1 * (1 - p1) / n1)
    if look:
        width = sequential.penalty(design.alpha_each) * apart
    else:
        pooled = (n0 * p0 + n1 * p1) / (n0 + n1)
        width = normal.two_sided(1 - design.alpha_each) * sqrt(
            pooled * (1 - pooled) * (1 / n0 + 1 / n1)
        )
    return ceil((1 - design.variance_cut) * ((width + z_power * apart) / design.effect) ** 2)


def _largest(design: Design) -> float:
    room = 1 - design.baseline if design.effect > 0 else design.baseline
    return room * (1 - 1e-9)


def _with_effect(design: Design, effect: float) -> Design:
    return Design(**{**vars(design), "effect": effect})


def _check(design: Design) -> None:
    if not 0 < design.baseline < 1:
        raise refused("baseline", value=f"{100 * design.baseline:g}")
    if design.effect == 0 or not 0 < design.baseline + design.effect < 1:
        raise refused("effect", value=f"{100 * design.effect:g}")
    if not 0 <= design.variance_cut < 1 or not 0 < design.alpha < 1 or not 0 < design.power < 1:
        raise refused("shares_between")
    if not design.shares.get(design.control) or not design.compared:
        raise refused("nothing_compared")
