"""Goal: on a phone of 320 px, and at twice the size, nothing is cut off, small or hard to tap.

Method: a real browser, where the machine has one, opens the pages of the running server.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from portal_world import begin, emptied, signed_in, tell

from chromium import NARROWEST, found_wrong, measured, pictures, running

OPEN = ["/", "/verify", "/caller", "/not-me", "/sign-in", "/nowhere"]
INSIDE = ["/loan", "/why", "/paid?loan=L-2025-0001", "/caller"]


@pytest.fixture(scope="module")
def chromium():
    with running() as seat:
        yield seat


@pytest.fixture(scope="module")
def book(served, write_book, tmp_path_factory):
    yield tell(served, write_book, tmp_path_factory.mktemp("book"))
    emptied(served.url, books=True)


def looked_at(browser: Any, paths: dict[str, str], cookies: dict[str, str], width: int,
              here: str) -> Iterator[tuple[str, Any]]:  # fmt: skip
    """Open each address of a page and give its name with the page."""
    # The pages' own content policy stands; axe is laid beside it, not into it.
    seat = browser.new_context(viewport={"width": width, "height": 900}, bypass_csp=True)
    seat.add_cookies([{"name": name, "value": value, "url": here.replace("http:", "https:"),
                       "secure": True, "httpOnly": True, "sameSite": "Strict"}
                      for name, value in cookies.items()])  # fmt: skip
    page = seat.new_page()
    for path, query in paths.items():
        page.goto(here + path + query)
        yield path, page
    seat.close()


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize(("width", "size"), [(NARROWEST, ""), (390, "large"), (1000, "")])
def test_nothing_is_cut_off_or_small(chromium, book, facts, tmp_path, language, width, size):
    begin(facts)
    inside = signed_in(facts, language=language)
    inside.go("/loan")
    inside.submit("/question", line="charge:1")
    here, tail = f"http://127.0.0.1:{facts.port}", f"&size={size}" if size else ""

    def steps(browser: Any) -> list[tuple[str, dict[str, Any], list[str]]]:
        seen = []
        for paths, cookies in ((OPEN, {}), (INSIDE, inside.cookies)):
            asked = {path: f"{'&' if '?' in path else '?'}lang={language}{tail}" for path in paths}
            for path, page in looked_at(browser, asked, cookies, width, here):
                name = path.strip("/").partition("?")[0] or "home"
                page.screenshot(path=pictures(tmp_path) / f"{name}-{language}-{width}{size}.png",
                                full_page=True)  # fmt: skip
                # What axe asks hardly depends on the width, and takes its time.
                wrong = found_wrong(page) if width == NARROWEST else []
                seen.append((path, measured(page), wrong))
        return seen

    for path, seen, wrong in chromium.do(steps):
        assert seen["url"] == path.partition("?")[0]
        assert seen["styled"] == 1
        assert seen["wide"] <= seen["room"], (path, seen)
        assert seen["small"] == [], path
        assert seen["tiny"] == [], path
        assert wrong == [], path


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
