"""Goal: whenever a worker dies, nothing is sent twice, nothing is lost, no cap is exceeded.

Method: real worker processes over one database, killed at each named point and at random instants;
what reached the wire is written down by the gateway, outside the database.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psycopg
import pytest
from crashing_worker import POINTS
from forked import Forked
from outgoing import fill, states

from duly.delivery import FINAL

SCRIPT = Path(__file__).with_name("crashing_worker.py")
WINDOW = 20
MESSAGES = 240


def worker(store: str, log: Path, point: str = "none", nth: int = 1) -> Forked:
    return Forked("crashing_worker", store, log, point, nth)


def started(store: str, log: Path) -> subprocess.Popen[bytes]:
    """Start a worker from nothing: it may be killed while it still imports."""
    return subprocess.Popen([sys.executable, SCRIPT, store, str(log), "none", "1"])


def finish(store: str, log: Path) -> None:
    """Let a whole worker settle what the dead left; a closed connection's lock falls shortly."""
    for _ in range(20):
        done = worker(store, log)
        assert done.ends() == 0, done.said("err")
        left = states(store)
        if not {"claimed", "submitted", "released"} & set(left):
            return
        time.sleep(0.2)
    pytest.fail(f"messages are left: {left}")


def check(store: str, log: Path, ids: list[str], *, kills: int) -> None:
    sent = Counter(json.loads(line)["message_id"] for line in log.read_text().splitlines())
    assert [name for name, times in sent.items() if times > 1] == []
    found = states(store)
    assert set(found) <= {*FINAL, "accepted"}
    assert sum(found.values()) == len(ids)
    with psycopg.connect(store) as ours:
        # Who reached the wire is a contact, and nobody is one twice.
        contacts = {row[0] for row in ours.execute("SELECT contact_id FROM store_contact")}
        assert {f"duly:{name}" for name in sent} <= contacts
        (lost,) = ours.execute(
            "SELECT count(*) FROM store_message WHERE state = 'unknown' AND reason = 'worker_died'"
        ).fetchone()
        # Every message has a record of how it ended.
        (silent,) = ours.execute(
            "SELECT count(*) FROM store_message AS m WHERE NOT EXISTS"
            " (SELECT 1 FROM store_audit AS a WHERE a.subject = m.message_id)"
        ).fetchone()
    assert lost <= kills * 2 * WINDOW  # At most what two lanes had in flight.
    assert silent == 0
    never = set(ids) - set(sent)
    assert len(never) <= lost  # Not on the wire: only what died between the commit and the byte.


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_that_dies_at_a_named_point(store, tmp_path, point):
    ids = fill(MESSAGES)
    log = tmp_path / "wire"
    for nth in (1, 3):
        dying = worker(store, log, point, nth)
        assert dying.ends() == -signal.SIGKILL
    finish(store, log)
    check(store, log, ids, kills=2)


def test_workers_that_die_at_any_instant(store, tmp_path):
    ids = fill(4 * MESSAGES)
    log = tmp_path / "wire"
    chance = random.Random(int(os.environ.get("DULY_CHAOS_SEED", "5")))
    kills = 0
    for _ in range(6):
        pair = [started(store, log), started(store, log)]
        time.sleep(chance.uniform(0.5, 1.6))
        for one in pair:
            if one.poll() is None:
                one.kill()
                kills += 1
            one.wait(timeout=60)
    assert kills >= 6
    finish(store, log)
    check(store, log, ids, kills=kills)
