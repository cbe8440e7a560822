"""Which address is which page; the path of the lender stands before it."""

from __future__ import annotations

from django.urls import path

from duly.service.faces import views
from duly.service.portal import (
    checking,
    checkout,
    loans,
    numbers,
    pages,
    paying,
    payment_receipts,
    preferences,
    promises,
    records,
    relief,
    relief_offers,
    sandbox,
    signing_in,
    why,
)

urlpatterns = [
    path("", checking.home, name="home"),
    path("verify", checking.verify, name="verify"),
    path("caller", checking.caller, name="caller"),
    path("sign-in", signing_in.sign_in, name="sign-in"),
    path("sign-in/code", signing_in.sign_in_code, name="code"),
    path("hand-over", signing_in.hand_over, name="hand-over"),
    path("sign-out", signing_in.sign_out, name="sign-out"),
    path("loan", loans.loans, name="loans"),
    path("loan/<int:place>", loans.loan, name="loan"),
    path("question", loans.question, name="question"),
    path("question/words", loans.words, name="words"),
    path("question/back", loans.take_back, name="take-back"),
    path("paid", loans.paid, name="paid"),
    path("relief", relief.relief, name="relief"),
    path("relief/ask/<int:step>", relief.ask, name="relief-ask"),
    path("relief/care", relief.care, name="relief-care"),
    path("relief/person", relief.person, name="relief-person"),
    path("relief/forget", relief.forget, name="relief-forget"),
    path("relief/offers", relief_offers.offers, name="relief-offers"),
    path("relief/sheet", relief_offers.sheet, name="relief-sheet"),
    path("relief/agree", relief_offers.agree, name="relief-agree"),
    path("agreed", relief_offers.agreed, name="agreed"),
    path("agreed/pdf", relief_offers.agreement, name="agreement"),
    path("pay", paying.paying, name="pay"),
    path("pay/go", checkout.go, name="pay-go"),
    path("pay/back", checkout.back, name="pay-back"),
    path("pay/sandbox", sandbox.pay, name="pay-sandbox"),
    path("receipts", payment_receipts.receipts, name="receipts"),
    path("receipt", payment_receipts.receipt, name="receipt"),
    path("receipt/pdf", payment_receipts.receipt_pdf, name="receipt-pdf"),
    path("receipt/check", payment_receipts.check, name="receipt-check"),
    path("promise", promises.promise, name="promise"),
    path("why", why.why, name="why"),
    path("messages", records.messages, name="messages"),
    path("statement", records.statement, name="statement"),
    path("statement/pdf", records.statement_pdf, name="statement-pdf"),
    path("settled", records.settled, name="settled"),
    path("settled/pdf", records.settled_pdf, name="settled-pdf"),
    path("preferences", preferences.preferences, name="preferences"),
    path("preferences/wish", preferences.wish, name="wish"),
    path("preferences/stop", preferences.stop, name="stop"),
    path("preferences/allow", preferences.allow, name="allow"),
    path("preferences/number", numbers.number, name="number"),
    path("preferences/number/confirm", numbers.confirm, name="number-confirm"),
    path("not-me", loans.not_me, name="not-me"),
    path("style.css", pages.style, name="style"),
]
handler400 = views.unreadable
handler404 = views.nowhere
handler500 = views.broken
