"""Goal: whoever paid has a receipt of each payment, whoever holds one can ask whether it is ours,
and neither says more than it has to.

Method: a running server and its store; the paper is read by pypdf, the code by the page that a
stranger opens.
"""

from __future__ import annotations

import io
import os
import re
from urllib.parse import quote, urlsplit

import psycopg
import pypdf
import pytest
from browsing import shown
from portal_world import BOOK, LOAN, WHO, begin, beside, emptied, signed_in, tell

from chromium import pictures
from duly.core.words import say
from duly.messages.code import ALPHABET, plain
from duly.service.api.slowing import ADDRESS_A_MINUTE, CODE_AN_HOUR
from duly.service.portal import documents

ODD = "P 3/ä&?😀ประ"  #: what a typeface lacks, what an address has to quote


@pytest.fixture(scope="module")
def book(served, write_book, tmp_path_factory):
    """Give the server; of the payments one was taken back, one is a waiver, one has an odd name."""
    yield tell(
        served, write_book, tmp_path_factory.mktemp("book"),
        **beside("L-2"),
        payments=[
            *BOOK["payments"],
            {"payment_id": ODD, "loan_id": LOAN, "paid_on": "2026-02-03", "amount": "7.00"},
            {"payment_id": "P-4", "loan_id": LOAN, "paid_on": "2026-02-04", "amount": "9.00",
             "reversed_on": "2026-02-06"},
            {"payment_id": "P-5", "loan_id": LOAN, "paid_on": "2026-02-05", "amount": "1.00",
             "kind": "waiver", "component": "late_charge"},
            {"payment_id": "P-6", "loan_id": "L-2", "paid_on": "2026-02-05", "amount": "3.00"},
        ],
    )  # fmt: skip
    emptied(served.url, books=True)


@pytest.fixture
def world(book, facts):
    return begin(facts, WHO, "B2")


def at(name="P-1", loan=LOAN, page="/receipt"):
    return f"{page}?loan={quote(loan)}&payment={quote(name, safe='')}"


def code_on(browser):
    return browser.page.one("p", class_="codes").text


def test_every_payment_that_counts_has_one(world):
    browser = signed_in(world)
    browser.go("/loan")
    browser.go(next(one.attributes["href"] for one in browser.page.all("a")
                    if one.text == "Receipts"))  # fmt: skip
    links = [one for one in browser.page.all("a") if one.text.startswith("Receipt of")]
    assert [one.text for one in links] == [
        "Receipt of Feb 3, 2026", "Receipt of Feb 1, 2026", "Receipt of Jan 20, 2026",
    ]  # fmt: skip
    assert "CNY 9.00" in browser.text
    assert "1.00" not in browser.text.replace("CNY 9.00", "")
    for one, amount in zip(links, ("7.00", "130.00", "500.00"), strict=True):
        browser.go(one.attributes["href"])
        assert f"CNY {amount}" in browser.text


def test_there_is_none_of_what_was_taken_back_waived_or_anothers(world):
    browser = signed_in(world)
    for name, loan in (("P-4", LOAN), ("P-5", LOAN), ("P-6", "L-2"), ("P-6", LOAN), ("", ""),
                       ("P-1", "L-2")):  # fmt: skip
        assert browser.go(at(name, loan)).status == 404
        assert browser.go(at(name, loan, "/receipt/pdf")).status == 404
    assert shown(world, at()).at == "/sign-in"


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_whoever_holds_it_can_ask_and_hears_no_more(world, language):
    code = code_on(signed_in_at(world, language))
    holder = shown(world, f"/receipt/check?receipt={quote(code.lower().replace('-', ' '))}",
                   language=language)  # fmt: skip
    assert say("portal", "receipt_check.yes_title", language) in holder.text
    days = {"en": ("Mar 10, 2026", "Jan 20, 2026", "CNY 500.00"),
            "zh-CN": ("2026年3月10日", "2026年1月20日", "500.00元")}  # fmt: skip
    for one in days[language]:
        assert one in holder.text
    for secret in (LOAN, LOAN[-4:], "P-1", "Zhang", "张伟", WHO):
        assert secret not in holder.text


def signed_in_at(world, language="en", name="P-1"):
    browser = signed_in(world, language=language)
    browser.go(at(name))
    return browser


def test_unknown_and_wrong_are_one_answer(world):
    code = plain(code_on(signed_in_at(world)))
    other = "B" if code[-1] != "B" else "C"
    told = {
        re.sub(rf"[{ALPHABET}]{{28}}|mark[^\"]*", "", shown(world, path).reply.body.decode())
        for path in (
            f"/receipt/check?receipt={one}"
            for one in (f"{code[:-1]}{other}", f"{other}{code[1:]}", "2" * 28, "Z" * 28)
        )
    }  # fmt: skip
    assert len(told) == 1
    assert "We did not issue this receipt" in told.pop()


@pytest.mark.parametrize("typed", ["B", "A" * 28, "逾" * 28, "2" * 29, "<b>"])
def test_what_is_no_code_is_said_beside_its_field(world, typed):
    found = shown(world, f"/receipt/check?receipt={quote(typed)}")
    assert found.reply.status == 422
    assert found.page.one("input", id="receipt").attributes["aria-invalid"] == "true"


def test_it_is_asked_for_a_few_times(world):
    def forgotten():
        with psycopg.connect(world.url, autocommit=True) as ours:
            ours.execute("TRUNCATE store_counter")

    forgotten()
    found = [shown(world, f"/receipt/check?receipt={'2' * 28}").reply.status
             for _ in range(CODE_AN_HOUR + 2)]  # fmt: skip
    assert found == [200] * CODE_AN_HOUR + [429] * 2
    found = [shown(world, f"/receipt/check?receipt={'2' * 26}{a}{b}").reply.status
             for a in ALPHABET[:2] for b in ALPHABET[: ADDRESS_A_MINUTE + 1]]  # fmt: skip
    assert set(found) == {200, 429}
    # Counted together with questions about messages.
    asked = world.ask("POST", "/api/v1/verify", {"code": "ZZZZ2222", "phone_last4": "0001"},
                      key=None)  # fmt: skip
    assert asked.status == 429
    forgotten()


@pytest.mark.skipif(not documents.can_print(), reason="skipped: duly[letter] is not installed")
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_paper_says_what_the_page_says(world, tmp_path, language):
    browser = signed_in_at(world, language)
    code = code_on(browser)
    found = browser.go(at(page="/receipt/pdf"))
    assert found.headers["content-type"] == "application/pdf"
    assert 'filename="receipt-2026-01-20.pdf"' in found.headers["content-disposition"]
    pdf = pypdf.PdfReader(io.BytesIO(found.body))
    text = "".join(page.extract_text() for page in pdf.pages)
    flat = re.sub(r"\s", "", text)
    for one in (code, "P-1", LOAN[-4:], "500.00", f"http://127.0.0.1:{world.port}/receipt/check"):
        assert re.sub(r"\s", "", one) in flat
    for secret in (LOAN, "Zhang", "张伟", WHO):
        assert secret not in text
    assert len(pdf.pages) == 1
    if "DULY_PICTURES" in os.environ:
        (pictures(tmp_path) / f"receipt-{language}.pdf").write_bytes(found.body)
    # Equal facts of a day are equal bytes.
    assert browser.go(at(page="/receipt/pdf")).body == found.body
    assert browser.go(at(ODD, page="/receipt/pdf")).status == 200


def test_the_picture_is_the_address_of_the_check(world):
    browser = signed_in_at(world)
    address = f"http://127.0.0.1:{world.port}/receipt/check?receipt={code_on(browser)}"
    body = browser.reply.body.decode()
    assert str(drawn(address)) in body
    assert shown(world, urlsplit(address).path + "?" + urlsplit(address).query).reply.status == 200


def drawn(address):
    from duly.service.portal.payment_receipts import picture_of

    return picture_of(address)
