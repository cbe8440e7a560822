"""Small books by hand for the tests of facts: into the store, and out again."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

from telling_events import AT

from duly import book as books
from duly.service.operations.books import export_book, load_book

LENDER = books.load_lender(None)
CUT = datetime(2026, 3, 9, 22, 0, tzinfo=UTC)


def load(book: Path):
    return load_book(book, lender=LENDER, at=AT, locale="en")


def export(folder: Path, *, at: datetime = AT) -> Path:
    export_book(folder, lender=LENDER, at=at)
    return folder


def alerts(folder: Path, *, at: datetime = AT) -> dict[str, object]:
    found = export_book(folder, lender=LENDER, at=at).alerts
    return {one.code: one.values["count"] for one in found}


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def cut(book: Path, at: datetime = CUT) -> Path:
    (book / "book.json").write_text(json.dumps({"contract": 1, "cut_at": at.isoformat()}))
    return book


def small(write_book, folder: Path, at: datetime = CUT, **tables) -> Path:
    given = {"loans": [{}], "installments": [{}, {"number": "2", "due_on": "2026-03-01"}]}
    return cut(write_book(folder, {**given, **tables}), at)
