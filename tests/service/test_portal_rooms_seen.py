"""Goal: records, preferences, privacy and help are read on any screen, and axe finds nothing.

Method: a real browser, where the machine has one, opens the pages of the running server.
"""

from __future__ import annotations

from urllib.parse import quote

import pytest
from portal_world import BOOK, LOAN, begin, emptied, handed, signed_in, tell

from chromium import NARROWEST, Phone, pictures
from duly.service.store.models import Message, Task

CONTACT = {"contact_id": "K1", "borrower_id": "B1", "channel": "voice", "outcome": "connected",
           "address": "+8613800000001", "at": "2026-03-09T09:05:00+08:00"}  # fmt: skip
INSIDE = [
    "/messages", f"/statement?loan={LOAN}", f"/settled?loan={LOAN}", "/preferences",
    "/preferences/number", "/privacy", "/help", "/help/payoff",
]  # fmt: skip


@pytest.fixture(scope="module")
def book(served, write_book, tmp_path_factory):
    loans = [{**one, "disbursed_on": "2025-10-15"} for one in BOOK["loans"]]
    yield tell(served, write_book, tmp_path_factory.mktemp("book"), loans=loans,
               contacts=[CONTACT])  # fmt: skip
    emptied(served.url, books=True)


@pytest.mark.parametrize(
    ("language", "width", "size"),
    [("en", NARROWEST, ""), ("zh-CN", NARROWEST, "large")],
)
def test_nothing_is_cut_off_or_small(chromium, book, facts, tmp_path, language, width, size):
    begin(facts)
    cookies = signed_in(facts, language=language).cookies
    for path in INSIDE[:: 2 if size else 1]:
        query = f"{'&' if '?' in path else '?'}lang={language}" + (f"&size={size}" if size else "")
        name = path.strip("/").partition("?")[0].replace("/", "-")
        seen, wrong = chromium.look(
            f"http://127.0.0.1:{facts.port}{path}{query}", cookies=cookies, width=width,
            picture=pictures(tmp_path) / f"room-{name}-{language}-{width}{size}.png",
        )  # fmt: skip
        assert seen["url"] == path.partition("?")[0]
        assert seen["wide"] <= seen["room"], (path, seen)
        assert (seen["small"], seen["tiny"], wrong) == ([], [], []), path


def test_a_phone_without_javascript_gets_through(chromium, book, facts, tmp_path):
    begin(facts)
    with Phone.of(chromium, f"http://127.0.0.1:{facts.port}", "zh-CN") as phone:
        phone.open("/")
        phone.tap("help.title")
        phone.tap("calc.savings")
        phone.type("calc_field.goal", "1000")
        phone.type("calc_field.monthly", "300")
        phone.tap("help.work_out")
        assert phone.says("calc_says.months", monthly="300.00元", months=4) in phone.text
        phone.open(f"/hand-over?token={quote(handed())}")
        phone.tap("hand_over.go")
        phone.tap("prefer.title")
        phone.tap("prefer.stop_one", by=phone.says("channel.sms"))
        assert phone.says("prefer.stopped", by=phone.says("channel.sms")) in phone.text
        assert Message.objects.get(message_id="m-waits").reason == "opt_out"
        phone.open("/loan")
        phone.tap("privacy.title")
        phone.tap("privacy.person_send")
        assert phone.says("privacy.is_open") in phone.text
        assert Task.objects.get().kind == "decide_by_person"
        phone.picture(tmp_path, "journey-rooms")
