"""Goal: what the solver believes of borrowers is what plans make of them. Method: the candidates of
a generated book and of a real one, their features put in: no axiom is broken, each step is the
plan's.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import z3
from proof_world import BAD, lender, texts, world

from duly.book import take_snapshot
from duly.conditions.solver import Symbols, conjunction
from duly.plan.inputs import PlanInputs, rules_of
from duly.plan.pipeline import make_plan
from duly.policy import FEATURES, TONES, Policy
from duly.proofs.meaning import meaning
from duly.proofs.question import Theory
from duly.proofs.rerun import World
from duly.proofs.search import Asker
from duly.proofs.state import Setting, State, state
from duly.risk import load_scorecard
from duly.simulate import write_sample

Row = Mapping[str, Any]
SAMPLE_AT = datetime.fromisoformat("2026-03-10T09:00:00+08:00")
MINTOS_AT = datetime.fromisoformat("2020-02-20T09:00:00+08:00")


def _rows(book: Path, work: Path, at: datetime, around: World) -> list[Row]:
    """Give every candidate of a plan with its features, its step and the tone it was given."""
    snapshot = take_snapshot(book, work / "snapshot", lender=lender(), needs="plan", threads=1)
    today = at.astimezone(around.moment.zone).date()
    inputs = PlanInputs(
        snapshot=snapshot, instant=at, lender=lender(), policy=around.policy,
        rules=rules_of(lender(), today), catalogue=around.catalogue,
    )  # fmt: skip
    plan = make_plan(inputs, clock=time.perf_counter, threads=1, keep_stages=True)
    columns = ", ".join(
        f"date '{today}' - s.step_on_{number} as ago_{number}"
        for number in range(len(around.policy.treatments))
    )
    found = plan.connection.sql(
        f"select s.*, {columns}, date '{today}' as today, p.step, p.lane, v.tone, v.sends"
        " from scored as s join proposals as p on p.loan = s.loan"
        " join verdicts as v on v.loan = s.loan"
    ).to_arrow_table()
    plan.connection.close()
    return found.to_pylist()


def _setting(policy: Policy) -> Setting:
    return Setting(
        policy=policy, card=load_scorecard(), bureau_reports=lender().bureau_reports,
        floor_minor=max(policy.floor_minor, lender().limits.floor_minor), demands=texts().demands,
        symbols=Symbols(),
    )  # fmt: skip


def _given(setting: Setting, one: State, row: Row) -> Iterator[z3.BoolRef]:
    """Give that a state is one row."""
    for name, pair in one.row.items():
        value = row[name]
        yield pair.null == z3.BoolVal(value is None)
        if value is None:
            continue
        is_text = name not in FEATURES or FEATURES[name].kind == "text"
        yield pair.value == (setting.symbols.code(value) if is_text else value)
    ends, today = row["grace_ends_on"], row["today"]
    yield one.in_grace == (row["days_delinquent"] < 1 if ends is None else ends >= today)
    for number, step in enumerate(setting.policy.treatments):
        ago, pair = row[f"ago_{number}"], one.steps[step.id]
        yield pair.null == z3.BoolVal(ago is None)
        if ago is not None:
            yield pair.value == ago


def _agrees(around: World, rows: list[Row]) -> int:
    """Return how many rows a treatment decides, having compared all."""
    setting = _setting(around.policy)
    one = state(setting)
    meant = meaning(setting, one)
    steps = 0
    for row in rows:
        solver = z3.Solver()
        solver.add(*_given(setting, one, row))
        axioms = [*one.axioms, *one.scored]
        # The value behind a null is free: an axiom holds where some value keeps it.
        if solver.check(*axioms) != z3.sat:
            broken = [str(axiom) for axiom in axioms if solver.check(axiom) != z3.sat]
            raise AssertionError((row["loan_id"], broken))
        solver.add(*axioms)
        contrary = [
            z3.Not(term) if step.id == row["step"] else term
            for step, term in zip(around.policy.treatments, meant.chosen, strict=True)
        ]
        if row["sends"]:
            contrary.append(meant.tone != TONES.index(row["tone"]) + 1)
        if row["lane"] == "below_floor":
            contrary.append(meant.decided)
        assert solver.check(z3.Or(contrary)) == z3.unsat, (row["loan_id"], row["step"])
        steps += row["step"] is not None
    return steps


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    book = tmp_path_factory.mktemp("sample") / "book"
    write_sample(book, loans=1_500)
    return book


@pytest.mark.parametrize(
    "policy", ["cn-installment", BAD / "serious-as-first-word.yaml", BAD / "ladder-that-ends.yaml"]
)
def test_every_axiom_and_every_step_agrees_with_the_plan_of_a_generated_book(
    policy: str | Path, sample: Path, tmp_path: Path
) -> None:
    around = world(policy)
    rows = _rows(sample, tmp_path, SAMPLE_AT, around)
    assert len(rows) > 200
    assert _agrees(around, rows) > 100


def test_every_axiom_and_every_step_agrees_with_the_plan_of_a_real_book(
    shared: Path, tmp_path: Path
) -> None:
    around = world("cn-installment")
    rows = _rows(shared / "data" / "mintos" / "book", tmp_path, MINTOS_AT, around)
    assert len(rows) > 50
    assert _agrees(around, rows) > 50


def test_the_axioms_contradict_nothing() -> None:
    setting = _setting(world("cn-installment").policy)
    one = state(setting)
    asker = Asker(setting, [one], usual={}, seconds=10)
    for name in ("security_signal", "undelivered_last", "first_late", "bureau_notice_due"):
        assert asker.holds(one.value(name), *one.scored)
        assert asker.holds(z3.Not(one.value(name)), *one.scored)
    assert asker.ask(conjunction([one.value("days_past_due") == 400])).verdict == "refuted"
    assert asker.ask(one.value("days_delinquent") > one.value("days_past_due")).verdict == "proved"


def test_a_theory_asks_about_one_borrower_and_about_two() -> None:
    from duly.proofs.prove import theory

    made: Theory = theory(world("cn-installment"), load_scorecard(), 10)
    less, more = (one.state for one in made.two)
    assert made.alone.states == (made.state,)
    assert made.pair.states == (less, more)
