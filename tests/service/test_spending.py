"""Goal: whatever workers lease, spend, give back and die of, a day never costs more than its limit.

Method: the statements alone over a real database, by Hypothesis in any order, by threads at once.
"""

from __future__ import annotations

import contextlib
import threading
from datetime import UTC, date, datetime, timedelta
from itertools import count

import psycopg
import pytest
from databases import until_gone
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from duly.service.outbox.identity import Identity
from duly.service.outbox.spending import (
    LeaseLost,
    budget_of,
    lease,
    return_unspent,
    say_limit,
    settle_leases,
    spend,
)

DAY = date(2026, 3, 10)
SINCE = datetime(2026, 3, 10, tzinfo=UTC)


@pytest.fixture
def day(ours):
    say_limit(ours, DAY, limit=1000, since=SINCE)
    return DAY


def stands(ours, day=DAY):
    found = budget_of(ours, day)
    return (found.limit, found.granted, found.spent, found.beyond)


class TestOneLease:
    def test_is_granted_in_blocks_up_to_what_is_left(self, ours, day):
        assert [lease(ours, day, worker=1, block=400) for _ in range(4)] == [400, 800, 1000, None]
        assert stands(ours) == (1000, 1000, 0, 0)

    def test_of_a_day_without_a_budget_is_none(self, ours):
        assert lease(ours, DAY, worker=1, block=400) is None
        assert budget_of(ours, DAY) is None

    def test_is_spent_to_its_end_and_no_further(self, ours, day):
        lease(ours, day, worker=1, block=100)
        spend(ours, day, worker=1, within=100)
        with pytest.raises(LeaseLost):
            spend(ours, day, worker=1, within=1)
        assert stands(ours) == (1000, 100, 100, 0)

    def test_gives_back_all_but_what_is_kept(self, ours, day):
        lease(ours, day, worker=1, block=100)
        spend(ours, day, worker=1, within=30)
        assert return_unspent(ours, day, worker=1, kept=20) == 50
        assert return_unspent(ours, day, worker=1, kept=20) is None
        assert return_unspent(ours, day, worker=1) == 30
        assert stands(ours) == (1000, 30, 30, 0)

    def test_what_had_to_be_sent_is_counted_and_leaves_less_for_others(self, ours, day):
        spend(ours, day, worker=1, within=0, beyond=150)
        assert lease(ours, day, worker=2, block=1000) == 850
        assert stands(ours) == (1000, 850, 0, 150)
        assert budget_of(ours, day).left == 850

    def test_no_statement_spends_beyond_the_limit(self, ours, day):
        lease(ours, day, worker=1, block=1000)
        for wrong in (
            "UPDATE store_lease SET spent = 1001",
            "UPDATE store_lease SET granted = 1001",
            "INSERT INTO store_lease (day, worker, granted) VALUES ('2026-03-10', 2, 1)",
            "UPDATE store_budget SET granted = 1001",
            'UPDATE store_budget SET "limit" = 999, ceiling = 999',
        ):
            with pytest.raises(psycopg.errors.CheckViolation):
                ours.execute(wrong)
        assert stands(ours) == (1000, 1000, 0, 0)


class TestALimitThatChanges:
    def test_counts_as_whoever_began_last_has_read_it(self, ours, day):
        say_limit(ours, day, limit=5, since=SINCE - timedelta(seconds=1))
        assert stands(ours)[0] == 1000
        say_limit(ours, day, limit=2000, since=SINCE + timedelta(seconds=1))
        assert lease(ours, day, worker=1, block=5000) == 2000

    def test_lowered_below_what_is_granted_it_follows_what_comes_back(self, ours, day):
        lease(ours, day, worker=1, block=600)
        lease(ours, day, worker=2, block=300)
        spend(ours, day, worker=1, within=200)
        say_limit(ours, day, limit=100, since=SINCE + timedelta(seconds=1))
        assert lease(ours, day, worker=3, block=1) is None
        return_unspent(ours, day, worker=2)
        return_unspent(ours, day, worker=1)
        (ceiling,) = ours.execute("SELECT ceiling FROM store_budget").fetchone()
        assert (ceiling, stands(ours)) == (200, (100, 200, 200, 0))
        with pytest.raises(LeaseLost):
            spend(ours, day, worker=1, within=1)

    def test_one_that_is_new_may_be_told_exhausted_again(self, ours, day):
        ours.execute("UPDATE store_budget SET exhausted_at = now()")
        say_limit(ours, day, limit=1000, since=SINCE + timedelta(seconds=1))
        assert budget_of(ours, day).exhausted_at is not None
        say_limit(ours, day, limit=1001, since=SINCE + timedelta(seconds=2))
        assert budget_of(ours, day).exhausted_at is None


class TestTheDead:
    def test_leave_what_they_had_not_spent_and_nothing_that_they_had(self, store, ours, me, day):
        dead = Identity(store)
        for worker in (me, dead.number):
            lease(ours, day, worker=worker, block=400)
            spend(ours, day, worker=worker, within=150)
        assert settle_leases(ours) == 0
        dead.close()
        until_gone(ours, dead.number)
        assert settle_leases(ours) == 1
        assert stands(ours) == (1000, 550, 300, 0)
        # Whoever was only thought dead spends nothing more of it.
        with pytest.raises(LeaseLost):
            spend(ours, day, worker=dead.number, within=1)
        spend(ours, day, worker=me, within=250)


AMOUNTS = st.integers(0, 400)


class Days(RuleBasedStateMachine):
    """Five workers over one day, and beside them what should be true of it."""

    connection: psycopg.Connection
    days = count()

    @initialize(limit=st.integers(0, 1500))
    def begins(self, limit):
        self.day = DAY + timedelta(days=next(self.days))
        self.limit, self.ceiling, self.since = limit, limit, SINCE
        self.granted, self.spent, self.beyond = [0] * 5, [0] * 5, 0
        say_limit(self.connection, self.day, limit=limit, since=SINCE)

    @rule(worker=st.integers(0, 4), block=st.integers(1, 600))
    def leases(self, worker, block):
        room = self.limit - sum(self.granted) - self.beyond
        found = lease(self.connection, self.day, worker=worker, block=block)
        if room > 0:
            self.granted[worker] += min(block, room)
        assert found == (self.granted[worker] if room > 0 else None)

    @rule(worker=st.integers(0, 4), amount=AMOUNTS)
    def spends(self, worker, amount):
        try:
            spend(self.connection, self.day, worker=worker, within=amount)
        except LeaseLost:
            assert self.spent[worker] + amount > self.granted[worker]
        else:
            self.spent[worker] += amount

    @rule(worker=st.integers(0, 4), amount=AMOUNTS)
    def must_send(self, worker, amount):
        spend(self.connection, self.day, worker=worker, within=0, beyond=amount)
        self.beyond += amount

    @rule(worker=st.integers(0, 4), kept=AMOUNTS)
    def returns(self, worker, kept):
        return_unspent(self.connection, self.day, worker=worker, kept=kept)
        self.granted[worker] = min(self.granted[worker], self.spent[worker] + kept)

    @rule()
    def all_die(self):
        settle_leases(self.connection)  # No number here is a lock: all are dead.
        self.granted = list(self.spent)

    @rule(limit=st.integers(0, 1500))
    def the_limit_changes(self, limit):
        self.since += timedelta(seconds=1)
        say_limit(self.connection, self.day, limit=limit, since=self.since)
        self.limit = limit

    @invariant()
    @precondition(lambda self: hasattr(self, "day"))
    def the_rows_say_the_same(self):
        found = budget_of(self.connection, self.day)
        assert found.granted == sum(self.granted)
        assert (found.spent, found.beyond) == (sum(self.spent), self.beyond)
        (ceiling,) = self.connection.execute(
            "SELECT ceiling FROM store_budget WHERE day = %s", (self.day,)
        ).fetchone()
        # Nothing was granted beyond a limit of its time, and nothing is lost.
        assert found.spent <= found.granted <= ceiling
        assert ceiling == max(found.limit, found.granted) or ceiling == found.limit

    def teardown(self):
        if not hasattr(self, "day"):
            return
        settle_leases(self.connection)
        left = max(self.limit - sum(self.spent) - self.beyond, 0)
        assert lease(self.connection, self.day, worker=9, block=10_000) == (left or None)


def test_in_any_order_nothing_is_spent_beyond_and_nothing_is_lost(ours):
    machine = type("Days", (Days,), {"connection": ours})
    run_machine(machine, settings=settings(max_examples=60, stateful_step_count=25, deadline=None))


def test_at_once_from_many_connections(store, ours, day):
    """Eight workers lease, spend and give back until nothing is left; a ninth settles the dead."""
    numbers = [Identity(store) for _ in range(8)]
    spent, ended = [0] * 8, threading.Event()

    def work(place):
        with psycopg.connect(store, autocommit=True) as connection:
            worker = numbers[place].number
            while budget_of(connection, day).left:
                lease(connection, day, worker=worker, block=7)
                with contextlib.suppress(LeaseLost):
                    for _ in range(3):
                        spend(connection, day, worker=worker, within=1)
                        spent[place] += 1
                return_unspent(connection, day, worker=worker)

    def settle():
        with psycopg.connect(store, autocommit=True) as connection:
            while not ended.is_set():
                settle_leases(connection)

    beside = threading.Thread(target=settle)
    working = [threading.Thread(target=work, args=(place,)) for place in range(8)]
    for one in (beside, *working):
        one.start()
    for one in working:
        one.join()
    ended.set()
    beside.join()
    for one in numbers:
        one.close()
    assert sum(spent) == 1000
    assert stands(ours) == (1000, 1000, 1000, 0)
