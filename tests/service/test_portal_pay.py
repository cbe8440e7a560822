"""Goal: the page names the lender's own account alone, and says before what a payment does after.

Method: a running server and its store; the page, then the payment, then the page of the loan.
"""

from __future__ import annotations

import pytest
from browsing import shown
from known_books import LENDER
from outgoing import AT
from portal_world import BOOK, LOAN, WHO, begin, emptied, signed_in, tell
from telling_events import paid, signalled

from duly.care import debt_of
from duly.care.paying import pay
from duly.messages.values import money_text
from duly.service.operations.deriving import derived
from duly.service.operations.events import accept
from duly.service.store.models import Message, Task

OTHER, ENDED = "L-OTHER", "L-ENDED"


@pytest.fixture(scope="module")
def book(served, write_book, tmp_path_factory):
    """Give the server with the book; B2 has another loan in another currency, B3 one paid off."""
    yield tell(
        served, write_book, tmp_path_factory.mktemp("book"),
        borrowers=[*BOOK["borrowers"], {"borrower_id": "B2"}, {"borrower_id": "B3"}],
        contact_points=[*BOOK["contact_points"],
                        {"borrower_id": "B2", "address": "+8613800000002"},
                        {"borrower_id": "B3", "address": "+8613800000003"}],
        loans=[*BOOK["loans"], {"loan_id": OTHER, "borrower_id": "B2", "currency": "EUR"},
               {"loan_id": ENDED, "borrower_id": "B3"}],
        installments=[*BOOK["installments"],
                      {"loan_id": OTHER, "number": "1", "due_on": "2026-03-01"},
                      {"loan_id": ENDED, "number": "1", "due_on": "2026-03-01",
                       "principal": "10.00"}],
        payments=[*BOOK["payments"],
                  {"payment_id": "P-E", "loan_id": ENDED, "paid_on": "2026-03-01",
                   "amount": "1000.00"}],
    )  # fmt: skip
    emptied(served.url, books=True)


@pytest.fixture
def world(book, facts):
    return begin(facts, WHO, "B2", "B3")


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_what_it_says_before_is_what_is_so_after(world, language):
    browser = signed_in(world, language=language)
    browser.go(f"/pay?loan={LOAN}&amount=500")
    (account,) = LENDER.accounts
    for one in (account.number, LOAN, {"en": account.holder_en, "zh-CN": account.holder}[language]):
        assert one in browser.text
    traced = derived(WHO, lender=LENDER, at=AT, clock=AT).loans[0].trace
    effect = pay(debt_of(traced), 50_000)
    for part in effect.applied:
        assert money_text(part.amount, "CNY", language) in browser.text
    for one in (effect.due, effect.total):
        assert money_text(one, "CNY", language) in browser.text
    # Looking writes nothing.
    assert (Task.objects.count(), Message.objects.get(message_id="m-waits").state) == (0, "planned")
    accept([paid(LOAN, payment_id="P-9")], at=AT)
    after = derived(WHO, lender=LENDER, at=AT, clock=AT).loans[0].trace.position
    assert (after["overdue_total"], after["outstanding_total"]) == (effect.due, effect.total)


def test_what_is_due_stands_in_the_field(world):
    browser = signed_in(world)
    browser.go("/loan")
    browser.go(next(one.attributes["href"] for one in browser.page.all("a", class_="button second")
                    if one.text == "Pay"))  # fmt: skip
    assert browser.page.one("input", id="amount").attributes["value"] == "626.17"
    assert "After that no day adds a late charge" not in browser.text
    browser.go(f"/pay?loan={LOAN}&amount=2000")
    assert "more than is owed" in browser.text


def test_under_an_arrangement_its_next_amount_does(world):
    rows = [{"number": n, "due_on": f"2026-0{3 + n}-10", "amount": "206.10"} for n in (1, 2)]
    accept([signalled("plan", WHO, loan_id=LOAN, agreed=rows,
                      starts_at="2026-03-09T09:00:00+08:00")], at=AT)  # fmt: skip
    browser = signed_in(world)
    browser.go(f"/pay?loan={LOAN}")
    assert browser.page.one("input", id="amount").attributes["value"] == "206.10"
    assert "Your arrangement counts it as well" in browser.text


@pytest.mark.parametrize("amount", ["0", "-1", "1e3", "1.234", "much", "9" * 30])
def test_what_is_no_amount_is_said_beside_its_field(world, amount):
    browser = signed_in(world)
    assert browser.go(f"/pay?loan={LOAN}&amount={amount}").status == 422
    assert browser.page.one("input", id="amount").attributes["aria-invalid"] == "true"


def test_no_account_of_another_currency_is_named(world):
    browser = signed_in(world, "B2")
    browser.go(f"/pay?loan={OTHER}")
    assert "No account is stated on this page" in browser.text
    assert LENDER.accounts[0].number not in browser.text


def test_nobody_pays_what_is_paid(world):
    browser = signed_in(world, "B3")
    browser.go(f"/pay?loan={ENDED}")
    assert "Nothing is due" in browser.text
    assert LENDER.accounts[0].number not in browser.text


def test_nobody_sees_another_persons_loan(world):
    browser = signed_in(world)
    for loan in (OTHER, ENDED, "", "'--"):
        assert browser.go(f"/pay?loan={loan}").status == 404
    assert shown(world, f"/pay?loan={LOAN}").at == "/sign-in"
