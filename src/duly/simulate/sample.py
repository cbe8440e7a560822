"""Write the sample book: a believable lender's day, from a seed, the same bytes everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random

from duly.simulate import accounts, ledger, stories, tables, terms, told
from duly.simulate.filed import File
from duly.simulate.people import Person, person
from duly.simulate.stories import Case
from duly.simulate.tables import Tables, instant
from duly.simulate.terms import Loan

LENDER = "示例消费金融有限公司"
BUSINESS_DATE = date(2026, 3, 10)
_CUT_MINUTE = 6 * 60
_SECOND_LOAN_EVERY = 5

#: (table, column, text): one row each is spoiled, so that a demo shows what quarantine does.
PLANTED = (
    ("loans", "principal", "-12000.00"),
    ("installments", "due_on", "2026-02-30"),
    ("payments", "kind", "refund"),
    ("borrowers", "time_zone", "Asia/Shanghia"),
    ("contact_points", "channel", "fax"),
    ("debits", "amount", "1,200.00"),
)


def write_sample(
    out: Path,
    *,
    seed: int = 7,
    loans: int = 1200,
    business_date: date = BUSINESS_DATE,
    planted: Sequence[tuple[str, str, str]] = PLANTED,
) -> None:
    """Write the sample book into the directory `out`, the same bytes for the same arguments.

    About 12 loans in 100 are late, every kind of signal occurs, and six rows are bad on purpose
    (PLANTED, or as many as `planted` names). Needs some 450 loans, for each story is told of a
    loan of its own.
    """
    rng = Random(seed)  # noqa: S311
    files = _files(loans, business_date, rng)
    book: Tables = {
        "loans": accounts.loans(files, business_date),
        "installments": accounts.installments(files),
        "payments": accounts.payments(files),
        "debits": accounts.debits(files, business_date),
        **told.people(files, business_date, rng),
        "contacts": told.contacts(files, business_date, rng),
        **told.signals(files, business_date),
        "quotes": accounts.quotes(files, business_date),
        "stated": accounts.stated(files, business_date),
    }
    _spoil(book, files, planted)
    cut_at = instant(business_date, _CUT_MINUTE)
    tables.write(out, book, lender=LENDER, cut_at=cut_at)


def _files(loans: int, today: date, rng: Random) -> list[File]:
    cases = list(stories.deck(loans))
    rng.shuffle(cases)
    seats = _seats(cases)
    people: dict[int, Person] = {}
    files: list[File] = []
    for index, (case, seat) in enumerate(zip(cases, seats, strict=True)):
        if seat not in people:
            people[seat] = person(seat, home=case.home, points=case.points, rng=rng)
        loan = _loan(index, case, people[seat].borrower_id, today, rng)
        files.append(
            File(
                case=case,
                loan=loan,
                person=people[seat],
                paid=tuple(ledger.paid(loan, case, today, rng)),
                alone=seats.count(seat) == 1,
            )
        )
    return files


def _seats(cases: list[Case]) -> list[int]:
    """Return the borrower of each loan: some loans say so, and every fifth simple one is a second.

    A second loan joins the earliest simple loan that has no second yet.
    """
    shared: dict[str, int] = {}
    waiting: list[int] = []
    seats: list[int] = []
    count = simple = 0
    for case in cases:
        simple += case.simple
        if case.shared in shared:
            seats.append(shared[case.shared])
            continue
        if case.simple and waiting and simple % _SECOND_LOAN_EVERY == 0:
            seats.append(waiting.pop(0))
            continue
        if case.shared:
            shared[case.shared] = count
        elif case.simple:
            waiting.append(count)
        seats.append(count)
        count += 1
    return seats


def _loan(index: int, case: Case, borrower_id: str, today: date, rng: Random) -> Loan:
    months = (12, 18, 24)[rng.randrange(3)]
    ends = case.paying in {"closed", "overpaid"}
    first = {"new": 1}.get(case.paying, rng.randrange(6, months - 1))
    number = months if ends else first
    anchor = today + timedelta(days=case.days if ends else -case.days)
    leaves_crumbs = case.paying in {"crumb", "tolerated"}
    principal = rng.randrange(6, 24 if leaves_crumbs else 120) * 50_000
    allocations = (*("oldest_installment",) * 3, "component", "principal_first")
    allocation = allocations[0 if leaves_crumbs else rng.randrange(5)]
    rate_bps = 1200 + 60 * rng.randrange(11)
    return Loan(
        loan_id=f"L{index + 1:06}",
        borrower_id=borrower_id,
        creditor=case.creditor,
        principal=principal,
        disbursed_on=terms.add_months(anchor, -number),
        rate_bps=rate_bps,
        late_rate_e8=80_000 if case.costly or (index % 50 == 17 and not leaves_crumbs) else 50_000,
        late_base=("principal", "principal", "installment")[rng.randrange(3)],
        grace_days=(0, 1, 2, 3, 3, 5)[rng.randrange(6)],
        allocation=allocation,
        tolerance=1_000 if case.paying == "tolerated" else 0,
        schedule=terms.schedule(
            principal,
            rate_bps=rate_bps,
            months=months,
            fee=500 if index % 6 == 0 else 0,
            anchor=anchor,
            anchor_number=number,
        ),
        first_open=months + 1 if ends else first,
    )


def _spoil(book: Tables, files: list[File], planted: Sequence[tuple[str, str, str]]) -> None:
    """Make one row bad for each of `planted`, each of another borrower with one plain loan."""
    plain = iter([file for file in files if file.plain])
    for table, column, text in planted:
        row = None
        while row is None:
            file = next(plain)
            keys = {file.loan.loan_id, file.loan.borrower_id}
            row = next(
                (row for row in book[table] if {row.get("loan_id"), row.get("borrower_id")} & keys),
                None,
            )
        row[column] = text
