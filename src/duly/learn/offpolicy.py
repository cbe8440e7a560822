"""What would a policy have done that was never run? Only as far as chance once did the same.

Inverse propensity (Horvitz, Thompson 1952), self-normalised (Hájek; Swaminathan, Joachims 2015) and
doubly robust (Dudík, Langford, Li 2011) estimates from what was drawn, after their assumptions are
checked: each person could have got what the policy would give, with a chance that was written down
and is the true one, and enough people did.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from duly.learn import normal
from duly.learn.arrays import Floats, Ints, enough, floats, refused, same_length

LEVEL = 0.95
CHANCE_MIN = 0.01  #: of an action that the policy would take
SAMPLE_MIN = 100  #: effective sample size, Kish
_SUM_TOLERANCE = 1e-6
#: A count of an action that chance gives so rarely means that the propensities are not true.
_MISMATCH_ALPHA = 0.001


@dataclass(frozen=True, kw_only=True)
class Logged:
    """What was done: rows are people, columns of `chances` and of the policy are actions."""

    action: Ints
    reward: Floats
    chances: Floats  #: of each action for each person, as they were when it was drawn


@dataclass(frozen=True, kw_only=True)
class Valued:
    """The mean reward of a policy by one estimate."""

    value: float
    se: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Unseen:
    """The estimates of a policy, and how far what was logged carries them."""

    ips: Valued
    snips: Valued
    doubly_robust: Valued
    effective_people: float
    largest_weight: float
    people: int


def estimate(
    logged: Logged, policy: Floats, expected: Floats | None = None, *, level: float = LEVEL
) -> Unseen:
    """Return the value of a policy given as the chance of each action for each person.

    `expected` is a model's reward of each action for each person, fitted on other people; without
    it the doubly robust estimate uses the mean reward of each action. Refuses (Refused) what
    `check` refuses.
    """
    weights, reward = check(logged, policy), logged.reward
    robust = _robust(logged, policy, weights, expected)
    ratio = float((weights * reward).sum() / weights.sum())
    residual = weights * (reward - ratio) / weights.mean()
    return Unseen(
        ips=_valued(weights * reward, level),
        snips=_valued(ratio + residual, level),
        doubly_robust=_valued(robust, level),
        effective_people=effective_people(weights),
        largest_weight=float(weights.max()),
        people=reward.size,
    )


def compare(
    logged: Logged,
    policy: Floats,
    other: Floats,
    expected: Floats | None = None,
    *,
    level: float = LEVEL,
) -> Valued:
    """Return how much more a policy gains than another, doubly robust, of the same people.

    Refuses (Refused) what `check` refuses of either.
    """
    gains = [_robust(logged, one, check(logged, one), expected) for one in (policy, other)]
    return _valued(gains[0] - gains[1], level)


def _robust(logged: Logged, policy: Floats, weights: Floats, expected: Floats | None) -> Floats:
    """Return for each person a value whose mean is the policy's."""
    model = _means(logged) if expected is None else floats(expected, "expected")
    if model.shape != policy.shape:
        raise refused("lengths", told=f"expected {model.shape}, policy {policy.shape}")
    told = model[np.arange(logged.action.size), logged.action]
    made: Floats = (policy * model).sum(1) + weights * (logged.reward - told)
    return made


def check(logged: Logged, policy: Floats) -> Floats:
    """Return the weight of each person; refuse (Refused) where the assumptions do not hold."""
    count = same_length(
        action=logged.action, reward=logged.reward, chances=logged.chances, policy=policy
    )
    enough(count, "people")
    floats(logged.reward, "reward")
    for name, table in (("chances", logged.chances), ("policy", policy)):
        made = floats(table, name)
        if (made < 0).any() or (abs(made.sum(1) - 1) > _SUM_TOLERANCE).any():
            raise refused("no_distribution", what=name)
    if policy.shape != logged.chances.shape:
        raise refused("lengths", told=f"chances {logged.chances.shape}, policy {policy.shape}")
    if logged.action.min() < 0 or logged.action.max() >= policy.shape[1]:
        raise refused("no_such_action")
    wanted = policy > 0
    thin = wanted & (logged.chances < CHANCE_MIN)
    if thin.any():
        raise refused("no_overlap", people=int(thin.any(1).sum()), least=f"{CHANCE_MIN:.0%}")
    _check_chances(logged)
    rows = np.arange(count)
    weights: Floats = policy[rows, logged.action] / logged.chances[rows, logged.action]
    people = effective_people(weights)
    if people < SAMPLE_MIN:
        raise refused("too_little_overlap", people=f"{people:.0f}", least=SAMPLE_MIN)
    return weights


def effective_people(weights: Floats) -> float:
    """Return the size of an unweighted sample that would be as precise (Kish)."""
    return float(weights.sum() ** 2 / max(float((weights**2).sum()), 1e-300))


def _check_chances(logged: Logged) -> None:
    """Refuse chances under which the counts of actions would be as good as impossible."""
    chances = logged.chances
    if (chances[np.arange(logged.action.size), logged.action] <= 0).any():
        raise refused("impossible_action")
    least = _MISMATCH_ALPHA / chances.shape[1]
    for action in range(chances.shape[1]):
        chance = chances[:, action]
        spread = sqrt(float((chance * (1 - chance)).sum()))
        off = float((logged.action == action).sum() - chance.sum())
        if spread > 0 and normal.p_value(off / spread) < least:
            raise refused(
                "chances_not_true", action=action, count=int((logged.action == action).sum()),
                expected=f"{chance.sum():.0f}",
            )  # fmt: skip


def _means(logged: Logged) -> Floats:
    """Return the mean reward of each action, the mean of all where nobody got it, as a table."""
    actions = logged.chances.shape[1]
    counts = np.bincount(logged.action, minlength=actions)
    sums = np.bincount(logged.action, weights=logged.reward, minlength=actions)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), logged.reward.mean())
    return np.broadcast_to(means, logged.chances.shape).astype(np.float64)


def _valued(values: Floats, level: float) -> Valued:
    value, se = float(values.mean()), float(values.std(ddof=1)) / sqrt(values.size)
    wide = normal.two_sided(level) * se
    return Valued(value=value, se=se, low=value - wide, high=value + wide)
