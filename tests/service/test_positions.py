"""Goal: what a loan owes follows each fact at once, and is what an export of all would say.

Method: a generated book in a real database; each loan alone against all of them; then events.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from known_books import CUT, LENDER, export, load, small
from telling_events import AT, event, paid, signalled

from duly import book as books
from duly.core.errors import Refused
from duly.position import compute
from duly.service.operations.events import accept
from duly.service.operations.positions import position_of
from duly.simulate import sample


def owes(loan_id: str = "L1") -> dict[str, object]:
    return position_of(loan_id, lender=LENDER, at=AT)


def test_one_loan_alone_is_what_it_is_among_all(store, tmp_path):
    sample.write_sample(tmp_path / "book", loans=500, planted=())
    load(tmp_path / "book")
    accept([paid(f"L{n:06}") for n in range(1, 40)], at=AT)
    out = export(tmp_path / "out")
    snapshot = books.take_snapshot(out, tmp_path / "snap", lender=LENDER, needs="plan")
    whole = compute(snapshot, as_of=AT.date(), time_zone=LENDER.time_zone).loans.to_pylist()
    late = [row for row in whole if row["days_past_due"] > 0][:6] + whole[:6]
    for row in late:
        alone = owes(row["loan_id"])
        assert alone == {name: row[name] for name in alone}


class TestAtOnce:
    def test_a_payment_and_its_reversal(self, store, write_book, tmp_path):
        load(small(write_book, tmp_path))
        before = owes()
        accept([paid("L1", payment_id="P7")], at=AT)
        after = owes()
        assert before["paid_total"] == 0
        assert after["paid_total"] == 50000
        assert after["overdue_total"] == 0 < before["overdue_total"]
        accept([event("payment.reversed", {"payment_id": "P7", "reversed_on": "2026-03-10"})],
               at=AT)  # fmt: skip
        assert owes() == before

    def test_a_pause_of_the_late_charge(self, store, write_book, tmp_path):
        load(small(write_book, tmp_path))
        charged = owes()["late_charge"]
        told = signalled("dispute", "B1", loan_id="L1", starts_at="2026-02-01T00:00:00+08:00",
                         detail={"accrual": "stops"})  # fmt: skip
        accept([told], at=AT)
        assert owes()["late_charge"] == 0 < charged

    def test_nothing_of_another_borrower_is_seen_or_left_behind(self, store, write_book, tmp_path):
        load(small(write_book, tmp_path, loans=[{}, {}]))
        owes()
        assert len(export(tmp_path / "a").joinpath("loans.csv").read_text().splitlines()) == 3

    @pytest.mark.parametrize(
        ("loan", "code"), [("L9", "unknown_loan"), ("L1'; --", "unknown_loan")]
    )
    def test_an_unknown_loan_is_refused(self, store, write_book, tmp_path, loan, code):
        load(small(write_book, tmp_path))
        with pytest.raises(Refused) as refused:
            owes(loan)
        assert refused.value.diagnostics[0].code == code

    def test_a_loan_whose_row_is_broken_is_refused(self, store, write_book, tmp_path):
        load(small(write_book, tmp_path / "a"))
        broken = small(write_book, tmp_path / "b", CUT + timedelta(hours=1),
                       payments=[{"amount": "ten"}])  # fmt: skip
        load(broken)
        with pytest.raises(Refused) as refused:
            owes()
        assert refused.value.diagnostics[0].code == "loan_left_out"
