"""A real browser, where the machine has one, driven by its own protocol: looks, never clicks."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest


def program() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    return pytest.skip("skipped: no Chromium")


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Start a browser of its own; give the address of its first page's protocol."""
    process = subprocess.Popen(
        [program(), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
         "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    told = folder / "DevToolsActivePort"
    for _ in range(300):
        if told.exists() and told.read_text().count("\n"):
            break
        time.sleep(0.1)
    port = told.read_text().split("\n")[0]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


class Tab:
    """One tab: cookies, a size, an address; what its page measures; a picture of it."""

    def __init__(self, address: str) -> None:
        self._address, self._number = address, 0

    async def _ask(self, line: Any, method: str, **given: Any) -> dict[str, Any]:
        self._number += 1
        await line.send_json({"id": self._number, "method": method, "params": given})
        while True:
            told = json.loads((await line.receive(timeout=60)).data)
            if told.get("id") == self._number:
                assert "error" not in told, told
                return dict(told["result"])

    async def _look(self, url: str, cookies: dict[str, str], width: int, scale: float,
                    picture: Path | None) -> dict[str, Any]:  # fmt: skip
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{self._address}/json/list") as found:
                (page, *_) = [one for one in await found.json() if one["type"] == "page"]
            async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as line:
                await self._ask(line, "Page.enable")
                await self._ask(line, "Emulation.setScriptExecutionDisabled", value=False)
                for name, value in cookies.items():
                    await self._ask(line, "Network.setCookie", name=name, value=value,
                                    url=url.replace("http://127", "https://127"), path="/",
                                    secure=True, httpOnly=True, sameSite="Strict")  # fmt: skip
                await self._ask(
                    line,
                    "Emulation.setDeviceMetricsOverride",
                    width=width,
                    height=900,
                    deviceScaleFactor=scale,
                    mobile=width < 600,
                )
                await self._ask(line, "Page.navigate", url=url)
                for _ in range(200):
                    state = await self._run(line, "document.readyState + location.href")
                    if state.startswith("complete") and "blank" not in state:
                        break
                    await asyncio.sleep(0.05)
                measured = await self._run(line, _MEASURE)
                if picture is not None:
                    shot = await self._ask(line, "Page.captureScreenshot", format="png",
                                           captureBeyondViewport=True)  # fmt: skip
                    picture.write_bytes(base64.b64decode(shot["data"]))
                return dict(json.loads(measured))

    async def _run(self, line: Any, script: str) -> Any:
        told = await self._ask(line, "Runtime.evaluate", expression=script)
        return told["result"]["value"]

    def look(self, url: str, *, cookies: dict[str, str] | None = None, width: int = 390,
             scale: float = 1.0, picture: Path | None = None) -> dict[str, Any]:  # fmt: skip
        """Open an address and return what its page measures."""
        return asyncio.run(self._look(url, cookies or {}, width, scale, picture))


_MEASURE = """JSON.stringify({
  url: location.pathname, wide: document.documentElement.scrollWidth,
  room: document.documentElement.clientWidth, styled: document.styleSheets.length,
  small: [...document.querySelectorAll("button, .button, input:not([type=hidden]), summary, nav a")]
    .filter(e => e.getClientRects().length && e.getBoundingClientRect().height < 43.5)
    .map(e => e.outerHTML.slice(0, 80) + e.getBoundingClientRect().height),
  tiny: [...document.querySelectorAll("main *, footer *")]
    .filter(e => e.childElementCount === 0 && e.textContent.trim()
      && parseFloat(getComputedStyle(e).fontSize) < 16).map(e => e.outerHTML.slice(0, 80)),
})"""
