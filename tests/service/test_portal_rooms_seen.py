"""Goal: records, preferences, privacy and help are read on any screen, and axe finds nothing.

Method: a real browser, where the machine has one, opens the pages of the running server.
"""

from __future__ import annotations

import pytest
from portal_world import BOOK, LOAN, begin, emptied, signed_in, tell

from chromium import NARROWEST, pictures, running

CONTACT = {"contact_id": "K1", "borrower_id": "B1", "channel": "voice", "outcome": "connected",
           "address": "+8613800000001", "at": "2026-03-09T09:05:00+08:00"}  # fmt: skip
INSIDE = [
    "/messages", f"/statement?loan={LOAN}", f"/settled?loan={LOAN}", "/preferences",
    "/preferences/number", "/privacy", "/help", "/help/payoff",
]  # fmt: skip


@pytest.fixture(scope="module")
def chromium():
    with running() as seat:
        yield seat


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
