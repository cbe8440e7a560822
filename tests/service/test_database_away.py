"""Goal: a worker lives through a database that cuts it off, and sends nothing twice meanwhile.

Method: connections of a working worker are ended by the server, all of them or one kind alone.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import psycopg
import pytest
from outgoing import AT, fill, lender, states

from duly.service import journal
from duly.service.outbox import worker as working_place
from duly.service.outbox.worker import Worker

CUT = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname ="
    " current_database() AND application_name = 'duly worker' AND query LIKE %s"
)


async def working(store, log, *, cut: str, times: int):
    """Let one worker send; end the connections whose last statement is like `cut`, so often.

    Return how often, and how many messages the worker says that it submitted.
    """
    file = lender(log=str(log), window=20, delay_ms=20)
    worker = Worker(store, file, now=lambda: AT, concurrency=2, batch=40)
    task = asyncio.create_task(worker.run(once=True))
    ended = 0
    async with await psycopg.AsyncConnection.connect(store, autocommit=True) as ours:
        while ended < times and not task.done():
            # A statement is there for some milliseconds: it is looked for often.
            await asyncio.sleep(0.002)
            if not log.exists() or len(log.read_text().splitlines()) < 40 * (ended + 1):
                continue
            row = await (await ours.execute(CUT, (cut,))).fetchone()
            ended += bool(row[0])
    tally = await asyncio.wait_for(task, 60)
    return ended, tally.submitted


@pytest.mark.parametrize(
    ("cut", "times"),
    [("%", 2), ("%pg_try_advisory_lock%", 1), ("%store_report%", 1)],
    ids=["all", "identity", "reader"],
)
def test_a_worker_comes_back_and_sends_each_message_once(store, tmp_path, cut, times):
    ids = fill(240)
    log = tmp_path / "wire"
    ended, submitted = asyncio.run(working(store, log, cut=cut, times=times))
    assert ended == times
    reached = Counter(json.loads(line)["message_id"] for line in log.read_text().splitlines())
    assert [name for name, count in reached.items() if count > 1] == []
    # A connection that breaks between the commit and our hearing of it is the exception.
    assert len(ids) - times * 2 * 20 <= submitted <= len(ids)
    found = states(store)
    # What a dead number had in flight is unknown; its answers come in time to tell more.
    assert sum(found.values()) == len(ids)
    assert set(found) <= {"delivered", "unknown"}
    assert found.get("unknown", 0) <= times * 2 * 20


def test_a_database_that_stays_away_ends_a_worker_that_was_asked_to(store, tmp_path):
    fill(1)
    broken = store.replace("dbname=", "dbname=none_") if "dbname=" in store else store + "_none"
    with pytest.raises(psycopg.OperationalError):
        asyncio.run(Worker(broken, lender(), now=lambda: AT).run(once=True))
    assert states(store) == {"released": 1}


#: The server's own error for a disk without room, at the statements of one kind on one table.
FULL = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
END $$;
CREATE TRIGGER no_room BEFORE {what} ON {table}
FOR EACH ROW EXECUTE FUNCTION no_room()
"""


def reached(log):
    """Return how often each message reached the wire."""
    lines = log.read_text().splitlines() if log.exists() else []
    return Counter(json.loads(line)["message_id"] for line in lines)


@pytest.mark.parametrize(
    ("what", "table"), [("UPDATE", "store_message"), ("INSERT", "store_attempt")],
    ids=["claim", "submission"],
)  # fmt: skip
def test_a_full_disk_stops_a_worker_with_its_error_before_the_wire(
    store, ours, tmp_path, monkeypatch, what, table
):
    ids, log = fill(30), tmp_path / "wire"
    ours.execute(FULL.format(what=what, table=table))
    monkeypatch.setattr(working_place, "_ONCE_AWAY_SECONDS", 0.5)
    monkeypatch.setattr(working_place, "_IDLE_SECONDS", 0.05)
    told = []
    monkeypatch.setattr(journal, "broken", lambda event, _: told.append(event))
    file = lender(log=str(log), window=5)
    with pytest.raises(psycopg.errors.DiskFull):
        asyncio.run(Worker(store, file, now=lambda: AT, batch=10).run(once=True))
    assert set(told) == {"database.full"}
    assert (reached(log), set(states(store)) - {"released", "claimed"}) == (Counter(), set())
    ours.execute(f"DROP TRIGGER no_room ON {table}")
    asyncio.run(Worker(store, file, now=lambda: AT, batch=10).run(once=True))
    assert reached(log) == Counter(ids)
    assert states(store) == {"delivered": 30}


def test_answers_that_found_no_room_are_written_when_there_is_some(store, ours, tmp_path):
    ids, log = fill(30), tmp_path / "wire"
    ours.execute(FULL.format(what="UPDATE", table="store_attempt"))

    async def whole():
        file = lender(log=str(log), window=5)
        task = asyncio.create_task(Worker(store, file, now=lambda: AT, batch=10).run(once=True))
        while not reached(log) and not task.done():
            await asyncio.sleep(0.01)
        # Nothing more is submitted while what was answered cannot be written down.
        await asyncio.sleep(1)
        before = reached(log)
        ours.execute("DROP TRIGGER no_room ON store_attempt")
        await asyncio.wait_for(task, 60)
        return before

    before = asyncio.run(whole())
    assert len(before) == 5
    assert reached(log) == Counter(ids)
    found = states(store)
    assert sum(found.values()) == 30
    assert set(found) <= {"delivered", "unknown"}
