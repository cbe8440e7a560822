"""The generated books are read as planned: the sample quarantines what is planted, bulk nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from duly import position
from duly.book import Snapshot, load_lender, take_snapshot
from duly.simulate import PLANTED, write_bulk, write_sample

ZONE = "Asia/Shanghai"
CODES = ["bad_choice", "bad_choice", "bad_date", "bad_money", "bad_time_zone", "negative"]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder / "book")
    return _taken(folder)


@pytest.fixture(scope="module")
def bulk(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = tmp_path_factory.mktemp("bulk")
    write_bulk(folder / "book", loans=1000, seed=7)
    return _taken(folder)


def _taken(folder: Path) -> Snapshot:
    return take_snapshot(
        folder / "book", folder / "snapshot", lender=load_lender(None), needs="plan"
    )


def _rows(snapshot: Snapshot, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        for file in snapshot.path.glob("*.parquet"):
            connection.execute(f"CREATE VIEW {file.stem} AS FROM '{file}'")
        return connection.execute(sql).fetchall()


def _positions(snapshot: Snapshot, as_of: date, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        for file in snapshot.path.glob("*.parquet"):
            connection.execute(f"CREATE VIEW {file.stem} AS FROM '{file}'")
        positions = position.compute(snapshot, as_of=as_of, time_zone=ZONE, threads=1)
        connection.register("positions", positions.loans)
        return connection.execute(sql).fetchall()


def test_the_sample_quarantines_exactly_the_planted_rows(sample):
    found = _rows(sample, 'SELECT "table", "column", value FROM quarantine')
    assert sorted(found) == sorted(PLANTED)
    codes = _rows(sample, "SELECT code FROM quarantine ORDER BY ALL")
    assert [code for (code,) in codes] == CODES
    assert sample.quarantined_rows == len(PLANTED)


def test_each_planted_row_touches_one_loan(sample):
    assert _rows(sample, "SELECT count(*) FROM loans WHERE quarantined") == [(len(PLANTED),)]


def test_the_sample_gives_no_warning(sample):
    assert [warning.render("en") for warning in sample.warnings] == []
    assert [alert.render("en") for alert in sample.alerts] == []


def test_bulk_quarantines_nothing_and_warns_of_nothing(bulk):
    assert bulk.quarantined_rows == 0
    assert bulk.warnings == bulk.alerts == ()
    assert bulk.rows["loans"] == 1000


def test_twelve_bulk_loans_in_a_hundred_are_overdue(bulk):
    overdue = "SELECT count(*) FROM positions WHERE days_past_due > 0"
    assert _positions(bulk, date(2026, 3, 10), overdue) == [(123,)]


def test_bulk_payments_fit_their_installments(bulk):
    odd = "SELECT count(*) FROM positions WHERE unallocated_credit > 0 OR waiver_unused > 0"
    assert _positions(bulk, date(2026, 3, 10), odd) == [(0,)]


def test_the_sample_is_late_in_every_bucket(sample):
    buckets = "SELECT bucket, count(*) FROM positions WHERE status = 'active' GROUP BY 1 ORDER BY 1"
    assert dict(_positions(sample, date(2026, 3, 10), buckets)) == {
        "M0": 966,
        "M1": 94,
        "M2": 32,
        "M3": 12,
        "M4": 5,
        "M5": 5,
        "M6": 3,
        "M7+": 5,
    }


def test_stated_figures_agree_but_for_a_handful(sample):
    apart = (
        "SELECT count(*), count(*) FILTER (stated.overdue_total <> positions.overdue_total"
        " OR stated.outstanding_total <> positions.outstanding_total)"
        " FROM stated JOIN positions USING (loan)"
    )
    assert _positions(sample, date(2026, 3, 9), apart) == [(461, 5)]


def test_overpaid_loans_hold_credit_for_their_borrowers(sample):
    credit = (
        "SELECT unallocated_credit, count(*) FROM positions WHERE unallocated_credit > 0 GROUP BY 1"
    )
    assert _positions(sample, date(2026, 3, 10), credit) == [(5000, 2)]


def test_costly_loans_are_overdue_too(sample):
    costly = (
        "SELECT count(*) FROM positions JOIN loans USING (loan)"
        " WHERE late_rate_e8 = 80000 AND late_charge > 0"
    )
    assert _positions(sample, date(2026, 3, 10), costly) == [(4,)]
