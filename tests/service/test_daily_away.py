"""Goal: a day in which the database dies and comes back is finished by the next run, once.

Method: a server of the test's own, killed by its pid within the transaction that loads the plan of
the day, and started again.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psycopg
import pytest
from daily_world import DAY, PEOPLE, World, at
from django.db import Error, connection

from duly.service import migrating, postgres, setting_up
from duly.service.operations import daily, days
from duly.service.store.book_models import Book
from duly.service.store.models import Audit, BusinessDay, Message, Run

#: What `duly daily` takes for a database that is away, and looks again after.
AWAY = (Error, psycopg.OperationalError)


@pytest.fixture
def place(own_server):
    """Give the place of a migrated server that the test may kill."""
    url = postgres.start(own_server).url
    with setting_up.using(url):
        migrating.migrate()
        yield own_server


def kill(place: postgres.Place) -> None:
    """Kill the server and wait until neither it nor one of its children is there."""
    pid = int((place.data / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    os.kill(pid, signal.SIGKILL)
    for _ in range(1000):
        if not any(Path(f"/proc/{one}").exists() for one in (pid, *children)):
            return
        time.sleep(0.01)
    pytest.fail("the killed server is still there")


def test_a_day_whose_database_dies_as_its_plan_is_loaded_is_done_once(
    place, tmp_path, write_book, monkeypatch
):
    world = World(tmp_path, place.url(), write_book)
    world.book(DAY)
    close = days.close

    def dies(*given):
        close(*given)
        kill(place)

    with monkeypatch.context() as patched:
        patched.setattr(days, "close", dies)
        with pytest.raises(AWAY):
            daily.work(world.desk(at("06:00")))
    connection.close()
    postgres.start(place)
    # The plan stands with the end of its day, or neither does; what was told before is known.
    assert (BusinessDay.objects.get().state, Run.objects.count()) == ("begun", 0)
    assert Message.objects.count() == Audit.objects.filter(kind="run.loaded").count() == 0
    assert Book.objects.count() == 1
    (done,) = daily.work(world.desk(at("06:30"))).outcomes
    assert (done.state, done.messages) == ("done", PEOPLE)
    assert [one.state for one in Message.objects.all()] == ["released"] * PEOPLE
    assert (Audit.objects.filter(kind="run.loaded").count(), Book.objects.count()) == (1, 1)
    assert [one.name for one in world.plans.iterdir()] == ["2026-03-10.1"]
    (day,) = BusinessDay.objects.all()
    assert (day.state, day.attempts, day.run_id) == ("done", 2, done.run)
    assert daily.work(world.desk(at("06:31"))).outcomes == ()
