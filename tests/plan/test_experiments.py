"""An experiment's arm is drawn from the borrower's id: the same on every day and machine."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime, timedelta
from hashlib import md5
from importlib import resources
from pathlib import Path

import pytest
from case_book import group
from plan_made import KEY, Made, make

from duly.plan.replay import replay
from duly.policy import draw

BUILT_IN = resources.files("duly.policy").joinpath("builtin", "cn-installment.yaml")
EXPERIMENT = """
experiments:
  - id: call-first
    where: days_delinquent between 5 and 20
    arms: {text: 50 %, call: 50 %}
    measure: cured_15d
    stop_on: [complaints]
    salt: spring
"""
STEP = """treatments:
  - id: call-first
    if: arm_call_first = 'call'
    from_day: 1
    every: 10 days
    task: {kind: call, script: call_first, expires: 3 days}
"""
COUNT = 60
#: Holds the three borrowers behind the sixty out: they must hear what everybody hears all the same.
SALT = next(
    f"s{number}" for number in range(100_000)
    if all(draw(f"B{COUNT + one}", f"s{number}") < 1_000 for one in (1, 2, 3))
)  # fmt: skip


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory, write_book) -> tuple[Made, ...]:
    """Give plans of sixty borrowers ten days late and three others; the third has a holdout."""
    cases = [{"says": "", "late": 10, "then": {}} for _ in range(COUNT)]
    cases.append({"says": "", "late": 40, "then": {}})
    hardship = {"kind": "hardship", "starts_at": "-60d 10:00"}
    ended = {**hardship, "ends_at": "-40d 10:00"}
    cases += [{"says": "", "late": 10, "signals": [one], "then": {}} for one in (hardship, ended)]
    tables = group("arms", {"at": "2026-03-10T10:00:00+08:00", "cases": cases})
    folder: Path = tmp_path_factory.mktemp("arms")
    book = write_book(folder, tables.tables)
    policy = folder / "policy.yaml"
    text = BUILT_IN.read_text("utf-8").replace("treatments:\n", STEP, 1) + EXPERIMENT
    policy.write_text(text, encoding="utf-8")
    held = folder / "held.yaml"
    held.write_text(text + f"holdout: {{share: 10 %, salt: {SALT}}}\n", encoding="utf-8")
    return tuple(
        make(book, folder / f"plan-{number}", at=tables.instant + timedelta(days=days),
             policy=str(one))
        for number, (days, one) in enumerate(((0, policy), (3, policy), (0, held)))
    )  # type: ignore[return-value]  # fmt: skip


def arm_of(borrower: str) -> str:
    """Return the arm as the architecture defines a draw."""
    draw = int(md5(f"{borrower}\x1fspring".encode()).hexdigest()[:8], 16) % 10_000
    return "text" if draw < 5_000 else "call"


def test_arms_are_drawn_from_the_id_and_the_salt(plans: tuple[Made, ...]) -> None:
    for made in plans[:2]:
        for number in range(1, COUNT + 1):
            row = made.decisions[f"B{number}-a"]
            called = row["rule"] == "call-first"
            assert called == (arm_of(f"B{number}") == "call")
            assert row["decision"] == ("task" if called else "contact")


def test_both_arms_are_drawn(plans: tuple[Made, ...]) -> None:
    found = Counter(row["decision"] for row in plans[0].decisions.values())
    assert found["task"] > 20
    assert found["contact"] > 20


def test_who_is_not_in_the_experiment_has_no_arm(plans: tuple[Made, ...]) -> None:
    assert plans[0].decisions[f"B{COUNT + 1}-a"]["rule"] == "plan-offer"


def test_the_plan_records_who_is_in_which_arm(plans: tuple[Made, ...]) -> None:
    for number in range(1, COUNT + 1):
        told = plans[0].decisions[f"B{number}-a"]["arms"]
        assert told == [f"call-first={arm_of(f'B{number}')}"]
    assert plans[0].decisions[f"B{COUNT + 1}-a"]["arms"] is None


def test_hardship_now_or_once_is_in_no_experiment(plans: tuple[Made, ...]) -> None:
    for made in (plans[0], plans[2]):
        now, once = (made.decisions[f"B{COUNT + number}-a"] for number in (2, 3))
        assert (now["decision"], now["arms"]) == ("task", None)
        assert (once["decision"], once["reason"], once["arms"]) == ("contact", "first_late", None)


def test_a_holdout_hears_less_and_nobody_else_changes(plans: tuple[Made, ...]) -> None:
    open_, held = plans[0].decisions, plans[2].decisions
    out = {name for name, row in held.items() if draw(row["borrower_id"], SALT) < 1_000}
    assert len(out) > 2
    for name, row in held.items():
        before = open_[name]
        if name not in out:
            assert (row["decision"], row["reason"]) == (before["decision"], before["reason"])
        elif before["arms"]:
            assert (row["decision"], row["reason"]) == ("none", "holdout")
            assert (row["rule"], row["arms"]) == (before["rule"], ["holdout=held"])
            assert (row["message_id"], row["task_kind"]) == (None, None)
    assert held["B1-a"]["arms"] == [f"call-first={arm_of('B1')}", "holdout=open"]


def test_a_holdout_never_goes_without_help(plans: tuple[Made, ...]) -> None:
    """Forty days late: an offer of a plan. In hardship: care. Once in hardship: a text as ever."""
    offered, cared, spared = (plans[2].decisions[f"B{COUNT + one}-a"] for one in (1, 2, 3))
    assert (offered["decision"], offered["reason"]) == ("contact", "plan_offer")
    assert (cared["decision"], cared["task_kind"]) == ("task", "review")
    assert (spared["decision"], spared["reason"]) == ("contact", "first_late")
    assert plans[2].message_of(f"B{COUNT + 1}-a") is not None


def test_a_plan_with_arms_is_worked_out_again_the_same(plans: tuple[Made, ...]) -> None:
    found = replay(plans[2].path, key=KEY, loan_id=None, clock=time.perf_counter)
    assert found.differences == ()
    assert found.plan_sha256 == plans[2].run["plan_sha256"]
    assert plans[2].run["versions"]["stages"] == "3+arms1"


def test_without_experiments_a_plan_is_as_before(plans: tuple[Made, ...], tmp_path: Path) -> None:
    made = make(plans[0].path / "inputs" / "snapshot", tmp_path / "plan",
                at=datetime.fromisoformat("2026-03-10T10:00:00+08:00"))  # fmt: skip
    assert "arms" not in made.decisions["B1-a"]
    assert made.run["versions"]["stages"] == "3"
