"""The pace of a route is shared by all workers that live, on whatever machine.

Each goes at an equal part of it. Whoever looks at the locks of the others believes what it saw for
a second and no longer; who has come goes only when everybody has had that second to see it; who has
gone is counted for one more. So whatever each of them has seen, together they keep to the pace.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection, Iterable
from threading import Lock
from typing import Any

import psycopg

from duly.delivery import Gateway
from duly.delivery.pacing import Pace, Paced
from duly.service import journal
from duly.service.outbox.identity import ALIVE

LOOK_SECONDS = 0.25  #: between two looks at who lives
BELIEVE_SECONDS = 1.0  #: how long a look is believed; the slack for one that is late is the rest


class Shares:
    """Among how many one worker shares each pace, by what it saw; times are of one clock."""

    def __init__(self, number: int, *, at: float) -> None:
        self._number = number
        self._from = at + BELIEVE_SECONDS
        self._counted: dict[int, float] = {number: math.inf}  # Until when, by worker.

    def saw(self, numbers: Collection[int], *, began: float, ended: float) -> tuple[int, float]:
        """Take in who lived at some instant of a look; return among how many, and until when.

        Among 0: not yet.
        """
        present = {*numbers, self._number}
        for number in self._counted.keys() - present:
            if self._counted[number] == math.inf:
                self._counted[number] = ended + BELIEVE_SECONDS
        self._counted = {
            number: until for number, until in self._counted.items() if until > ended
        } | dict.fromkeys(present, math.inf)
        if ended < self._from:
            return 0, math.inf
        return len(self._counted), began + BELIEVE_SECONDS


async def share_paces(url: str, gateways: Iterable[Gateway], number: int) -> None:
    """Share the paces of gateways with whoever lives, under a worker's number; until cancelled."""
    paces = [one.pace for one in gateways if isinstance(one, Paced) and one.pace.limited]
    clock = asyncio.get_running_loop().time
    shares, among = Shares(number, at=clock()), 0
    _tell(paces, 0, math.inf)
    look = _Look(url)
    try:
        while paces:
            began = clock()
            try:
                numbers = await asyncio.to_thread(look.alive)
            except psycopg.OperationalError:
                # Nobody new can come while the database is away. What is on its way to the wire
                # goes on at the same pace: it is submitted, and what is cut off here is `unknown`.
                _tell(paces, among, math.inf)
            else:
                before = among
                among, until = shares.saw(numbers, began=began, ended=clock())
                _tell(paces, among, until)
                if among != before:
                    journal.note("paces.shared", workers=among)
            await asyncio.sleep(LOOK_SECONDS)
        await asyncio.Event().wait()
    finally:
        look.end()


def _tell(paces: Iterable[Pace], among: int, until: float) -> None:
    for pace in paces:
        pace.share(among, until=until)


class _Look:
    """The connection by which a worker looks; who stops looking waits for no thread of it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection[Any] | None = None
        self._one = Lock()  # At once a look or the end.
        self._ended = False

    def alive(self) -> set[int]:
        """Return the numbers of the workers that live, asked on a new connection where need be."""
        with self._one:
            if self._ended:
                return set()
            try:
                if self._connection is None:
                    self._connection = psycopg.connect(
                        self._url, autocommit=True, application_name="duly worker"
                    )
                return {row[0] for row in self._connection.execute(ALIVE)}
            except psycopg.OperationalError:
                self._close()
                raise

    def end(self) -> None:
        """Close it, after the look that is under way."""
        with self._one:
            self._ended = True
            self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
