"""A lender whose service runs each day by itself: its file, its books, a desk at an instant."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from importlib import resources
from pathlib import Path

import yaml
from plans import KEY

from duly.service.operations.daily import Desk

PEOPLE = 4
DAY = date(2026, 3, 10)


def at(text: str, day: date = DAY) -> datetime:
    """Return a clock time of a day in Shanghai."""
    return datetime.fromisoformat(f"{day.isoformat()}T{text}:00+08:00")


class World:
    """The lender file and the books of one test."""

    def __init__(self, folder: Path, url: str, write_book: Callable[..., Path]) -> None:
        self.folder, self.url, self._write_book = folder, url, write_book
        self.books, self.plans, self.file = folder / "books", folder / "plans", folder / "l.yaml"
        self.state()

    def state(self, *, time_zone: str = "Asia/Shanghai", approval: str = "automatic",
              **daily: object) -> None:  # fmt: skip
        """Write the lender file."""
        text = resources.files("duly.book").joinpath("lender.example.yaml").read_text("utf-8")
        stated = {"at": "06:00", "book": "books/{date}", **daily}
        lender = {
            **yaml.safe_load(text),
            "time_zone": time_zone,
            "approval": approval,
            "daily": {name: value for name, value in stated.items() if value is not None},
        }
        self.file.write_text(yaml.safe_dump(lender, allow_unicode=True), encoding="utf-8")

    def book(self, day: date, *, people: int = PEOPLE, cut: datetime | None = None,
             **tables: object) -> Path:  # fmt: skip
        """Put the book of a day there: so many people with one loan each, late since February."""
        numbers = range(1, people + 1)
        given = {
            "loans": [{"loan_id": f"L{n}", "borrower_id": f"B{n}"} for n in numbers],
            "installments": [
                {"loan_id": f"L{n}", "number": "1", "due_on": "2026-02-20", "principal": "300.00"}
                for n in numbers
            ],
            "contact_points": [
                {"borrower_id": f"B{n}", "address": f"+861380000000{n}"} for n in numbers
            ],
            **tables,
        }
        half = self._write_book(self.folder / f"half-{time.monotonic_ns()}", given)
        told = {"contract": 1, "cut_at": (cut or at("00:00", day)).isoformat()}
        (half / "book.json").write_text(json.dumps(told), encoding="utf-8")
        self.books.mkdir(exist_ok=True)
        target = self.books / day.isoformat()
        if target.exists():
            target.rename(self.folder / f"former-{time.monotonic_ns()}")
        return half.rename(target)

    def desk(self, now: datetime) -> Desk:
        """Return a desk whose clock stands at an instant."""
        return Desk(
            url=self.url, lender_file=self.file, plans=self.plans, key=KEY, locale="en",
            now=lambda: now, clock=time.perf_counter, threads=1,
        )  # fmt: skip


def paid(book: Path, loan: str, amount: str) -> None:
    """Add a payment to a book."""
    with (book / "payments.csv").open("a", encoding="utf-8", newline="") as file:
        csv.writer(file).writerow(["NEW", loan, "", "2026-03-09", amount, "payment", "", ""])


def before(days: int) -> date:
    """Return the date so many days before DAY."""
    return DAY - timedelta(days=days)
