"""What other programs read: columns, types, JSON; on hostile books and on real ones."""

from __future__ import annotations

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

AT = "2026-03-10T09:00:00+08:00"
DAY = "2026-03-10"

#: Contract, section 2.4; the letter is the kind: text, integer money, day, count.
POSITIONS = {
    "loan_id": "t", "borrower_id": "t", "currency": "t", "as_of": "d", "days_past_due": "c",
    "days_delinquent": "c", "bucket": "t", "overdue_since": "d", "arrears_since": "d",
    "installments_overdue": "c", "overdue_principal": "m", "overdue_interest": "m",
    "overdue_fee": "m", "late_charge": "m", "overdue_total": "m", "outstanding_principal": "m",
    "outstanding_interest": "m", "outstanding_fee": "m", "outstanding_total": "m",
    "next_due_on": "d", "next_due_amount": "m", "unallocated_credit": "m", "waiver_unused": "m",
    "paid_total": "m", "last_paid_on": "d", "late_count_12m": "c",
    "late_count_12m_after_grace": "c", "days_past_due_max_12m": "c", "status": "t",
}  # fmt: skip
INSTALLMENTS = {
    "loan_id": "t", "number": "c", "due_on": "d", "paid_principal": "m", "paid_interest": "m",
    "paid_fee": "m", "late_charge_accrued": "m", "late_charge_paid": "m", "unpaid_total": "m",
    "settled_on": "d", "days_late": "c",
}  # fmt: skip
#: Contract, section 3.
DECISIONS = (
    "loan_id borrower_id business_date decision reason rule legal channel template tone not_before "
    "not_after next_review_on message_id task_kind priority expires_on score score_band"
)
MESSAGES = (
    "message_id borrower_id loan_ids channel address locale class template tone text params "
    "segments code key_id not_before not_after"
)


def _kind(of: pa.DataType) -> str:
    if pa.types.is_dictionary(of):
        of = of.value_type
    if pa.types.is_string(of) or pa.types.is_large_string(of):
        return "t"
    return {pa.date32(): "d", pa.int64(): "m", pa.int32(): "c"}[of]


@pytest.fixture(scope="module")
def positions(duly, sample, tmp_path_factory):
    """Give the positions of the sample, as Parquet and as CSV."""
    folder = tmp_path_factory.mktemp("positions")
    for form in ("parquet", "csv"):
        ran = duly("position", sample, "--as-of", DAY, "--out", folder / form, "--format", form)
        assert ran.returncode == 1
    return folder


class TestPositions:
    @pytest.mark.parametrize(
        ("table", "columns"), [("positions", POSITIONS), ("installments", INSTALLMENTS)]
    )
    def test_columns_and_types_are_the_contracts(self, positions, table, columns):
        schema = pq.read_schema(positions / "parquet" / f"{table}.parquet")
        assert {field.name: _kind(field.type) for field in schema} == columns
        assert schema.names == list(columns)

    @pytest.mark.parametrize("table", ["positions", "installments"])
    def test_csv_says_the_same_with_empty_for_null(self, positions, table):
        with (positions / "csv" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            told = list(csv.reader(file))
        rows = pq.read_table(positions / "parquet" / f"{table}.parquet").to_pylist()
        shown = [["" if cell is None else str(cell) for cell in row.values()] for row in rows]
        assert told == [list(rows[0]), *shown]

    def test_quarantine_lists_every_bad_row(self, positions):
        text = (positions / "csv" / "quarantine.csv").read_text(encoding="utf-8")
        rows = list(csv.DictReader(io.StringIO(text)))
        assert list(rows[0]) == ["table", "row", "column", "code", "message"]
        assert [row["code"] for row in rows] == [
            "bad_time_zone", "bad_choice", "bad_money", "bad_date", "negative", "bad_choice",
        ]  # fmt: skip


class TestPlan:
    def test_columns_are_the_contracts(self, plan_dir):
        decisions = pq.read_schema(plan_dir / "decisions.parquet")
        messages = pq.read_schema(plan_dir / "messages.parquet")
        assert decisions.names == DECISIONS.split()
        assert messages.names == MESSAGES.split()

    def test_csv_of_equal_plans_is_equal_byte_for_byte(self, duly, sample, plan_dir, tmp_path):
        for name, threads in (("a", 1), ("b", 2)):
            ran = duly("plan", sample, "--at", AT, "--out", tmp_path / name, "--format", "csv",
                       "--threads", threads)  # fmt: skip
            assert ran.returncode == 1
        for table in ("decisions", "messages", "positions"):
            first = (tmp_path / "a" / f"{table}.csv").read_bytes()
            assert first == (tmp_path / "b" / f"{table}.csv").read_bytes()
        run = json.loads((tmp_path / "a" / "run.json").read_text(encoding="utf-8"))
        other = json.loads((plan_dir / "run.json").read_text(encoding="utf-8"))
        assert run["plan_sha256"] == other["plan_sha256"]
        assert run["decisions"] == other["decisions"]


class TestCheck:
    def test_json_has_the_contracts_shape(self, duly, sample):
        found = json.loads(duly("check", sample, "--json").stdout)
        assert set(found) == {"rows", "warnings"}
        assert [list(row) for row in found["rows"]] == [
            ["table", "row", "column", "code", "message"]
        ] * 6
        assert found["rows"][3] == {
            "table": "installments", "row": found["rows"][3]["row"], "column": "due_on",
            "code": "bad_date",
            "message": "'2026-02-30' in due_on is not a date of the calendar; write YYYY-MM-DD",
        }  # fmt: skip


HOSTILE = "L'1\"; drop table loans; --"
_NAME = "<script>alert(1)</script>{{ 7 * 7 }}"


@pytest.fixture(scope="module")
def made(duly, write_book, tmp_path_factory):
    """Give the plan of a book whose texts try to be code."""
    folder = tmp_path_factory.mktemp("hostile")
    book = write_book(
        folder,
        {
            "loans": [{"loan_id": HOSTILE, "borrower_id": "B,'1"}],
            "installments": [{"loan_id": HOSTILE, "due_on": "2026-02-20"}],
            "borrowers": [{"borrower_id": "B,'1", "name": _NAME}],
            "contact_points": [{"borrower_id": "B,'1"}],
        },
    )
    ran = duly("plan", book, "--at", AT, "--out", folder / "plan it's", "--json")
    assert ran.returncode == 0, ran.stderr
    return folder / "plan it's"


class TestHostileBook:
    def test_it_is_decided_like_any_other(self, made):
        decisions = pq.read_table(made / "decisions.parquet").to_pylist()
        assert [(row["loan_id"], row["decision"]) for row in decisions] == [(HOSTILE, "contact")]

    def test_it_is_explained_and_replayed(self, duly, made):
        explained = duly("explain", "--plan", made, HOSTILE)
        assert explained.returncode == 0
        assert explained.stdout.startswith(HOSTILE)
        assert duly("replay", "--plan", made).returncode == 0

    def test_its_report_runs_none_of_it(self, duly, made, tmp_path):
        assert duly("report", "--plan", made, "--out", tmp_path / "r.html").returncode == 0
        page = (tmp_path / "r.html").read_text(encoding="utf-8")
        assert "<script>alert" not in page
        assert HOSTILE not in page.replace("\\u0022", '"').split("<body")[0]

    def test_no_text_evaluates_what_a_name_says(self, made):
        texts = pq.read_table(made / "messages.parquet")["text"].to_pylist()
        assert len(texts) == 1
        assert "49" not in texts[0]


class TestRealBook:
    def test_every_loan_of_the_mintos_book_is_decided(self, duly, shared, tmp_path):
        ran = duly(
            "plan", shared / "data" / "mintos" / "book", "--at", "2020-02-20T09:00:00+08:00",
            "--out", tmp_path / "plan", "--json",
        )  # fmt: skip
        assert ran.returncode == 0
        assert json.loads(ran.stdout)["loans"] == 19_328
        assert pq.read_metadata(tmp_path / "plan" / "decisions.parquet").num_rows == 19_328
