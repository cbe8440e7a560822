"""Whose link is it? The host as it was written against the lender's own, no look-alike passes."""

from __future__ import annotations

import pytest

from duly.messages.lint import Message, labels_of, lint

SITE = {"website": "https://example.com"}


@pytest.mark.parametrize(
    ("link", "facts"),
    [
        ("https://ex\u0430mple.com/pay", SITE),  # Cyrillic a
        ("https://exampl\u0435.com/pay", SITE),  # Cyrillic e
        ("https://xn--exmple-4nf.com/pay", SITE),
        ("https://oakl\u03bfan.com/pay", {"website": "oakloan.com"}),  # Greek omicron
        ("https://examp1e.com/pay", SITE),
        ("examp1e.com/pay", SITE),
        ("https://\u9280\u884c.com/pay", {"website": "https://\u94f6\u884c.com"}),
        ("https://pay.ex\u0430mple.com", SITE),
        ("https://ex\u200bample.com/pay", SITE),  # a hidden mark
        ("https://example.com", {"website": "https://ex\u0430mple.com"}),
        ("https://ex\u0430mple.com", {"note": "The official site is example.com."}),
        ("https://example.com@evil.net/pay", SITE),
        ("https://example.com:443@evil.net/pay", SITE),
        ("https://evil.net\\@example.com/pay", SITE),
        ("https://fu\u00df.com/pay", {"website": "fuss.com"}),
    ],
)
def test_a_look_alike_of_the_lenders_host_is_another_host(link, facts):
    found = lint(Message(text=f"Pay at {link}", facts=facts))
    rule = "CN-SMS-4" if "\u9280" in link else "US-COND-1"  # of the language of the text
    assert [(one.label, one.rule) for one in found] == [("suspicious_link", rule)]
    assert found[0].words == link


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("Pay at https://example.com/pay", SITE),
        ("Pay at HTTPS://WWW.Example.COM:443/pay?a=b@c", SITE),
        ("Pay at https://example.com.", SITE),
        ("Pay at https://pay.example.com?id=1", SITE),
        ("Pay at https://example.com/pay", {"website": "HTTPS://WWW.EXAMPLE.COM/"}),
        ("Pay at https://example.com", {"note": "The official site is Example.com."}),
        ("请到https://\u94f6\u884c.com/pay还款", {"website": "https://\u94f6\u884c.com"}),
        ("請到https://\u9280\u884c.com/pay還款", {"website": "\u9280\u884c.com"}),
        ("还款请登录官网 example.com：本人操作。", {"备注": "官方網站是 example.com。"}),
    ],
)
def test_the_lenders_own_host_passes_in_any_case_of_letters(text, facts):
    assert labels_of(lint(Message(text=text, facts=facts))) == ("none",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("官网example.com。", []),  # A host may stand right beside characters.
        ("请登录官网example.com查询", []),
        ("请登录evil-example.com查询", ["evil-example.com"]),
        ("请到example.com.evil.top还款", ["example.com.evil.top"]),
    ],
)
def test_a_host_beside_chinese_characters_is_read_alone(text, words):
    found = lint(Message(text=text, lang="zh", facts={"website": "example.com"}))
    assert [one.words for one in found if one.label == "suspicious_link"] == words


@pytest.mark.parametrize(
    ("text", "facts", "words"),
    [
        ("Pay by UPI to elm@bank today", {"official_upi": "elm@bank"}, []),
        ("Pay by UPI to r.k83@upi today", {"official_upi": "elm@bank"}, ["r.k83@upi"]),
        ("Pay by UPI to r.k83@upi, it is my account", {}, ["r.k83@upi"]),
        ("Pay by UPI to r.k83@upi", {"note": "r.k83@upi is personal"}, ["r.k83@upi"]),
        ("Pay by UPI to elm@bank", {}, []),
        ("Write to help@elm.example", {"official_upi": "elm@bank"}, []),
    ],
)
def test_a_payment_address_is_the_lenders_or_somebodys(text, facts, words):
    found = lint(Message(text=text, lang="en", facts=facts))
    assert [w for w in (one.words for one in found if one.label == "suspicious_link")
            if "@" in w] == words  # fmt: skip
