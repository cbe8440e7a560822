"""Goal: what a book said comes out again, so that a plan of it decides the same; none goes back.

Method: a generated book of every kind of story in a real database, out again, planned twice; small
books by hand for what merges, what is replaced and what is left out.
"""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest
from known_books import CUT, LENDER, alerts, export, load, small, table
from telling_events import AT, event, paid, signalled

from duly import book as books
from duly.core.check_key import CheckKey
from duly.core.errors import Refused
from duly.plan.making import Request, make_and_write
from duly.service.operations.events import accept
from duly.service.store.book_models import Aside, Book, BookInstallment, BookLoan
from duly.service.store.models import Audit, Borrower, Contact
from duly.simulate import sample

KEY = CheckKey(key_id="k1", secret=b"a key of thirty-two bytes, for us")


def decided(book: Path, out: Path) -> list[dict[str, str]]:
    make_and_write(
        Request(book=book, instant=AT - timedelta(hours=1), out=out, lender_file=None, policy=None,
                locale="en", threads=1, form="csv"),
        key=KEY,
        clock=time.perf_counter,
    )  # fmt: skip
    rows = table(out, "decisions")
    return [{name: cell for name, cell in row.items() if name != "message_id"} for row in rows]


class TestThereAndBack:
    def test_a_plan_of_what_comes_out_decides_the_same(self, store, tmp_path):
        sample.write_sample(tmp_path / "book", loans=500, planted=())
        told = load(tmp_path / "book")
        out = export(tmp_path / "out")
        assert books.check(out, LENDER, "en").rows == ()
        assert told.aside == 0
        for name in books.TABLES:
            assert len(table(out, name)) == len(table(tmp_path / "book", name)), name
        assert decided(out, tmp_path / "second") == decided(tmp_path / "book", tmp_path / "first")

    def test_the_same_book_twice_is_one_and_comes_out_the_same(self, store, write_book, tmp_path):
        book = small(write_book, tmp_path)
        assert not load(book).again
        first = export(tmp_path / "a")
        assert load(book).again
        second = export(tmp_path / "b")
        for file in first.iterdir():
            assert file.read_bytes() == (second / file.name).read_bytes(), file.name
        assert Book.objects.count() == Audit.objects.filter(kind="book.loaded").count() == 1

    def test_a_contact_that_an_agency_reserved_comes_out_until_a_book_tells_of_it(
        self, store, write_book, tmp_path
    ):
        load(small(write_book, tmp_path))
        people = {"borrower_id": table(export(tmp_path / "out"), "borrowers")[0]["borrower_id"]}
        Borrower.objects.get_or_create(
            **people, defaults={"time_zone": "Asia/Shanghai", "locale": "zh-CN"}
        )
        given = {"channel": "voice", "at": AT, "direction": "out", "outcome": "unknown", **people}
        Contact.objects.create(contact_id="agency-1", agency="示例信用服务", **given)
        Contact.objects.create(contact_id="of-a-plan", **given)
        found = {row["contact_id"]: row["by"] for row in table(export(tmp_path / "b"), "contacts")}
        assert found.get("agency-1") == "示例信用服务"
        assert "of-a-plan" not in found

    def test_what_comes_out_goes_in_again(self, store, write_book, tmp_path):
        load(small(write_book, tmp_path))
        out = export(tmp_path / "out")
        assert not load(out).again
        again = export(tmp_path / "again")
        for name in books.TABLES:
            assert table(out, name) == table(again, name), name

    def test_currencies_keep_their_decimals(self, store, write_book, tmp_path):
        loans = [{}, {"currency": "JPY", "principal": "1000"}, {"currency": "KWD"}]
        rows = [
            {},
            {"loan_id": "L2", "number": "1", "principal": "999", "interest": "1", "fee": "0"},
            {"loan_id": "L3", "number": "1", "principal": "99.125"},
        ]
        load(small(write_book, tmp_path, loans=loans, installments=rows))
        out = export(tmp_path / "out")
        assert [one["principal"] for one in table(out, "installments")] == [
            "100.00", "999", "99.125",
        ]  # fmt: skip
        assert books.check(out, LENDER, "en").rows == ()

    def test_nothing_known_is_refused(self, store, tmp_path):
        with pytest.raises(Refused) as refused:
            export(tmp_path / "out")
        assert refused.value.diagnostics[0].code == "nothing_known"
        assert not (tmp_path / "out").exists()

    def test_another_directory_is_not_written_over(self, store, write_book, tmp_path):
        load(small(write_book, tmp_path))
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "thesis.txt").write_text("x")
        with pytest.raises(Refused):
            export(tmp_path / "mine")
        assert [one.name for one in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


class TestMerge:
    def test_an_older_book_adds_and_never_overwrites(self, store, write_book, tmp_path):
        new = small(write_book, tmp_path / "new", loans=[{"principal": "900.00"}])
        old = small(
            write_book, tmp_path / "old", CUT - timedelta(hours=20),
            loans=[{"principal": "800.00"}, {}], payments=[{}],
        )  # fmt: skip
        load(new)
        load(old)
        out = export(tmp_path / "out")
        assert [one["principal"] for one in table(out, "loans")] == ["900.00", "1000.00"]
        assert [one["payment_id"] for one in table(out, "payments")] == ["P1"]

    def test_a_newer_schedule_takes_the_place_of_the_whole(self, store, write_book, tmp_path):
        load(small(write_book, tmp_path / "a"))
        load(small(write_book, tmp_path / "b", CUT + timedelta(days=1), installments=[{}]))
        assert BookInstallment.objects.count() == 1
        load(small(write_book, tmp_path / "c", CUT - timedelta(days=1)))
        assert BookInstallment.objects.count() == 1

    def test_a_number_that_the_newer_book_lacks_is_gone(self, store, write_book, tmp_path):
        load(small(write_book, tmp_path / "a"))
        newer = small(write_book, tmp_path / "b", CUT + timedelta(days=1),
                      borrowers=[{}], contact_points=[{"address": "+8613900000009"}])  # fmt: skip
        load(newer)
        out = export(tmp_path / "out")
        assert [one["address"] for one in table(out, "contact_points")] == ["+8613900000009"]

    def test_a_loan_that_recent_books_lack_is_left_out_with_an_alert(
        self, store, write_book, tmp_path
    ):
        load(small(write_book, tmp_path / "a", loans=[{}, {}]))
        load(small(write_book, tmp_path / "b", CUT + timedelta(hours=27)))
        found = alerts(tmp_path / "out", at=CUT + timedelta(hours=28))
        assert found == {"unseen_loans": 1}
        assert [one["loan_id"] for one in table(tmp_path / "out", "loans")] == ["L1"]
        assert BookLoan.objects.count() == 2

    def test_a_borrower_with_a_broken_row_is_left_out_until_a_whole_book(
        self, store, write_book, tmp_path
    ):
        loans = [{}, {}]
        load(small(write_book, tmp_path / "a", loans=loans))
        broken = small(write_book, tmp_path / "b", CUT + timedelta(hours=1), loans=loans,
                       payments=[{"loan_id": "L2", "amount": "ten"}])  # fmt: skip
        assert load(broken).aside == 1
        assert Aside.objects.get().borrower_id == "B2"
        assert alerts(tmp_path / "out") == {"set_aside": 1}
        assert [one["loan_id"] for one in table(tmp_path / "out", "loans")] == ["L1"]
        load(small(write_book, tmp_path / "c", CUT + timedelta(hours=2), loans=loans))
        assert len(table(export(tmp_path / "out"), "loans")) == 2


class TestForce:
    def test_an_event_counts_until_a_book_has_its_key(self, store, write_book, tmp_path):
        load(small(write_book, tmp_path / "a"))
        accept([paid("L1", payment_id="P7")], at=AT)
        assert table(export(tmp_path / "out"), "payments")[0]["amount"] == "500.00"
        # A later book without it: the lender's export runs behind, the payment still counts.
        load(small(write_book, tmp_path / "b", CUT + timedelta(hours=6)))
        assert len(table(export(tmp_path / "out"), "payments")) == 1
        # A later book with it has the last word.
        told = [{"payment_id": "P7", "amount": "480.00", "paid_on": "2026-03-10"}]
        load(small(write_book, tmp_path / "c", CUT + timedelta(hours=7), payments=told))
        assert table(export(tmp_path / "out"), "payments")[0]["amount"] == "480.00"

    def test_a_book_cut_before_an_event_does_not_end_it(self, store, write_book, tmp_path):
        accept([paid("L1", payment_id="P7")], at=AT)
        load(small(write_book, tmp_path, payments=[{"payment_id": "P7", "amount": "1.00"}]))
        assert table(export(tmp_path / "out"), "payments")[0]["amount"] == "500.00"

    def test_after_72_hours_it_counts_no_more_and_says_so(self, store, write_book, tmp_path):
        load(small(write_book, tmp_path / "a"))
        accept([paid("L1", payment_id="P7", time=AT.isoformat())], at=AT)
        last = AT + timedelta(hours=72)
        assert alerts(tmp_path / "out", at=last - timedelta(seconds=1)) == {}
        assert len(table(tmp_path / "out", "payments")) == 1
        assert alerts(tmp_path / "out", at=last) == {"event_lapsed": 1}
        assert table(tmp_path / "out", "payments") == []

    def test_who_told_us_to_stop_is_not_forgotten(self, store, write_book, tmp_path):
        load(small(write_book, tmp_path / "a"))
        accept([signalled("opt_out", "B1", signal_id="s1", detail={"channel": "sms"}),
                signalled("payment_pending", "B1", signal_id="s2")], at=AT)  # fmt: skip
        later = AT + timedelta(days=9)
        assert alerts(tmp_path / "out", at=later) == {"event_lapsed": 1, "event_overdue": 1}
        assert [one["signal_id"] for one in table(tmp_path / "out", "signals")] == ["s1"]

    def test_a_reversal_waits_for_its_payment(self, store, write_book, tmp_path):
        load(small(write_book, tmp_path / "a"))
        back = event("payment.reversed", {"payment_id": "P7", "reversed_on": "2026-03-10"})
        accept([back], at=AT)
        assert alerts(tmp_path / "out") == {"waiting_reversals": 1}
        assert table(tmp_path / "out", "payments") == []
        accept([paid("L1", payment_id="P7")], at=AT)
        assert table(export(tmp_path / "out"), "payments")[0]["reversed_on"] == "2026-03-10"

    def test_a_reversal_of_what_a_book_told(self, store, write_book, tmp_path):
        load(small(write_book, tmp_path / "a", payments=[{"paid_on": "2026-03-05"}]))
        early = event("payment.reversed", {"payment_id": "P1", "reversed_on": "2026-03-01"})
        accept([early], at=AT)
        # Money is never given back before it came.
        assert table(export(tmp_path / "out"), "payments")[0]["reversed_on"] == "2026-03-05"
        assert books.check(tmp_path / "out", LENDER, "en").rows == ()

    def test_a_payment_of_nobody_waits_and_one_of_a_person_is_held(
        self, store, write_book, tmp_path
    ):
        load(small(write_book, tmp_path / "a"))
        held = paid("L9", payment_id="P8")
        held["data"]["borrower_id"] = "B1"
        accept([paid("L9", payment_id="P7"), held], at=AT)
        assert alerts(tmp_path / "out") == {"waiting_payments": 1}
        (row,) = table(tmp_path / "out", "payments")
        assert (row["payment_id"], row["loan_id"], row["borrower_id"]) == ("P8", "", "B1")
        assert books.check(tmp_path / "out", LENDER, "en").rows == ()

    def test_a_wrong_person_spreads_to_whoever_has_the_number(self, store, write_book, tmp_path):
        load(small(write_book, tmp_path / "a", loans=[{}, {}]))
        wrong = {"borrower_id": "B1", "channel": "voice", "address": "138 0000 0000",
                 "status": "wrong_person"}  # fmt: skip
        accept([event("contact_point.changed", wrong)], at=AT)
        out = export(tmp_path / "out")
        assert {one["status"] for one in table(out, "contact_points")} == {"wrong_person"}
        assert len(table(out, "contact_points")) == 3

    def test_a_consent_withdrawn_ends_the_grant_and_nothing_else(self, store, write_book, tmp_path):
        grants = [{"channel": "sms"}, {"purpose": "marketing"}]
        load(small(write_book, tmp_path / "a", consents=grants))
        gone = {"borrower_id": "B1", "purpose": "servicing", "channel": "sms"}
        accept([event("consent.withdrawn", gone)], at=AT)
        rows = table(export(tmp_path / "out"), "consents")
        assert [(one["purpose"], one["withdrawn_at"]) for one in rows] == [
            ("marketing", ""), ("servicing", "2026-03-10T01:30:00.000000Z"),
        ]  # fmt: skip
        back = event("consent.granted", gone, time="2026-03-10T01:40:00Z")
        accept([back], at=AT)
        rows = table(export(tmp_path / "out"), "consents")
        assert [one["withdrawn_at"] for one in rows] == ["", "", ""]

    def test_a_loan_and_its_schedule_by_events_alone(self, store, tmp_path):
        person = {
            "borrower_id": "B1",
            "name": "张伟",
            "quiet_from": "21:00",
            "quiet_until": "09:00",
        }
        loan = {
            "loan_id": "L1", "borrower_id": "B1", "principal": "300.00",
            "disbursed_on": "2026-01-01", "late_rate_daily": "0.0005",
            "installments": [{"number": n, "due_on": f"2026-0{n}-20", "principal": "150.00"}
                             for n in (2, 3)],
        }  # fmt: skip
        accept([event("loan.upserted", loan), event("borrower.upserted", person)], at=AT)
        out = export(tmp_path / "out")
        assert books.check(out, LENDER, "en").rows == ()
        (row,) = decided(out, tmp_path / "plan")
        assert (row["loan_id"], row["decision"]) == ("L1", "blocked")  # No number is known.
