"""Goal: whoever dies in the middle of a day leaves one that the next finishes, with one plan.

Method: real processes over one database, killed at each named point; two of them at once.
"""

from __future__ import annotations

import signal
import time

import pytest
from crashing_daily import STEPS
from daily_world import DAY, PEOPLE, World, at, before
from forked import Forked

from duly.service.store.book_models import Book
from duly.service.store.models import Audit, BusinessDay, Message, Run


@pytest.fixture
def world(store, write_book, tmp_path):
    found = World(tmp_path, store, write_book)
    found.book(DAY)
    return found


def scheduler(world, now, point="none"):
    return Forked("crashing_daily", world.url, world.file, world.plans, now.isoformat(), point)


def finish(world, now):
    """Let a whole scheduler work; the lock of a dead one falls shortly after it."""
    for _ in range(20):
        working = scheduler(world, now)
        assert working.ends() == 0, working.said("err")
        out = working.said("out")
        if out != "busy=True":
            return out
        time.sleep(0.2)
    pytest.fail("the lock of the dead is held")


def died(world, now, point):
    dying = scheduler(world, now, point)
    assert dying.ends() == -signal.SIGKILL


@pytest.mark.parametrize("point", [one for one in STEPS if one != "recorded"])
def test_a_scheduler_that_dies_at_a_named_point(world, point):
    died(world, at("06:00"), point)
    ended = point == "done"
    # The plan is there with the day's row, or neither is.
    (left,) = BusinessDay.objects.all()
    assert left.state == ("done" if ended else "begun")
    assert Run.objects.count() == (1 if ended else 0)
    assert finish(world, at("06:05")) == ("busy=False" if ended else "busy=False done")
    (run,), (day,) = Run.objects.all(), BusinessDay.objects.all()
    assert (run.state, run.messages_count, day.run_id) == ("released", PEOPLE, run.plan_sha256)
    assert (day.state, day.plan, Book.objects.count()) == ("done", "2026-03-10.1", 1)
    assert [one.state for one in Message.objects.all()] == ["released"] * PEOPLE
    assert Audit.objects.filter(kind="run.loaded").count() == 1
    # What the dead left half written is gone.
    assert [one.name for one in world.plans.iterdir()] == ["2026-03-10.1"]


def test_a_scheduler_that_dies_in_a_missed_day(world):
    finish(world, at("06:00"))
    world.book(before(-1))
    world.book(before(-2))
    now = at("06:00", before(-2))
    died(world, now, "recorded")
    assert (Run.objects.count(), BusinessDay.objects.get(state="begun").plans) == (1, 0)
    assert finish(world, now) == "busy=False missed done"
    assert [(one.business_date, one.state) for one in Run.objects.order_by("business_date")] == [
        (DAY, "released"), (before(-1), "missed"), (before(-2), "released"),
    ]  # fmt: skip


def test_two_schedulers_at_once_do_a_day_once(world):
    both = [scheduler(world, at("06:00")) for _ in range(2)]
    assert [one.ends() for one in both] == [0, 0]
    said = sorted(one.said("out") for one in both)
    # The second found the first at work, or came when all was done.
    assert said in (["busy=False", "busy=False done"], ["busy=False done", "busy=True"])
    assert (Run.objects.count(), BusinessDay.objects.get().attempts) == (1, 1)
