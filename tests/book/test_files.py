"""Goal: what whole files may look like, and which refuse the book; nothing is written then."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from duly.book import check, is_snapshot, open_snapshot, take_snapshot
from duly.core.errors import Refused

naive = datetime.fromisoformat
SOURCE = Path(__file__).parents[2] / "src"


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


def rewrite(book: Path, table: str, text: str | bytes) -> Path:
    path = book / f"{table}.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return book


HEADER = "payment_id,loan_id,paid_on,amount\n"


def to_parquet(book: Path, table: str, **columns: pa.Array) -> Path:
    (book / f"{table}.csv").unlink()
    pq.write_table(pa.table(columns), book / f"{table}.parquet")
    return book


def payments(**more: pa.Array) -> dict[str, pa.Array]:
    return {
        "payment_id": pa.array(["P1", "P2"]),
        "loan_id": pa.array(["L1", "L2"]),
        "paid_on": pa.array([date(2026, 2, 1), date(2026, 2, 2)]),
        "amount": pa.array([Decimal("10.00"), Decimal("20.50")]),
        **more,
    }


class TestCsv:
    def test_may_begin_with_a_byte_order_mark(self, take, book):
        text = (book / "payments.csv").read_bytes()
        assert take(rewrite(book, "payments", b"\xef\xbb\xbf" + text)).found == []

    def test_may_end_its_lines_with_crlf(self, take, book):
        text = (book / "payments.csv").read_bytes().replace(b"\n", b"\r\n")
        taken = take(rewrite(book, "payments", text))
        assert taken.found == []
        assert taken.column("payments", "amount") == [1000, 1000]

    def test_counts_data_rows_through_quoted_newlines_and_blank_lines(self, take, book):
        header = "contact_id,borrower_id,channel,at,direction,outcome,actor\n"
        good = 'C1,B1,sms,2026-02-02T10:00:00Z,out,sent,"one\ntwo\r\nthree, ""four"""\n'
        bad = "C2,B1,sms,2026-02-02,out,sent,x\n"
        taken = take(rewrite(book, "contacts", header + good + "\n" + bad))
        assert taken.found == [("contacts", 2, "at", "bad_instant")]
        assert taken.column("contacts", "actor") == ['one\ntwo\r\nthree, "four"']

    def test_gives_the_row_where_a_newline_hides_in_an_id(self, take, book):
        taken = take(rewrite(book, "payments", HEADER + '"P\n1",L1,2026-02-01,1.00\n'))
        assert taken.found == [("payments", 1, "payment_id", "control_character")]

    def test_in_gbk_is_named_so(self, refused, book):
        text = "borrower_id,name\nB1,张伟\nB2,李娜\n".encode("gbk")
        rewrite(book, "borrowers", text)
        assert refused(book) == [("borrowers.csv", "not_utf8")]
        with pytest.raises(Refused, match=r"not UTF-8 \(GBK\)"):
            open_book(book)

    def test_in_gbk_in_a_column_that_is_not_read_is_refused_too(self, refused, book):
        text = "borrower_id,备注\nB1,张伟\nB2,李娜\n".encode("gbk")
        assert refused(rewrite(book, "borrowers", text)) == [("borrowers.csv", "not_utf8")]

    def test_in_another_encoding_is_not_called_gbk(self, refused, book):
        rewrite(book, "borrowers", b"borrower_id,name\nB1,Ren\xe9\nB2,Zo\xeb\n")
        assert refused(book) == [("borrowers.csv", "not_utf8")]
        with pytest.raises(Refused, match="not UTF-8;"):
            open_book(book)

    def test_cut_off_inside_quotes_is_refused(self, refused, book):
        text = HEADER + 'P1,L1,2026-02-01,1.00\n"P2,L2,2026-02-01,1.00\n'
        assert refused(rewrite(book, "payments", text)) == [("payments.csv", "cut_off_file")]

    def test_cut_off_inside_a_row_is_refused(self, refused, book):
        text = HEADER + "P1,L1,2026-02-01,1.00\nP2,L2,2026-"
        assert refused(rewrite(book, "payments", text)) == [("payments.csv", "cut_off_file")]

    def test_cut_off_inside_its_last_cell_is_warned_of(self, take, book):
        taken = take(rewrite(book, "payments", HEADER + "P1,L1,2026-02-01,1.0"))
        assert [one.code for one in taken.snapshot.warnings if one.file == "payments.csv"] == [
            "no_final_newline"
        ]

    @pytest.mark.parametrize("row", ["P2,L2,2026-02-01", "P2,L2,2026-02-01,1,000.00"])
    def test_with_another_number_of_fields_in_the_middle_is_refused(self, refused, book, row):
        text = HEADER + f"P1,L1,2026-02-01,1.00\n{row}\nP3,L2,2026-02-01,1.00\n"
        assert refused(rewrite(book, "payments", text)) == [("payments.csv", "wrong_field_count")]
        with pytest.raises(Refused, match="row 2 has"):
            open_book(book)

    def test_with_mixed_line_ends_is_refused(self, refused, book):
        text = HEADER + "P1,L1,2026-02-01,1.00\r\nP2,L2,2026-02-01,1.00\n"
        assert refused(rewrite(book, "payments", text)) == [("payments.csv", "mixed_line_ends")]

    @pytest.mark.parametrize("text", ["", "\ufeff"])
    def test_without_a_byte_is_refused(self, refused, book, text):
        assert refused(rewrite(book, "payments", text)) == [("payments.csv", "empty_file")]

    @pytest.mark.parametrize("text", [HEADER, HEADER.strip()])
    def test_with_a_header_alone_says_none(self, take, book, text):
        taken = take(rewrite(book, "payments", text))
        assert taken.snapshot.rows["payments"] == 0
        assert taken.rows("payments") == []

    def test_may_have_its_columns_in_any_order(self, take, book):
        text = "amount,paid_on,loan_id,payment_id\n1.00,2026-02-01,L1,P1\n"
        assert take(rewrite(book, "payments", text)).column("payments", "amount") == [100]

    def test_of_a_path_with_letters_of_a_glob_is_read(self, take, book):
        odd = book.rename(book.parent / "book [2026]* ?")
        assert take(odd).found == []


class TestHeader:
    def test_without_a_required_column_is_refused_with_a_hint(self, refused, book):
        text = "payment_id,loan_id,paid_on,amuont\nP1,L1,2026-02-01,1.00\n"
        assert refused(rewrite(book, "payments", text)) == [("payments.csv", "missing_column")]
        with pytest.raises(Refused, match=r"amount is missing \(amuont\?\)"):
            open_book(book)

    def test_with_a_column_twice_is_refused(self, refused, book):
        text = "payment_id,loan_id,paid_on,amount,amount\nP1,L1,2026-02-01,1.00,2.00\n"
        assert refused(rewrite(book, "payments", text)) == [("payments.csv", "column_twice")]

    def test_with_an_unknown_column_is_warned_of(self, take, book):
        text = HEADER.strip() + ",knd\nP1,L1,2026-02-01,1.00,waiver\n"
        taken = take(rewrite(book, "payments", text))
        (warning,) = [one for one in taken.snapshot.warnings if one.file == "payments.csv"]
        assert (warning.code, warning.column) == ("unknown_column", "knd")
        assert taken.column("payments", "kind") == [0]

    def test_of_several_files_is_judged_at_once(self, refused, book):
        rewrite(book, "payments", "")
        rewrite(book, "signals", "signal_id\n")
        assert refused(book) == [
            ("payments.csv", "empty_file"),
            ("signals.csv", "missing_column"),
            ("signals.csv", "missing_column"),
            ("signals.csv", "missing_column"),
        ]


class TestTables:
    def test_missing_refuse_the_plan(self, refused, book):
        (book / "signals.csv").unlink()
        assert refused(book) == [("signals.csv", "missing_table")]

    def test_misspelled_are_named_in_the_refusal(self, refused, book):
        (book / "payments.csv").rename(book / "payment.csv")
        with pytest.raises(Refused, match=r"missing \(payment\?\)"):
            open_book(book)

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


class TestParquet:
    def test_holds_decimals_dates_and_text_ids(self, take, book):
        taken = take(to_parquet(book, "payments", **payments()))
        assert taken.found == []
        assert taken.column("payments", "amount") == [1000, 2050]
        assert taken.column("payments", "loan") == [0, 1]

    @pytest.mark.parametrize(
        "amounts",
        [
            pa.array([734.10, 0.29]),
            pa.array(["734.10", "0.29"]),
            pa.array([Decimal("734.1000"), Decimal("0.2900")], pa.decimal128(18, 4)),
            pa.array([Decimal("734.10"), Decimal("0.29")], pa.decimal128(38, 10)),
            pa.array([Decimal("734.10"), Decimal("0.29")], pa.decimal128(5, 2)),
            pa.array([Decimal("734.10"), Decimal("0.29")], pa.decimal128(38, 30)),
        ],
    )
    def test_holds_money_in_every_type_of_the_contract(self, take, book, amounts):
        taken = take(to_parquet(book, "payments", **payments(amount=amounts)))
        assert taken.found == []
        assert taken.column("payments", "amount") == [73410, 29]

    def test_holds_whole_money_as_integers_of_major_units(self, take, book):
        taken = take(to_parquet(book, "payments", **payments(amount=pa.array([734, 1]))))
        assert taken.column("payments", "amount") == [73400, 100]

    def test_holds_a_large_amount_as_double_exactly(self, take, book):
        amounts = pa.array([99_999_999_999.99, 12_345_678_901.23])
        taken = take(to_parquet(book, "payments", **payments(amount=amounts)))
        assert taken.column("payments", "amount") == [9_999_999_999_999, 1_234_567_890_123]

    @pytest.mark.parametrize(
        ("amount", "code"),
        [
            (pa.array([1.005, 1.0]), "too_many_decimals"),
            (pa.array([float("nan"), 1.0]), "not_finite"),
            (pa.array([float("inf"), 1.0]), "not_finite"),
            (pa.array([0.0, 1.0]), "not_positive"),
            (pa.array([1e12, 1.0]), "out_of_range"),
            (pa.array([1e300, 1.0]), "out_of_range"),
            (pa.array([None, 1.0]), "missing_value"),
            (pa.array([Decimal("1.005"), Decimal("1.000")]), "too_many_decimals"),
            (pa.array([Decimal("-1.00"), Decimal("1.00")]), "not_positive"),
            (pa.array([Decimal(10) ** 30, Decimal(1)], pa.decimal128(38, 2)), "out_of_range"),
            (pa.array([2**62, 1]), "out_of_range"),
        ],
    )
    def test_with_broken_money_is_quarantined(self, take, book, amount, code):
        taken = take(to_parquet(book, "payments", **payments(amount=amount)))
        assert taken.found == [("payments", 1, "amount", code)]
        assert taken.column("payments", "amount") == [100]

    def test_holds_integer_ids_as_their_digits(self, take, book):
        ids = pa.array([7, 8])
        taken = take(to_parquet(book, "payments", **payments(payment_id=ids)))
        assert taken.column("payments", "payment_id") == ["7", "8"]

    @pytest.mark.parametrize(
        "days",
        [
            pa.array(["2026-02-01", "2026-02-02"]),
            pa.array([naive("2026-02-01T00:00"), naive("2026-02-02T00:00")], pa.timestamp("us")),
            pa.array([naive("2026-02-01T00:00"), naive("2026-02-02T00:00")], pa.timestamp("ns")),
        ],
    )
    def test_holds_dates_as_text_or_midnights(self, take, book, days):
        taken = take(to_parquet(book, "payments", **payments(paid_on=days)))
        assert taken.found == []
        assert taken.column("payments", "paid_on") == [date(2026, 2, 1), date(2026, 2, 2)]

    def test_with_a_time_of_day_in_a_date_is_quarantined(self, take, book):
        days = pa.array([naive("2026-02-01T09:00"), naive("2026-02-02T00:00")], pa.timestamp("us"))
        taken = take(to_parquet(book, "payments", **payments(paid_on=days)))
        assert taken.found == [("payments", 1, "paid_on", "bad_date")]

    @pytest.mark.parametrize("unit", ["us", "ns", "ms"])
    def test_holds_instants_in_utc(self, take, book, unit):
        at = pa.array([naive("2026-02-02T02:00")], pa.timestamp(unit, "UTC"))
        text = {"contact_id": "C1", "borrower_id": "B1", "channel": "sms"}
        columns = {key: pa.array([cell]) for key, cell in text.items()}
        more = {"direction": pa.array(["out"]), "outcome": pa.array(["sent"])}
        taken = take(to_parquet(book, "contacts", **columns, **more, at=at))
        assert taken.column("contacts", "at") == [naive("2026-02-02T02:00")]

    @pytest.mark.parametrize(
        ("column", "values"),
        [
            ("amount", pa.array([True, False])),
            ("amount", pa.array([1.5, 2.5], pa.float32())),
            ("amount", pa.array([[1], [2]])),
            ("paid_on", pa.array([20260201, 20260202])),
            ("loan_id", pa.array([1.0, 2.0])),
            ("kind", pa.array([0, 1])),
        ],
    )
    def test_of_a_type_that_cannot_hold_the_column_is_refused(self, refused, book, column, values):
        to_parquet(book, "payments", **payments(**{column: values}))
        assert refused(book) == [("payments.parquet", "wrong_type")]

    def test_with_an_empty_column_of_any_type_says_nothing(self, take, book):
        empty = {"reversed_on": pa.nulls(2), "kind": pa.array([None, None], pa.float64())}
        taken = take(to_parquet(book, "payments", **payments(**empty)))
        assert taken.found == []
        assert taken.column("payments", "reversed_on") == [None, None]

    def test_with_an_empty_required_column_is_quarantined(self, take, book):
        taken = take(to_parquet(book, "payments", **payments(amount=pa.nulls(2))))
        assert taken.found == [
            ("payments", 1, "amount", "missing_value"),
            ("payments", 2, "amount", "missing_value"),
        ]

    @pytest.mark.parametrize("keep", [0.5, 0.95])
    def test_cut_off_is_refused(self, refused, book, keep):
        to_parquet(book, "payments", **payments())
        path = book / "payments.parquet"
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * keep)])
        assert refused(book) == [("payments.parquet", "cut_off_file")]

    def test_that_is_something_else_is_refused(self, refused, book):
        to_parquet(book, "payments", **payments())
        (book / "payments.parquet").write_bytes(b"PK\x03\x04 a spreadsheet")
        assert refused(book) == [("payments.parquet", "unreadable")]

    def test_without_a_row_says_none(self, take, book):
        empty = {key: column.slice(0, 0) for key, column in payments().items()}
        assert take(to_parquet(book, "payments", **empty)).snapshot.rows["payments"] == 0

    def test_with_a_column_twice_is_refused(self, refused, book):
        (book / "payments.csv").unlink()
        table = pa.table(list(payments().values()), names=[*payments()])
        twice = table.append_column("amount", pa.array([1.0, 2.0]))
        pq.write_table(twice, book / "payments.parquet")
        assert refused(book) == [("payments.parquet", "column_twice")]

    def test_in_parts_counts_rows_through_them_in_the_order_of_their_names(self, take, book):
        (book / "payments.csv").unlink()
        (book / "payments").mkdir()
        (book / "payments" / "_SUCCESS").write_text("")
        for part, (ids, amounts) in {
            "part-2": (["P3", "P4"], [Decimal("1.00"), Decimal("0.00")]),
            "part-1": (["P1", "P2"], [Decimal("2.00"), Decimal("-2.00")]),
        }.items():
            columns = payments(payment_id=pa.array(ids), amount=pa.array(amounts))
            pq.write_table(pa.table(columns), book / "payments" / f"{part}.parquet")
        taken = take(book)
        assert taken.found == [
            ("payments", 2, "amount", "not_positive"),
            ("payments", 4, "amount", "not_positive"),
        ]
        assert taken.snapshot.rows["payments"] == 4

    def test_in_parts_of_other_columns_is_refused(self, refused, book):
        (book / "payments.csv").unlink()
        (book / "payments").mkdir()
        pq.write_table(pa.table(payments()), book / "payments" / "a.parquet")
        other = payments(kind=pa.array(["payment", "payment"]))
        pq.write_table(pa.table(other), book / "payments" / "b.parquet")
        assert refused(book) == [("payments/b.parquet", "parts_differ")]

    def test_in_a_folder_without_parts_is_refused(self, refused, book):
        (book / "payments.csv").unlink()
        (book / "payments").mkdir()
        assert refused(book) == [("payments/", "empty_file")]


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
        assert refused(self.said(book, payments=totals)) == [("payments", "control_total")]

    def test_totals_of_a_table_that_is_not_there_refuse_the_book(self, refused, book):
        assert refused(self.said(book, quotes={"rows": 1})) == [("quotes", "control_total")]

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
        ],
    )
    def test_a_file_that_says_something_else_refuses_the_book(self, refused, book, text):
        (book / "book.json").write_text(text)
        assert [code for _, code in refused(book)] == ["bad_book_json"]


class TestFolders:
    def test_that_do_not_exist_are_refused(self, refused, tmp_path):
        folder = tmp_path / "nowhere"
        assert refused(folder) == [(str(folder), "unreadable")]

    def test_without_permission_are_refused(self, book, tmp_path):
        if os.geteuid() == 0:
            tmp_path.chmod(0o711)
        book.chmod(0o000)
        try:
            done = as_nobody(book)
        finally:
            book.chmod(0o755)
        assert done.stdout.split() == ["unreadable"], done.stderr

    def test_with_a_file_without_permission_are_refused(self, book):
        (book / "payments.csv").chmod(0o000)
        try:
            done = as_nobody(book)
        finally:
            (book / "payments.csv").chmod(0o644)
        assert done.stdout.split() == ["unreadable"], done.stderr


READ_IN_A_CHILD = """
import os, sys
from pathlib import Path
import duckdb
from duly.book import reading, snapshot
from duly.core.errors import Refused
try:  # What the refusal needs is imported while it may be read.
    reading.open_book(duckdb.connect(), Path("/nowhere"), "plan")
except Refused:
    b"x".decode("utf-8-sig")
try:  # What the refusal needs is imported while it may be read.
    reading.open_book(duckdb.connect(), Path("/nowhere"), "plan")
except Refused:
    b"x".decode("utf-8-sig")
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
os.chdir(sys.argv[1])
try:
    reading.open_book(duckdb.connect(), Path("book"), "plan")
except Refused as refused:
    print(*[one.code for one in refused.diagnostics])
"""


def as_nobody(book: Path) -> subprocess.CompletedProcess[str]:
    """Open a book as an unprivileged user, whatever user runs the tests."""
    for folder in (book.parent, *list(book.parent.parents)[:3]):
        if folder != Path(folder.root) and os.access(folder, os.W_OK) and "pytest" in str(folder):
            folder.chmod(0o755)
    return subprocess.run(
        [sys.executable, "-c", READ_IN_A_CHILD, str(book.parent)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        timeout=60,
    )


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


def open_book(book: Path) -> None:
    from duly.book import load_lender

    take_snapshot(book, book.parent / "out", lender=load_lender(None), needs="plan")


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
