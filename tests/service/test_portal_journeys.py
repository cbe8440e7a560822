"""Goal: a borrower who can only tap and type gets through, in both languages, without JavaScript.

Method: a real browser, where the machine has one, with JavaScript off, at the running server.
Each journey presses what a person sees, by the words on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from portal_world import CODE, LAST4, LOAN, NAME, NUMBER, begin, emptied, handed, tell, text_of_code

from chromium import Phone
from duly.core.words import say
from duly.messages.values import money_text
from duly.service.store.models import Message, PortalPaper, PortalSession, Task

#: A picture of one point, as small as a screenshot of a transfer can be.
PROOF = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360"
    "606060000000050001a5f645400000000049454e44ae426082"
)


@pytest.fixture(scope="module")
def book(served, write_book, tmp_path_factory):
    yield tell(served, write_book, tmp_path_factory.mktemp("book"))
    emptied(served.url, books=True)


@pytest.fixture(params=["en", "zh-CN"])
def phone(request, chromium, book, facts, tmp_path) -> Iterator[Phone]:
    begin(facts)
    with Phone.of(chromium, f"http://127.0.0.1:{facts.port}", request.param) as one:
        yield one
        one.picture(tmp_path, f"journey-{request.node.originalname}")


def come_in(phone: Phone) -> None:
    """Come from the lender's app: its link, then one tap."""
    phone.open(f"/hand-over?token={quote(handed())}")
    phone.tap("hand_over.go")


def waiting() -> str:
    return Message.objects.get(message_id="m-waits").state


def test_a_message_is_ours(phone):
    phone.open("/")
    phone.type("verify.code", f" {CODE[:4].lower()}-{CODE[4:]} ")
    phone.type("verify.last4", LAST4)
    phone.tap("verify.ask")
    assert phone.says("verify.yes_title") in phone.text
    assert phone.says("never.password") in phone.text
    assert not re.search(r"\d\.\d\d", phone.text)


def test_a_message_is_not_ours(phone):
    phone.open("/verify")
    phone.type("verify.code", "ZZZZ2222")
    phone.type("verify.last4", LAST4)
    phone.tap("verify.ask")
    assert phone.says("verify.no_title") in phone.text
    assert phone.says("verify.yes_title") not in phone.text


def test_a_code_and_the_name_open_the_loan(phone):
    phone.open("/")
    phone.tap("home.sign_in")
    phone.type("sign_in.number", NUMBER)
    phone.tap("sign_in.send")
    digits = re.search(r"[0-9]{6}", text_of_code().text)[0]
    phone.type("code.code", digits)
    phone.type("code.full_name", NAME)
    phone.tap("code.go")
    assert phone.says("loan.name", tail=LOAN[-4:]) in phone.text
    assert PortalSession.objects.get().by == "code"


def test_a_wrong_name_opens_nothing(phone):
    phone.open("/sign-in")
    phone.type("sign_in.number", NUMBER)
    phone.tap("sign_in.send")
    digits = re.search(r"[0-9]{6}", text_of_code().text)[0]
    phone.type("code.code", digits)
    phone.type("code.full_name", "Wang Fang 王芳")
    phone.tap("code.go")
    assert phone.says("code.wrong") in phone.text
    phone.open("/loan")
    assert phone.says("sign_in.title") in phone.text
    assert LOAN[-4:] not in phone.text
    assert PortalSession.objects.count() == 0


def test_a_line_is_questioned_and_taken_back(phone):
    come_in(phone)
    phone.tap("loan.question_total")
    assert phone.says("pause.title") in phone.text
    assert (waiting(), Task.objects.get().kind) == ("cancelled", "answer_dispute")
    phone.tap("pause.take_back")
    assert phone.says("pause.back_done") in phone.text
    assert phone.says("pause.title") not in phone.text


def test_what_was_paid_is_told_with_proof(phone):
    come_in(phone)
    phone.tap("loan.paid")
    phone.type("paid.on", "2026-03-09")
    phone.type("paid.amount", "627.00", currency="CNY")
    phone.hand_in("paid.paper", "proof.png", "image/png", PROOF)
    phone.tap("paid.send")
    assert phone.says("pause.title") in phone.text
    assert (waiting(), Task.objects.get().kind) == ("cancelled", "match_payment")
    assert PortalPaper.objects.count() == 1


def test_a_slip_is_said_beside_its_field_and_nothing_is_sent(phone):
    come_in(phone)
    phone.tap("loan.paid")
    phone.type("paid.on", "2026-03-09")
    phone.type("paid.amount", "a lot", currency="CNY")
    phone.tap("paid.send")
    assert phone.says("paid.amount_wrong") in phone.text
    assert (waiting(), Task.objects.count()) == ("planned", 0)


def test_a_stranger_is_left_in_peace(phone):
    phone.open("/")
    phone.tap("home.not_me")
    phone.type("verify.code", CODE)
    phone.type("verify.last4", LAST4)
    phone.tap("notme.send")
    assert phone.says("notme.done_title") in phone.text
    assert phone.says("notme.done_nothing") in phone.text
    assert (waiting(), Task.objects.get().kind) == ("cancelled", "find_right_person")


def test_why_and_the_word_of_a_caller(phone):
    come_in(phone)
    phone.tap("loan.way_why")
    assert phone.says("why.code", code=CODE) in phone.text
    assert phone.says("why.stop") in phone.text
    phone.open("/caller")
    assert re.search(phone.says("caller.today") + r"\D*[0-9]{3} ?[0-9]{3}", phone.text)


def test_the_language_changes_in_place_and_leaving_ends_it(phone):
    come_in(phone)
    own = phone.language
    phone.tap_said(say("portal", "page.language", phone.other))
    assert say("portal", "loan.right", phone.other) in phone.text
    phone.tap_said(say("portal", "page.language", own))
    phone.tap("page.sign_out")
    assert phone.says("signed_out.title") in phone.text
    phone.open("/loan")
    assert LOAN[-4:] not in phone.text
    assert PortalSession.objects.filter(ended_at=None).count() == 0


def test_a_part_is_paid_and_the_receipt_is_real(phone):
    come_in(phone)
    phone.tap("pay.title")
    phone.type("pay.amount", "300", currency="CNY")
    phone.tap("pay.look")
    called = {"en": "Trial payment", "zh-CN": "试付"}[phone.language]
    phone.tap("online.go", amount=money_text(30_000, "CNY", phone.language), by=called)
    assert phone.says("sandbox.nothing") in phone.text
    phone.choose("sandbox_fate.pays")
    phone.tap("sandbox.go")
    assert phone.says("back_title.paid") in phone.text
    assert waiting() == "cancelled"
    phone.tap("receipt.see")
    code = re.search(r"(?:[2-9B-Z]{4}-){6}[2-9B-Z]{4}", phone.text)[0]
    phone.open("/receipt/check")
    phone.type("receipt_check.code", code)
    phone.tap("receipt_check.ask")
    assert phone.says("receipt_check.yes_title") in phone.text
    assert money_text(30_000, "CNY", phone.language) in phone.text
    assert LOAN[-4:] not in phone.text


def test_what_was_refused_took_nothing(phone):
    come_in(phone)
    phone.tap("pay.title")
    called = {"en": "Trial payment", "zh-CN": "试付"}[phone.language]
    phone.tap("online.go", amount=money_text(62_617, "CNY", phone.language), by=called)
    phone.choose("sandbox_fate.refuses")
    phone.tap("sandbox.go")
    assert phone.says("back_title.failed") in phone.text
    assert waiting() == "planned"
    phone.tap("back.pay")
    assert phone.says("online.title") in phone.text
