"""Goal: sending where the gate allows it keeps every cap. Method: each limit of the packs proved; a
gate that is laxer by one contact or one hour is refuted; rows of dates worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import z3
from proof_world import rules, world

from duly.proofs import caps
from duly.proofs.caps import Limit, broken_by, can_repeat, inductive, law, own, text_caps

DAY = Limit(name="1/d", count=1, seconds=None, dates=1)
WEEK = Limit(name="3/168 h", count=3, seconds=168 * 3600, dates=1)
CALLS = Limit(name="3/d, 2 h apart", count=3, seconds=None, dates=1, gap_seconds=7200)
DATES = Limit(name="2/7 d", count=2, seconds=None, dates=7)


def test_every_cap_in_force_and_every_limit_of_the_policy_is_kept() -> None:
    limits = [*law(rules()), *own(world("cn-installment").policy, 1, 3)]
    names = [one.name for one in limits]
    assert "CN-FREQ-3 3/168 h" in names
    assert "CN-FREQ-3 1/1 d" in names
    assert "CN-FREQ-2-DEFAULT 3/1 d" in names
    assert names[-3:] == ["texts_per_7_days 2", "texts_per_day 1", "cooldown_days 2"]
    assert [one.name for one in limits if not inductive(one, seconds=30)] == []


@pytest.mark.parametrize("limit", [DAY, WEEK, CALLS, DATES], ids=lambda one: one.name)
def test_a_gate_that_lets_one_more_through_is_refuted(
    limit: Limit, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = caps.allowed
    assert inductive(limit, seconds=30) is True
    monkeypatch.setattr(
        caps, "allowed", lambda one, *rest: gate(replace(one, count=one.count + 1), *rest)
    )
    assert inductive(limit, seconds=30) is False


def test_a_gate_that_looks_back_an_hour_too_few_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = caps.allowed
    monkeypatch.setattr(
        caps, "allowed", lambda one, *rest: gate(replace(one, seconds=167 * 3600), *rest)
    )
    assert inductive(WEEK, seconds=30) is False


def test_a_gate_that_forgets_the_gap_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = caps.allowed
    monkeypatch.setattr(
        caps, "allowed", lambda one, *rest: gate(replace(one, gap_seconds=0), *rest)
    )
    assert inductive(CALLS, seconds=30) is False


def test_a_question_that_is_not_answered_in_time_is_no_proof(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(z3.Solver, "check", lambda *_: z3.unknown)
    assert inductive(WEEK, seconds=1) is None
    with pytest.raises(TimeoutError):
        broken_by([DAY], WEEK, seconds=1)


def _own(texts: int, cooldown: int) -> list[Limit]:
    week = Limit(name="own", count=texts, seconds=168 * 3600, dates=1)
    gap = [Limit(name="gap", count=1, seconds=None, dates=cooldown)] if cooldown else []
    return [week, *gap]


@pytest.mark.parametrize(
    ("texts", "cooldown", "cap", "keeps"),
    [
        (2, 2, DAY, True),
        (2, 2, WEEK, True),
        (3, 1, WEEK, True),
        (4, 1, WEEK, False),
        (7, 2, WEEK, False),  # On days 0, 2, 4 and 6.
        (7, 3, WEEK, True),  # On days 0, 3 and 6; the next lies 9 days after the first.
        (2, 0, DAY, False),
    ],
)
def test_the_policys_own_limits_keep_a_cap_or_a_row_of_days_breaks_it(
    texts: int, cooldown: int, cap: Limit, keeps: bool
) -> None:
    days = broken_by(_own(texts, cooldown), cap, seconds=30)
    assert (days is None) is keeps
    if days is not None:
        assert len(days) == cap.count
        row = [*days, 0]
        assert all(early - late >= cooldown for early, late in pairwise(row))
        assert days[0] <= (0 if cap is DAY else 7)


@pytest.mark.parametrize(
    ("every", "texts", "cooldown", "can"),
    [(4, 2, 2, True), (3, 2, 2, False), (3, 3, 2, True), (2, 3, 2, False), (1, 7, 2, False)],
)
def test_a_step_can_repeat_or_its_own_limits_stop_it(
    every: int, texts: int, cooldown: int, can: bool
) -> None:
    assert can_repeat(_own(texts, cooldown), every) is can


def test_the_caps_on_texts_are_those_of_the_packs() -> None:
    found = {(rule, cap.name) for rule, cap in text_caps(rules())}
    assert found == {
        ("DEC-FREQ-3", "1/1 d"), ("DEC-FREQ-3", "3/168 h"),
        ("CN-FREQ-3", "1/1 d"), ("CN-FREQ-3", "3/168 h"),
    }  # fmt: skip
