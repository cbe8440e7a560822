"""Goal: on a phone of 320 px, and at twice the size, nothing is cut off, small or hard to tap.

Method: a real browser, where the machine has one, opens the pages of the running server.
"""

from __future__ import annotations

from typing import Any

import pytest
from portal_world import BOOK, LOAN, begin, emptied, signed_in, tell
from relief_world import answered, opened, read

from chromium import NARROWEST, found_wrong, measured, pictures

OPEN = ["/", "/verify", "/caller", "/not-me", "/sign-in", "/nowhere"]
INSIDE = ["/loan", "/why", "/paid?loan=L-2025-0001", "/caller"]


@pytest.fixture(scope="module")
def book(served, write_book, tmp_path_factory):
    loans = [{**one, "disbursed_on": "2025-10-15"} for one in BOOK["loans"]]
    yield tell(served, write_book, tmp_path_factory.mktemp("book"), loans=loans)
    emptied(served.url, books=True)


def looked(chromium, world, path, picture, *, cookies, width):
    """Open a page and find nothing cut off, small, or hard to tap."""
    seen, wrong = chromium.look(f"http://127.0.0.1:{world.port}{path}", cookies=cookies,
                                width=width, picture=picture)  # fmt: skip
    assert seen["url"] == path.partition("?")[0]
    assert seen["styled"] == 1
    assert seen["wide"] <= seen["room"], (path, seen)
    assert seen["small"] == [], path
    assert seen["tiny"] == [], path
    assert wrong == [], path


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize(("width", "size"), [(NARROWEST, ""), (390, "large"), (1000, "")])
def test_nothing_is_cut_off_or_small(chromium, book, facts, tmp_path, language, width, size):
    begin(facts)
    inside = signed_in(facts, language=language)
    inside.go("/loan")
    inside.submit("/question", line="charge:1")
    for path in (*OPEN, *INSIDE):
        query = f"{'&' if '?' in path else '?'}lang={language}" + (f"&size={size}" if size else "")
        name = f"{path.strip('/').partition('?')[0] or 'home'}-{language}-{width}{size}.png"
        cookies = inside.cookies if path in INSIDE else {}
        looked(chromium, facts, f"{path}{query}", pictures(tmp_path) / name, cookies=cookies,
               width=width)  # fmt: skip


@pytest.mark.parametrize(
    ("language", "width", "size"),
    [("en", NARROWEST, ""), ("zh-CN", NARROWEST, ""), ("zh-CN", 390, "large"), ("en", 1000, "")],
)
def test_relief_is_read_on_any_screen(chromium, book, facts, tmp_path, language, width, size):
    begin(facts)
    folder = pictures(tmp_path)
    query = f"loan={LOAN}&lang={language}" + (f"&size={size}" if size else "")

    def look(path: str, name: str) -> None:
        looked(chromium, facts, f"{path}{'&' if '?' in path else '?'}{query}",
               folder / f"relief-{name}-{language}-{width}{size}.png",
               cookies=inside.cookies, width=width)  # fmt: skip

    inside = answered(facts, language=language, wish="extension", essentials="4300")
    look("/promise", "promise")
    look("/pay?amount=300", "pay")
    look("/relief", "begin")
    for step in (1, 2, 6):
        look(f"/relief/ask/{step}", f"ask{step}")
    look("/relief/offers", "offers")
    opened(inside)
    name = inside.page.one("input", name="offer").attributes["value"]
    look(f"/relief/sheet?offer={name}", "sheet")
    look("/relief/care", "care")
    read()
    inside.submit("/relief/agree", confirm="yes")
    look("/agreed", "agreed")
    look("/loan", "loan")


@pytest.mark.parametrize(
    ("language", "width", "size"), [("en", NARROWEST, ""), ("zh-CN", 390, "large")]
)
def test_paying_and_receipts_are_read_on_any_screen(
    chromium, book, facts, tmp_path, language, width, size
):
    begin(facts)
    folder, inside = pictures(tmp_path), signed_in(facts, language=language)
    chosen = f"lang={language}" + (f"&size={size}" if size else "")

    def look(path: str, name: str) -> None:
        looked(chromium, facts, f"{path}{'&' if '?' in path else '?'}{chosen}",
               folder / f"paying-{name}-{language}-{width}{size}.png",
               cookies=inside.cookies, width=width)  # fmt: skip

    inside.go(f"/pay?loan={LOAN}&amount=300")
    inside.post("/pay/go", inside.form("/pay/go") | {"way": "trial"})
    inside.go(inside.reply.headers["refresh"].partition(str(facts.port))[2], follow=False)
    order = inside.reply.headers["location"]
    look(order, "sandbox")
    look(f"/pay?loan={LOAN}&amount=300", "pay")
    inside.go(order)
    inside.submit("/pay/sandbox", fate="silent", follow=False)
    look(inside.reply.headers["location"], "back")
    look(f"/receipt?loan={LOAN}&payment=P-1", "receipt")
    look("/receipt/check?receipt=B", "check")


def test_what_is_wrong_is_seen(chromium):
    def steps(browser: Any) -> tuple[list[str], dict[str, Any]]:
        page = browser.new_page(viewport={"width": NARROWEST, "height": 900})
        page.set_content(
            "<!doctype html><html lang=en><title>T</title><main><h1>A page</h1>"
            "<img src=x><button style='height:20px'>Go</button>"
            "<p style='width:500px;font-size:9px'>Wide and tiny.</p></main>"
        )
        return found_wrong(page), measured(page)

    wrong, seen = chromium.do(steps)
    assert any(one.startswith("critical image-alt: ") for one in wrong), wrong
    assert seen["wide"] > seen["room"]
    assert [one[:7] for one in seen["small"]] == ["<button"]
    assert [one[:2] for one in seen["tiny"]] == ["<b", "<p"]
