"""Goal: which Parquet types hold which columns, and which files refuse the book."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from book.book_files import naive, payments, to_parquet


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

    @pytest.mark.parametrize("column", ["principal", "late_rate_daily", "grace_days"])
    def test_with_nan_among_doubles_that_are_equal_is_quarantined(self, take, book, column):
        cells = {"principal": 1000.0, "late_rate_daily": 0.0005, "grace_days": 3.0}
        doubles = {name: [value, value] for name, value in cells.items()}
        doubles[column][1] = float("nan")
        loans = {"loan_id": ["L1", "L2"], "borrower_id": ["B1", "B2"]} | doubles
        loans["disbursed_on"] = ["2026-01-01"] * 2
        to_parquet(book, "loans", **{name: pa.array(values) for name, values in loans.items()})
        assert take(book).found == [("loans", 2, column, "not_finite")]

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
        assert refused(book) == [("payments.parquet", "packed_file")]

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

    @pytest.mark.parametrize(
        "stray",
        ["part-1", "part-1.PARQUET", "part-1.csv", "_part-1.parquet", "day=1/part-1.parquet"],
    )
    def test_in_a_folder_with_anything_else_is_refused(self, refused, book, stray):
        to_parquet(book, "payments", **payments())
        (book / "payments").mkdir()
        (book / "payments.parquet").rename(book / "payments" / "part-0.parquet")
        other = book / "payments" / stray
        other.parent.mkdir(exist_ok=True)
        pq.write_table(pa.table(payments(payment_id=pa.array(["P3", "P4"]))), other)
        name = stray.split("/")[0]
        assert refused(book) == [(f"payments/{name}", "stray_part")]

    @pytest.mark.parametrize("left", ["_SUCCESS", "_metadata", ".part-0.parquet.crc", ".tmp"])
    def test_in_a_folder_with_what_writers_leave_is_read(self, take, book, left):
        to_parquet(book, "payments", **payments())
        (book / "payments").mkdir()
        (book / "payments.parquet").rename(book / "payments" / "part-0.parquet")
        (book / "payments" / left).write_bytes(b"")
        assert take(book).column("payments", "payment_id") == ["P1", "P2"]
