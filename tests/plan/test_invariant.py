"""Nobody who is plainly late is forgotten: the promise of `cn-installment`, kept by a plan."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from plan_made import make, write_book_json

Row = dict[str, Any]
BEIJING = timedelta(hours=8)
REGIONS = ["", "110000", "650100", "540000", "CN-XJ", "CN-XZ", "440300"]


def person_of(rng: Random) -> Row:
    """Return one borrower with one active loan that nothing holds."""
    contacts = [
        (
            rng.randint(13, 60),
            rng.choice(["sms", "voice", "email"]),
            rng.choice(["delivered", "undelivered", "connected", "replied"]),
            rng.choice(["out", "in"]),
            rng.choice(["", "overdue", "first-late", "plan-offer", "repeated"]),
        )
        for _ in range(rng.randint(0, 5))
    ]
    return {
        "late": rng.randint(8, 30),
        "grace_days": rng.randint(0, 7),
        "amount": rng.choice(["100.00", "100.01", "734.10", "25000.00"]),
        "earlier": [rng.choice([0, 0, 2, 9, 20, 60]) for _ in range(rng.randint(0, 10))],
        "left": rng.randint(0, 6),
        "rate": rng.choice(["0", "0.0005", "0.00065753"]),
        "region": rng.choice(REGIONS),
        "channel": rng.choice(["sms", "voice"]),
        "preferred": rng.choice(["", "sms", "email", "voice"]),
        "income": rng.choice(["", "1.00", "9000.00"]),
        "contacts": contacts,
    }


@pytest.mark.usefixtures("sample_plan")  # Made once: compiling changes the recursion limit.
@settings(
    max_examples=5,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    seed=st.integers(0, 2**32),
    minute=st.integers(9 * 60, 17 * 60),
    day=st.dates(date(2025, 3, 1), date(2027, 12, 31)),
)
def test_a_plain_arrears_of_8_to_30_days_is_contacted_or_handed_to_a_person(
    tmp_path_factory, write_book, seed: int, minute: int, day: date
) -> None:
    rng = Random(seed)
    people = [person_of(rng) for _ in range(300)]
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) - BEIJING + timedelta(minutes=minute)
    folder: Path = tmp_path_factory.mktemp("invariant")
    book = write_book(folder, _tables(people, day))
    write_book_json(book, {"contract": 1, "cut_at": at.isoformat()})
    made = make(book, folder / "plan", at=at)
    forgotten = [
        (made.decisions[f"L{n}"], person)
        for n, person in enumerate(people)
        if made.decisions[f"L{n}"]["decision"] not in ("contact", "task")
    ]
    assert not forgotten, forgotten[0]


def _tables(people: list[Row], today: date) -> dict[str, list[Row]]:
    tables: dict[str, list[Row]] = {
        name: []
        for name in ("loans", "installments", "payments", "borrowers", "contact_points", "contacts")
    }
    for n, person in enumerate(people):
        ids = {"loan_id": f"L{n}", "borrower_id": f"B{n}"}
        tables["loans"].append(
            ids
            | {"grace_days": person["grace_days"], "late_rate_daily": person["rate"]}
            | {"disbursed_on": "2023-01-01", "principal": "100000.00", "tolerance": "50.00"}
        )
        first = today - timedelta(days=person["late"] + 30 * len(person["earlier"]))
        for number in range(len(person["earlier"]) + 1 + person["left"]):
            due = first + timedelta(days=30 * number)
            tables["installments"].append(
                {"loan_id": ids["loan_id"], "number": number + 1, "due_on": due.isoformat()}
                | {"principal": person["amount"]}
            )
        for number, days in enumerate(person["earlier"]):
            paid_on = min(first + timedelta(days=30 * number + days), today - timedelta(days=31))
            tables["payments"].append(
                {"payment_id": f"P{n}-{number}", "loan_id": ids["loan_id"]}
                | {"paid_on": paid_on.isoformat(), "amount": person["amount"]}
            )
        tables["borrowers"].append(
            {"borrower_id": ids["borrower_id"], "region": person["region"]}
            | {"preferred_channel": person["preferred"], "monthly_income": person["income"]}
        )
        tables["contact_points"].append(
            {"borrower_id": ids["borrower_id"], "channel": person["channel"]}
            | {"address": f"+86139{n:08d}", "verified_on": "2024-01-01"}
        )
        for ago, channel, outcome, direction, step in person["contacts"]:
            at = datetime.combine(today, datetime.min.time(), tzinfo=UTC) - timedelta(days=ago)
            tables["contacts"].append(
                {"borrower_id": ids["borrower_id"], "channel": channel, "outcome": outcome}
                | {"at": at.isoformat(), "direction": direction, "step": step, "address": ""}
            )
    return tables
