"""Goal: on a phone of 320 px, and at twice the size, nothing is cut off, small or hard to tap.

Method: a real browser, where the machine has one, opens the pages of the running server.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from chromium import Tab, program, running
from portal_world import begin, emptied, signed_in, tell

OPEN = ["/", "/verify", "/caller", "/not-me", "/sign-in", "/nowhere"]
INSIDE = ["/loan", "/why", "/paid?loan=L-2025-0001", "/caller"]


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    program()
    with running(tmp_path_factory.mktemp("chromium")) as address:
        yield Tab(address)


@pytest.fixture(scope="module")
def book(served, write_book, tmp_path_factory):
    yield tell(served, write_book, tmp_path_factory.mktemp("book"))
    emptied(served.url, books=True)


def pictures(tmp_path: Path) -> Path:
    """Return where pictures are kept: DULY_PICTURES, for whoever wants to look at them."""
    folder = Path(os.environ.get("DULY_PICTURES", str(tmp_path)))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize(("width", "size"), [(320, ""), (390, "large"), (1000, "")])
def test_nothing_is_cut_off_or_small(tab, book, facts, tmp_path, language, width, size):
    begin(facts)
    inside = signed_in(facts, language=language)
    inside.go("/loan")
    inside.submit("/question", line="charge:1")
    for path in (*OPEN, *INSIDE):
        query = f"{'&' if '?' in path else '?'}lang={language}" + (f"&size={size}" if size else "")
        name = f"{path.strip('/').partition('?')[0] or 'home'}-{language}-{width}{size}.png"
        cookies = inside.cookies if path in INSIDE else {}
        seen = tab.look(f"http://127.0.0.1:{facts.port}{path}{query}", cookies=cookies,
                        width=width, picture=pictures(tmp_path) / name)  # fmt: skip
        assert seen["url"] == path.partition("?")[0]
        assert seen["styled"] == 1
        assert seen["wide"] <= seen["room"], (path, seen)
        assert seen["small"] == [], path
        assert seen["tiny"] == [], path
