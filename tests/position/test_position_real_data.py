"""Real ledgers: nothing is lost, and samples agree with the oracle and the trace."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date
from pathlib import Path

import pyarrow.compute as pc
import pytest
from position_books import ZONE, Book, installment, loan, payment, positions_of
from position_oracle import Oracle

from duly.book import load_lender, take_snapshot
from duly.position import compute, trace


@pytest.fixture(scope="module")
def paybacks(shared: Path) -> dict[str, list[dict[str, str]]]:
    """Real paybacks of pay-later loans, by loan, in order."""
    found = defaultdict(list)
    text = (shared / "data" / "xente" / "paybacks_ledger.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        found[row["LoanId"]].append(row)
    return found


def whole(text: str) -> int:
    return int(text.removesuffix(".0"))


def xente_book(paybacks: dict[str, list[dict[str, str]]], **told: object) -> Book:
    """One installment a loan; what a finished loan paid above its value is its interest."""
    loans, installments, payments = [], [], []
    for loan_id, rows in paybacks.items():
        value = whole(rows[0]["Value"])
        received = sum(whole(row["AmountLoan"]) for row in rows)
        interest = max(received - value, 0) if rows[-1]["IsFinalPayBack"] == "1.0" else 0
        loans.append(loan(loan_id, currency="UGX", **told))
        due_on = date.fromisoformat(rows[0]["DueDate"][:10])
        installments.append(installment(1, due_on, value, interest=interest, loan_id=loan_id))
        payments += [
            payment(
                row["PayBackId"],
                date.fromisoformat(row["PaidOnDate"][:10]),
                whole(row["AmountLoan"]),
                loan_id=loan_id,
            )
            for row in rows
        ]
    return Book(loans=loans, installments=installments, payments=payments)


def test_a_finished_pay_later_loan_is_settled_on_its_final_payback(
    paybacks: dict[str, list[dict[str, str]]],
) -> None:
    loans, installments = positions_of(xente_book(paybacks), date(2019, 12, 31), threads=2)
    assert len(loans) == 1157
    assert sum(row["paid_total"] for row in loans) == sum(
        whole(row["AmountLoan"]) for rows in paybacks.values() for row in rows
    )
    for item in installments:
        rows = paybacks[item["loan_id"]]
        exact = sum(whole(row["AmountLoan"]) for row in rows) >= whole(rows[0]["Value"])
        if rows[-1]["IsFinalPayBack"] == "1.0" and exact:
            final_on = date.fromisoformat(rows[-1]["PaidOnDate"][:10])
            assert item["settled_on"] == final_on
            assert item["days_late"] == max((final_on - item["due_on"]).days, 0)


@pytest.mark.parametrize("allocation", ["oldest_installment", "component", "principal_first"])
def test_partial_paybacks_agree_with_the_oracle(
    paybacks: dict[str, list[dict[str, str]]], allocation: str
) -> None:
    parts = {name: rows for name, rows in paybacks.items() if len(rows) > 1}
    some = {name: parts[name] for name in sorted(parts)[::8]}
    book = xente_book(
        some, late_rate_e8=123_457, late_base="installment", grace_days=2, allocation=allocation
    )
    as_of = date(2019, 6, 15)
    loans, installments = positions_of(book, as_of)
    for at, (row, item) in enumerate(zip(loans, installments, strict=True)):
        oracle = Oracle(book, row["loan_id"], as_of, ZONE)
        assert row == {"loan": at, **oracle.position()}
        assert [item] == oracle.installments()


def test_a_real_ledger_of_many_lenders_is_accounted_for(shared: Path, tmp_path: Path) -> None:
    snapshot = take_snapshot(
        shared / "data" / "mintos" / "book",
        tmp_path / "snapshot",
        lender=load_lender(None),
        needs="position",
    )
    paid = {}
    for as_of in (date(2019, 6, 30), date(2020, 2, 20)):
        made = compute(snapshot, as_of=as_of, time_zone=ZONE, installments=True)
        assert made.loans.num_rows == 19_328
        assert made.installments is not None
        assert made.installments.num_rows == 64_981
        paid[as_of] = pc.sum(made.loans["paid_total"]).as_py()
        columns = ("paid_principal", "paid_interest", "paid_fee", "late_charge_paid")
        allocated = sum(pc.sum(made.installments[name]).as_py() for name in columns)
        assert allocated + pc.sum(made.loans["unallocated_credit"]).as_py() == paid[as_of]
        for loan_id in made.loans["loan_id"].to_pylist()[::1500]:
            trace(snapshot, loan_id, as_of=as_of, time_zone=ZONE)
    assert paid[date(2020, 2, 20)] > paid[date(2019, 6, 30)]
    again = compute(snapshot, as_of=date(2020, 2, 20), time_zone=ZONE, threads=1)
    assert again.loans.equals(made.loans)
    assert again.installments is None
