"""Goal: a borrower sees every contact with him beside the limits that bind us, and has his loan on
paper with figures that add up; a letter says that it is settled only where it is.

Method: a running server and its store, with contacts of a book, of an agency and of our own; the
figures of another day by hand, from the contract.
"""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from browsing import shown
from known_books import LENDER
from outgoing import AT
from portal_world import BOOK, LOAN, WHO, begin, emptied, signed_in, tell
from pypdf import PdfReader
from telling_events import event, paid, signalled

from duly.core.words import say
from duly.service.operations.events import accept
from duly.service.portal.limits import limits_of
from duly.service.store.models import Contact, Message

OTHER, ENDED, STATED, LOST = "L-OTHER", "L-ENDED", "L-STATED", "L-LOST"
CALL = {"borrower_id": WHO, "channel": "voice", "address": "+8613800000001"}
CONTACTS = [
    {**CALL, "contact_id": "K1", "at": "2026-03-10T09:05:00+08:00", "outcome": "connected"},
    {**CALL, "contact_id": "K2", "at": "2026-03-09T18:00:00+08:00", "outcome": "unanswered",
     "by": "示例资产管理有限公司"},
    {**CALL, "contact_id": "K3", "at": "2026-03-08T11:00:00+08:00", "direction": "in",
     "outcome": "connected"},
    {**CALL, "contact_id": "K4", "at": "2025-10-01T10:00:00+08:00", "channel": "sms",
     "outcome": "delivered"},
    {"borrower_id": "B2", "contact_id": "K5", "channel": "sms", "address": "+8613800000002",
     "at": "2026-03-10T09:30:00+08:00", "outcome": "delivered"},
]  # fmt: skip


@pytest.fixture(scope="module")
def book(served, write_book, tmp_path_factory):
    """Give the server with the book; B2 has another loan, B3 three that are paid."""
    paid_off = [ENDED, STATED, LOST]
    yield tell(
        served, write_book, tmp_path_factory.mktemp("book"),
        borrowers=[*BOOK["borrowers"], {"borrower_id": "B2"}, {"borrower_id": "B3"}],
        contact_points=[*BOOK["contact_points"],
                        {"borrower_id": "B2", "address": "+8613800000002"},
                        {"borrower_id": "B3", "address": "+8613800000003"}],
        loans=[*({**one, "disbursed_on": "2025-10-15"} for one in BOOK["loans"]),
               {"loan_id": OTHER, "borrower_id": "B2"},
               *({"loan_id": one, "borrower_id": "B3", "status": "active"} for one in paid_off[:2]),
               {"loan_id": LOST, "borrower_id": "B3", "status": "written_off"}],
        installments=[*BOOK["installments"],
                      {"loan_id": OTHER, "number": "1", "due_on": "2026-03-01"},
                      *({"loan_id": one, "number": "1", "due_on": "2026-02-01",
                         "principal": "100.00"} for one in paid_off)],
        payments=[*BOOK["payments"],
                  *({"payment_id": f"P-{one}", "loan_id": one, "paid_on": "2026-02-01",
                     "amount": "130.00"} for one in paid_off)],
        contacts=CONTACTS,
        stated=[{"loan_id": STATED, "as_of": "2026-03-09", "outstanding_total": "0.05"},
                {"loan_id": ENDED, "as_of": "2026-03-09", "outstanding_total": "0.00"}],
    )  # fmt: skip
    emptied(served.url, books=True)


@pytest.fixture
def world(book, facts):
    """Give the server; our own text of this morning, and one that no route took."""
    found = begin(facts, WHO, "B2", "B3")
    sent = Message.objects.get(state="accepted")
    given = {"borrower_id": WHO, "channel": "sms", "address": "+8613800000001", "direction": "out",
             "outcome": "sent"}  # fmt: skip
    at = AT - timedelta(minutes=20)
    Contact.objects.create(contact_id=f"duly:{sent.message_id}", at=at, **given)
    Contact.objects.create(contact_id="duly:m-waits", at=at, **given)
    return found


class TestMessages:
    @pytest.mark.parametrize("language", ["en", "zh-CN"])
    def test_each_contact_stands_there_with_hour_way_purpose_and_code(self, world, language):
        browser = signed_in(world, language=language)
        browser.go("/messages")
        found = [" ".join(one.text.split()) for one in browser.page.all("li")]

        def told(key, on, clock, by):
            return say("portal", f"records.{key}", language, on=on, clock=clock,
                       by=say("portal", f"channel.{by}", language))  # fmt: skip

        days = {"en": ["Mar 10", "Mar 9", "Mar 8"],
                "zh-CN": ["3月10日", "3月9日", "3月8日"]}[language]  # fmt: skip
        wanted = [told("to_you", days[0], "09:40", "sms"),
                  told("to_you", days[0], "09:05", "voice"),
                  told("to_you", days[1], "18:00", "voice"),
                  told("from_you", days[2], "11:00", "voice")]  # fmt: skip
        for line, one in zip(found, wanted, strict=False):
            assert line.startswith(one), (line, one)
        assert "3P773SGS" in found[0]
        assert say("portal", "why_of.overdue", language) in found[0]
        assert say("portal", "contact.connected", language) in found[1]
        assert "示例资产管理有限公司" in found[2]
        assert say("portal", "why_of.dunning", language) not in found[3]
        # What no route took is no contact; what is older is folded; nobody sees another's.
        assert "ABCD2345" not in browser.text
        assert say("portal", "records.older", language, count=1) in browser.text
        assert "09:30" not in browser.text

    def test_how_much_is_used_stands_beside_what_binds_us(self, world):
        browser = signed_in(world)
        browser.go("/messages")
        used = [" ".join(one.text.split()) for one in browser.page.all("dd")]
        assert used == ["1 of at most 1", "1 of at most 2", "1 of at most 3", "08:30–21:00",
                        "08:30–20:00"]  # fmt: skip
        assert "more often than our limits allow" not in browser.text

    def test_a_limit_that_was_passed_is_owned_up_to(self, world):
        Contact.objects.create(
            contact_id="K9", borrower_id=WHO, channel="email", address="a@example.com",
            at=AT - timedelta(hours=1), direction="out", outcome="sent", agency="Agency",
        )  # fmt: skip
        browser = signed_in(world)
        browser.go("/messages")
        assert "2 of at most 1" in browser.text
        assert "That is our fault" in browser.text

    def test_who_has_not_signed_in_sees_nothing(self, world):
        assert shown(world, "/messages").at == "/sign-in"
        browser = signed_in(world, "B2")
        browser.go("/messages")
        assert "09:30" in browser.text
        assert "3P773SGS" not in browser.text
        assert "09:05" not in browser.text


def printed(browser, path):
    found = browser.go(path)
    assert found.headers["content-type"] == "application/pdf"
    pages = PdfReader(io.BytesIO(found.body)).pages
    return " ".join(" ".join(one.extract_text() for one in pages).split())


class TestStatement:
    @pytest.mark.parametrize("language", ["en", "zh-CN"])
    def test_every_line_adds_up_to_the_position(self, world, language):
        browser = signed_in(world, language=language)
        browser.go(f"/statement?loan={LOAN}")
        foot = [one.text for one in browser.page.all("td") if "tfoot" in one.path]
        sign = {"en": "CNY ", "zh-CN": ""}[language], {"en": "", "zh-CN": "元"}[language]
        assert foot == [f"{sign[0]}{one}{sign[1]}" for one in
                        ("1,856.00", "9.17", "1,235.17", "630.00")]  # fmt: skip

    def test_another_day_is_counted_as_of_that_day(self, world):
        # 1.50 of charge by 01-20, when 500.00 leave 128.50; 11 more days make 2.21, 1.50 paid.
        browser = signed_in(world)
        browser.go(f"/statement?loan={LOAN}&as_of=2026-01-31")
        foot = [one.text for one in browser.page.all("td") if "tfoot" in one.path]
        assert foot == ["CNY 1,856.00", "CNY 2.21", "CNY 1,358.21", "CNY 500.00"]
        assert "Past due, late charge includedCNY 129.21" in browser.text
        assert browser.page.one("input", id="as_of").attributes["value"] == "2026-01-31"

    def test_the_paper_says_what_the_page_says(self, world):
        browser = signed_in(world)
        text = printed(browser, f"/statement/pdf?loan={LOAN}&as_of=2026-01-31")
        for one in ("Zhang Wei", LOAN, "Jan 31, 2026", "CNY 1,358.21", "CNY 129.21", "CNY 2.21",
                    "Jan 20, 2026"):  # fmt: skip
            assert one in text, one
        again = [browser.go(f"/statement/pdf?loan={LOAN}").body for _ in range(2)]
        assert again[0] == again[1]
        chinese = printed(browser, f"/statement/pdf?loan={LOAN}&lang=zh-CN").replace(" ", "")
        assert "截至日期2026年3月10日" in chinese

    def test_a_name_that_no_font_has_prints_all_the_same(self, world):
        told = {"borrower_id": WHO, "name": "张𰻝 😀", "time_zone": "Asia/Shanghai"}
        accept([event("borrower.upserted", told)], at=AT)
        assert "张□ □" in printed(signed_in(world), f"/statement/pdf?loan={LOAN}")

    def test_a_payment_that_was_returned_stands_there_and_does_not_count(self, world):
        back = {"payment_id": "P-2", "reversed_on": "2026-03-05"}
        accept([{**paid(LOAN), "type": "payment.reversed", "data": back}], at=AT)
        browser = signed_in(world)
        browser.go(f"/statement?loan={LOAN}")
        assert "returned on Mar 5, does not count" in browser.text
        assert [one.text for one in browser.page.all("td") if "tfoot" in one.path][-1] == (
            "CNY 500.00"
        )
        assert "returned on Mar 5, 2026" in printed(browser, f"/statement/pdf?loan={LOAN}")

    @pytest.mark.parametrize("day", ["2026-03-11", "2025-10-14", "soon", "2026-02-30"])
    def test_a_day_that_cannot_be_is_said(self, world, day):
        browser = signed_in(world)
        assert browser.go(f"/statement?loan={LOAN}&as_of={day}").status == 422
        assert browser.page.one("input", id="as_of").attributes["aria-invalid"] == "true"
        assert "Oct 15" in browser.text
        assert browser.go(f"/statement/pdf?loan={LOAN}&as_of={day}").status == 404

    def test_nobody_sees_another_persons(self, world):
        browser = signed_in(world)
        for path in ("/statement", "/statement/pdf", "/settled", "/settled/pdf"):
            for loan in (OTHER, ENDED, "", "'--"):
                assert browser.go(f"{path}?loan={loan}").status == 404, (path, loan)
            assert shown(world, f"{path}?loan={LOAN}").at == "/sign-in"


class TestSettled:
    @pytest.mark.parametrize("language", ["en", "zh-CN"])
    def test_a_loan_that_is_paid_has_its_letter(self, world, language):
        browser = signed_in(world, "B3", language=language)
        browser.go(f"/settled?loan={ENDED}")
        assert say("portal", "settled.credit", language, amount={
            "en": "CNY 30.00", "zh-CN": "30.00元"}[language]) in browser.text  # fmt: skip
        text = printed(browser, f"/settled/pdf?loan={ENDED}&lang={language}")
        says = {"en": "paid in full on Feb 1, 2026", "zh-CN": "已在2026年2月1日全部还清"}[language]
        assert says in (text if language == "en" else text.replace(" ", ""))
        assert ENDED in text

    def test_what_is_open_has_none(self, world):
        browser = signed_in(world)
        browser.go(f"/settled?loan={LOAN}")
        assert "there is no letter that it is settled" in browser.text
        assert browser.go(f"/settled/pdf?loan={LOAN}").status == 404

    @pytest.mark.parametrize("loan", [STATED, LOST])
    def test_where_the_lender_says_otherwise_a_person_writes_it(self, world, loan):
        browser = signed_in(world, "B3")
        browser.go(f"/settled?loan={loan}")
        assert "a person writes the letter" in browser.text
        assert browser.go(f"/settled/pdf?loan={loan}").status == 404

    def test_a_fact_that_a_person_weighs_is_never_named(self, world):
        accept([signalled("fraud_claim", "B3", loan_id=ENDED)], at=AT)
        browser = signed_in(world, "B3")
        browser.go(f"/settled?loan={ENDED}")
        assert "a person writes the letter" in browser.text
        assert "fraud" not in browser.text
        assert browser.go(f"/settled/pdf?loan={ENDED}").status == 404

    def test_a_payment_that_was_returned_opens_it_again(self, world):
        back = {"payment_id": f"P-{ENDED}", "reversed_on": "2026-03-05"}
        accept([{**paid(ENDED), "type": "payment.reversed", "data": back}], at=AT)
        browser = signed_in(world, "B3")
        assert browser.go(f"/settled/pdf?loan={ENDED}").status == 404
        # No other day gets round it.
        assert browser.go(f"/settled/pdf?loan={ENDED}&as_of=2026-03-01").status == 404


class TestLimits:
    def asked(self, **given):
        from dataclasses import replace

        lender = replace(LENDER, **{name: one for name, one in given.items()
                                    if name in ("packs", "limits", "switched_off")})  # fmt: skip
        return limits_of(lender, zone=given.get("zone", "Asia/Shanghai"),
                         region=given.get("region"), at=given.get("at", AT))  # fmt: skip

    def test_the_strictest_of_law_lender_and_policy_counts(self):
        from duly.book.lender import Limits

        found = self.asked(limits=Limits(texts_per_day=1, texts_per_7_days=1))
        assert (found.texts_a_day, found.texts_a_week, found.reached_a_day) == (1, 1, 3)
        assert self.asked(limits=Limits(texts_per_day=5, texts_per_7_days=9)).texts_a_day == 1

    def test_hours_are_the_borrowers_own_and_meet_those_of_the_place(self):
        # Kashgar's own clock is two hours behind Beijing: both windows have to be open.
        found = self.asked(zone="Asia/Urumqi")
        assert found.text_hours == (("08:30", "19:00"),)
        assert self.asked(packs=("decency",), zone="Asia/Urumqi").text_hours == (
            ("08:30", "21:00"),
        )  # fmt: skip
