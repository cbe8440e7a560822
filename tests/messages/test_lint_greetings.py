"""Who speaks before a colon? A greeting, a lead-in and the colon of a link name no sender."""

from __future__ import annotations

import pytest

from duly.messages.lint import Message, lint

FACTS = {"lender": "Oakline Loans", "website": "https://oakline.example"}


@pytest.mark.parametrize(
    "text",
    [
        "Hi John: your payment of $98.40 to Oakline Loans is due Mar 4.",
        "Dear John: your payment of $98.40 to Oakline Loans is due Mar 4.",
        "DEAR JOHN SMITH: your payment of $98.40 to Oakline Loans is due Mar 4.",
        "Good morning Mary - your payment of $98.40 to Oakline Loans is due Mar 4.",
        "Hi John - Oakline Loans: your payment of $98.40 is due Mar 4.",
        "Hi John: your plan: 3 payments of $98.40 to Oakline Loans.",
        "FYI: your payment of $98.40 to Oakline Loans is due Mar 4.",
        "To John Smith: your payment of $98.40 to Oakline Loans is due Mar 4.",
        "Note to John: your payment of $98.40 to Oakline Loans is due Mar 4.",
        "To settle your account: call Oakline Loans.",
        "Please note: your payment to Oakline Loans is due Mar 4.",
        "Please Note: your payment to Oakline Loans is due Mar 4.",
        "PLEASE NOTE: your payment to Oakline Loans is due Mar 4.",
        "Details: https://oakline.example/x",
        "Pay at https://oakline.example/x",
        "Oakline visits branch 2 at 9:30 on Mar 4",
        "How to pay by bank transfer: https://oakline.example/x",
    ],
)
def test_a_greeting_or_a_lead_in_is_no_sender(text):
    assert lint(Message(text=text, facts=FACTS)) == ()


@pytest.mark.parametrize(
    ("text", "words", "rule"),
    [
        ("Elm Finance: your payment of $98 is due.", "Elm Finance", "CN-SMS-3"),
        ("elm loans: your payment of $98 is due.", "elm loans", "CN-SMS-3"),
        ("KreditNow: your payment of $98 is due.", "KreditNow", "CN-SMS-3"),
        ("Hi John, Elm Loans: pay $98.", "Hi John, Elm Loans", "CN-SMS-3"),
        ("Hi John - Elm Loans: pay $98.", "Elm Loans", "CN-SMS-3"),
        ("Dear John: Elm Loans: pay $98.", "Elm Loans", "CN-SMS-3"),
        ("Hi John from Elm Loans: pay $98.", "Hi John from Elm Loans", "CN-SMS-3"),
        ("Hello, this is Elm Finance: pay $98.", "Hello, this is Elm Finance", "CN-SMS-3"),
        ("Reminder from Elm Finance: pay $98.", "Reminder from Elm Finance", "CN-SMS-3"),
        ("Sheriff's Office: pay $98.", "Sheriff's Office", "CN-COND-2"),
        ("Hi John - County Court: pay $98.", "County Court", "CN-COND-2"),
    ],
)
def test_another_sender_is_found_behind_a_greeting_too(text, words, rule):
    (found,) = lint(Message(text=text, facts={**FACTS, "jurisdiction": "cn"}))
    assert (found.label, found.words, found.rule) == ("impersonation", words, rule)
