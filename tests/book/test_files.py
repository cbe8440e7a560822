"""Goal: which tables a book needs, its control totals, its folder; nothing is written else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from book.book_files import HEADER, SOURCE, naive, open_book, payments, rewrite, to_parquet
from duly.core.errors import Refused


class TestTables:
    def test_missing_refuse_the_plan(self, refused, book):
        (book / "signals.csv").unlink()
        assert refused(book) == [("signals.csv", "missing_table")]

    def test_misspelled_are_named_in_the_refusal(self, refused, book):
        (book / "payments.csv").rename(book / "payment.csv")
        with pytest.raises(Refused, match=r"missing \(payment\?\)"):
            open_book(book)

    @pytest.mark.parametrize(
        "name", ["QUOTES.CSV", "quotes.CSV", "quotes.csv.gz", "Quotes.parquet", "quotes.xlsx"]
    )
    def test_optional_and_named_otherwise_are_warned_of(self, take, book, name):
        (book / name).write_text("loan_id,as_of,valid_until,amount\n")
        found = [one for one in take(book).snapshot.warnings if one.code == "unknown_file"]
        assert [(one.file, one.values["near"]) for one in found] == [(name, " (quotes?)")]

    def test_of_the_plan_are_not_needed_for_positions(self, take, book):
        for name in ("payments", "borrowers", "contact_points", "contacts", "signals"):
            (book / f"{name}.csv").unlink()
        taken = take(book, needs="position")
        assert taken.column("borrowers", "borrower_id") == ["B1", "B2"]
        assert taken.column("loans", "borrower") == [0, 1]
        assert taken.column("borrowers", "time_zone") == ["Asia/Shanghai"] * 2

    def test_missing_for_a_check_are_warned_of(self, take, book):
        (book / "signals.csv").unlink()
        taken = take(book, needs="check")
        assert ("signals.csv", "absent_table") in [
            (one.file, one.code) for one in taken.snapshot.warnings
        ]

    def test_in_two_forms_refuse_the_book(self, refused, book):
        pq.write_table(pa.table(payments()), book / "payments.parquet")
        assert refused(book) == [("payments", "table_twice")]

    def test_absent_and_optional_have_a_file_of_the_same_columns(self, take, book):
        taken = take(book)
        for name in ("debits", "consents", "agreed", "quotes", "relations", "stated"):
            assert taken.rows(name) == []
        table = pq.read_table(taken.snapshot.path / "debits.parquet")
        assert table.column_names == ["loan", "debit_id", "at", "amount", "status", "cause"]
        assert table.schema.field("at").type == pa.timestamp("us")


class TestControl:
    def said(self, book: Path, **tables: object) -> Path:
        text = json.dumps({"contract": 1, "cut_at": "2026-02-03T00:00:00+08:00", "tables": tables})
        (book / "book.json").write_text(text)
        return book

    def test_totals_that_agree_are_silent_and_the_cut_is_utc(self, take, book):
        taken = take(self.said(book, payments={"rows": 2, "amount": "20.00"}, loans={"rows": 2}))
        assert taken.snapshot.cut_at == naive("2026-02-02T16:00")
        assert {one.code for one in taken.snapshot.warnings} == {"principal_differs"}

    @pytest.mark.parametrize("totals", [{"rows": 3}, {"amount": "20.01"}, {"amount": 19}])
    def test_totals_that_differ_refuse_the_book(self, refused, book, totals):
        assert refused(self.said(book, payments=totals)) == [("payments.csv", "control_total")]

    def test_totals_of_a_table_that_is_not_there_refuse_the_book(self, refused, book):
        assert refused(self.said(book, quotes={"rows": 1})) == [("quotes.csv", "control_total")]

    def test_sums_over_a_broken_cell_are_warned_of(self, take, book):
        rewrite(book, "payments", HEADER + 'P1,L1,2026-02-01,"1,000.00"\n')
        taken = take(self.said(book, payments={"rows": 1, "amount": "1000.00"}))
        assert "control_total_unsure" in [one.code for one in taken.snapshot.warnings]
        assert taken.found == [("payments", 1, "amount", "bad_money")]

    def test_sums_of_doubles_are_compared_exactly(self, take, book):
        to_parquet(book, "payments", **payments(amount=pa.array([0.1, 0.2])))
        assert take(self.said(book, payments={"amount": "0.30"})).found == []

    @pytest.mark.parametrize(
        "text",
        [
            "{",
            "[]",
            '{"contract": 2}',
            '{"cut_at": "2026-02-03"}',
            '{"cut_at": 5}',
            '{"tables": {"paymnts": {"rows": 1}}}',
            '{"tables": {"payments": {"rows": "1"}}}',
            '{"tables": {"payments": {"amount": "1e3"}}}',
            '{"tables": {"payments": {"kind": "1"}}}',
            pytest.param("[" * 100_000, id="deep lists"),
            pytest.param('{"tables":' * 100_000, id="deep objects"),
        ],
    )
    def test_a_file_that_says_something_else_refuses_the_book(self, refused, book, text):
        (book / "book.json").write_text(text)
        assert [code for _, code in refused(book)] == ["bad_book_json"]


class TestFolders:
    def test_that_do_not_exist_are_refused(self, refused, tmp_path):
        folder = tmp_path / "nowhere"
        assert refused(folder) == [(str(folder), "unreadable")]

    def test_without_permission_are_refused(self, book):
        book.chmod(0o000)
        try:
            done = as_nobody(book)
        finally:
            book.chmod(0o755)
        assert done.stdout.split() == ["directory_closed"], done.stderr

    def test_with_a_file_without_permission_are_refused(self, book):
        (book / "payments.csv").chmod(0o000)
        try:
            done = as_nobody(book)
        finally:
            (book / "payments.csv").chmod(0o644)
        assert done.stdout.split() == ["file_closed"], done.stderr


READ_IN_A_CHILD = """
import os, sys
from pathlib import Path
import duckdb
from duly.book import reading, snapshot
from duly.core.errors import Refused
os.chdir(sys.argv[1])
try:  # What the refusal needs is imported while it may be read.
    reading.open_book(duckdb.connect(), Path("/nowhere"), "plan")
except Refused:
    b"x".decode("utf-8-sig")
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    reading.open_book(duckdb.connect(), Path("book"), "plan")
except Refused as refused:
    print(*[one.code for one in refused.diagnostics])
"""


def as_nobody(book: Path) -> subprocess.CompletedProcess[str]:
    """Open a book as an unprivileged user, whatever user runs the tests."""
    book.parent.chmod(0o711)  # The child stands in it: what lies above need not let it through.
    return subprocess.run(
        [sys.executable, "-c", READ_IN_A_CHILD, str(book.parent)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        timeout=60,
    )
