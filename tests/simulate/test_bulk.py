"""The bulk book has the promised shape, is the same for the same seed, and spans several parts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from duly.core import digest
from duly.simulate import write_bulk

LOANS = 1000


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bulk") / "book"
    write_bulk(path, loans=LOANS, seed=7)
    return path


@pytest.fixture
def ask(book: Path) -> Callable[[str], tuple[object, ...]]:
    def answer(sql: str) -> tuple[object, ...]:
        with duckdb.connect() as connection:
            for folder in book.iterdir():
                if folder.is_dir():
                    connection.execute(f"CREATE VIEW {folder.name} AS FROM '{folder}/*.parquet'")
            row = connection.execute(sql).fetchone()
        assert row is not None
        return row

    return answer


def test_each_loan_has_ten_installments_and_six_payments(ask):
    per_loan = (
        "SELECT min(n), max(n), count(*) FROM (SELECT count(*) AS n FROM {} GROUP BY loan_id)"
    )
    assert ask(per_loan.format("installments")) == (10, 10, LOANS)
    assert ask(per_loan.format("payments")) == (6, 6, LOANS)


def test_about_twelve_loans_in_a_hundred_are_overdue(ask):
    overdue = (
        "SELECT count(DISTINCT loan_id) FROM installments "
        "WHERE number >= 7 AND due_on < DATE '2026-03-10'"
    )
    assert ask(overdue) == (123,)


def test_each_overdue_loan_was_contacted_twelve_times_in_three_years(ask):
    assert ask("SELECT count(*), count(DISTINCT loan_id) FROM contacts") == (123 * 12, 123)
    first, last = ask('SELECT min("at"), max("at") FROM contacts')
    assert str(first) > "2023-03" and str(last) < "2026-03-10"


def test_schedules_add_up_to_the_principal_of_the_loan(ask):
    wrong = (
        "SELECT count(*) FROM (SELECT loan_id, sum(principal) AS s FROM installments GROUP BY 1) "
        "JOIN loans USING (loan_id) WHERE s <> loans.principal"
    )
    assert ask(wrong) == (0,)


def test_no_payment_comes_before_its_loan_or_after_the_business_date(ask):
    wrong = (
        "SELECT count(*) FROM payments JOIN loans USING (loan_id) "
        "WHERE paid_on < disbursed_on OR paid_on >= DATE '2026-03-10'"
    )
    assert ask(wrong) == (0,)


def test_every_key_is_unique_and_every_reference_is_known(ask):
    assert ask("SELECT count(DISTINCT loan_id) FROM loans") == (LOANS,)
    assert ask("SELECT count(DISTINCT payment_id) FROM payments") == (6 * LOANS,)
    assert ask("SELECT count(DISTINCT borrower_id) FROM borrowers") == (950,)
    for table in ("loans", "contact_points", "contacts", "consents", "signals"):
        unknown = f"SELECT count(*) FROM {table} ANTI JOIN borrowers USING (borrower_id)"
        assert ask(unknown) == (0,)
    for table in ("installments", "payments"):
        assert ask(f"SELECT count(*) FROM {table} ANTI JOIN loans USING (loan_id)") == (0,)


def test_ids_come_in_no_order(ask):
    ordered = (
        "SELECT count(*) FILTER (loan_id > before), count(*) FROM "
        "(SELECT loan_id, lag(loan_id) OVER () AS before FROM loans)"
    )
    rising, rows = ask(ordered)
    assert rows == LOANS and 100 < int(str(rising)) < 900


def test_money_is_decimal_dates_are_dates_and_instants_are_text(ask):
    types = "SELECT typeof(amount), typeof(paid_on) FROM payments LIMIT 1"
    assert ask(types) == ("DECIMAL(18,2)", "DATE")
    assert ask('SELECT typeof("at") FROM contacts LIMIT 1') == ("VARCHAR",)


def test_control_totals_are_those_of_the_files(book, ask):
    told = json.loads((book / "book.json").read_text(encoding="utf-8"))
    assert told["cut_at"] == "2026-03-10T06:00:00+08:00"
    for table, total in told["tables"].items():
        assert ask(f"SELECT count(*) FROM {table}") == (total["rows"],)
    paid = ask("SELECT CAST(sum(amount) AS VARCHAR) FROM payments")
    assert paid == (told["tables"]["payments"]["amount"],)


def test_each_table_is_a_directory_of_two_parts_or_more(book):
    for folder in book.iterdir():
        if folder.is_dir():
            assert len(list(folder.glob("*.parquet"))) == 2, folder


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_seed_gives_the_same_bytes_on_any_thread_count(book, tmp_path, threads):
    write_bulk(tmp_path / "again", loans=LOANS, seed=7, threads=threads)
    assert _digests(tmp_path / "again") == _digests(book)


def test_another_seed_gives_another_book(book, tmp_path):
    write_bulk(tmp_path / "other", loans=LOANS, seed=8)
    assert _digests(tmp_path / "other") != _digests(book)


def _digests(book: Path) -> dict[str, str]:
    return {
        str(file.relative_to(book)): digest.of_file(file)
        for file in sorted(book.rglob("*"))
        if file.is_file()
    }
