"""The rows of the sample book that speak of money."""

from __future__ import annotations

from datetime import date, timedelta

from duly.simulate import tables, terms
from duly.simulate.filed import File
from duly.simulate.tables import Row, day, instant, yuan
from duly.simulate.terms import Due

_DISAGREEING = 5
_QUOTED = 8


def loans(files: list[File], today: date) -> list[Row]:
    """Return the rows of loans."""
    return [_loan(file, today) for file in files]


def installments(files: list[File]) -> list[Row]:
    """Return the rows of installments, loan by loan."""
    return [_installment(file.loan.loan_id, due) for file in files for due in file.loan.schedule]


def _loan(file: File, today: date) -> Row:
    loan, paying = file.loan, file.case.paying
    status, status_on = "active", ""
    if paying in {"closed", "overpaid", "settled_early"}:
        status, status_on = "closed", file.paid[-1].on.isoformat()
    elif paying == "written_off":
        status, status_on = "written_off", day(today, -100)
    return {
        "loan_id": loan.loan_id,
        "borrower_id": loan.borrower_id,
        "product": "installment",
        "creditor": loan.creditor,
        "currency": tables.CURRENCY,
        "principal": yuan(loan.principal),
        "disbursed_on": loan.disbursed_on.isoformat(),
        "annual_rate": f"0.{loan.rate_bps:04}",
        "late_rate_daily": f"0.{loan.late_rate_e8 // 10_000:04}",
        "late_base": loan.late_base,
        "grace_days": str(loan.grace_days),
        "allocation": loan.allocation,
        "tolerance": yuan(loan.tolerance),
        "status": status,
        "status_on": status_on,
    }


def _installment(loan_id: str, due: Due) -> Row:
    return {
        "loan_id": loan_id,
        "number": str(due.number),
        "due_on": due.on.isoformat(),
        "principal": yuan(due.principal),
        "interest": yuan(due.interest),
        "fee": yuan(due.fee),
    }


def payments(files: list[File]) -> list[Row]:
    """Return the ledger of payments, day by day; two payments name a borrower and no loan."""
    rows = [
        {
            "loan_id": file.loan.loan_id,
            "paid_on": row.on.isoformat(),
            "amount": yuan(row.amount),
            "kind": row.kind,
            "component": row.component,
            "reversed_on": row.reversed_on.isoformat() if row.reversed_on else "",
        }
        for file in files
        for row in file.paid
    ]
    rows.extend(
        {
            "borrower_id": file.person.borrower_id,
            "paid_on": (file.loan.due(file.loan.first_open).on + timedelta(days=3)).isoformat(),
            "amount": "300.00",
            "kind": "payment",
        }
        for file in files
        if file.case.unapplied
    )
    rows.sort(key=lambda row: row["paid_on"])
    return tables.numbered(rows, "payment_id", "P")


def debits(files: list[File], today: date) -> list[Row]:
    """Return direct debits: done and planned ones of every fourth plain loan, and failed ones."""
    rows: list[Row] = []
    for index, file in enumerate(files):
        loan, cause = file.loan, file.case.debit
        row = {"loan_id": loan.loan_id}
        if cause:
            submitted = cause == "submitted"
            on = today - timedelta(days=1) if submitted else loan.due(loan.first_open).on
            row |= {"at": instant(on, 9 * 60 + 30)}
            row |= {"amount": yuan(loan.due(loan.first_open).total)}
            row |= {"status": "submitted"} if submitted else {"status": "failed", "cause": cause}
            rows.append(row)
        elif index % 4 == 0 and file.case.simple and file.case.days < 0 and loan.first_open > 1:
            last = loan.schedule[loan.first_open - 2]
            done = {"amount": yuan(last.total), "status": "succeeded"}
            rows.append(row | {"at": instant(file.paid[-1].on, 9 * 60 + 30)} | done)
            if loan.first_open <= len(loan.schedule):
                due = loan.due(loan.first_open)
                planned = {"amount": yuan(due.total), "status": "scheduled"}
                rows.append(row | {"at": instant(due.on, 9 * 60 + 30)} | planned)
    return tables.numbered(rows, "debit_id", "D")


def quotes(files: list[File], today: date) -> list[Row]:
    """Return what it costs to settle some late loans within the next week."""
    exact = [file for file in files if file.case.simple and file.case.paying == "exact"]
    quoted = [file for file in exact if file.case.days > 10][:_QUOTED]
    return [
        {
            "loan_id": file.loan.loan_id,
            "as_of": today.isoformat(),
            "valid_until": day(today, 7),
            "amount": yuan(_owed(file, today).outstanding_total),
        }
        for file in quoted
    ]


def stated(files: list[File], today: date) -> list[Row]:
    """Return the balances of the lender's system; in a few a payment was booked twice."""
    as_of = today - timedelta(days=1)
    known = [file for file in files if file.case.simple and file.case.paying == "exact"]
    late = [file for file in known if file.case.days > 3]
    wrong = {file.loan.loan_id for file in late[:_DISAGREEING]}
    rows: list[Row] = []
    for file in known[::2] + [file for file in late if file not in known[::2]]:
        owed = _owed(file, as_of)
        twice = file.loan.due(file.loan.first_open).total if file.loan.loan_id in wrong else 0
        rows.append(
            {
                "loan_id": file.loan.loan_id,
                "as_of": as_of.isoformat(),
                "overdue_total": yuan(max(0, owed.overdue_total - twice)),
                "outstanding_total": yuan(owed.outstanding_total - twice),
            }
        )
    rows.sort(key=lambda row: row["loan_id"])
    return rows


def _owed(file: File, as_of: date) -> terms.Owed:
    return terms.owed(file.loan, file.loan.schedule[file.loan.first_open - 1 :], as_of)
