"""A worker process that kills itself: `crashing_worker.py URL LOG POINT NTH [HUNDREDTHS]`.

The named points stand around each commit and around the wire. Without a point it works to the end.
With a limit of so many hundredths a day each message costs five of them.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from duly.service import setting_up

setting_up.prepare()

from outgoing import AT, lender  # noqa: E402 Models need Django's settings first.

from duly.book import Limits  # noqa: E402
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
    url, log, point, nth, *limit = sys.argv[1:]
    if point in POINTS:
        arm(point, int(nth))
    file = lender(log=log, honest=False, seed=11, window=20, delay_ms=5)
    if limit:
        routes = tuple(replace(one, price=500) for one in file.routes)
        limits = Limits(cost_per_day_minor=int(limit[0]))
        file = replace(file, routes=routes, limits=limits)
    asyncio.run(working.Worker(url, file, now=lambda: AT, concurrency=2, batch=40).run(once=True))


if __name__ == "__main__":
    main()
