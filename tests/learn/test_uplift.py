"""Goal: who is changed by contact is told from who is not, and the interval is honest.
Method: a world whose effect is known for each person; the truth from many people."""

from __future__ import annotations

import numpy as np
import pytest
from worlds import generator, off_by, people

from duly.core.errors import Refused
from duly.learn import uplift

#: The area under the true order: the best half gains 0.2 each, so gain(s) - s gain(1) is 0.1 s
#: up to the half and falls to nought after it.
TRUE_QINI = 0.025


def _scores(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, treated, y = people(rng, count)
    first = rng.random(count) < 0.5
    gamma = uplift.robust_scores(y, treated, x, first, share=0.5)
    return gamma, uplift.expected(gamma, x, first), x


def test_the_mean_score_is_the_effect() -> None:
    rng, found = generator(51), []
    for _ in range(200):
        gamma, _, _ = _scores(rng, 800)
        half = 1.96 * gamma.std(ddof=1) / np.sqrt(gamma.size)
        found.append(abs(gamma.mean() - 0.1) <= half)
    assert abs(np.mean(found) - 0.95) <= off_by(0.95, 200)


def test_the_interval_of_qini_covers_the_truth_of_a_given_order() -> None:
    rng, worlds, found = generator(52), 500, []
    for _ in range(worlds):
        gamma, _, x = _scores(rng, 600)
        one = uplift.qini(gamma, (x[:, 0] > 0).astype(float))
        found.append(one.low <= TRUE_QINI <= one.high)
    assert abs(np.mean(found) - 0.95) <= off_by(0.95, worlds)


def test_an_order_by_chance_has_no_area() -> None:
    rng, worlds, found = generator(53), 500, []
    for _ in range(worlds):
        gamma, _, _ = _scores(rng, 600)
        one = uplift.qini(gamma, rng.random(600))
        found.append(one.low <= 0 <= one.high)
    assert abs(np.mean(found) - 0.95) <= off_by(0.95, worlds)


def test_a_learned_order_finds_whom_contact_helps() -> None:
    gamma, expected, x = _scores(generator(54), 20_000)
    found = uplift.qini(gamma, expected)
    assert found.low > 0
    assert abs(found.coefficient - TRUE_QINI) < 0.008
    assert found.gain[-1] == pytest.approx(gamma.mean())
    least, *_, most = uplift.groups(gamma, expected, worth=0.06)
    assert (least.verdict, most.verdict) == ("leave_alone", "contact")
    named = uplift.named_groups(gamma, np.where(x[:, 0] > 0, "high", "low"), worth=0.06)
    assert {name: one.verdict for name, one in named.items()} == {
        "high": "contact", "low": "leave_alone",
    }  # fmt: skip


def test_few_people_are_no_proof_that_contact_changes_nothing() -> None:
    gamma, expected, _ = _scores(generator(55), 1_000)
    verdicts = {one.verdict for one in uplift.groups(gamma, expected, worth=0.02)}
    assert "leave_alone" not in verdicts


def test_halves_are_drawn_from_ids_and_apart_from_the_arms() -> None:
    ids = [f"B{number}" for number in range(4_000)]
    first = uplift.halves(ids, "spring")
    assert first.tolist() == uplift.halves(ids, "spring").tolist()
    assert abs(first.mean() - 0.5) < off_by(0.5, 4_000)
    assert abs((first == uplift.halves(ids, "autumn")).mean() - 0.5) < off_by(0.5, 4_000)


def test_what_cannot_be_judged_is_refused() -> None:
    x, treated, y = people(generator(56), 1_000)
    first = np.arange(1_000) % 2 == 0
    bad = [
        (y[:3], treated[:3], x[:3], first[:3], 0.5, "too_few"),
        (np.zeros(1_000), treated, x, first, 0.5, "all_alike"),
        (y, treated, np.where(x > 2, np.nan, x), first, 0.5, "not_finite"),
        (y, np.ones(1_000, bool), x, first, 0.5, "too_few"),
        (y, treated, x, first, 1.0, "shares_between"),
        (y[:-1], treated, x, first, 0.5, "lengths"),
    ]
    for outcome, arm, covariates, half, share, code in bad:
        with pytest.raises(Refused) as refused:
            uplift.robust_scores(outcome, arm, covariates, half, share=share)
        assert [one.code for one in refused.value.diagnostics] == [code]
