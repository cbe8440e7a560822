"""What every gateway keeps to, whatever its wire: the suite that a new one must pass.

A gateway's test module subclasses `Conformance` and gives it a rig: a peer that does what is asked
of it, and the gateway connected to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from duly.delivery import Answer, Gateway, Outgoing
from duly.delivery.port import Incoming

Want = Literal["accepted", "refused", "throttled", "unknown", "slow"]
#: How long a peer takes that is asked to be slow; how long a gateway under test has patience.
SLOW_SECONDS, PATIENCE_SECONDS = 0.25, 0.6
BOUND_SECONDS = 5.0

HOSTILE_TEXTS = {
    "nul": "a\0b",
    "line ends": "first\r\nsecond\nthird",
    "a dot alone": "first\r\n.\r\nsecond",
    "escapes": "\x1b[31m [€] {~} \\ | ^",
    "an emoji of many": "👩‍👩‍👧‍👦 还款",
    "right to left": "\u202e\u0627\u0644\u0633\u0644\u0627\u0645",
    "quotes and tags": "<script>alert('x')</script> & \"'; DROP TABLE--",
    "one of two": "\ud800",
    "nothing": "",
    "blank": " ",
    "long": "逾" * 2000,
    "long in latin": "overdue " * 300,
    "receipt-like": "id:1 stat:DELIVRD err:000",
}


@dataclass
class Rig:
    """A gateway, its peer, and what a test may ask of the two."""

    gateway: Gateway
    outgoing: Callable[[int, Want], Outgoing]  #: a message, and what the peer does with it
    reached: Callable[[], list[str]]  #: message ids or addresses, one each time that one arrived
    text_of: Callable[[str], str] | None = None  #: what arrived there, read by other means
    most_open: Callable[[], int] | None = None  #: the most that were open at once
    die: Callable[[], Any] | None = None  #: the peer is gone, an awaitable
    revive: Callable[[], Any] | None = None
    key: Callable[[Outgoing], str] = field(default=lambda one: one.message_id)


async def within(awaitable: Any) -> Any:
    """Wait for what must come in a bounded time."""
    return await asyncio.wait_for(awaitable, BOUND_SECONDS)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""

    async def look() -> None:
        while not holds():
            await asyncio.sleep(0.01)

    await within(look())


@asynccontextmanager
async def read(gateway: Gateway) -> AsyncIterator[list[Incoming]]:
    """Read what comes in until the gateway is closed, which the block must do or wait for."""
    found: list[Incoming] = []

    async def reading() -> None:
        async for report in gateway.incoming():
            found.append(report)

    task = asyncio.create_task(reading())
    try:
        yield found
    finally:
        await gateway.close()
        await within(task)


class Conformance:
    """The laws of the port."""

    wants: tuple[Want, ...] = ("accepted", "refused", "throttled", "unknown")

    def rig(self, *, window: int = 20) -> AbstractAsyncContextManager[Rig]:
        raise NotImplementedError

    def run(self, test: Callable[[Rig], Any], *, window: int = 20) -> None:
        async def whole() -> None:
            async with self.rig(window=window) as rig:
                await rig.gateway.open()
                async with read(rig.gateway):
                    await test(rig)

        asyncio.run(asyncio.wait_for(whole(), 20))

    def test_answers_come_in_the_order_of_the_batch_whatever_they_are(self):
        async def test(rig: Rig) -> None:
            wants = [self.wants[n % len(self.wants)] for n in range(12)]
            if rig.most_open is not None:
                wants[0] = wants[5] = "slow"  # Answers come out of order.
            batch = [rig.outgoing(n, want) for n, want in enumerate(wants)]
            answers = await within(rig.gateway.submit(batch))
            assert [one.message_id for one in answers] == [one.message_id for one in batch]
            expected = ["accepted" if want == "slow" else want for want in wants]
            assert [one.outcome for one in answers] == expected
            for answer in answers:
                assert bool(answer.provider_ids) == (answer.outcome == "accepted")
                assert answer.outcome == "accepted" or answer.code
            named = [name for answer in answers for name in answer.provider_ids]
            assert len(named) == len(set(named))

        self.run(test)

    def test_an_empty_batch_has_no_answers(self):
        async def test(rig: Rig) -> None:
            assert list(await rig.gateway.submit([])) == []
            assert rig.reached() == []

        self.run(test)

    def test_the_window_is_never_exceeded_by_any_number_of_lanes(self):
        async def test(rig: Rig) -> None:
            assert rig.gateway.window == 4
            batches = [[rig.outgoing(4 * lane + n, "slow") for n in range(4)] for lane in range(3)]
            answers = await within(asyncio.gather(*map(rig.gateway.submit, batches)))
            assert {one.outcome for lane in answers for one in lane} == {"accepted"}
            assert rig.most_open is None or 1 <= rig.most_open() <= 4
            assert len(rig.reached()) == 12

        if "slow" in self.extra():
            self.run(test, window=4)

    def extra(self) -> tuple[Want, ...]:
        """What else the peer does."""
        return ("slow",)

    def test_hostile_texts_arrive_as_they_are_or_not_at_all(self):
        async def test(rig: Rig) -> None:
            from dataclasses import replace

            for n, text in enumerate(HOSTILE_TEXTS.values()):
                one = replace(rig.outgoing(n, "accepted"), text=text)
                (answer,) = await within(rig.gateway.submit([one]))
                arrived = rig.key(one) in rig.reached()
                assert answer.outcome == ("accepted" if arrived else "refused"), repr(text[:20])
                if arrived and rig.text_of is not None:
                    assert rig.text_of(rig.key(one)) == self.told(text)
                if not arrived:
                    assert answer.code.startswith("DULY:")
            (last,) = await within(rig.gateway.submit([rig.outgoing(99, "accepted")]))
            assert last.outcome == "accepted"

        self.run(test)

    def told(self, text: str) -> str:
        """What of a text a person reads; a wire may have its own line ends."""
        return text

    #: Addresses that are none on this wire.
    bad_addresses: tuple[str, ...] = ()

    def test_an_address_that_is_none_is_refused_and_nothing_is_written(self):
        async def test(rig: Rig) -> None:
            from dataclasses import replace

            for n, address in enumerate(self.bad_addresses):
                one = replace(rig.outgoing(n, "accepted"), address=address)
                (answer,) = await within(rig.gateway.submit([one]))
                assert (answer.outcome, answer.code) == ("refused", "DULY:address"), repr(address)
            assert rig.reached() == []

        self.run(test)

    def test_what_is_not_answered_is_unknown_and_was_sent_once(self):
        async def test(rig: Rig) -> None:
            one = rig.outgoing(1, "unknown")
            (answer,) = await within(rig.gateway.submit([one]))
            assert answer.outcome == "unknown"
            await asyncio.sleep(0.1)
            assert rig.reached().count(rig.key(one)) <= 1

        self.run(test)

    def test_closing_waits_for_what_is_on_the_wire(self):
        async def test(rig: Rig) -> None:
            batch = [rig.outgoing(n, "slow") for n in range(3)]
            sending = asyncio.create_task(_submit(rig.gateway, batch))
            await until(lambda: len(rig.reached()) >= 1)
            await within(rig.gateway.close())
            answers = await within(sending)
            assert [one.message_id for one in answers] == [one.message_id for one in batch]
            # What was on the wire is answered; what was not yet, is not sent any more.
            reached = rig.reached()
            assert [one.outcome for one in answers] == [
                "accepted" if rig.key(sent) in reached else "not_sent" for sent in batch
            ]
            assert answers[0].outcome == "accepted"

        if "slow" in self.extra():
            self.run(test)

    def test_a_peer_that_dies_leaves_unknown_what_it_was_given_and_is_come_back_to(self):
        async def test(rig: Rig) -> None:
            assert rig.die is not None
            assert rig.revive is not None
            batch = [rig.outgoing(n, "slow") for n in range(3)]
            sending = asyncio.create_task(_submit(rig.gateway, batch))
            await until(lambda: len(rig.reached()) >= 1)
            await rig.die()
            answers = await within(sending)
            reached = rig.reached()
            for sent, answer in zip(batch, answers, strict=True):
                if rig.key(sent) in reached:
                    assert answer.outcome == "unknown"
                else:
                    assert answer.outcome in ("unknown", "not_sent")
            # Nobody is there: nothing is sent, and it says so.
            later = [rig.outgoing(10 + n, "accepted") for n in range(2)]
            outcomes = [one.outcome for one in await within(rig.gateway.submit(later))]
            assert outcomes == ["not_sent", "not_sent"]
            assert not rig.gateway.ready
            await rig.revive()
            await until(lambda: rig.gateway.ready)
            (again,) = await within(rig.gateway.submit([rig.outgoing(20, "accepted")]))
            assert again.outcome == "accepted"
            counts = [rig.reached().count(rig.key(one)) for one in batch]
            assert max(counts) == 1  # Nothing is sent again by itself.

        if "slow" in self.extra():
            self.run(test)

    def test_incoming_ends_when_it_is_closed_and_closing_twice_is_closing_once(self):
        async def whole() -> None:
            async with self.rig() as rig:
                await rig.gateway.open()
                reading = asyncio.create_task(_all(rig.gateway))
                await asyncio.sleep(0.02)
                assert not reading.done()
                await within(rig.gateway.close())
                assert await within(reading) == []
                await within(rig.gateway.close())

        asyncio.run(whole())


async def _submit(gateway: Gateway, batch: list[Outgoing]) -> list[Answer]:
    return list(await gateway.submit(batch))


async def _all(gateway: Gateway) -> list[Incoming]:
    return [report async for report in gateway.incoming()]
