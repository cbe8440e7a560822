"""A book of people in two arms whose outcomes are known, and the three plans that drew the arms.

Nobody is real: outcomes come from a seed, arms from the ids. One book serves all plans, as what is
dated after a plan does not exist for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib import resources
from pathlib import Path

import numpy as np

from duly.core.check_key import CheckKey
from duly.plan.making import Request, make_and_write
from duly.plan.write import Format
from duly.policy import draw

KNOWN_UNTIL = date(2026, 4, 10)
#: Day of the plan on which each lot enters, ten days late; the last is not yet known.
LOTS = {date(2026, 3, 10): 400, date(2026, 3, 20): 300, date(2026, 4, 1): 40}
EXPERIMENT = """
experiments:
  - id: call-first
    where: days_delinquent between 5 and 20
    arms: {text: 50 %, call: 50 %}
    measure: cured_15d
    detect: 5 %
    stop_on: [complaints, broken_promises]
holdout: {share: 2 %}
"""
STEP = """treatments:
  - id: call-first
    if: arm_call_first = 'call'
    from_day: 1
    every: 10 days
    task: {kind: call, script: call_first, expires: 3 days}
"""
BUILT_IN = resources.files("duly.policy").joinpath("builtin", "cn-installment.yaml")


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who entered when, drawn into which arm, and what came of it."""

    borrower_id: str
    entered_on: date
    arm: str
    held_out: bool
    paid_after: int | None
    complained_after: int | None


@dataclass(frozen=True, kw_only=True)
class World:
    """The book, its plans, and the truth of each person."""

    book: Path
    plans: tuple[Path, ...]
    people: tuple[Person, ...]

    def entered(self, arm: str) -> list[Person]:
        """Return the people of an arm who are not held out."""
        return [one for one in self.people if one.arm == arm and not one.held_out]


def policy_text(change: Callable[[str], str] = lambda text: text) -> str:
    """Return the built-in policy with the experiment, changed."""
    text = BUILT_IN.read_text("utf-8").replace("treatments:\n", STEP, 1)
    return text + change(EXPERIMENT)


def people() -> list[Person]:
    """Return everybody: half of the texts and two thirds of the calls cure within 15 days."""
    rng, made = np.random.default_rng(71), []
    for day, count in LOTS.items():
        for _ in range(count):
            name = f"B{len(made) + 1}"
            arm = "text" if draw(name, "call-first") < 5_000 else "call"
            cures = rng.random() < {"text": 0.45, "call": 0.65}[arm]
            # Who pays on the sixteenth day is one day late for the measure.
            paid = int(rng.integers(1, 16)) if cures else int(rng.choice([16, 20, -1]))
            complains = rng.random() < {"text": 0.01, "call": 0.15}[arm]
            made.append(
                Person(
                    borrower_id=name, entered_on=day, arm=arm,
                    held_out=draw(name, "holdout") < 200, paid_after=None if paid < 0 else paid,
                    complained_after=int(rng.integers(0, 5)) if complains else None,
                )
            )  # fmt: skip
    return made


def tables(everybody: Sequence[Person]) -> Mapping[str, list[dict[str, object]]]:
    """Return the book of these people: one loan each, ten days late on the day of entry."""
    made: dict[str, list[dict[str, object]]] = {
        name: [] for name in ("loans", "installments", "payments", "borrowers", "contact_points",
                              "contacts", "signals")
    }  # fmt: skip
    for number, one in enumerate(everybody, start=1):
        loan = f"L{number}"
        made["loans"].append(
            {"loan_id": loan, "borrower_id": one.borrower_id, "late_rate_daily": "0"}
        )
        due = one.entered_on - timedelta(days=10)
        made["installments"] += [
            {"loan_id": loan, "number": n + 1, "due_on": (due + timedelta(days=60 * n)).isoformat(),
             "principal": "500.00"}
            for n in (0, 1)
        ]  # fmt: skip
        made["borrowers"].append({"borrower_id": one.borrower_id})
        made["contact_points"].append(
            {"borrower_id": one.borrower_id, "address": f"+86138{number:08d}"}
        )
        paid_on = _after(one.entered_on, one.paid_after)
        if paid_on is not None:
            made["payments"].append(
                {"loan_id": loan, "paid_on": paid_on.isoformat(), "amount": "500.00"}
            )
        said_on = _after(one.entered_on, one.complained_after)
        if said_on is not None:
            made["signals"].append(
                {"borrower_id": one.borrower_id, "kind": "complaint", "detail": "",
                 "starts_at": f"{said_on}T21:30:00+08:00"}
            )  # fmt: skip
    return made


def _after(day: date, count: int | None) -> date | None:
    return None if count is None else day + timedelta(days=count)


def build(folder: Path, write_book: Callable[..., Path]) -> World:
    """Write the book and make its plans."""
    everybody = people()
    book = write_book(folder, tables(everybody))
    (book / "book.json").write_text('{"contract": 1, "cut_at": "2026-04-11T00:00:00+08:00"}')
    (folder / "policy.yaml").write_text(policy_text(), encoding="utf-8")
    plans = [plan(folder, book, day, folder / "policy.yaml") for day in LOTS]
    return World(book=book, plans=tuple(plans), people=tuple(everybody))


def plan(
    folder: Path,
    book: Path,
    day: date,
    policy: Path,
    name: str = "plan",
    lender: Path | None = None,
    form: Format = "parquet",
) -> Path:
    """Make the plan of a day at ten in the morning."""
    out = folder / f"{name}-{day}"
    make_and_write(
        Request(book=book, instant=datetime.fromisoformat(f"{day}T10:00:00+08:00"), out=out,
                lender_file=lender, policy=str(policy), locale="en", threads=1, form=form),
        key=CheckKey(key_id="k1", secret=b"a key of thirty-two bytes, for us"),
        clock=time.perf_counter,
    )  # fmt: skip
    return out
