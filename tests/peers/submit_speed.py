"""Measure how many messages a second reach one local center: `submit_speed.py [COUNT [WINDOW]]`.

Three senders one after the other against the same center on node's `smpp`: a bare loop that only
writes and reads bytes, our gateway, and aiosmpplib where it is installed. Each is run three times;
the median is printed. Nothing is asserted: a figure belongs to its machine.
"""

from __future__ import annotations

import asyncio
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from node_center import NodeCenter, installed

from duly.delivery import Outgoing
from duly.delivery.smpp import SmppGateway, SmppSettings

TEXT = "【示例】您的还款计划，核验码3P773SGS。"


def messages(count: int) -> list[Outgoing]:
    return [
        Outgoing(message_id=f"m{n:07}", channel="sms", address=f"+86138{n:07}0", text=TEXT,
                 message_class="dunning", template="overdue", locale="zh-CN")
        for n in range(count)
    ]  # fmt: skip


async def bare(center: NodeCenter, count: int, window: int) -> None:
    """Write submit_sm made beforehand, read the answers, acknowledge receipts; nothing more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", center.port)

    def frame(command: int, sequence: int, body: bytes = b"") -> bytes:
        return struct.pack(">IIII", 16 + len(body), command, 0, sequence) + body

    writer.write(frame(9, 1, b"duly\0s3cr3t\0\0\x34\0\0\0"))
    text = TEXT.encode("utf-16-be")
    tail = b"\0\0\0\0\0\1\0\x08\0" + bytes([len(text)]) + text
    bodies = [b"\0\0\0" + b"1069000000\0\1\1" + b"86138%07d0\0" % n + tail for n in range(count)]
    sent = answered = receipts = 0
    buffer = bytearray()
    while answered < count or receipts < count:
        room = min(window - (sent - answered), count - sent)
        if room > 0:
            writer.write(b"".join(frame(4, n + 2, bodies[n]) for n in range(sent, sent + room)))
            sent += room
        buffer += await reader.read(1 << 16)
        while len(buffer) >= 16:
            length, command, _, sequence = struct.unpack_from(">IIII", buffer)
            if len(buffer) < length:
                break
            del buffer[:length]
            if command == 0x80000004:
                answered += 1
            elif command == 5:
                receipts += 1
                writer.write(frame(0x80000005, sequence, b"\0"))
    writer.close()


async def ours(center: NodeCenter, count: int, window: int) -> None:
    """Send by the gateway as a worker does: two lanes, batches of the window, receipts read."""
    settings = SmppSettings(host="127.0.0.1", port=center.port, system_id="duly",
                            password="s3cr3t", source="1069000000", window=window)  # fmt: skip
    gateway = SmppGateway("bench", settings, label="w1")
    await gateway.open()
    whole = messages(count)
    batches = iter([whole[at : at + window] for at in range(0, count, window)])
    accepted = 0

    async def lane() -> None:
        nonlocal accepted
        for batch in batches:
            answers = await gateway.submit(batch)
            accepted += sum(one.outcome == "accepted" for one in answers)

    async def read() -> None:
        left = count
        async for _ in gateway.incoming():
            left -= 1
            if not left:
                return

    await asyncio.gather(lane(), lane(), read())
    assert accepted == count
    await gateway.close()


async def aiosmpplib(center: NodeCenter, count: int, window: int) -> None:
    """Send by the library with its own correlator; its broker counts what is out."""
    from aiosmpplib import ESME, SubmitSm
    from aiosmpplib.broker import AbstractBroker
    from aiosmpplib.hook import AbstractHook
    from aiosmpplib.protocol import DeliverSm, SubmitSmResp
    from aiosmpplib.state import NPI, TON, PhoneNumber

    class Broker(AbstractBroker):
        def __init__(self) -> None:
            self.waiting = iter(messages(count))
            self.places = asyncio.Semaphore(window)

        async def enqueue(self, message: object) -> None: ...

        async def dequeue(self) -> SubmitSm:
            await self.places.acquire()
            one = next(self.waiting, None)
            if one is None:
                await asyncio.Event().wait()
            return SubmitSm(
                short_message=one.text, source=PhoneNumber("1069000000", TON.UNKNOWN, NPI.UNKNOWN),
                destination=PhoneNumber(one.address[1:]), log_id=one.message_id, esm_class=0x40,
                auto_message_payload=False, registered_delivery=1,
            )  # fmt: skip

    class Hook(AbstractHook):
        def __init__(self) -> None:
            self.answers = self.receipts = 0
            self.done = asyncio.Event()

        async def sending(self, *_: object) -> None: ...

        async def send_error(self, *_: object) -> None: ...

        async def received(self, message: object, *_: object) -> None:
            if isinstance(message, SubmitSmResp):
                self.answers += 1
                broker.places.release()
            elif isinstance(message, DeliverSm):
                self.receipts += 1
            if self.answers >= count and self.receipts >= count:
                self.done.set()

    broker, hook = Broker(), Hook()
    esme = ESME(smsc_host="127.0.0.1", smsc_port=center.port, system_id="duly", password="s3cr3t",
                broker=broker, hook=hook, log_level="ERROR")  # fmt: skip
    running = asyncio.create_task(esme.start())
    await hook.done.wait()
    await esme.stop()
    running.cancel()
    await asyncio.wait([running])


def measured(
    name: str, send: Callable[[NodeCenter, int, int], Awaitable[None]], center: NodeCenter,
    count: int, window: int,
) -> None:  # fmt: skip
    """Print the median of three runs, in messages a second, receipts included."""
    rates = []
    for _ in range(3):
        began = time.perf_counter()
        asyncio.run(asyncio.wait_for(send(center, count, window), 120))
        rates.append(count / (time.perf_counter() - began))
    print(f"{name:<12}{statistics.median(rates):>10,.0f} messages/s")


def main() -> None:
    """Measure."""
    given = [int(one) for one in sys.argv[1:]]
    count, window = (*given, *(20_000, 50)[len(given) :])
    with tempfile.TemporaryDirectory() as name:
        folder = installed(Path(name))
        center = NodeCenter(folder=folder, log=folder / "wire")
        center.start()
        try:
            measured("bare loop", bare, center, count, window)
            measured("gateway", ours, center, count, window)
            try:
                import aiosmpplib as _  # noqa: F401
            except ImportError:
                print("aiosmpplib  not installed")
            else:
                measured("aiosmpplib", aiosmpplib, center, count, window)
        finally:
            center.kill()


if __name__ == "__main__":
    main()
