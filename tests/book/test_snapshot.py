"""Goal: a snapshot appears whole or not at all, and says the same on any thread count."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from book.book_files import HEADER, SOURCE, rewrite
from duly.book import check, is_snapshot, open_snapshot, take_snapshot
from duly.core.errors import Refused


class TestOutput:
    def test_is_opened_as_it_was_taken(self, take, book):
        taken = take(book)
        assert is_snapshot(taken.snapshot.path)
        assert open_snapshot(taken.snapshot.path) == taken.snapshot

    def test_that_was_changed_is_refused(self, take, book):
        path = take(book).snapshot.path
        with (path / "payments.parquet").open("ab") as file:
            file.write(b" ")
        with pytest.raises(Refused, match="changed_file"):
            open_snapshot(path)

    def test_that_lacks_a_file_is_refused(self, take, book):
        path = take(book).snapshot.path
        (path / "payments.parquet").unlink()
        with pytest.raises(Refused, match="bad_snapshot"):
            open_snapshot(path)

    def test_takes_the_place_of_an_older_snapshot(self, take, book):
        first = take(book).snapshot
        assert take(book).snapshot.book_sha256 == first.book_sha256

    def test_never_takes_the_place_of_something_else(self, book, tmp_path, lender):
        out = tmp_path / "mine"
        out.mkdir()
        (out / "thesis.txt").write_text("years of work")
        with pytest.raises(Refused, match="output_exists"):
            take_snapshot(book, out, lender=lender, needs="plan")
        assert [one.name for one in out.iterdir()] == ["thesis.txt"]

    def test_sweeps_away_what_a_killed_process_left(self, take, book, tmp_path):
        left = tmp_path / ".snapshot.half-999999999"
        left.mkdir()
        (left / "loans.parquet.new").write_text("half")
        take(book)
        assert not left.exists()

    def test_on_a_full_disk_is_refused_and_leaves_nothing(self, book, tmp_path):
        done = subprocess.run(
            [sys.executable, "-c", FULL_DISK, str(book), str(tmp_path / "out")],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
            timeout=60,
        )
        assert done.stdout.split() == ["cannot_write"], done.stderr
        assert sorted(one.name for one in tmp_path.iterdir()) == ["book"]

    def test_names_the_book_by_its_files_alone(self, book, tmp_path, lender):
        one = take_snapshot(book, tmp_path / "one", lender=lender, needs="plan", threads=1)
        two = take_snapshot(book, tmp_path / "two", lender=lender, needs="position", threads=2)
        assert one.book_sha256 == two.book_sha256
        (book / "payments.csv").write_bytes((book / "payments.csv").read_bytes() + b"\n")
        three = take_snapshot(book, tmp_path / "three", lender=lender, needs="plan")
        assert three.book_sha256 != one.book_sha256


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from duly.book import load_lender, take_snapshot
from duly.core.errors import Refused
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    take_snapshot(Path(sys.argv[1]), Path(sys.argv[2]), lender=load_lender(None), needs="plan")
except Refused as refused:
    print(*[one.code for one in refused.diagnostics])
"""


def test_check_gives_rows_warnings_and_alerts(book, lender):
    rewrite(book, "payments", HEADER + "P1,L9,2026-02-01,1.00\n")
    result = check(book, lender, "en")
    assert result.rows == (
        {
            "table": "payments",
            "row": 1,
            "column": "loan_id",
            "code": "unknown_loan",
            "message": "loan L9 is not in loans; add the loan or correct loan_id",
            "file": "payments.csv",
        },
    )
    assert [one.code for one in result.alerts] == ["unknown_payment"]
    assert [one.code for one in result.warnings] == ["principal_differs"]


def test_a_snapshot_is_the_same_on_one_thread_and_two(tmp_path, lender):
    book = tmp_path / "book"
    book.mkdir()
    with duckdb.connect() as con:
        for table, query in BULK.items():
            con.execute(f"COPY ({query}) TO '{book}/{table}.parquet' (ROW_GROUP_SIZE 5000)")
    snapshots = [
        take_snapshot(book, tmp_path / str(n), lender=lender, needs="plan", threads=n)
        for n in (1, 2)
    ]
    assert snapshots[0].quarantined_rows == snapshots[1].quarantined_rows > 0
    for file in sorted((tmp_path / "1").glob("*.parquet")):
        one, two = (sorted_rows(tmp_path / str(n) / file.name) for n in (1, 2))
        assert one == two, file.name
    ids = pq.read_table(tmp_path / "1" / "loans.parquet").column("loan_id").to_pylist()
    assert ids == sorted(ids, key=str.encode)


def sorted_rows(path: Path) -> list[str]:
    return sorted(map(repr, pq.read_table(path).to_pylist()))


BULK = {
    "loans": "SELECT 'L' || (k * 7919 % 20000) AS loan_id, 'B' || (k % 9000) AS borrower_id,"
    " 100.00 AS principal, DATE '2026-01-01' AS disbursed_on FROM range(20000) AS r(k)",
    "installments": "SELECT 'L' || (k // 3) AS loan_id, k % 3 + 1 AS number,"
    " DATE '2026-02-01' + (k % 3)::INTEGER AS due_on,"
    " CASE WHEN k % 9973 = 5 THEN -1.00 ELSE 33.33 END AS principal FROM range(60000) AS r(k)",
    "payments": "SELECT 'P' || (k * 7919 % 50000 // CASE WHEN k = 777 THEN 2 ELSE 1 END)"
    " AS payment_id, 'L' || (k % 20005) AS loan_id, DATE '2026-02-01' AS paid_on,"
    " 10.50 AS amount FROM range(50000) AS r(k)",
    "borrowers": "SELECT 'B' || k AS borrower_id FROM range(9000) AS r(k)",
    "contact_points": "SELECT 'B' || k AS borrower_id, 'sms' AS channel, '+86' AS address"
    " FROM range(9000) AS r(k)",
    "contacts": "SELECT 'C' || k AS contact_id, 'B' || (k % 9000) AS borrower_id, 'sms' AS channel,"
    " '2026-02-02T10:00:00+08:00' AS at, 'out' AS direction, 'sent' AS outcome"
    " FROM range(30000) AS r(k)",
    "signals": "SELECT 'S' || k AS signal_id, 'B' || k AS borrower_id, 'dispute' AS kind,"
    " '2026-02-02T10:00:00Z' AS starts_at FROM range(100) AS r(k)",
}


def test_the_mintos_book_has_no_row_in_quarantine(shared, take):
    taken = take(shared / "data" / "mintos" / "book")
    assert taken.found == []
    assert taken.snapshot.rows["loans"] == 19_328
    assert taken.snapshot.quarantined_rows == 0


class TestOrder:
    def test_rows_follow_their_loans_and_keep_the_order_of_the_book_within_one(
        self, tmp_path, write_book, take
    ):
        paid = [("P5", "L2"), ("P9", "L1"), ("P1", "L2"), ("P7", None), ("P3", "L1")]
        taken = take(
            write_book(
                tmp_path,
                {
                    "loans": [{}, {}],
                    "installments": [
                        {"loan_id": "L2", "number": 1},
                        {"number": 1},
                        {"number": 2, "due_on": "2026-03-01"},
                    ],
                    "payments": [
                        {"payment_id": payment_id, "loan_id": loan_id, "borrower_id": owner}
                        for payment_id, loan_id in paid
                        for owner in ["B2" if loan_id == "L2" else "B1"]
                    ],
                },
            )
        )
        assert [(one["loan"], one["payment_id"]) for one in taken.rows("payments")] == [
            (None, "P7"), (0, "P9"), (0, "P3"), (1, "P5"), (1, "P1"),
        ]  # fmt: skip
        assert [(one["loan"], one["number"]) for one in taken.rows("installments")] == [
            (0, 1), (0, 2), (1, 1),
        ]  # fmt: skip


def test_of_a_snapshot_is_refused(take, refused, book):
    taken = take(book).snapshot.path
    assert refused(taken) == [(str(taken), "is_snapshot")]
