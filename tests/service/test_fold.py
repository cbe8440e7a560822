"""Goal: facts are a set: in any order, in any batches, any of them twice, the state is the same.

Method: Hypothesis makes sets of events about a small world, and orders in which they and a book
arrive at a real database; a fold in plain Python says what must come out, byte for byte the same.
"""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from fold_oracle import canonical, fold
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from telling_events import AT

from duly import book as books
from duly.service.operations.books import export_book, load_book
from duly.service.operations.events import accept
from duly.service.store.event_models import Event, Word

LENDER = books.load_lender(None)
CUT = datetime(2026, 3, 9, 22, 0, tzinfo=UTC)
SHOWN = {
    "loans": ("loan_id", "borrower_id", "principal", "status"),
    "payments": ("payment_id", "loan_id", "borrower_id", "paid_on", "amount", "reversed_on"),
    "borrowers": ("borrower_id", "name", "time_zone"),
    "contact_points": ("borrower_id", "channel", "address", "status"),
    "consents": ("borrower_id", "purpose", "channel", "granted_at", "withdrawn_at"),
    "signals": ("signal_id", "borrower_id", "loan_id", "kind", "starts_at", "ends_at"),
    "agreed": ("signal_id", "number", "due_on", "amount"),
}
BOOK: dict[str, list[dict[str, str]]] = {
    "loans": [
        {"loan_id": name, "borrower_id": who, "principal": "100.00", "status": "active"}
        for name, who in (("L1", "B1"), ("L2", "B2"))
    ],
    "borrowers": [
        {"borrower_id": who, "name": "张伟", "time_zone": "Asia/Shanghai"} for who in ("B1", "B2")
    ],
    "payments": [
        {"payment_id": "P1", "loan_id": "L1", "borrower_id": "B1", "paid_on": "2026-03-05",
         "amount": "10.00", "reversed_on": ""}
    ],
    "contact_points": [
        {"borrower_id": "B1", "channel": "sms", "address": "+8613800000001", "status": "active"}
    ],
    "consents": [
        {"borrower_id": "B1", "purpose": "servicing", "channel": "sms",
         "granted_at": "2026-01-01T00:00:00+00:00", "withdrawn_at": ""}
    ],
    "signals": [
        {"signal_id": "S1", "borrower_id": "B1", "loan_id": "L1", "kind": "dispute",
         "starts_at": "2026-03-01T00:00:00+00:00", "ends_at": ""},
        {"signal_id": "S2", "borrower_id": "B1", "loan_id": "L1", "kind": "plan",
         "starts_at": "2026-03-01T00:00:00+00:00", "ends_at": ""},
    ],
    "agreed": [
        {"signal_id": "S2", "number": "1", "due_on": "2026-04-01", "amount": "5.00"},
        {"signal_id": "S2", "number": "2", "due_on": "2026-05-01", "amount": "5.00"},
    ],
}  # fmt: skip
#: Before the cut, at it, after it, just now; and older than 72 hours, both sides of the line.
TIMES = [
    CUT - timedelta(hours=1), CUT, CUT + timedelta(hours=1), AT,
    AT - timedelta(hours=72), AT - timedelta(hours=72) + timedelta(seconds=1),
]  # fmt: skip
people = st.sampled_from(["B1", "B2", "B3"])
loans = st.sampled_from(["L1", "L2", "L3"])
days = st.sampled_from(["2026-03-01", "2026-03-09"])
instants = st.sampled_from(["2026-03-02T00:00:00+00:00", "2026-03-09T12:00:00+00:00"])
numbers = st.sampled_from(["+8613800000001", "+8613800000002"])
amounts = st.sampled_from(["20.00", "30.00"])


@st.composite
def raised(draw: st.DrawFn) -> dict[str, Any]:
    """Give the data of a signal; a plan with amounts of its own, or with none."""
    found = draw(
        data(
            signal_id=st.sampled_from(["S1", "S2"]), borrower_id=people, loan_id=loans,
            kind=st.sampled_from(["dispute", "payment_pending", "opt_out", "plan"]),
            starts_at=instants,
        )
    )  # fmt: skip
    if found["kind"] == "plan" and draw(st.booleans()):
        found["agreed"] = [
            {"number": str(n), "due_on": f"2026-0{3 + n}-10", "amount": draw(amounts)}
            for n in range(1, draw(st.integers(1, 3)) + 1)
        ]
    return found


def data(**cells: Any) -> st.SearchStrategy[dict[str, Any]]:
    made = {k: v if isinstance(v, st.SearchStrategy) else st.just(v) for k, v in cells.items()}
    return st.fixed_dictionaries(made)


SAID: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "payment.posted": data(
        payment_id=st.sampled_from(["P1", "P2"]), loan_id=loans, borrower_id=people, paid_on=days,
        amount=st.sampled_from(["20.00", "30.00"]),
    ),
    "payment.reversed": data(payment_id=st.sampled_from(["P1", "P2"]), reversed_on=days),
    "loan.upserted": data(
        loan_id=loans, borrower_id=people, principal=st.sampled_from(["100.00", "200.00"]),
        disbursed_on="2026-01-01", status=st.sampled_from(["active", "closed"]),
    ),
    "borrower.upserted": data(
        borrower_id=people, name=st.sampled_from(["张伟", "李娜"]),
        time_zone=st.sampled_from(["Asia/Shanghai", "Asia/Urumqi"]),
    ),
    "borrower.preferred": data(
        borrower_id=people, locale=st.sampled_from(["en", None]),
        preferred_channel=st.sampled_from(["email", None]),
        quiet_from=st.sampled_from(["12:00", None]), quiet_until=st.sampled_from(["14:00", None]),
    ),
    "contact_point.changed": data(
        borrower_id=people, channel="sms", address=numbers,
        status=st.sampled_from(["active", "invalid"]),
    ),
    "consent.granted": data(
        borrower_id=people, purpose="servicing", channel=st.sampled_from(["sms", None]),
        granted_at=instants,
    ),
    "consent.withdrawn": data(
        borrower_id=people, purpose="servicing", channel=st.sampled_from(["sms", None]),
        withdrawn_at=instants,
    ),
    "signal.raised": raised(),
    "signal.cleared": data(signal_id=st.sampled_from(["S1", "S2"]), ends_at=instants),
}  # fmt: skip


@st.composite
def told(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Give a set of events; a few sources and ids, so that ties of time are decided by them."""
    kinds = draw(st.lists(st.sampled_from(sorted(SAID)), min_size=1, max_size=14))
    found = []
    for place, kind in enumerate(kinds):
        found.append(
            {
                "specversion": "1.0",
                "id": f"{draw(st.sampled_from(['a', 'B', 'é', '漢']))}{place}",
                "source": draw(st.sampled_from(["/core", "/Core", "/é"])),
                "type": kind,
                "time": draw(st.sampled_from(TIMES)).isoformat(),
                "data": draw(SAID[kind]),
            }
        )
    return found


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("fold") / "book"
    folder.mkdir()
    rows = {**{name: [] for name in books.TABLES}, **BOOK}
    rows["loans"] = [{**row, "disbursed_on": "2026-01-01"} for row in BOOK["loans"]]
    for name, table in books.TABLES.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, table.names, restval="")
            writer.writeheader()
            writer.writerows(rows[name])
    (folder / "book.json").write_text(json.dumps({"cut_at": CUT.isoformat()}))
    snapshot = folder.parent / "snapshot"
    books.take_snapshot(folder, snapshot, lender=LENDER, needs="plan")
    return snapshot


def forget() -> None:
    """Empty the store."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(tablename, ', ') FROM pg_tables WHERE tablename LIKE 'store_book%'"
            " OR tablename IN ('store_event', 'store_word', 'store_aside')"
        )
        cursor.execute(f"TRUNCATE {cursor.fetchone()[0]}")


def state(folder: Path) -> dict[str, list[dict[str, str]]]:
    export_book(folder, lender=LENDER, at=AT)
    found = {}
    for name in SHOWN:
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            found[name] = list(csv.DictReader(file))
    return found


def arrive(deliveries: list[list[dict[str, Any]] | None], book: Path) -> None:
    """Let batches arrive in their order; None is the book."""
    for batch in deliveries:
        if batch is None:
            load_book(book, lender=LENDER, at=AT, locale="en")
        else:
            accept(batch, at=AT)


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[list[dict[str, Any]] | None]]:
    """Give a set of events and one way in which they and the book arrive, some of them twice."""
    events = draw(told())
    again = draw(st.lists(st.sampled_from(events), max_size=5))
    order = draw(st.permutations([*events, *again]))
    cuts = sorted(draw(st.sets(st.integers(0, len(order)), max_size=4)) | {0, len(order)})
    batches: list[list[dict[str, Any]] | None] = [
        list(order[start:end]) for start, end in pairwise(cuts)
    ]
    batches.insert(draw(st.integers(0, len(batches))), None)
    return events, batches


@settings(
    max_examples=12, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(case=arrivals())
def test_any_order_in_any_batches_gives_what_the_oracle_says(store, book, tmp_path, case):
    events, deliveries = case
    forget()
    arrive([None, events], book)
    first = state(tmp_path / "first")
    forget()
    arrive(deliveries, book)
    second = state(tmp_path / "second")

    for file in (tmp_path / "first").iterdir():
        assert file.read_bytes() == (tmp_path / "second" / file.name).read_bytes(), file.name
    expected = fold(BOOK, CUT, events, AT)
    for name, columns in SHOWN.items():
        assert canonical(second[name], columns) == canonical(expected[name], columns), name
    assert Event.objects.count() == len(events)
    assert first == second
    assert books.check(tmp_path / "second", LENDER, "en").rows == ()
    event(f"{Word.objects.count()} words of {len(events)} events")
