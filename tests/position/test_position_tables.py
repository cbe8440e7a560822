"""The tables, their files, and what they must not depend on."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from position_books import (
    ZONE,
    Book,
    Row,
    day,
    installment,
    loan,
    payment,
    positions_of,
    signal,
    write_snapshot,
)

from duly.core.errors import Refused
from duly.position import batch, compute, trace, warm, write

DUE = day("2026-03-03")
COLUMNS = """
    loan_id borrower_id currency as_of days_past_due days_delinquent bucket overdue_since
    arrears_since installments_overdue overdue_principal overdue_interest overdue_fee late_charge
    overdue_total outstanding_principal outstanding_interest outstanding_fee outstanding_total
    next_due_on next_due_amount unallocated_credit waiver_unused paid_total last_paid_on
    late_count_12m late_count_12m_after_grace days_past_due_max_12m status
""".split()
INSTALLMENTS = """
    loan_id number due_on paid_principal paid_interest paid_fee late_charge_accrued
    late_charge_paid unpaid_total settled_on days_late
""".split()


def many(count: int) -> Book:
    """Loans that differ in everything, their children in no order."""
    loans = [
        loan(
            f"L{n:03}", borrower_id=f"B{n % 7}", late_rate_e8=10_000 * (n % 5),
            quarantined=n % 11 == 3, grace_days=n % 4,
            allocation=("oldest_installment", "component", "principal_first")[n % 3],
        )
        for n in range(count)
    ]  # fmt: skip
    good = [n for n in range(count) if n % 11 != 3]
    return Book(
        loans=loans,
        installments=[
            installment(k, DUE + timedelta(days=20 * k - n % 9), 1_000 + n, loan_id=f"L{n:03}",
                        interest=n, fee=n % 3)
            for k in (3, 1, 2)
            for n in reversed(good)
        ],
        payments=[
            payment(f"P{n}-{k}", DUE + timedelta(days=15 * k + n % 13), 500 + n * k,
                    loan_id=f"L{n:03}",
                    reversed_on=DUE + timedelta(days=60) if n % 8 == 0 else None)
            for k in (2, 1, 4)
            for n in good
        ],
        signals=[
            signal(f"S{n}", "moratorium", DUE + timedelta(days=n), None, borrower_id=f"B{n % 7}",
                   loan_id=None)
            for n in (30, 40)
        ],
    )  # fmt: skip


AS_OF = day("2026-05-20")
BESIDE = ["grace_ends_on", "oldest_number", "late_count_before_arrears", "accruing"]


class TestTables:
    def test_have_the_columns_of_the_contract(self, tmp_path: Path) -> None:
        made = compute(
            write_snapshot(many(5), tmp_path / "snapshot"),  # type: ignore[arg-type]
            as_of=AS_OF, time_zone=ZONE, installments=True,
        )  # fmt: skip
        assert made.loans.column_names == ["loan", *COLUMNS, *BESIDE]
        assert made.installments is not None
        assert made.installments.column_names == INSTALLMENTS
        kinds = {name: made.loans.schema.field(name).type for name in made.loans.column_names}
        assert kinds["overdue_total"] == pa.int64()
        assert kinds["days_past_due"] == pa.int32()
        assert kinds["overdue_since"] == kinds["as_of"] == kinds["grace_ends_on"] == pa.date32()

    def test_leave_quarantined_loans_out(self) -> None:
        rows, items = positions_of(many(30), AS_OF)
        left_out = {"L003", "L014", "L025"}
        assert {row["loan_id"] for row in rows} == {f"L{n:03}" for n in range(30)} - left_out
        assert [row["loan"] for row in rows] == [n for n in range(30) if n % 11 != 3]
        assert not left_out & {item["loan_id"] for item in items}

    def test_of_an_empty_book_are_empty(self, tmp_path: Path) -> None:
        snapshot = write_snapshot(Book(loans=[]), tmp_path / "snapshot")
        made = compute(
            snapshot,
            as_of=AS_OF,
            time_zone=ZONE,
            installments=True,  # type: ignore[arg-type]
        )
        assert made.loans.num_rows == 0
        assert made.loans.column_names[1 : -len(BESIDE)] == COLUMNS
        assert made.installments is not None
        assert made.installments.column_names == INSTALLMENTS

    def test_of_a_loan_without_installments_hold_its_money_as_credit(self) -> None:
        rows, _ = positions_of(Book(loans=[loan()], payments=[payment("P1", DUE, 7)]), AS_OF)
        assert (rows[0]["unallocated_credit"], rows[0]["outstanding_total"]) == (7, 0)

    def test_leave_unapplied_money_to_others(self) -> None:
        rows, _ = positions_of(
            Book(
                loans=[loan()],
                installments=[installment(1, DUE, 100)],
                payments=[payment("P1", DUE, 100, loan_id="")],
            ),
            AS_OF,
        )
        assert (rows[0]["paid_total"], rows[0]["overdue_total"]) == (0, 100)

    @pytest.mark.parametrize("threads", [1, 2, 3])
    def test_do_not_depend_on_threads_chunks_or_blocks(
        self, threads: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        expected = positions_of(many(100), AS_OF)
        monkeypatch.setattr(batch, "_CHUNK", 7)
        assert positions_of(many(100), AS_OF, threads=threads, rows_a_group=9) == expected
        monkeypatch.setattr(batch, "_BLOCK", 13)
        assert positions_of(many(100), AS_OF, threads=threads, rows_a_group=9) == expected

    @pytest.mark.parametrize("threads", [1, 2])
    def test_are_the_same_of_rows_that_follow_their_loans(
        self, threads: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        book = many(100)
        expected = positions_of(book, AS_OF)
        monkeypatch.setattr(batch, "_RUN", 13)

        def by_loan(row: Row) -> str:
            return str(row["loan_id"])

        ordered = replace(
            book,
            installments=sorted(book.installments, key=by_loan),
            payments=sorted(book.payments, key=by_loan),
        )
        assert positions_of(ordered, AS_OF, threads=threads, rows_a_group=9) == expected

    def test_warming_needs_no_book(self) -> None:
        warm()


class TestFiles:
    @pytest.fixture
    def made(self, tmp_path: Path) -> tuple[Path, list[dict[str, object]]]:
        book = Book(
            loans=[loan('L,"1'), loan("L2")],
            installments=[installment(1, DUE, 100, loan_id='L,"1')],
        )
        snapshot = write_snapshot(book, tmp_path / "snapshot")
        positions = compute(
            snapshot,
            as_of=day("2026-03-05"),
            time_zone=ZONE,
            installments=True,  # type: ignore[arg-type]
        )
        for form in ("csv", "parquet"):
            paths = write(positions, tmp_path / "out", form)  # type: ignore[arg-type]
            assert paths == (
                tmp_path / "out" / f"positions.{form}", tmp_path / "out" / f"installments.{form}",
            )  # fmt: skip
        return tmp_path / "out", positions.loans.select(COLUMNS).to_pylist()

    def test_parquet_holds_plain_columns(self, made: tuple[Path, list[dict[str, object]]]) -> None:
        table = pq.read_table(made[0] / "positions.parquet")
        assert table.to_pylist() == made[1]
        assert table.schema.field("bucket").type == pa.string()

    def test_csv_leaves_nulls_empty_and_quotes_where_needed(
        self, made: tuple[Path, list[dict[str, object]]]
    ) -> None:
        text = (made[0] / "positions.csv").read_text(encoding="utf-8")
        assert text.splitlines()[0] == ",".join(COLUMNS)
        rows = list(csv.DictReader(text.splitlines()))
        assert [row["loan_id"] for row in rows] == ['L,"1', "L2"]
        assert rows[0]["overdue_since"] == "2026-03-03"
        assert rows[1]["overdue_since"] == ""
        assert rows[1]["next_due_amount"] == "0"

    def test_nothing_half_written_is_left(self, made: tuple[Path, list[dict[str, object]]]) -> None:
        names = sorted(path.name for path in made[0].iterdir())
        assert names == [
            "installments.csv", "installments.parquet", "positions.csv", "positions.parquet",
        ]  # fmt: skip


class TestTrace:
    def test_shows_every_factor_of_the_charge(self, tmp_path: Path) -> None:
        book = Book(
            loans=[loan(late_rate_e8=50_000, late_base="installment", grace_days=3)],
            installments=[installment(5, DUE, 68_000, interest=5_410)],
            payments=[
                payment("P1", day("2026-03-08"), 40_000),
                payment("P2", day("2026-03-09"), 10_000, reversed_on=day("2026-03-10")),
            ],
            signals=[signal("S1", "disaster", day("2026-03-05"), day("2026-03-06"))],
        )
        snapshot = write_snapshot(book, tmp_path / "snapshot")
        made = trace(snapshot, "L1", as_of=day("2026-03-12"), time_zone=ZONE)  # type: ignore[arg-type]
        item = made.installments[0]
        rows = [(row.from_day, row.until_day, row.days, row.base) for row in item.segments]
        # P1 meets four days (1.47) and 54.10, leaving 335.57; P2 counted on 03-09 only.
        assert rows == [
            (day("2026-03-04"), day("2026-03-05"), 1, 73_410),
            (day("2026-03-06"), day("2026-03-09"), 3, 73_410),
            (day("2026-03-09"), day("2026-03-13"), 4, 33_557),
        ]
        assert item.late_charge_accrued == 214  # (734.10 x 4 + 335.57 x 4) x 0.0005 = 2.13934
        assert made.paused == ((day("2026-03-05"), day("2026-03-06")),)
        first, second = made.payments
        assert [(part.component, part.amount) for part in first.applied] == [
            ("late_charge", 147), ("interest", 5_410), ("principal", 34_443),
        ]  # fmt: skip
        assert (second.counts, second.applied, second.left) == (False, (), 0)
        assert made.position["overdue_total"] == 33_624

    @pytest.mark.parametrize(
        ("loan_id", "code"), [("L9", "unknown_loan"), ("L003", "quarantined_loan")]
    )
    def test_refuses_a_loan_without_a_position(
        self, loan_id: str, code: str, tmp_path: Path
    ) -> None:
        snapshot = write_snapshot(many(5), tmp_path / "snapshot")
        with pytest.raises(Refused) as refused:
            trace(snapshot, loan_id, as_of=AS_OF, time_zone=ZONE)  # type: ignore[arg-type]
        assert [item.code for item in refused.value.diagnostics] == [code]
        assert all(loan_id in item.render("zh-CN") for item in refused.value.diagnostics)

    def test_takes_any_day(self, tmp_path: Path) -> None:
        snapshot = write_snapshot(many(12), tmp_path / "snapshot")
        for as_of in (date(2026, 1, 1), DUE, AS_OF, date(2030, 1, 1)):
            made = trace(snapshot, "L008", as_of=as_of, time_zone=ZONE)  # type: ignore[arg-type]
            assert made.position["as_of"] == as_of

    def test_a_payment_on_the_last_day_of_a_grace_meets_every_charge_of_that_day(
        self, tmp_path: Path
    ) -> None:
        # The grace of the first ends on the day of the payment; the second has none.
        book = Book(
            loans=[loan(late_rate_e8=1_000_000)],
            installments=[
                installment(1, day("2026-02-09"), 100, grace_until=day("2026-02-16")),
                installment(2, day("2026-02-09"), 2_700),
            ],
            payments=[payment("P1", day("2026-02-16"), 1_800)],
        )
        snapshot = write_snapshot(book, tmp_path / "snapshot")
        made = trace(snapshot, "L1", as_of=day("2026-02-16"), time_zone=ZONE)  # type: ignore[arg-type]
        (paid,) = made.payments
        # 27.00 x 1 % x 7 days = 1.89.
        assert [(part.number, part.component, part.amount) for part in paid.applied] == [
            (1, "principal", 100), (2, "late_charge", 189), (2, "principal", 1_511),
        ]  # fmt: skip
