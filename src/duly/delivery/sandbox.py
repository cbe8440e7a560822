"""A gateway that goes nowhere: it delays, drops, repeats, reorders and lies, from a seed.

What it does to a message depends on the seed and the message's id alone, so that a run can be made
again. With `log` it appends one line for each message that reached it and that it did not put off,
before it answers.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from duly.delivery.port import Answer, Incoming, Outcome, Outgoing, Receipt, Reply, one_by_one

_OF = 10_000
#: What may happen to a message, in basis points, in this order; the rest is delivered.
_FATES = (
    ("refused", 100),
    ("throttled", 50),
    ("no_answer", 100),
    ("undelivered", 400),
    ("receipt_lost", 300),
    ("receipt_twice", 300),
    ("receipt_strange", 100),
    ("answered_stop", 50),
)


class Sandbox:
    """One sandbox; `honest` leaves every fate but delivery out."""

    def __init__(
        self,
        name: str,
        *,
        seed: int,
        window: int = 50,
        honest: bool = False,
        delay_ms: int = 0,
        log: Path | None = None,
    ) -> None:
        self.name = name
        self.window = window
        self._seed = seed
        self._honest = honest
        self._delay_ms = delay_ms
        self._log = log
        self._descriptor: int | None = None
        self._queue: asyncio.Queue[Incoming | None] = asyncio.Queue()

    @property
    def ready(self) -> bool:
        """It always could."""
        return True

    async def open(self) -> None:
        """Open the log, where there is one."""
        if self._log is not None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            self._descriptor = os.open(self._log, flags, 0o600)

    async def submit(self, batch: Sequence[Outgoing]) -> Sequence[Answer]:
        """Take a batch, write it down, answer in its order; receipts follow in another."""
        assert len(batch) <= self.window, "the outbox keeps to the window"
        if self._descriptor is not None:
            taken = [one for one in batch if self._fate(one) != "throttled"]
            lines = [json.dumps({"message_id": one.message_id, "to": one.address}) for one in taken]
            os.write(self._descriptor, "".join(f"{line}\n" for line in lines).encode())
        if self._delay_ms:
            await asyncio.sleep(self._delay_ms / 1000)
        answers, later = [], []
        for one in batch:
            fate = self._fate(one)
            answers.append(_answer(one, fate))
            later += _reports(one, fate)
        later.sort(key=lambda report: _draw(report.raw, self._seed))
        for report in later:
            self._queue.put_nowait(report)
        return answers

    def _fate(self, one: Outgoing) -> str:
        if self._honest:
            return "delivered"
        fate = fate_of(one.message_id, self._seed)
        # Who comes again after a while is let in.
        return "delivered" if fate == "throttled" and one.attempt > 1 else fate

    async def incoming(self) -> AsyncIterator[Incoming]:
        """Give reports until the gateway is closed."""
        while True:
            report = await self._queue.get()
            if report is None:
                return
            yield report

    def incoming_batches(self) -> AsyncIterator[Sequence[Incoming]]:
        """Give the same, one at a time."""
        return one_by_one(self.incoming())

    async def close(self) -> None:
        """Close the log; nothing is on the wire, there is none."""
        self._queue.put_nowait(None)
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def fate_of(message_id: str, seed: int) -> str:
    """Return what happens to a message: `delivered`, or one of the sandbox's mischiefs."""
    draw, upto = _draw(message_id, seed), 0
    for fate, basis_points in _FATES:
        upto += basis_points
        if draw < upto:
            return fate
    return "delivered"


def _draw(text: str, seed: int) -> int:
    digest = hashlib.md5(f"{text}\x1f{seed}".encode(), usedforsecurity=False).hexdigest()
    return int(digest[:8], 16) % _OF


def _answer(one: Outgoing, fate: str) -> Answer:
    outcomes: dict[str, Outcome] = {
        "refused": "refused", "throttled": "throttled", "no_answer": "unknown",
    }  # fmt: skip
    outcome = outcomes.get(fate, "accepted")
    ids = (f"sb-{one.message_id}",) if outcome == "accepted" else ()
    return Answer(
        message_id=one.message_id,
        outcome=outcome,
        provider_ids=ids,
        code="" if outcome == "accepted" else f"SANDBOX:{fate}",
    )


def _reports(one: Outgoing, fate: str) -> list[Incoming]:
    name = f"sb-{one.message_id}"
    delivered = Receipt(
        provider_id=name, state="delivered", code="DELIVRD", raw=f"{name} stat:DELIVRD"
    )
    match fate:
        case "refused" | "throttled" | "receipt_lost":
            return []
        case "undelivered":
            raw = f"{name} stat:UNDELIV"
            return [Receipt(provider_id=name, state="undelivered", code="UNDELIV", raw=raw)]
        case "receipt_twice":
            return [delivered, delivered]
        case "receipt_strange":
            raw = f"{name} stat:MK:0010"
            return [Receipt(provider_id=name, state="unknown", code="MK:0010", raw=raw)]
        case "answered_stop":
            reply = Reply(address=one.address, to="sandbox", text="TD", raw=f"{name} reply:TD")
            return [delivered, reply]
        case _:
            return [delivered]
