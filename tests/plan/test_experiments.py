"""An experiment's arm is drawn from the borrower's id: the same on every day and machine."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from hashlib import md5
from importlib import resources
from pathlib import Path

import pytest
from case_book import group
from plan_made import Made, make

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


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory, write_book) -> tuple[Made, Made]:
    """Give the plans of two days of sixty borrowers ten days late and one in another state."""
    cases = [{"says": "", "late": 10, "then": {}} for _ in range(COUNT)]
    cases.append({"says": "", "late": 40, "then": {}})
    tables = group("arms", {"at": "2026-03-10T10:00:00+08:00", "cases": cases})
    folder: Path = tmp_path_factory.mktemp("arms")
    book = write_book(folder, tables.tables)
    policy = folder / "policy.yaml"
    text = BUILT_IN.read_text("utf-8").replace("treatments:\n", STEP, 1) + EXPERIMENT
    policy.write_text(text, encoding="utf-8")
    return tuple(
        make(book, folder / f"plan-{days}", at=tables.instant + timedelta(days=days),
             policy=str(policy))
        for days in (0, 3)
    )  # type: ignore[return-value]  # fmt: skip


def arm_of(borrower: str) -> str:
    """Return the arm as the architecture defines a draw."""
    draw = int(md5(f"{borrower}\x1fspring".encode()).hexdigest()[:8], 16) % 10_000
    return "text" if draw < 5_000 else "call"


def test_arms_are_drawn_from_the_id_and_the_salt(plans: tuple[Made, Made]) -> None:
    for made in plans:
        for number in range(1, COUNT + 1):
            row = made.decisions[f"B{number}-a"]
            called = row["rule"] == "call-first"
            assert called == (arm_of(f"B{number}") == "call")
            assert row["decision"] == ("task" if called else "contact")


def test_both_arms_are_drawn(plans: tuple[Made, Made]) -> None:
    found = Counter(row["decision"] for row in plans[0].decisions.values())
    assert found["task"] > 20
    assert found["contact"] > 20


def test_who_is_not_in_the_experiment_has_no_arm(plans: tuple[Made, Made]) -> None:
    assert plans[0].decisions[f"B{COUNT + 1}-a"]["rule"] == "plan-offer"
