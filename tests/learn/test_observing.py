"""Goal: an outcome or a harm is seen to the day, and what a book does not know is no outcome.
Method: one person for each case, entered by hand on 10 March; the book ends with 31 March."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from duly.book import load_lender, take_snapshot
from duly.learn.harm import NEVER
from duly.learn.observing import Observing

ENTERED, UNTIL = date(2026, 3, 10), date(2026, 3, 31)
EPOCH = date(1970, 1, 1)
Rows = list[dict[str, Any]]

#: Person → payments (day of March, amount), cured_15d, paid_15d; the first of two installments of
#: 100.00 fell due on 1 March, the second falls due on 31 March.
PAID: Mapping[str, tuple[list[dict[str, object]], float, float]] = {
    "in time": ([{"day": 25, "amount": "100.00"}], 1, 1),
    "on the day of entry": ([{"day": 10, "amount": "100.00"}], 1, 1),
    "a day late": ([{"day": 26, "amount": "100.00"}], 0, 0),
    "half": ([{"day": 12, "amount": "50.00"}], 0, 1),
    "in two": ([{"day": 12, "amount": "50.00"}, {"day": 20, "amount": "50.00"}], 1, 1),
    "taken back": ([{"day": 12, "amount": "100.00", "reversed_on": "2026-03-20"}], 0, 0),
    "taken back later": ([{"day": 12, "amount": "100.00", "reversed_on": "2026-04-02"}], 1, 1),
    "waived": ([{"day": 12, "amount": "100.00", "kind": "waiver"}], 1, 0),
    "never": ([], 0, 0),
    "after the book": ([{"day": 40, "amount": "100.00"}], 0, 0),
    "in advance": ([{"day": 5, "amount": "100.00"}], 0, 0),
    "in advance and the next": (
        [{"day": 5, "amount": "100.00"}, {"day": 12, "amount": "100.00"}], 1, 1,
    ),
}  # fmt: skip
PEOPLE = (*PAID, "bad row", "no loan", "harmed")


def _day(day: int) -> str:
    return date.fromordinal(date(2026, 2, 28).toordinal() + day).isoformat()


def _tables() -> dict[str, Rows]:
    made: dict[str, Rows] = {
        name: [] for name in ("loans", "installments", "payments", "borrowers", "contact_points",
                              "contacts", "signals")
    }  # fmt: skip
    for number, name in enumerate(PEOPLE):
        if name == "no loan":
            continue
        loan = f"L{number}"
        made["loans"].append({"loan_id": loan, "borrower_id": name, "late_rate_daily": "0"})
        made["borrowers"].append({"borrower_id": name})
        made["contact_points"].append({"borrower_id": name})
        made["installments"] += [
            {"loan_id": loan, "number": n, "due_on": due, "principal": "100.00"}
            for n, due in ((1, "2026-03-01"), (2, "2026-03-31"))
        ]
        for one in PAID.get(name, ([], 0, 0))[0]:
            paid = {key: value for key, value in one.items() if key != "day"}
            made["payments"].append(
                {"loan_id": loan, "paid_on": _day(int(str(one["day"]))), **paid}
            )
    made["payments"].append({"loan_id": f"L{PEOPLE.index('bad row')}", "amount": "-1.00"})
    made["payments"].append(
        {"loan_id": f"L{PEOPLE.index('harmed')}", "paid_on": "2026-03-14", "amount": "49.99"}
    )
    made["signals"] = _signals()
    made["contacts"] = [
        {"borrower_id": "harmed", "at": f"2026-03-{day}T10:00:00+08:00", "outcome": outcome,
         "direction": direction}
        for day, outcome, direction in (
            ("09", "undelivered", "out"), ("11", "unknown", "out"), ("13", "undelivered", "out"),
        )
    ]  # fmt: skip
    return made


def _signals() -> Rows:
    def one(kind: str, at: str, detail: str = "", who: str = "harmed") -> dict[str, Any]:
        return {"borrower_id": who, "kind": kind, "starts_at": at, "detail": detail}

    promise = '{"amount": "100.00", "on": "2026-03-15"}'
    return [
        one("complaint", "2026-03-09T23:59:00+08:00"),
        # In the lender's zone it is the twelfth already.
        one("complaint", "2026-03-11T16:30:00+00:00"),
        one("complaint", "2026-03-20T10:00:00+08:00"),
        one("cease_contact", "2026-04-01T09:00:00+08:00"),
        one("hardship", "2026-03-31T09:00:00+08:00"),
        one("dispute", "2026-03-10T00:00:00+08:00"),
        one("promise", "2026-03-11T10:00:00+08:00", promise),
        # The next was paid by half, the last is not due yet: neither is broken.
        one("promise", "2026-03-11T10:00:00+08:00", promise, who="half"),
        one("promise", "2026-03-20T10:00:00+08:00", promise.replace("03-15", "03-30"), who="never"),
    ]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, write_book) -> Observing:
    folder: Path = tmp_path_factory.mktemp("observed")
    book = write_book(folder, _tables())
    taken = take_snapshot(book, folder / "snapshot", lender=load_lender(None), needs="plan")
    return Observing(taken, as_of=UNTIL, time_zone="Asia/Shanghai")


def _entries(entered_on: date = ENTERED) -> pa.Table:
    rows = [
        {"experiment": "x", "borrower_id": name, "entered_on": entered_on, "arm": "a",
         "loan_ids": [f"L{number}"]}
        for number, name in enumerate(PEOPLE)
    ]  # fmt: skip
    return pa.Table.from_pylist(sorted(rows, key=lambda row: row["borrower_id"]))


@pytest.mark.parametrize(("measure", "place"), [("cured_15d", 1), ("paid_15d", 2)])
def test_cured_and_paid_are_seen_to_the_day(seen: Observing, measure: str, place: int) -> None:
    found = dict(zip(sorted(PEOPLE), seen.outcomes(_entries(), measure).outcome, strict=True))
    for name, case in PAID.items():
        assert (name, found[name]) == (name, case[place])


def test_a_loan_that_the_book_does_not_have_is_lost_and_no_outcome(seen: Observing) -> None:
    found = seen.outcomes(_entries(), "cured_15d")
    lost = {name for name, one in zip(sorted(PEOPLE), found.lost, strict=True) if one}
    assert lost == {"bad row", "no loan"}
    missing = {n for n, one in zip(sorted(PEOPLE), found.outcome, strict=True) if np.isnan(one)}
    assert missing == lost


def test_what_is_not_over_yet_is_no_outcome(seen: Observing) -> None:
    last = seen.outcomes(_entries(date(2026, 3, 16)), "cured_15d").outcome
    assert np.isnan(last).sum() == 2
    early = seen.outcomes(_entries(date(2026, 3, 17)), "cured_15d").outcome
    assert np.isnan(early).all()


@pytest.mark.parametrize(
    ("harm", "day"),
    [
        ("complaints", date(2026, 3, 12)),
        ("opt_outs", None),
        ("hardship", date(2026, 3, 31)),
        ("disputes", date(2026, 3, 10)),
        ("undelivered", date(2026, 3, 13)),
        ("broken_promises", date(2026, 3, 17)),
    ],
)
def test_a_harm_is_the_first_from_the_entry_on(
    seen: Observing, harm: str, day: date | None
) -> None:
    found = dict(zip(sorted(PEOPLE), seen.harmed_on(_entries(), harm).tolist(), strict=True))
    assert found.pop("harmed") == (NEVER if day is None else (day - EPOCH).days)
    assert set(found.values()) == {NEVER}
