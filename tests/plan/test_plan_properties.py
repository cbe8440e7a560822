"""What holds for every plan: of the sample book, in any order of rows, on any number of threads."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq
from plan_made import AT, Made, make

from duly.book import load_lender, take_snapshot
from duly.core.reasons import REASONS
from duly.plan import canonical, write
from duly.plan.replay import read_table

TABLES = ("decisions", "messages", "positions")
AMOUNT = re.compile(r"[0-9][0-9,]*\.[0-9]{2}")


def test_every_loan_has_one_row_sorted_by_its_id(sample_book: Path, sample_plan: Made) -> None:
    with (sample_book / "loans.csv").open(encoding="utf-8-sig", newline="") as file:
        ids = [row["loan_id"] for row in csv.DictReader(file)]
    assert list(sample_plan.decisions) == sorted(ids, key=str.encode)
    assert len(ids) == len(set(ids)) == sample_plan.run["loans"]


def test_every_reason_stands_in_the_documented_list(sample_plan: Made) -> None:
    for row in sample_plan.decisions.values():
        assert row["reason"] in REASONS[row["decision"]] or row["reason"].startswith("missing:")


def test_the_columns_are_the_contracts(sample_plan: Made) -> None:
    found = pq.read_table(sample_plan.path / "decisions.parquet").schema.names
    assert tuple(found) == canonical.DECISION_COLUMNS
    found = pq.read_table(sample_plan.path / "messages.parquet").schema.names
    assert tuple(found) == write.MESSAGE_COLUMNS


def test_a_borrower_gets_one_message_at_most_about_loans_of_his_own(sample_plan: Made) -> None:
    messages = sample_plan.messages.values()
    borrowers = [one["borrower_id"] for one in messages]
    assert len(borrowers) == len(set(borrowers)) > 20
    contacts = {name for name, row in sample_plan.decisions.items() if row["decision"] == "contact"}
    assert sorted(contacts) == sorted(name for one in messages for name in one["loan_ids"])
    for one in messages:
        for name in one["loan_ids"]:
            row = sample_plan.decisions[name]
            assert row["borrower_id"] == one["borrower_id"]
            assert row["message_id"] == one["message_id"]
            for column in ("channel", "template", "tone", "not_before", "not_after"):
                assert row[column] == one[column]


def test_only_what_is_sent_or_said_has_a_time_and_waits_have_a_review_date(
    sample_plan: Made,
) -> None:
    today = AT.date()
    for row in sample_plan.decisions.values():
        speaks = row["decision"] == "contact" or (
            row["decision"] == "task" and row["channel"] is not None
        )
        assert (row["not_before"] is not None) == speaks
        assert (row["not_after"] is not None) == speaks
        assert (row["template"] is not None) == (row["decision"] == "contact")
        if row["decision"] == "wait":
            assert row["next_review_on"] > today
        if row["decision"] == "hold":
            assert row["next_review_on"] >= today
        if row["decision"] == "task":
            assert row["task_kind"] is not None
        assert (
            (row["task_kind"] is None) == (row["priority"] is None) == (row["expires_on"] is None)
        )


def test_every_amount_of_a_text_is_a_figure_of_its_loans(sample_plan: Made) -> None:
    positions = {
        row["loan_id"]: row for row in read_table(sample_plan.path, "positions").to_pylist()
    }
    money = ("overdue_total", "overdue_principal", "overdue_interest", "overdue_fee",
             "late_charge", "next_due_amount")  # fmt: skip
    seen = 0
    for one in sample_plan.messages.values():
        mine = [positions[name] for name in one["loan_ids"]]
        allowed = {sum(row[column] for row in mine) for column in money}
        for text in AMOUNT.findall(one["text"]):
            seen += 1
            assert int(text.replace(",", "").replace(".", "")) in allowed, one["text"]
    assert seen > 20


def test_a_text_has_its_code_and_no_name_in_full(sample_plan: Made) -> None:
    for one in sample_plan.messages.values():
        assert one["code"] in one["text"]
        assert "{code}" not in one["text"]
        assert "{" not in one["text"]
        assert one["segments"] >= 1


def test_threads_change_nothing(sample_book: Path, sample_plan: Made, tmp_path: Path) -> None:
    again = make(sample_book, tmp_path / "plan", at=AT, threads=2)
    assert again.run["plan_sha256"] == sample_plan.run["plan_sha256"]


def test_the_order_of_rows_changes_nothing_that_is_decided(
    sample_book: Path, sample_plan: Made, tmp_path: Path
) -> None:
    # message_id hashes the book's own bytes; everything else is the same.
    shuffled = tmp_path / "book"
    shutil.copytree(sample_book, shuffled)
    for path in sorted(shuffled.glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            header, *rows = list(csv.reader(file))
        Random(11).shuffle(rows)
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *rows])
    again = make(shuffled, tmp_path / "plan", at=AT)
    assert _without_ids(again.decisions) == _without_ids(sample_plan.decisions)
    assert sorted(_texts(again)) == sorted(_texts(sample_plan))


def test_a_snapshot_and_its_book_give_one_plan(
    sample_book: Path, sample_plan: Made, tmp_path: Path
) -> None:
    take_snapshot(sample_book, tmp_path / "snapshot", lender=load_lender(None), needs="plan")
    again = make(tmp_path / "snapshot", tmp_path / "plan", at=AT)
    assert again.run["plan_sha256"] == sample_plan.run["plan_sha256"]


def test_equal_plans_have_equal_csv_bytes(
    sample_book: Path, sample_plan_csv: Made, tmp_path: Path
) -> None:
    make(sample_book, tmp_path / "plan", at=AT, form="csv", threads=2)
    for name in (*TABLES, "quarantine"):
        left = (sample_plan_csv.path / f"{name}.csv").read_bytes()
        assert left == (tmp_path / "plan" / f"{name}.csv").read_bytes()


def test_a_plan_in_csv_says_the_same_in_text(sample_plan: Made, sample_plan_csv: Made) -> None:
    assert sample_plan_csv.run["plan_sha256"] == sample_plan.run["plan_sha256"]
    assert not list(sample_plan_csv.path.glob("*.parquet"))
    for name in TABLES:
        typed = pq.read_table(sample_plan.path / f"{name}.parquet").to_pylist()
        with (sample_plan_csv.path / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            text = list(csv.DictReader(file))
        assert [{key: _as_csv(cell) for key, cell in row.items()} for row in typed] == text


def _as_csv(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, list):
        return json.dumps(cell, ensure_ascii=False, separators=(",", ":"))
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%dT%H:%M:%SZ")
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _without_ids(decisions: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [
        {key: cell for key, cell in row.items() if key != "message_id"}
        for row in decisions.values()
    ]


def _texts(made: Made) -> Iterator[tuple[object, ...]]:
    for one in made.messages.values():
        yield (one["borrower_id"], tuple(one["loan_ids"]), one["text"].replace(one["code"], ""),
               one["params"], one["address"], one["not_before"])  # fmt: skip


def test_a_plan_of_another_day_is_another_plan(
    sample_book: Path, sample_plan: Made, tmp_path: Path
) -> None:
    later = make(sample_book, tmp_path / "plan", at=AT + timedelta(hours=1))
    assert later.run["plan_sha256"] != sample_plan.run["plan_sha256"]
    assert not set(later.messages) & set(sample_plan.messages)
