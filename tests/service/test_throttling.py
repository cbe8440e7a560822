"""Goal: all workers of a route together keep to its pace, as they come, go and die.

Method: Hypothesis lets workers come and go by a clock of its own; then real workers on a database,
counted by the gateway that they send to.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
from fractions import Fraction

import psycopg
import pytest
from aiohttp import web
from forked import Forked
from hypothesis import example, given, settings
from hypothesis import strategies as st
from outgoing import fill, states
from virtual_time import run

from duly.delivery.pacing import Pace
from duly.service.outbox.identity import Identity
from duly.service.outbox.throttling import BELIEVE_SECONDS, LOOK_SECONDS, Shares, share_paces


class TestShares:
    def test_who_comes_waits_until_all_can_have_seen_it(self):
        shares = Shares(7, at=10)
        assert shares.saw({7}, began=10, ended=10.1)[0] == 0
        assert shares.saw({7}, began=10.8, ended=10.9)[0] == 0
        assert shares.saw({7}, began=11, ended=11.1) == (1, 12)

    def test_who_came_counts_at_once_and_who_went_a_second_longer(self):
        shares = Shares(7, at=0)
        assert shares.saw({7, 8}, began=2, ended=2.1) == (2, 3)
        assert shares.saw({7, 9}, began=3, ended=3.1) == (3, 4)  # 8 may still be sending.
        assert shares.saw({7, 9}, began=4, ended=4.05) == (3, 5)
        assert shares.saw({7, 9}, began=4.1, ended=4.2) == (2, 5.1)

    def test_who_went_and_came_again_is_one(self):
        shares = Shares(7, at=0)
        for numbers, began in (({7, 8}, 2), ({7}, 2.5), ({7, 8}, 3), ({7, 8}, 9)):
            assert shares.saw(numbers, began=began, ended=began)[0] == 2

    def test_a_lock_that_is_lost_does_not_count_its_own_worker_out(self):
        assert Shares(7, at=0).saw(set(), began=2, ended=2)[0] == 1


class Seen(Pace):
    """A pace that keeps which part of it was allowed, from when until when."""

    def __init__(self, per_second):
        super().__init__(per_second)
        self.parts = []  # [from, until, part]

    def share(self, sharing, *, until=math.inf):
        self.ends(asyncio.get_running_loop().time())
        if sharing:
            self.parts.append([asyncio.get_running_loop().time(), until, Fraction(1, sharing)])
        super().share(sharing, until=until)

    def ends(self, at):
        if self.parts:
            self.parts[-1][1] = min(self.parts[-1][1], at)


async def crowd(per_second, lives, lags):
    """Let workers come and go; return when each message went and whose it was, and the parts."""
    clock = asyncio.get_running_loop().time
    holding, sent, parts = set(), [], []

    async def look(number, pace, shares, lag):
        while True:
            began = clock()
            await asyncio.sleep(lag / 2)
            numbers = set(holding)
            await asyncio.sleep(lag / 2)
            among, until = shares.saw(numbers, began=began, ended=clock())
            pace.share(among, until=until)
            await asyncio.sleep(LOOK_SECONDS)

    async def send(number, pace):
        while True:
            await pace.turn()
            sent.append((clock(), number))

    async def live(number, comes, stays, lives_on, lag):
        await asyncio.sleep(comes)
        holding.add(number)
        pace = Seen(per_second)
        shares = Shares(number, at=clock())
        pace.share(0)
        looking = asyncio.create_task(look(number, pace, shares, lag))
        sending = asyncio.create_task(send(number, pace))
        await asyncio.sleep(stays)
        holding.discard(number)  # Its lock falls; it may not notice for a while.
        looking.cancel()
        await asyncio.sleep(lives_on)
        sending.cancel()
        pace.ends(clock())
        parts.extend(pace.parts)

    named = enumerate(zip(lives, lags, strict=True))
    await asyncio.gather(*[live(number, *life, lag) for number, (life, lag) in named])
    return sent, parts


LIFE = st.tuples(st.floats(0, 20), st.floats(0, 20), st.floats(0, 5))


@settings(max_examples=40, deadline=None)
@given(
    per_second=st.sampled_from([1, 3, 5, 20]),
    crowds=st.lists(st.tuples(LIFE, st.floats(0, 3)), min_size=1, max_size=6),
)
@example(per_second=5, crowds=[((0.0, 10.0, 0.0), 0.0), ((0.0, 5.0, 3.0), 0.0)])
def test_whoever_comes_and_goes_together_they_keep_to_the_pace(per_second, crowds):
    sent, parts = run(crowd(per_second, [one[0] for one in crowds], [one[1] for one in crowds]))
    for begins, *_ in parts:
        assert sum(part for since, until, part in parts if since <= begins < until) <= 1
    instants = sorted(sent)
    for first in range(len(instants)):
        for last in range(first, len(instants)):
            seconds = instants[last][0] - instants[first][0]
            workers = len({number for _, number in instants[first : last + 1]})
            # One each, and a twentieth of a second, is what may go at once.
            most = per_second * (seconds + 0.05) + workers
            assert last - first + 1 <= most + 1e-6


def test_the_remainder_is_lost_to_nobody():
    """5 a second among 3, 1 a second among 2: all of it is used, evenly."""
    for per_second, workers in ((5, 3), (1, 2)):
        life = (0.0, 60 + BELIEVE_SECONDS, 0.0)
        sent, _ = run(crowd(per_second, [life] * workers, [0.0] * workers))
        counts = [sum(1 for _, number in sent if number == one) for one in range(workers)]
        assert max(counts) - min(counts) <= 1
        assert 60 * per_second - workers <= len(sent) <= 60 * per_second


class Paces:
    """A gateway that has nothing but a pace."""

    def __init__(self, per_second):
        self.pace = Pace(per_second)


def test_workers_that_come_and_go_are_seen_by_their_locks(store):
    """One worker among 1, 2 and 1 again, by real locks; the pace tells among how many."""

    async def among(gateway, wanted):
        async with asyncio.timeout(60):
            while gateway.pace._sharing != wanted:
                await asyncio.sleep(0.02)

    async def whole():
        mine = await asyncio.to_thread(Identity, store)
        gateway = Paces(5)
        sharing = asyncio.create_task(share_paces(store, [gateway], mine.number))
        await asyncio.sleep(0)
        assert gateway.pace._sharing == 0
        await among(gateway, 1)
        other = await asyncio.to_thread(Identity, store)
        await among(gateway, 2)
        other.close()
        await among(gateway, 1)
        assert not sharing.done()
        sharing.cancel()
        await asyncio.wait([sharing])
        mine.close()

    asyncio.run(whole())


def test_a_database_that_is_away_leaves_the_pace_as_it_was(store, server):
    async def whole():
        mine = await asyncio.to_thread(Identity, store)
        gateway = Paces(5)
        sharing = asyncio.create_task(share_paces(store, [gateway], mine.number))
        async with asyncio.timeout(60):
            while gateway.pace._sharing != 1:
                await asyncio.sleep(0.02)
            with psycopg.connect(server.url("postgres"), autocommit=True) as ours:
                ours.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'duly worker' AND datname = %s",
                    (store.rpartition("/")[2].partition("?")[0],),
                )
            await asyncio.sleep(2 * BELIEVE_SECONDS)
        assert gateway.pace._sharing == 1
        assert not sharing.done()
        sharing.cancel()
        await asyncio.wait([sharing])
        mine.close()

    asyncio.run(whole())


@pytest.mark.parametrize("killed", [False, True])
def test_two_processes_share_the_pace_of_one_gateway(store, tmp_path, killed):
    """Twenty a second by two workers: never sooner than one worker would; none lost, none twice."""
    count, per_second = 80, 20
    fill(count)
    names: list[str] = []

    async def take(request):
        names.append(json.loads(await request.read())["id"])
        return web.json_response({"id": f"h{len(names)}"})

    async def whole():
        app = web.Application()
        app.router.add_post("/send", take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        env = {**os.environ, "SECRET": "s3cr3t"}
        pair = [Forked("paced_worker", store, port, per_second, env=env) for _ in range(2)]
        try:
            async with asyncio.timeout(120):
                while killed and len(names) < 20:
                    await asyncio.sleep(0.02)
                if killed:
                    pair[0].kill()
                while not all(one.poll() is not None for one in pair):
                    await asyncio.sleep(0.05)
        finally:
            for one in pair:
                one.kill()
            codes = [one.ends() for one in pair]
            await runner.cleanup()
        return codes

    codes = asyncio.run(whole())
    assert codes[1] == 0
    assert len(names) == len(set(names))
    # Submitted is before the first byte, answered after the last: a busy machine only adds to it.
    with psycopg.connect(store) as ours:
        (seconds,) = ours.execute(
            "SELECT extract(epoch FROM max(at) FILTER (WHERE kind = 'message.answered')"
            " - min(at) FILTER (WHERE kind = 'message.submitted'))::float FROM store_audit"
        ).fetchone()
    assert seconds >= (len(names) - 2) / per_second - 0.05
    if not killed:
        assert (codes[0], len(names), states(store)) == (0, count, {"accepted": count})
    else:
        assert set(states(store)) <= {"accepted", "unknown"}
