"""Generated books for the position: small amounts, few dates, every feature of the contract."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import strategies as st
from position_books import Book, Row, installment, loan, payment, signal

FIRST = date(2025, 1, 10)
AMOUNTS = st.one_of(
    st.integers(1, 60), st.integers(1, 20_000), st.sampled_from([5_000, 10_000, 10_001])
)


def days(low: int, high: int) -> st.SearchStrategy[date]:
    return st.integers(low, high).map(lambda n: FIRST + timedelta(days=n))


@st.composite
def schedules(draw: st.DrawFn, loan_id: str, grace_days: int) -> list[Row]:
    rows = []
    due_on = FIRST
    for number in range(1, draw(st.integers(1, 4)) + 1):
        due_on += timedelta(days=draw(st.sampled_from([0, 1, 5, 10, 20, 30])))
        late = st.integers(0, 8).map(lambda n, at=due_on: at + timedelta(days=n))
        rows.append(
            installment(
                number,
                due_on,
                draw(AMOUNTS),
                loan_id=loan_id,
                interest=draw(st.one_of(st.just(0), AMOUNTS)),
                fee=draw(st.one_of(st.just(0), st.just(0), AMOUNTS)),
                grace_until=draw(st.one_of(st.none(), st.none(), late)),
            )
        )
    return draw(st.permutations(rows))


@st.composite
def payments(draw: st.DrawFn, loan_id: str, *, waivers: bool = True) -> list[Row]:
    rows = []
    kinds = ["payment", "payment", "payment", "waiver"] if waivers else ["payment"]
    for at in range(draw(st.integers(0, 6))):
        paid_on = draw(days(-10, 90))
        kind = draw(st.sampled_from(kinds))
        reversed_on = st.integers(-1, 40).map(lambda n, on=paid_on: on + timedelta(days=n))
        rows.append(
            payment(
                f"{loan_id}-{draw(st.sampled_from('abcXYZ'))}{at}",
                paid_on,
                draw(AMOUNTS),
                loan_id=loan_id,
                kind=kind,
                component=draw(st.sampled_from(["", "late_charge", "interest", "fee", "principal"]))
                if kind == "waiver"
                else "",
                reversed_on=draw(st.one_of(st.none(), st.none(), reversed_on)),
            )
        )
    return rows


@st.composite
def loans(draw: st.DrawFn, loan_id: str, borrower_id: str) -> Row:
    status = draw(st.sampled_from(["active", "active", "closed", "written_off"]))
    return loan(
        loan_id,
        borrower_id=borrower_id,
        late_rate_e8=draw(st.sampled_from([0, 50_000, 65_753, 1_000_000, 123_457])),
        late_base=draw(st.sampled_from(["principal", "installment"])),
        grace_days=draw(st.sampled_from([0, 0, 3, 7])),
        allocation=draw(st.sampled_from(["oldest_installment", "component", "principal_first"])),
        tolerance=draw(st.sampled_from([0, 0, 1, 50, 200])),
        status=status,
        status_on=None if status == "active" else draw(st.one_of(st.none(), days(0, 100))),
    )


@st.composite
def signals(draw: st.DrawFn, loan_ids: list[str], people: list[str]) -> tuple[list[Row], list[Row]]:
    """Signals that may cover days, and the amounts agreed for the plans among them."""
    rows, agreed = [], []
    for at in range(draw(st.sampled_from([0, 0, 1, 2, 3]))):
        kind = draw(st.sampled_from(["moratorium", "disaster", "plan", "plan", "dispute"]))
        starts_on = draw(days(-5, 80))
        ends_on = st.integers(0, 60).map(lambda n, on=starts_on: on + timedelta(days=n))
        detail = st.sampled_from([None, {}, {"accrual": "stops"}, {"accrual": "runs"}])
        whose = draw(st.integers(0, len(loan_ids) - 1))
        rows.append(
            signal(
                f"S{at}",
                kind,
                starts_on,
                draw(st.one_of(st.none(), ends_on)),
                borrower_id=people[whose],
                loan_id=draw(st.sampled_from([None, loan_ids[whose]])),
                detail=draw(detail) if kind in ("plan", "dispute") else None,
            )
        )
        if kind == "plan":
            for number in range(1, draw(st.integers(0, 3)) + 1):
                due_on = starts_on + timedelta(days=draw(st.integers(0, 30)))
                agreed.append(
                    {
                        "signal_id": f"S{at}",
                        "number": number,
                        "due_on": due_on,
                        "amount": draw(AMOUNTS),
                    }
                )
    return rows, agreed


@st.composite
def books(draw: st.DrawFn) -> Book:
    """One to three loans of one or two borrowers."""
    loan_ids = [f"L{n}" for n in range(draw(st.integers(1, 3)))]
    people = [draw(st.sampled_from(["B1", "B2"])) for _ in loan_ids]
    rows = [draw(loans(name, person)) for name, person in zip(loan_ids, people, strict=True)]
    covering, agreed = draw(signals(loan_ids, people))
    return Book(
        loans=draw(st.permutations(rows)),
        installments=[
            item for row in rows for item in draw(schedules(row["loan_id"], row["grace_days"]))
        ],
        payments=[item for row in rows for item in draw(payments(row["loan_id"]))],
        signals=covering,
        agreed=agreed,
    )


AS_OF = days(-5, 150)
