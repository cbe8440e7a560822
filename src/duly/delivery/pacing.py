"""How fast, and when again: the pace of a route, and coming back after a connection was lost."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol, runtime_checkable

_BURST_SECONDS = 0.05  #: what may go at once, so that nobody sleeps for a single message


class Pace:
    """At most so many a second, evenly, by all who share the route; 0 means no limit.

    `hold` stops all for a while. Whoever comes first goes first.
    """

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._sharing = 1
        self._known_until = math.inf
        self._next = -math.inf  #: when the next one would go if all were even
        self._held_until = 0.0
        self._turns = asyncio.Lock()
        self._changed = asyncio.Event()

    @property
    def limited(self) -> bool:
        """Whether there is a limit to share."""
        return self._per_second > 0

    def share(self, sharing: int, *, until: float = math.inf) -> None:
        """Go at an equal part of the pace among so many, until that has to be known anew.

        Nothing goes after `until` (the loop's time) before it is said again, nor among 0.
        """
        if sharing and not self._sharing:
            self._next = max(self._next, asyncio.get_running_loop().time() - _BURST_SECONDS)
        self._sharing, self._known_until = sharing, until
        self._changed.set()

    def hold(self, seconds: float) -> None:
        """Let nothing go for so long from now on."""
        self._held_until = max(self._held_until, asyncio.get_running_loop().time() + seconds)

    async def turn(self) -> None:
        """Wait until one more may go."""
        if not self._per_second and not self._held_until:
            return
        clock = asyncio.get_running_loop().time
        async with self._turns:
            came = clock()
            while (seconds := self._wait(came, clock())) > 0:
                self._changed.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(None if seconds == math.inf else seconds):
                        await self._changed.wait()
            if not self._per_second:
                self._held_until = 0.0
                return
            self._next = max(self._slot(came), clock() - _BURST_SECONDS)

    def _slot(self, came: float) -> float:
        """Return when it is the turn of whoever is first in the row since `came`."""
        return max(self._next, came - _BURST_SECONDS) + self._sharing / self._per_second

    def _wait(self, came: float, now: float) -> float:
        if not self._per_second:
            return self._held_until - now
        if not self._sharing or now > self._known_until:
            return math.inf
        return max(self._slot(came), self._held_until) - now


@runtime_checkable
class Paced(Protocol):
    """A gateway with a pace of its own, which workers of one route share."""

    pace: Pace


class Comeback:
    """Tries again and again, each time after twice as long, until one attempt succeeds."""

    def __init__(
        self,
        attempt: Callable[[], Awaitable[bool]],
        *,
        first_seconds: float = 0.5,
        most_seconds: float = 30.0,
    ) -> None:
        self._attempt = attempt
        self._first = first_seconds
        self._most = most_seconds
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Begin to try, where nobody does."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._try())

    async def end(self) -> None:
        """Try no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _try(self) -> None:
        seconds = self._first
        while True:
            await asyncio.sleep(seconds)
            if await self._attempt():
                return
            seconds = min(2 * seconds, self._most)
