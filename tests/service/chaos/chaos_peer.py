"""The other side of the wire, as a program: `chaos_peer.py LOG SEED FAULTS HOOK_PORT`.

A short-message center and an HTTP gateway. What comes is written to LOG before anything else is
done about it: that file alone tells what was sent, and how often. FAULTS percent of the messages
are met with a fault drawn from the seed and the number. The ports are printed. `cut` on stdin cuts
every connection; `stop` on stdin ends it.

Receipts that nobody acknowledged are brought again, as centers do: on the wire of SMPP after two
seconds or at the next sign-in, to the webhook of `duly serve` (HOOK_PORT, 0: none) until it takes
them.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "peers"))

import aiohttp
from aiohttp import web
from center import Act, Center, Submitted, frame

SMPP_FAULTS = (
    "late", "never", "twice", "garbage", "half", "cut", "throttled", "refused", "receipt_first",
    "receipt_twice", "receipt_of_nobody", "undelivered", "unknown_command",
)  # fmt: skip
HTTP_FAULTS = ("never", "error", "throttled", "refused", "cut", "half", "garbage", "no_id", "slow")
HOOK_SECRET = "a secret of the chaos gateway"
_THROTTLED, _REFUSED = 0x58, 0x0B
_AGAIN_SECONDS = 2.0
_LATE_SECONDS, _SLOW_SECONDS = 1.5, 0.3


@dataclass
class Log:
    """What reached this side, written through before it is answered."""

    path: str
    seed: int
    faults: int
    _file: int = field(init=False)
    _put_off: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def took(self, wire: str, to: str, name: str) -> str:
        """Write down that something came, and return what is done about it."""
        fault = self.fault(wire, to)
        if fault == "throttled" and to in self._put_off:
            fault = ""  # Who comes again after a while is let in.
        elif fault == "throttled":
            self._put_off.add(to)
        told = {"wire": wire, "to": to, "name": name, "fault": fault}
        os.write(self._file, (json.dumps(told) + "\n").encode())
        return fault

    def fault(self, wire: str, to: str) -> str:
        draw = hashlib.md5(f"{self.seed}|{wire}|{to}".encode()).digest()
        if int.from_bytes(draw[:2], "big") % 100 >= self.faults:
            return ""
        names = SMPP_FAULTS if wire == "smpp" else HTTP_FAULTS
        return names[int.from_bytes(draw[2:4], "big") % len(names)]


class ChaosCenter(Center):
    """The center of the tests, which logs first and brings again what was not acknowledged."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self.log = log
        self.act = self._decide
        self._pending: dict[int, tuple[float, bytes, str]] = {}

    def _take(self, writer: asyncio.StreamWriter, command: int, sequence: int, body: bytes) -> None:
        super()._take(writer, command, sequence, body)
        self.submitted[:-1] = []
        if command == 0x00000009:
            self.binds.clear()
            for number in list(self._pending):
                self._again(number)

    def _decide(self, one: Submitted) -> Act:
        number = one.destination[2]
        name = f"c{os.getpid()}-{number}"
        return Act(name=name, receipts=(self.log.took("smpp", "+" + number, name),))

    async def _do(self, writer: asyncio.StreamWriter, one: Submitted, act: Act) -> None:
        fault, name = act.receipts[0], str(act.name)
        status = {"throttled": _THROTTLED, "refused": _REFUSED}.get(fault, 0)
        told = frame(0x80000004, status, one.sequence, b"" if status else name.encode() + b"\0")
        code = "UNDELIV" if fault == "undelivered" else "DELIVRD"
        if fault == "late":
            await asyncio.sleep(_LATE_SECONDS)
        if fault == "receipt_first":
            self._report(name, code, one.destination[2])
            await asyncio.sleep(0.05)
        if fault in ("cut", "half"):
            writer.write(told[:9] if fault == "half" else b"")
            await asyncio.sleep(0)
            writer.transport.abort() if fault == "cut" else writer.close()
        elif fault == "garbage":
            writer.write(b"\0\0\0\x05garbage" + told)
        elif fault != "never":
            if fault == "unknown_command":
                writer.write(frame(0x00000777, 0, 9, b"?"))
            writer.write(told * (2 if fault == "twice" else 1))
        if status == 0:
            if fault == "receipt_of_nobody":
                self._report("nobody-" + name, code, one.destination[2])
            for _ in range(2 if fault == "receipt_twice" else fault != "receipt_first"):
                self._report(name, code, one.destination[2])

    def _report(self, name: str, code: str, source: str) -> None:
        text = (f"id:{name} sub:001 dlvrd:001 submit date:2603101000 done date:2603101001"
                f" stat:{code} err:000 Text:")  # fmt: skip
        self._sequence += 1
        self._pending[self._sequence] = (time.monotonic(), text.encode(), source)
        self._again(self._sequence)

    def _again(self, number: int) -> None:
        _, text, source = self._pending[number]
        self._pending[number] = (time.monotonic(), text, source)
        body = (b"\0\x01\x01" + source.encode() + b"\0\x00\x00" + b"1069000000\0" + bytes([4, 0, 0])
                + b"\0\0" + bytes([0, 0, 0, 0, len(text)]) + text)  # fmt: skip
        writers = [one for one in self._writers if not one.is_closing()]
        self._writers[:] = writers
        if writers:
            writers[number % len(writers)].write(frame(0x00000005, 0, number, body))

    async def bring_again(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            for _, _, sequence in self.answers:
                self._pending.pop(sequence, None)
            self.answers.clear()
            self.heard.clear()
            now = time.monotonic()
            for number in [
                name for name, one in self._pending.items() if now - one[0] > _AGAIN_SECONDS
            ][:500]:
                self._again(number)


class ChaosGateway:
    """An HTTP gateway that reports by webhook."""

    def __init__(self, log: Log, hook_port: int) -> None:
        self.log, self.hook_port, self.port = log, hook_port, 0
        self._reports: list[str] = []
        self._open: set[asyncio.Transport] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/send", self._handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]

    def cut(self) -> None:
        for one in list(self._open):
            one.abort()

    async def _handle(self, request: web.Request) -> web.Response:
        told = json.loads(await request.read())
        transport = request.transport
        name = f"h{os.getpid()}-{told['id']}"
        fault = self.log.took("http", str(told["to"]), name)
        if transport is not None:
            self._open.add(transport)
        try:
            return await self._answer(transport, fault, name)
        finally:
            self._open.discard(transport)

    async def _answer(self, transport: asyncio.Transport | None, fault: str, name: str):
        if fault == "never":
            await asyncio.sleep(30)
        if fault == "slow":
            await asyncio.sleep(_SLOW_SECONDS)
        if fault in ("cut", "half") and transport is not None:
            transport.write(b"HTTP/1.1 200 OK\r\nContent-Le" if fault == "half" else b"")
            await asyncio.sleep(0.01)
            transport.abort()
        if fault == "error":
            return web.Response(status=500)
        if fault == "throttled":
            return web.Response(status=429, headers={"Retry-After": "0"})
        if fault == "refused":
            return web.json_response({"code": "isv.INVALID"}, status=400)
        if fault == "garbage":
            return web.Response(body=b"\xff\xfe{]")
        if fault == "no_id":
            return web.json_response({})
        self._reports.append(name)
        return web.json_response({"id": name})

    async def report(self) -> None:
        """Post receipts, signed, until they are taken."""
        from duly.delivery.http import signature

        async with aiohttp.ClientSession() as client:
            while self.hook_port:
                await asyncio.sleep(0.1)
                batch, self._reports = self._reports[:100], self._reports[100:]
                if not batch:
                    continue
                receipts = [{"id": one, "code": "DELIVRD"} for one in batch]
                body = json.dumps({"receipts": receipts}).encode()
                digest = hashlib.sha256(body).hexdigest()
                headers = signature(
                    HOOK_SECRET.encode(), message_id=digest[:40],
                    timestamp=int(datetime.now(UTC).timestamp()), body=body,
                )  # fmt: skip
                url = f"http://127.0.0.1:{self.hook_port}/api/v1/webhooks/gateway-b"
                taken = False
                with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                    async with client.post(
                        url, data=body, headers=headers | {"Content-Type": "application/json"},
                        timeout=aiohttp.ClientTimeout(total=5),
                    ) as found:  # fmt: skip
                        # 409: it was taken before and its answer was lost.
                        taken = found.status < 300 or found.status == 409
                if not taken:
                    self._reports = batch + self._reports


async def serve(log: Log, hook_port: int) -> None:
    center, gateway = ChaosCenter(log), ChaosGateway(log, hook_port)
    await center.start()
    await gateway.start()
    beside = [asyncio.create_task(center.bring_again()), asyncio.create_task(gateway.report())]
    print(center.port, gateway.port, flush=True)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while (order := (await reader.readline()).strip()) not in (b"", b"stop"):
        if order == b"cut":
            center.cut()
            gateway.cut()
    for one in beside:
        one.cancel()


if __name__ == "__main__":
    asyncio.run(serve(Log(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])), int(sys.argv[4])))
    os._exit(0)
