"""A worker process that kills itself at a named point: `crashing_worker.py URL LOG POINT NTH`.

The points stand around each commit and around the wire. Without a point it works to the end.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from duly.service import setting_up

setting_up.prepare()

from outgoing import AT, lender  # noqa: E402 Models need Django's settings first.

from duly.delivery.sandbox import Sandbox  # noqa: E402
from duly.service.outbox import worker as working  # noqa: E402

POINTS = (
    "before_claim", "after_claim", "before_submit", "after_submit", "after_write", "after_answer",
    "after_accept", "after_receipt",
)  # fmt: skip


def die_at(nth: int) -> Callable[[], None]:
    """Return a function that ends the process, without a word, the nth time it is called."""
    left = nth

    def called() -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return called


def around(name: str, die: Callable[[], None], *, before: bool) -> None:
    """Let a step of the worker die before it begins or after it is done."""
    step = getattr(working, name)

    def wrapped(*given: Any, **named: Any) -> Any:
        if before:
            die()
            return step(*given, **named)
        found = step(*given, **named)
        die()
        return found

    setattr(working, name, wrapped)


def arm(point: str, nth: int) -> None:
    """Set the named point."""
    die = die_at(nth)
    match point:
        case "before_claim" | "before_submit":
            around(point.removeprefix("before_"), die, before=True)
        case "after_claim" | "after_submit":
            around(point.removeprefix("after_"), die, before=False)
        case "after_answer":
            around("write_answers", die, before=True)
        case "after_accept":
            around("write_answers", die, before=False)
        case "after_receipt":
            around("write_reports", die, before=False)
        case "after_write":
            submit = Sandbox.submit

            async def wrapped(self: Sandbox, batch: Any) -> Any:
                found = await submit(self, batch)
                die()
                return found

            Sandbox.submit = wrapped  # type: ignore[method-assign]


def main() -> None:
    """Work to the end, or to the point."""
    url, log, point, nth = sys.argv[1:]
    if point in POINTS:
        arm(point, int(nth))
    file = lender(log=log, honest=False, seed=11, window=20, delay_ms=5)
    asyncio.run(working.Worker(url, file, now=lambda: AT, concurrency=2, batch=40).run(once=True))


if __name__ == "__main__":
    main()
