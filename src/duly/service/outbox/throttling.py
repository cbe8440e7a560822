"""The pace of a route is shared by all workers that live, on whatever machine.

Each goes at an equal part of it. Whoever looks at the locks of the others believes what it saw for
a second and no longer; who has come goes only when everybody has had that second to see it; who has
gone is counted for one more. So whatever each of them has seen, together they keep to the pace.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection, Iterable
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
    connection: psycopg.Connection[Any] | None = None
    try:
        while paces:
            began = clock()
            try:
                if connection is None:
                    connection = await asyncio.to_thread(_connect, url)
                numbers = await asyncio.to_thread(_alive, connection)
            except psycopg.OperationalError:
                # Nobody new can come while the database is away. What is on its way to the wire
                # goes on at the same pace: it is submitted, and what is cut off here is `unknown`.
                connection = None
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
        if connection is not None:
            await asyncio.to_thread(connection.close)


def _tell(paces: Iterable[Pace], among: int, until: float) -> None:
    for pace in paces:
        pace.share(among, until=until)


def _alive(connection: psycopg.Connection[Any]) -> set[int]:
    return {row[0] for row in connection.execute(ALIVE)}


def _connect(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url, autocommit=True, application_name="duly worker")
