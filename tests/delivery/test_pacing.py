"""Goal: a route goes no faster than it may, whoever waits and however its part changes meanwhile.

Method: a clock that goes on only while everybody waits; exact instants.
"""

from __future__ import annotations

import asyncio
import math

import pytest
from virtual_time import run

from duly.delivery.pacing import Pace


async def went(pace: Pace, count: int) -> list[float]:
    """Return the instants, in milliseconds, at which so many that came at once went."""
    found = []

    async def one() -> None:
        await pace.turn()
        found.append(round(asyncio.get_running_loop().time() * 1000))

    await asyncio.gather(*[one() for _ in range(count)])
    return found


def test_an_even_pace_of_which_a_twentieth_of_a_second_goes_at_once():
    assert run(went(Pace(100), 12)) == [0, 0, 0, 0, 0, 10, 20, 30, 40, 50, 60, 70]


def test_no_limit_waits_for_nothing():
    assert run(went(Pace(0), 3)) == [0, 0, 0]


@pytest.mark.parametrize(("per_second", "sharing", "third"), [(5, 3, 1750), (1, 2, 5950)])
def test_a_part_need_not_be_a_whole_number(per_second, sharing, third):
    async def whole():
        pace = Pace(per_second)
        pace.share(sharing)
        return await went(pace, 3)

    assert run(whole())[2] == third  # 5 a second among 3: one in 600 ms, 50 of them at once.


def test_who_waits_goes_by_the_part_of_now():
    async def whole():
        pace = Pace(1)
        going = asyncio.create_task(went(pace, 4))
        await asyncio.sleep(1.5)
        pace.share(4)  # The second would have gone at 1.95.
        await asyncio.sleep(3)
        pace.share(2)  # It has waited for two seconds and more, the next one has not.
        return await going

    assert run(whole()) == [950, 4500, 6450, 8450]


def test_what_is_not_known_any_more_lets_nothing_go_until_it_is():
    async def whole():
        pace = Pace(10)
        pace.share(1, until=0.2)
        going = asyncio.create_task(went(pace, 5))
        await asyncio.sleep(2)
        pace.share(1)
        return await going

    assert run(whole()) == [50, 150, 2000, 2050, 2150]


def test_among_nobody_nothing_goes():
    async def whole():
        pace = Pace(10)
        pace.share(0)
        going = asyncio.create_task(went(pace, 2))
        await asyncio.sleep(7)
        pace.share(1, until=math.inf)
        return await going

    assert run(whole()) == [7050, 7150]


@pytest.mark.parametrize("per_second", [0, 10])
def test_a_hold_holds_all(per_second):
    async def whole():
        pace = Pace(per_second)
        pace.hold(3)
        return await went(pace, 3)

    assert run(whole()) == ([3000, 3000, 3000] if not per_second else [3000, 3050, 3150])


def test_who_is_cut_off_lets_the_next_one_go():
    async def whole():
        pace = Pace(1)
        first = asyncio.create_task(pace.turn())
        second = asyncio.create_task(went(pace, 1))
        await asyncio.sleep(0.5)
        first.cancel()
        return await second

    assert run(whole()) == [1450]
