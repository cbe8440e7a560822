"""Debian's browser, where the machine has one, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, sync_playwright

from duly.core.words import say

Found = TypeVar("Found")

NARROWEST = 320
#: WCAG 2.2 AA and what axe calls good practice.
_RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }
}

#: Nothing of a browser asks the network by itself.
_ALONE = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def program() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    return pytest.skip("skipped: no Chromium")


class Seat:
    """A browser in a thread of its own: Playwright's loop and Django's store do not share one."""

    def __init__(self, path: str) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._made = self._thread.submit(sync_playwright().start).result(60)
        self._browser = self.do(lambda _: self._made.chromium.launch(
            executable_path=path, args=list(_ALONE)))  # fmt: skip

    def do(self, steps: Callable[[Chromium], Found]) -> Found:
        """Let steps be taken in the browser and return what they found."""
        browser = getattr(self, "_browser", None)
        return self._thread.submit(steps, browser).result(240)

    def look(self, url: str, *, cookies: dict[str, str], width: int,
             picture: Path) -> tuple[dict[str, Any], list[str]]:  # fmt: skip
        """Open an address, keep a picture; return what is measured and what axe-core finds."""

        def steps(browser: Chromium) -> tuple[dict[str, Any], list[str]]:
            # The pages' own content policy stands; axe is laid beside it, not into it.
            seat = browser.new_context(viewport={"width": width, "height": 900}, bypass_csp=True)
            secure = f"https://{urlsplit(url).netloc}"
            seat.add_cookies([{"name": name, "value": value, "url": secure, "secure": True,
                               "httpOnly": True, "sameSite": "Strict"}
                              for name, value in cookies.items()])  # fmt: skip
            page = seat.new_page()
            page.goto(url)
            page.screenshot(path=picture, full_page=True)
            # What axe asks hardly depends on the width, and takes its time.
            found = measured(page), found_wrong(page) if width == NARROWEST else []
            seat.close()
            return found

        return self.do(steps)

    def close(self) -> None:
        self.do(lambda browser: browser.close())
        self.do(lambda _: self._made.stop())
        self._thread.shutdown()


@contextmanager
def running() -> Iterator[Seat]:
    """Start a browser of our own."""
    seat = Seat(program())
    yield seat
    seat.close()


class Phone:
    """One person's phone without JavaScript: it opens, types and taps what is written there."""

    def __init__(self, seat: Seat, address: str, language: str) -> None:
        self._do, self._address, self.language = seat.do, address, language
        self._page: Page = self._do(lambda browser: browser.new_context(
            java_script_enabled=False, locale=language,
            viewport={"width": 390, "height": 844}).new_page())  # fmt: skip
        self._page.set_default_timeout(20_000)

    @classmethod
    @contextmanager
    def of(cls, seat: Seat, address: str, language: str) -> Iterator[Phone]:
        one = cls(seat, address, language)
        yield one
        one._do(lambda _: one._page.context.close())

    def says(self, key: str, **values: object) -> str:
        """Return a sentence of the pages in the language of the phone."""
        return say("portal", key, self.language, **values)

    @property
    def other(self) -> str:
        return "en" if self.language == "zh-CN" else "zh-CN"

    def open(self, path: str) -> None:
        self._do(lambda _: self._page.goto(self._address + path))

    def tap(self, key: str, **values: object) -> None:
        self.tap_said(self.says(key, **values))

    def tap_said(self, said: str) -> None:
        """Tap the one button or link that says so."""

        def tapped(_: Chromium) -> None:
            button = self._page.get_by_role("button", name=said, exact=True)
            link = self._page.get_by_role("link", name=said, exact=True)
            button.or_(link).click()

        self._do(tapped)

    def type(self, key: str, value: str, **values: object) -> None:
        said = self.says(key, **values)
        self._do(lambda _: self._page.get_by_label(said, exact=True).fill(value))

    def choose(self, key: str, **values: object) -> None:
        """Choose the one of several that says so."""
        said = self.says(key, **values)
        self._do(lambda _: self._page.get_by_label(said, exact=True).check())

    def hand_in(self, key: str, name: str, kind: str, data: bytes) -> None:
        said, file = self.says(key), {"name": name, "mimeType": kind, "buffer": data}
        self._do(lambda _: self._page.get_by_label(said, exact=True).set_input_files([file]))

    @property
    def text(self) -> str:
        """What is written on the page between its head and its foot."""
        return " ".join(self._do(lambda _: self._page.locator("main").inner_text()).split())

    def picture(self, folder: Path, name: str) -> None:
        path = pictures(folder) / f"{name}-{self.language}.png"
        self._do(lambda _: self._page.screenshot(path=path, full_page=True))


def pictures(tmp_path: Path) -> Path:
    """Return where pictures are kept: DULY_PICTURES, for whoever wants to look at them."""
    folder = Path(os.environ.get("DULY_PICTURES", str(tmp_path)))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def found_wrong(page: Any) -> list[str]:
    """Return what axe-core finds on the page as it stands, each with the first place of it."""
    told = Axe().run(page, options=_RULES).response["violations"]
    return [
        f"{one['impact']} {one['id']}: {one['help']}: {one['nodes'][0]['html'][:120]}"
        for one in told
    ]


def measured(page: Page) -> dict[str, Any]:
    """Return how wide the page is, what is hard to tap and what is small to read."""
    return dict(page.evaluate(_MEASURE))


_MEASURE = """() => ({
  url: location.pathname, wide: document.documentElement.scrollWidth,
  room: document.documentElement.clientWidth, styled: document.styleSheets.length,
  small: [...document.querySelectorAll("button, .button, .choice, summary, nav a, "
    + "input:not([type=hidden]):not([type=radio]):not([type=checkbox])")]
    .filter(e => e.getClientRects().length && e.getBoundingClientRect().height < 43.5)
    .map(e => e.outerHTML.slice(0, 80) + e.getBoundingClientRect().height),
  tiny: [...document.querySelectorAll("main *, footer *")]
    .filter(e => e.childElementCount === 0 && e.textContent.trim()
      && parseFloat(getComputedStyle(e).fontSize) < 16).map(e => e.outerHTML.slice(0, 80)),
})"""
