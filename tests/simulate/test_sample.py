"""The sample book is the same for the same seed and holds a case of everything."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from duly.book import schema
from duly.core import digest, money
from duly.simulate import PLANTED, write_sample
from duly.simulate.stories import STORIES

Rows = list[dict[str, str]]
TODAY = "2026-03-10"
DIGEST = "b86df504abd4838f3814337bcb0fc08b495e2ec35794d0fff740fdfa496aaf98"
BORROWERS, SECONDS, COSTLY = 976, 224, 27


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample") / "book"
    write_sample(out)
    return out


@pytest.fixture(scope="module")
def book(path: Path) -> Mapping[str, Rows]:
    return {table: _read(path / f"{table}.csv") for table in schema.TABLES}


def _read(file: Path) -> Rows:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _digests(book: Path) -> dict[str, str]:
    return {file.name: digest.of_file(file) for file in sorted(book.iterdir())}


def test_the_same_seed_gives_the_same_bytes(path, tmp_path):
    write_sample(tmp_path / "again")
    assert _digests(tmp_path / "again") == _digests(path)


def test_writing_again_into_the_same_directory_changes_nothing(path, tmp_path):
    write_sample(tmp_path / "book", seed=8)
    write_sample(tmp_path / "book")
    assert _digests(tmp_path / "book") == _digests(path)


def test_the_bytes_are_those_of_every_other_machine(path):
    assert digest.of_value(_digests(path)) == DIGEST


def test_another_seed_gives_another_book_with_the_same_signals(path, tmp_path):
    write_sample(tmp_path / "other", seed=8)
    other = _digests(tmp_path / "other")
    assert other["payments.csv"] != _digests(path)["payments.csv"]
    kinds = Counter(row["kind"] for row in _read(tmp_path / "other" / "signals.csv"))
    assert kinds == Counter(story.kind for story in STORIES)


def test_another_business_date_moves_every_date(tmp_path):
    write_sample(tmp_path / "book", business_date=date(2027, 3, 10))
    told = json.loads((tmp_path / "book" / "book.json").read_text(encoding="utf-8"))
    assert told["cut_at"] == "2027-03-10T06:00:00+08:00"
    assert {row["as_of"] for row in _read(tmp_path / "book" / "stated.csv")} == {"2027-03-09"}


def test_a_book_too_small_for_its_stories_is_refused(tmp_path):
    with pytest.raises(AssertionError, match="each story needs a loan of its own"):
        write_sample(tmp_path / "book", loans=100)
    assert not (tmp_path / "book").exists()


def test_control_totals_are_those_of_the_files(path, book):
    told = json.loads((path / "book.json").read_text(encoding="utf-8"))
    assert {table: total["rows"] for table, total in told["tables"].items()} == {
        table: len(rows) for table, rows in book.items()
    }
    paid = sum(money.to_minor(row["amount"], "CNY") for row in book["payments"])
    assert told["tables"]["payments"]["amount"] == money.major(paid, "CNY")


def test_files_are_utf_8_with_unix_line_ends(path):
    for file in path.iterdir():
        content = file.read_bytes()
        content.decode("utf-8")
        assert b"\r" not in content and content.endswith(b"\n"), file.name


def test_there_are_1200_loans_of_about_1000_borrowers(book):
    assert len(book["loans"]) == 1200
    owners = Counter(row["borrower_id"] for row in book["loans"])
    assert len(owners) == len(book["borrowers"]) == BORROWERS
    assert Counter(owners.values()) == {1: BORROWERS - SECONDS, 2: SECONDS}


def test_every_kind_of_signal_occurs_at_least_twice(book):
    kinds = Counter(row["kind"] for row in book["signals"])
    assert set(kinds) == set(schema.SIGNAL_KINDS)
    assert min(kinds.values()) >= 2


def test_every_choice_of_every_column_occurs(book):
    unused = {
        (table.name, column.name, value)
        for table in schema.TABLES.values()
        for column in table.columns
        for value in column.values
        if value not in {row[column.name] for row in book[table.name]}
    }
    assert unused == {
        ("contacts", "class", "correction"),
        ("contacts", "class", "notice"),
        *(("contacts", "channel", name) for name in ("push", "im", "in_app", "letter", "visit")),
        ("payments", "component", "fee"),
        ("payments", "component", "interest"),
        ("payments", "component", "principal"),
        ("relations", "kind", "co_borrower"),
        ("relations", "kind", "shared_address"),
        ("relations", "kind", "shared_phone"),
    }


def test_rates_are_lawful_but_for_a_few_above_the_cost_cap(book):
    rates = Counter(row["late_rate_daily"] for row in book["loans"])
    assert set(rates) == {"0.0005", "0.0008"} and rates["0.0008"] == COSTLY
    assert {len(row["annual_rate"]) for row in book["loans"]} == {6}
    assert all("0.1200" <= row["annual_rate"] <= "0.1800" for row in book["loans"])


def test_numbers_are_of_a_pattern_that_nobody_has(book):
    numbers = [row["address"] for row in book["contact_points"] if row["channel"] != "email"]
    assert all(number.startswith("+861390000") and len(number) == 14 for number in numbers)
    emails = [row["address"] for row in book["contact_points"] if row["channel"] == "email"]
    assert all(address.endswith("@example.com") for address in emails)


def test_one_number_belongs_to_one_borrower(book):
    owners: dict[str, set[str]] = {}
    for row in book["contact_points"]:
        owners.setdefault(row["address"], set()).add(row["borrower_id"])
    assert {len(ids) for ids in owners.values()} == {1}


def test_nothing_is_booked_after_the_cut(book):
    assert max(row["paid_on"] for row in book["payments"]) < TODAY
    assert max(row["at"] for row in book["contacts"]) < TODAY
    assert max(row["starts_at"] for row in book["signals"]) < TODAY
    assert max(row["reversed_on"] for row in book["payments"]) < TODAY


def test_no_payment_comes_before_its_loan(book):
    disbursed = {row["loan_id"]: row["disbursed_on"] for row in book["loans"]}
    paid = [row for row in book["payments"] if row["loan_id"]]
    assert [row for row in paid if row["paid_on"] < disbursed[row["loan_id"]]] == []


def test_references_are_known(book):
    loans = {row["loan_id"] for row in book["loans"]}
    borrowers = {row["borrower_id"] for row in book["borrowers"]}
    for table in schema.TABLES:
        for row in book[table]:
            assert row.get("loan_id", "") in loans | {""}, row
            assert row.get("borrower_id", "") in borrowers | {""}, row


def test_six_bad_rows_are_planted_each_with_another_borrower(book):
    owner = {row["loan_id"]: row["borrower_id"] for row in book["loans"]}
    touched = []
    for table, column, text in PLANTED:
        rows = [row for row in book[table] if row[column] == text]
        assert len(rows) == 1, (table, column)
        touched.append(rows[0].get("borrower_id") or owner[rows[0]["loan_id"]])
    assert len(set(touched)) == len(PLANTED) == 6


def test_schedules_add_up_to_the_principal_of_the_loan(book):
    sums: Counter[str] = Counter()
    for row in book["installments"]:
        sums[row["loan_id"]] += money.to_minor(row["principal"], "CNY")
    for row in book["loans"]:
        if not row["principal"].startswith("-"):
            assert sums[row["loan_id"]] == money.to_minor(row["principal"], "CNY")


def test_reminders_are_wished_for_and_channels_withdrawn(book):
    wishes = [row for row in book["consents"] if row["detail"] == '{"reminders": true}']
    assert len(wishes) == 140 and {row["purpose"] for row in wishes} == {"servicing"}
    withdrawn = [row for row in book["consents"] if row["withdrawn_at"]]
    assert Counter(row["channel"] for row in withdrawn) == {
        "sms": 11,
        "email": 4,
        "voice": 4,
        "": 3,
    }


def test_unapplied_money_names_a_borrower_and_no_loan(book):
    unapplied = [row for row in book["payments"] if not row["loan_id"]]
    assert [row["amount"] for row in unapplied] == ["300.00", "300.00"]
    assert all(row["borrower_id"] for row in unapplied)


def test_borrowers_live_in_several_zones_and_regions(book):
    zones = Counter(row["time_zone"] for row in book["borrowers"])
    assert {zone: count for zone, count in zones.items() if zone != "Asia/Shanghai"} == {
        "Asia/Urumqi": 2,
        "Europe/London": 2,
        "Asia/Singapore": 2,
        "America/New_York": 2,
        "Asia/Tokyo": 2,
        "Asia/Shanghia": 1,
    }
    assert Counter(row["locale"] for row in book["borrowers"])["en"] == 8
    western = [row for row in book["borrowers"] if row["region"][:2] in {"65", "54"}]
    assert len(western) == 8
