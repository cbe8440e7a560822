"""Goal: the value of a policy never run is covered by its interval, or refused with its reason."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from worlds import generator, off_by

from duly.core.errors import Refused
from duly.learn.offpolicy import Logged, Unseen, compare, effective_people, estimate

#: Reward of two actions below and above nought of the covariate; the policy takes the better one.
TRUE_VALUE = (0.5 + 0.7) / 2


def _world(rng: np.random.Generator, count: int) -> tuple[Logged, np.ndarray, np.ndarray]:
    x = rng.normal(size=count) > 0
    second = np.where(x, 0.3, 0.6)
    chances = np.column_stack([1 - second, second])
    action = (rng.random(count) < second).astype(np.int64)
    means = np.where(x[:, None], [0.4, 0.7], [0.5, 0.2])
    reward = (rng.random(count) < means[np.arange(count), action]).astype(np.float64)
    better = np.where(x[:, None], [0.0, 1.0], [1.0, 0.0])
    return Logged(action=action, reward=reward, chances=chances), better, means


def test_the_three_estimates_cover_the_value_of_a_policy_never_run() -> None:
    rng, worlds = generator(61), 1_000
    held: dict[str, list[bool]] = {"ips": [], "snips": [], "doubly_robust": []}
    widths: dict[str, list[float]] = {name: [] for name in held}
    for _ in range(worlds):
        logged, policy, means = _world(rng, 500)
        try:
            found = estimate(logged, policy, means)
        except Refused:  # One draw in a thousand is as unlikely as chances that are not true.
            continue
        for name in held:
            one = getattr(found, name)
            held[name].append(one.low <= TRUE_VALUE <= one.high)
            widths[name].append(one.se)
    for name, seen in held.items():
        assert len(seen) >= worlds - 4
        assert abs(np.mean(seen) - 0.95) <= off_by(0.95, worlds), name
    assert np.mean(widths["doubly_robust"]) < np.mean(widths["snips"]) < np.mean(widths["ips"])


def test_the_gain_over_another_policy_is_covered_and_sharper_than_two_values() -> None:
    rng, worlds, held = generator(65), 500, []
    for _ in range(worlds):
        logged, policy, means = _world(rng, 500)
        always_first = np.tile([1.0, 0.0], (500, 1))
        one = compare(logged, policy, always_first, means)
        # The first action is worth 0.4 above nought and 0.5 below it.
        held.append(one.low <= TRUE_VALUE - 0.45 <= one.high)
    assert abs(np.mean(held) - 0.95) <= off_by(0.95, worlds)
    assert one.se < estimate(logged, policy, means).doubly_robust.se * 1.5
    assert compare(logged, policy, policy, means).value == 0


def test_doubly_robust_is_right_with_a_wrong_model() -> None:
    rng, worlds, held = generator(62), 500, []
    for _ in range(worlds):
        logged, policy, means = _world(rng, 500)
        one = estimate(logged, policy, 1 - means).doubly_robust
        held.append(one.low <= TRUE_VALUE <= one.high)
    assert abs(np.mean(held) - 0.95) <= off_by(0.95, worlds)


def test_the_policy_that_was_run_is_worth_what_it_got() -> None:
    logged, _, _ = _world(generator(63), 2_000)
    found: Unseen = estimate(logged, logged.chances)
    assert found.ips.value == pytest.approx(logged.reward.mean())
    assert (found.effective_people, found.largest_weight) == (2_000, 1.0)


def test_kish_by_hand() -> None:
    assert effective_people(np.array([1.0, 1.0, 2.0])) == pytest.approx(16 / 6)


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("nan", "not_finite"),
        ("three", "too_few"),
        ("no overlap", "no_overlap"),
        ("thin", "too_little_overlap"),
        ("sums", "no_distribution"),
        ("wrong chances", "chances_not_true"),
        ("impossible", "impossible_action"),
        ("unknown action", "no_such_action"),
        ("lengths", "lengths"),
    ],
)
def test_an_assumption_that_does_not_hold_is_refused_by_name(case: str, code: str) -> None:
    logged, policy, _ = _world(generator(64), 400)
    even = np.full((400, 2), 0.5)
    if case == "nan":
        logged = replace(logged, reward=np.full(400, np.nan))
    elif case == "three":
        logged = Logged(
            action=logged.action[:3], reward=logged.reward[:3], chances=logged.chances[:3]
        )
        policy = policy[:3]
    elif case == "no overlap":
        logged = replace(logged, chances=np.tile([1.0, 0.0], (400, 1)), action=np.zeros(400, int))
    elif case == "thin":
        action = (np.arange(400) % 20 == 0).astype(int)
        logged = replace(logged, chances=np.tile([0.95, 0.05], (400, 1)), action=action)
        policy = np.tile([0.0, 1.0], (400, 1))
    elif case == "sums":
        policy = policy * 0.9
    elif case == "wrong chances":
        logged = replace(logged, chances=even, action=(np.arange(400) % 4 == 0).astype(int))
    elif case == "impossible":
        logged = replace(logged, chances=np.tile([1.0, 0.0], (400, 1)))
        policy = np.tile([1.0, 0.0], (400, 1))
    elif case == "unknown action":
        logged = replace(logged, action=np.full(400, 2))
    elif case == "lengths":
        policy = policy[:-1]
    with pytest.raises(Refused) as refused:
        estimate(logged, policy)
    assert [one.code for one in refused.value.diagnostics] == [code]
