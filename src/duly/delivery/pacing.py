"""How fast, and when again: the pace of a route, and coming back after a connection was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

_BURST_SECONDS = 0.05  #: what may go at once, so that nobody sleeps for a single message


class Pace:
    """At most so many a second, evenly; 0 means no limit. `hold` stops all for a while."""

    def __init__(self, per_second: int) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._next = 0.0  #: when the next one would go if all were even
        self._held_until = 0.0

    def hold(self, seconds: float) -> None:
        """Let nothing go for so long from now on."""
        self._held_until = max(self._held_until, asyncio.get_running_loop().time() + seconds)

    async def turn(self) -> None:
        """Wait until one more may go."""
        if not self._gap and not self._held_until:
            return
        now = asyncio.get_running_loop().time()
        while now < self._held_until:
            await asyncio.sleep(self._held_until - now)
            now = asyncio.get_running_loop().time()
        self._held_until = 0.0
        self._next = max(self._next, now - _BURST_SECONDS) + self._gap
        if self._next > now:
            await asyncio.sleep(self._next - now)


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
