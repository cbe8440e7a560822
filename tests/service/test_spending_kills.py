"""Goal: whenever a worker dies its lease comes back, and what a day cost is told exactly.

Method: real worker processes over one database, killed at each point around the spending and at
random instants; what reached the wire is written down by the gateway, outside the database.
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
from forked import Forked
from outgoing import DAY, fill, states

from duly.service.outbox.spending import budget_of

SCRIPT = Path(__file__).with_name("crashing_worker.py")
PRICE = 500


def worker(store: str, log: Path, limit: int, point: str = "none", nth: int = 1) -> Forked:
    return Forked("crashing_worker", store, log, point, nth, limit)


def started(store: str, log: Path, limit: int) -> subprocess.Popen[bytes]:
    """Start a worker from nothing: it may be killed while it still imports."""
    return subprocess.Popen([sys.executable, SCRIPT, store, str(log), "none", "1", str(limit)])


def finish(store: str, log: Path, limit: int) -> None:
    """Let whole workers spend what the dead left; a closed connection's lock falls shortly."""
    for _ in range(20):
        done = worker(store, log, limit)
        assert done.ends() == 0, done.said("err")
        with psycopg.connect(store) as ours:
            budget = budget_of(ours, DAY)
        if budget.left < PRICE and not {"claimed", "submitted"} & set(states(store)):
            return
        time.sleep(0.2)
    pytest.fail(f"something is left: {budget}, {states(store)}")


def check(store: str, log: Path, *, limit: int) -> None:
    sent = Counter(json.loads(line)["message_id"] for line in log.read_text().splitlines())
    assert [name for name, times in sent.items() if times > 1] == []
    with psycopg.connect(store) as ours:
        budget = budget_of(ours, DAY)
        (attempts,) = ours.execute("SELECT count(*) FROM store_attempt").fetchone()
    # What was spent is what was submitted, to the last message; the limit is used up, not passed.
    assert budget.spent == budget.granted == attempts * PRICE == limit * 100
    assert len(sent) <= attempts
    assert states(store)["released"] > 0


@pytest.mark.parametrize("point", ["after_claim", "after_submit"])
def test_a_worker_that_dies_with_a_lease(store, tmp_path, point):
    fill(160)
    log, limit = tmp_path / "wire", 500
    dying = worker(store, log, limit, point, 2)
    assert dying.ends() == -signal.SIGKILL
    with psycopg.connect(store) as ours:
        # The dead holds the whole of it: without settling, nobody could send one more.
        assert budget_of(ours, DAY).granted == limit * 100
    finish(store, log, limit)
    check(store, log, limit=limit)


def test_workers_that_die_at_any_instant(store, tmp_path):
    fill(800)
    log, limit = tmp_path / "wire", 3500
    chance = random.Random(int(os.environ.get("DULY_CHAOS_SEED", "27")))
    kills = 0
    for _ in range(3):
        pair = [started(store, log, limit), started(store, log, limit)]
        time.sleep(chance.uniform(0.6, 1.6))
        for one in pair:
            if one.poll() is None:
                one.kill()
                kills += 1
            one.wait(timeout=60)
    assert kills >= 3
    finish(store, log, limit)
    check(store, log, limit=limit)
