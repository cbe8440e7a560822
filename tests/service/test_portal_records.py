"""Goal: a borrower sees every contact with him, beside the limits that really bind us.

Method: a running server and its store, with contacts of a book, of an agency and of our own.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from browsing import shown
from known_books import LENDER
from outgoing import AT
from portal_world import BOOK, WHO, begin, emptied, signed_in, tell

from duly.core.words import say
from duly.service.portal.limits import limits_of
from duly.service.store.models import Contact, Message

OTHER = "L-OTHER"
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
    """Give the server with the book; B2 has another loan."""
    yield tell(
        served, write_book, tmp_path_factory.mktemp("book"),
        borrowers=[*BOOK["borrowers"], {"borrower_id": "B2"}],
        contact_points=[*BOOK["contact_points"],
                        {"borrower_id": "B2", "address": "+8613800000002"}],
        loans=[*BOOK["loans"], {"loan_id": OTHER, "borrower_id": "B2"}],
        installments=[*BOOK["installments"],
                      {"loan_id": OTHER, "number": "1", "due_on": "2026-03-01"}],
        contacts=CONTACTS,
    )  # fmt: skip
    emptied(served.url, books=True)


@pytest.fixture
def world(book, facts):
    """Give the server; our own text of this morning, and one that no route took."""
    found = begin(facts, WHO, "B2")
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
