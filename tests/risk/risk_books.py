"""A book of random lives from a seed, whole or cut at the close of a day."""

from __future__ import annotations

import csv
import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from duly import book as books
from duly.book import Snapshot

ZONE = "Asia/Shanghai"
_START = date(2025, 1, 6)
UNTIL = date(2025, 9, 30)  #: until when the models of the tests learn
Row = dict[str, object]
#: The column of each table that says when a row was known.
_DATED = {
    "loans": "disbursed_on",
    "payments": "paid_on",
    "contacts": "at",
    "signals": "starts_at",
}


def lives(seed: int, borrowers: int, *, habit: float = 0.5) -> dict[str, list[Row]]:
    """Return the tables of a book: who is late more often stays so, with `habit` as the mean."""
    draw = random.Random(seed)
    tables: dict[str, list[Row]] = {
        name: []
        for name in (
            "borrowers", "loans", "installments", "payments", "contact_points", "contacts",
            "signals", "consents", "relations",
        )
    }  # fmt: skip
    for who in range(borrowers):
        borrower = f"B{who:04}"
        slow = min(max(draw.gauss(habit, 0.3), 0.02), 0.98)
        tables["borrowers"].append(
            {"borrower_id": borrower, "name": "张三",
             "monthly_income": draw.choice(["", "3000.00", "9000.00"])}
        )  # fmt: skip
        for number in range(draw.choice((1, 1, 2))):
            _loan(draw, tables, borrower, f"L{who:04}-{number}", slow)
        _words(draw, tables, borrower, f"L{who:04}-0")
    return tables


def _loan(
    draw: random.Random, tables: dict[str, list[Row]], borrower: str, loan: str, slow: float
) -> None:
    began = _START + timedelta(days=draw.randrange(200))
    count, amount = draw.choice((3, 6, 9)), draw.choice((200, 500, 1200))
    status = draw.choice(("active", "active", "active", "closed"))
    tables["loans"].append(
        {"loan_id": loan, "borrower_id": borrower, "principal": f"{count * amount}.00",
         "product": draw.choice(("cash", "phone")), "disbursed_on": began,
         "annual_rate": draw.choice(("0.12", "0.18")),
         "late_rate_daily": "0.0005", "status": status, "status_on": ""}
    )  # fmt: skip
    for number in range(1, count + 1):
        due = began + timedelta(days=30 * number + draw.randrange(4))
        tables["installments"].append(
            {"loan_id": loan, "number": number, "due_on": due, "principal": f"{amount}.00",
             "interest": "6.00"}
        )  # fmt: skip
        if draw.random() < slow / 4:
            continue  # Never paid.
        late = draw.randrange(1, 40) if draw.random() < slow else draw.randrange(-6, 1)
        paid = due + timedelta(days=late)
        parts = draw.choice((1, 1, 1, 2))
        for part in range(parts):
            kind = draw.choice(("payment",) * 9 + ("waiver",))
            tables["payments"].append(
                {"payment_id": f"{loan}/{number}/{part}", "loan_id": loan, "kind": kind,
                 "paid_on": paid + timedelta(days=4 * part),
                 "amount": f"{(amount + 6) // parts}.00",
                 "component": "principal" if kind == "waiver" else "",
                 "reversed_on": paid + timedelta(days=9) if draw.random() < 0.05 else ""}
            )  # fmt: skip


def _words(draw: random.Random, tables: dict[str, list[Row]], borrower: str, loan: str) -> None:
    def moment() -> datetime:
        return datetime(2025, 2, 1, tzinfo=UTC) + timedelta(minutes=draw.randrange(500_000))

    began = next(row["disbursed_on"] for row in tables["loans"] if row["loan_id"] == loan)
    assert isinstance(began, date)
    tables["contact_points"].append(
        {"borrower_id": borrower, "channel": "sms", "address": f"+86139{borrower[1:]:0>8}"}
    )
    for number in range(draw.randrange(6)):
        way = draw.choice(("out", "out", "in"))
        tables["contacts"].append(
            {"contact_id": f"{borrower}/{number}", "borrower_id": borrower, "loan_id": loan,
             "channel": "sms", "at": moment().isoformat(), "direction": way,
             "outcome": draw.choice(("delivered", "replied")), "step": "", "class": "dunning"}
        )  # fmt: skip
    for number in range(draw.randrange(3)):
        since = moment()
        on = since.date() + timedelta(days=draw.randrange(1, 40))
        tables["signals"].append(
            {"signal_id": f"{borrower}/P{number}", "borrower_id": borrower,
             "loan_id": loan if began < since.date() else "", "kind": "promise",
             "starts_at": since.isoformat(), "ends_at": "",
             "detail": f'{{"amount": "200.00", "on": "{on}"}}'}
        )  # fmt: skip
    if draw.random() < 0.4:
        tables["consents"].append(
            {"borrower_id": borrower, "purpose": "relations", "channel": "",
             "granted_at": moment().isoformat(), "withdrawn_at": ""}
        )  # fmt: skip
    other = f"B{draw.randrange(max(1, len(tables['borrowers']))):04}"
    tables["relations"].append(
        {"borrower_id": borrower, "related_borrower_id": other, "kind": "guarantor"}
    )


def cut(tables: dict[str, list[Row]], day: date) -> dict[str, list[Row]]:
    """Return what a lender could have told at the close of a day: no later row, no later word."""
    close = datetime.combine(day + timedelta(days=1), datetime.min.time(), ZoneInfo(ZONE))

    def known(value: object) -> bool:
        if isinstance(value, date):
            return value <= day
        return datetime.fromisoformat(str(value)) < close

    kept = {
        name: [dict(row) for row in rows if name not in _DATED or known(row[_DATED[name]])]
        for name, rows in tables.items()
    }
    loans = {row["loan_id"] for row in kept["loans"]}
    kept["installments"] = [row for row in kept["installments"] if row["loan_id"] in loans]
    kept["payments"] = [row for row in kept["payments"] if row["loan_id"] in loans]
    for name in ("contacts", "signals"):
        for row in kept[name]:  # What named a loan that has not begun named nothing yet.
            row["loan_id"] = row["loan_id"] if row["loan_id"] in loans else ""
    for row in kept["loans"]:
        row["status"] = "active"
    for row in kept["payments"]:
        reversed_on = row["reversed_on"]
        row["reversed_on"] = reversed_on if reversed_on and known(reversed_on) else ""
    return kept


def write(tables: dict[str, list[Row]], folder: Path) -> Path:
    """Write the tables as a book."""
    folder.mkdir(parents=True)
    for name, rows in tables.items():
        names = list(rows[0]) if rows else _NO_ROWS[name]
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(rows)
    return folder


_NO_ROWS = {
    "payments": ["payment_id", "loan_id", "paid_on", "amount"],
    "contacts": ["contact_id", "borrower_id", "channel", "at", "direction", "outcome"],
    "signals": ["signal_id", "borrower_id", "kind", "starts_at"],
    "consents": ["borrower_id", "purpose", "channel", "granted_at", "withdrawn_at"],
}


def snapshot(tables: dict[str, list[Row]], folder: Path) -> Snapshot:
    """Return the snapshot of the tables."""
    book = write(tables, folder / "book")
    taken = books.take_snapshot(
        book, folder / "snapshot", lender=books.load_lender(None), needs="plan"
    )
    assert taken.quarantined_rows == 0
    return taken
