"""A snapshot of a small book, and what it says of its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from duly.book import Lender, Snapshot, load_lender, take_snapshot
from duly.core.errors import Refused

Found = tuple[str, int, str, str]


@pytest.fixture(scope="session")
def lender() -> Lender:
    return load_lender(None)


class Taken:
    """A snapshot and its tables."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    def rows(self, table: str) -> list[dict[str, object]]:
        return pq.read_table(self.snapshot.path / f"{table}.parquet").to_pylist()

    def column(self, table: str, name: str) -> list[object]:
        return [row[name] for row in self.rows(table)]

    @property
    def found(self) -> list[Found]:
        """Every quarantined cell as (table, row, column, code)."""
        return [
            (row["table"], row["row"], row["column"], row["code"])
            for row in self.rows("quarantine")
        ]

    @property
    def quarantined_loans(self) -> set[object]:
        return {row["loan_id"] for row in self.rows("loans") if row["quarantined"]}


Take = Callable[..., Taken]


@pytest.fixture
def take(tmp_path: Path, lender: Lender) -> Take:
    """Take the snapshot of a book folder."""

    def taken(book: Path, needs: str = "plan", **more: object) -> Taken:
        out = tmp_path / "snapshot"
        return Taken(take_snapshot(book, out, lender=lender, needs=needs, **more))

    return taken


@pytest.fixture
def quarantine(
    tmp_path: Path, write_book: Callable[[Path, Mapping[str, object]], Path], take: Take
) -> Callable[[Mapping[str, Sequence[Mapping[str, object]]]], Taken]:
    """Take the snapshot of a book of good loans L1 (of B1) and L2 (of B2) and the given rows."""

    def taken(tables: Mapping[str, Sequence[Mapping[str, object]]]) -> Taken:
        return take(write_book(tmp_path, {"loans": [{}, {}], **tables}))

    return taken


@pytest.fixture
def refused(tmp_path: Path, lender: Lender) -> Callable[..., list[tuple[str, str]]]:
    """Give the (file, code) of a refusal, after checking that nothing was written."""

    def codes(book: Path, needs: str = "plan") -> list[tuple[str, str]]:
        out = tmp_path / "refused"
        with pytest.raises(Refused) as caught:
            take_snapshot(book, out, lender=lender, needs=needs)
        assert [one.name for one in tmp_path.iterdir() if "refused" in one.name] == []
        for one in caught.value.diagnostics:
            for locale in ("en", "zh-CN"):
                assert "{" not in one.sentence(locale), one
        return [(one.file, one.code) for one in caught.value.diagnostics]

    return codes


@pytest.fixture
def book(tmp_path, write_book):
    """A good book: two loans, two installments, two payments."""
    return write_book(
        tmp_path,
        {
            "loans": [{}, {}],
            "installments": [{"number": 1}, {"loan_id": "L2", "number": 1}],
            "payments": [{}, {"loan_id": "L2"}],
        },
    )
