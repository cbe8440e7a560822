"""An HTTP gateway for the tests (aiohttp's server), which does what the address says."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> dict[str, object]:
        return json.loads(self.body)


@dataclass
class HttpServer:
    """A gateway at a free port of 127.0.0.1; addresses end with what is done about them."""

    slow_seconds: float = 0.25
    status: int = 200
    answer: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    most_open: int = 0
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    _open: int = 0
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> HttpServer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.05)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Cut everybody off and listen no more."""
        self.hold.set()
        assert self._runner is not None
        if self._runner.server is not None:
            for one in self._runner.server.connections:
                if one.transport is not None:
                    one.transport.abort()
        await self._runner.cleanup()
        self._open = 0

    async def _handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        found = Request(headers=dict(request.headers), body=body)
        self.requests.append(found)
        number = len(self.requests)
        self._open += 1
        self.most_open = max(self.most_open, self._open)
        try:
            want = str(found.told["to"])[-1]
            if want == "4":
                await asyncio.sleep(self.slow_seconds)
            elif want == "3":
                await self.hold.wait()
            elif want == "5":
                assert request.transport is not None
                request.transport.abort()
        finally:
            self._open -= 1
        if want == "1":
            return web.json_response({"code": "isv.INVALID"}, status=400)
        if want == "2":
            return web.json_response({}, status=429, headers={"Retry-After": "7"})
        answer = self.answer if self.answer is not None else b'{"id":"h%06d"}' % number
        return web.Response(status=self.status, body=answer, headers=self.headers)
