"""Every figure of a peer's own test features holds (data/peers)."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from position_books import ZONE, Book, installment, loan, payment, write_snapshot

from duly.position import compute

FACTS = Path(__file__).parents[2] / "data" / "peers" / "fineract_open.jsonl"
CHECKS = [json.loads(line) for line in FACTS.read_text(encoding="utf-8").splitlines()]


def minor(text: str) -> int:
    return int(Decimal(text).scaleb(2))


def optional(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def book_of(tables: dict[str, list[dict[str, str]]]) -> Book:
    return Book(
        loans=[
            loan(
                row["loan_id"],
                currency=row["currency"],
                grace_days=int(row["grace_days"]),
                late_rate_e8=int(Decimal(row["late_rate_daily"]).scaleb(8)),
                allocation=row["allocation"],
                status=row["status"],
            )
            for row in tables["loans"]
        ],
        installments=[
            installment(
                int(row["number"]),
                date.fromisoformat(row["due_on"]),
                minor(row["principal"]),
                interest=minor(row["interest"]),
                fee=minor(row["fee"]),
            )
            for row in tables["installments"]
        ],
        payments=[
            payment(
                row["payment_id"],
                date.fromisoformat(row["paid_on"]),
                minor(row["amount"]),
                reversed_on=optional(row["reversed_on"]),
            )
            for row in tables["payments"]
        ],
    )


def test_all_sixty_checks_are_here() -> None:
    assert len(CHECKS) == 60


def test_the_copy_equals_the_shared_facts(shared: Path) -> None:
    assert FACTS.read_bytes() == (shared / "data" / "peers" / FACTS.name).read_bytes()


@pytest.mark.parametrize("at", range(len(CHECKS)), ids=lambda at: f"{at}-{CHECKS[at]['id']}")
def test_the_position_gives_the_figures_of_the_peer(at: int, tmp_path: Path) -> None:
    check = CHECKS[at]
    made = compute(
        write_snapshot(book_of(check["book"]), tmp_path / "snapshot"),  # type: ignore[arg-type]
        as_of=date.fromisoformat(check["as_of"]),
        time_zone=ZONE,
        threads=1,
        installments=True,
    )
    row = made.loans.to_pylist()[0]
    found = {
        "outstanding": row["outstanding_total"],
        "paid": row["paid_total"],
        "days_past_due": row["days_past_due"],
        "days_delinquent": row["days_delinquent"],
        "overdue": row["overdue_total"],
        "overdue_since": str(row["overdue_since"]),
        "installments": {
            str(item["number"]): {
                "paid": item["paid_principal"] + item["paid_interest"] + item["paid_fee"],
                "unpaid": item["unpaid_total"],
            }
            for item in made.installments.to_pylist()
        },
    }
    expected = check["expect"]
    assert {name: found[name] for name in expected} == expected
