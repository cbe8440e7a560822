"""Fixtures that every package's tests may ask for: the shared data, and a book from a few dicts."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import settings

# No test asserts speed: an example may wait for a busy machine.
settings.register_profile("duly", deadline=None)
settings.load_profile("duly")

Row = Mapping[str, object]
Tables = Mapping[str, Sequence[Row]]
WriteBook = Callable[[Path, Tables], Path]

#: What a row of a table says where the test does not say it; `{n}` is its 1-based row.
DEFAULTS: dict[str, dict[str, str]] = {
    "loans": {
        "loan_id": "L{n}",
        "borrower_id": "B{n}",
        "currency": "CNY",
        "principal": "1000.00",
        "disbursed_on": "2026-01-01",
        "late_rate_daily": "0.0005",
        "grace_days": "0",
        "status": "active",
    },
    "installments": {
        "loan_id": "L1",
        "number": "{n}",
        "due_on": "2026-02-01",
        "principal": "100.00",
        "interest": "0.00",
        "fee": "0.00",
    },
    "payments": {
        "payment_id": "P{n}",
        "loan_id": "L1",
        "borrower_id": "",
        "paid_on": "2026-02-01",
        "amount": "10.00",
        "kind": "payment",
        "component": "",
        "reversed_on": "",
    },
    "borrowers": {
        "borrower_id": "B{n}",
        "name": "张伟",
        "locale": "zh-CN",
        "time_zone": "Asia/Shanghai",
    },
    "contact_points": {
        "borrower_id": "B{n}",
        "channel": "sms",
        "address": "+8613800000000",
        "status": "active",
        "verified_on": "2026-01-01",
        "changed_on": "",
    },
    "contacts": {
        "contact_id": "C{n}",
        "borrower_id": "B1",
        "loan_id": "",
        "channel": "sms",
        "address": "+8613800000000",
        "at": "2026-02-02T10:00:00+08:00",
        "direction": "out",
        "outcome": "delivered",
        "step": "",
        "by": "lender",
        "actor": "",
        "class": "dunning",
    },
    "signals": {
        "signal_id": "S{n}",
        "borrower_id": "B1",
        "loan_id": "",
        "kind": "dispute",
        "starts_at": "2026-02-02T10:00:00+08:00",
        "ends_at": "",
        "detail": "",
    },
    "debits": {
        "debit_id": "D{n}",
        "loan_id": "L1",
        "at": "2026-02-01T10:00:00+08:00",
        "amount": "100.00",
        "status": "scheduled",
        "cause": "",
    },
    "consents": {
        "borrower_id": "B1",
        "purpose": "servicing",
        "channel": "",
        "granted_at": "2026-01-01T10:00:00+08:00",
        "withdrawn_at": "",
        "detail": "",
    },
    "agreed": {"signal_id": "S1", "number": "{n}", "due_on": "2026-03-01", "amount": "50.00"},
    "quotes": {
        "loan_id": "L1",
        "as_of": "2026-02-01",
        "valid_until": "2026-02-10",
        "amount": "900.00",
    },
    "relations": {
        "borrower_id": "B1",
        "related_borrower_id": "B2",
        "kind": "guarantor",
    },
    "stated": {
        "loan_id": "L1",
        "as_of": "2026-02-01",
        "overdue_total": "0.00",
        "outstanding_total": "1000.00",
    },
}
PLAN_TABLES = (
    "loans",
    "installments",
    "payments",
    "borrowers",
    "contact_points",
    "contacts",
    "signals",
)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Give the folder of shared data beside the checkout, or skip the test."""
    folder = Path(__file__).parents[2] / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("skipped: no shared data")
    return folder


@pytest.fixture(scope="session")
def write_book() -> WriteBook:
    """Give the function that writes a book of CSV files into `tmp_path / "book"`.

    Cells a row does not name are filled from DEFAULTS; None writes an empty cell; extra columns
    are written. The plan's required tables are always there: `borrowers` with one row a borrower
    of the loans and `contact_points` with one number a borrower where the test gives none, the
    others with a header only.
    """
    return _write_book


def _write_book(tmp_path: Path, tables: Tables) -> Path:
    folder = tmp_path / "book"
    folder.mkdir(parents=True, exist_ok=True)
    filled = {name: _filled(name, rows) for name, rows in tables.items()}
    if "loans" in filled and "borrowers" not in filled:
        people = sorted({row["borrower_id"] for row in filled["loans"]} - {""})
        filled["borrowers"] = _filled("borrowers", [{"borrower_id": one} for one in people])
    if "borrowers" in filled and "contact_points" not in filled:
        people = [row["borrower_id"] for row in filled["borrowers"] if row["borrower_id"]]
        filled["contact_points"] = _filled(
            "contact_points", [{"borrower_id": one} for one in people]
        )
    for name in (*PLAN_TABLES, *filled):
        _write_table(folder / f"{name}.csv", DEFAULTS[name], filled.get(name, []))
    return folder


def _filled(name: str, rows: Iterable[Row]) -> list[dict[str, str]]:
    result = []
    for n, row in enumerate(rows, start=1):
        cells = {key: text.replace("{n}", str(n)) for key, text in DEFAULTS[name].items()}
        cells |= {key: "" if cell is None else str(cell) for key, cell in row.items()}
        result.append(cells)
    return result


def _write_table(
    path: Path, defaults: Mapping[str, str], rows: Sequence[Mapping[str, str]]
) -> None:
    columns = list(dict.fromkeys([*defaults, *(key for row in rows for key in row)]))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
