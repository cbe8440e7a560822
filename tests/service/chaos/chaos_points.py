"""Seven points at which a worker kills itself: each before and after what it is named for.

A point wraps functions of the outbox inside a process that is meant to die: the program that ships
has no hook and pays nothing. A function that was renamed fails here at once, never silently.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from types import ModuleType
from typing import Any

#: Where the claim commits, the submission commits, bytes are written, answers are in hand, answers
#: commit, a receipt is written down, the log is sealed.
POINTS = ("claim", "submit", "write", "answer", "accept", "receipt", "seal")
SIDES = ("before", "after")
Die = Callable[[], None]


def arm(point: str, side: str, nth: int) -> None:
    """Let this process end by SIGKILL the nth time it comes to a point."""
    assert point in POINTS
    assert side in SIDES
    from duly.service import sealing
    from duly.service.outbox import reports, submitting, written
    from duly.service.outbox import worker as working

    die = _countdown(nth)
    before = side == "before"
    match point:
        case "claim":
            _after(written, "audit", die) if before else _after(working, "claim", die)
        case "submit":
            _after(submitting, "audit", die) if before else _after(working, "submit", die)
        case "write":
            _on_the_wire(die, seconds=0.0 if before else 0.004)
        case "answer":
            _answered(die)
        case "accept":
            _after(submitting, "audit", _only_in("write_answers", die)) if before else _after(
                working, "write_answers", die
            )
        case "receipt":
            # With the rows written and not committed, or between the two steps of one that came
            # before its answer: whichever comes first.
            if before:
                _after(reports, "_kept", die)
                _before(reports, "match_receipts", die)
            else:
                _after(working, "write_reports", die)
        case "seal":
            _after(sealing, "root_of", die) if before else _after(working, "seal", die)


def _countdown(nth: int) -> Die:
    left = nth

    def called() -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return called


def _only_in(name: str, die: Die) -> Die:
    """Return a step towards the death that counts only inside one function."""
    import sys

    def called() -> None:
        frame = sys._getframe()
        while frame is not None:
            if frame.f_code.co_name == name:
                return die()
            frame = frame.f_back
        return None

    return called


def _after(module: ModuleType, name: str, die: Die) -> None:
    step = getattr(module, name)

    def wrapped(*given: Any, **named: Any) -> Any:
        found = step(*given, **named)
        # An empty claim is no step; what returns nothing is one.
        if found is None or getattr(found, "claimed", found):
            die()
        return found

    setattr(module, name, wrapped)


def _before(module: ModuleType, name: str, die: Die) -> None:
    step = getattr(module, name)

    def wrapped(*given: Any, **named: Any) -> Any:
        die()
        return step(*given, **named)

    setattr(module, name, wrapped)


def _gateways() -> list[type]:
    from duly.delivery.http import HttpGateway
    from duly.delivery.smpp import SmppGateway

    return [HttpGateway, SmppGateway]


def _on_the_wire(die: Die, *, seconds: float) -> None:
    """Die while a batch is being written (at the loop's next turns) or just after."""
    for gateway in _gateways():

        def bound(submit: Any) -> Any:
            async def wrapped(self: Any, batch: Any) -> Any:
                sending = asyncio.ensure_future(submit(self, batch))
                await asyncio.sleep(0)
                await asyncio.sleep(seconds)
                die()
                return await sending

            return wrapped

        gateway.submit = bound(gateway.submit)  # type: ignore[attr-defined]


def _answered(die: Die) -> None:
    """Die with the answers in hand, before any of them is written down."""
    for gateway in _gateways():

        def bound(submit: Any) -> Any:
            async def wrapped(self: Any, batch: Any) -> Any:
                found = await submit(self, batch)
                die()
                return found

            return wrapped

        gateway.submit = bound(gateway.submit)  # type: ignore[attr-defined]
