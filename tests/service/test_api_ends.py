"""Goal: whatever ends the server, a request is done once or not at all. Method: stop and kill it.

A lock on the borrower holds the request inside its transaction while the server ends.
"""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import psycopg
import pytest
import serving
from outgoing import fill

from duly.service import setting_up
from duly.service.store.models import Audit, IdempotentAnswer, Message


@pytest.fixture
def ended(server, tmp_path):
    """Give a server over a database of its own with one released message; it is ended after."""
    name = f"ended_{os.getpid()}_{time.monotonic_ns()}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as ours:
        ours.execute(f'CREATE DATABASE "{name}" TEMPLATE duly')
    url = server.url(name)
    with setting_up.using(url):
        fill(1)
    served = serving.begin(tmp_path, url)
    with setting_up.using(url):
        yield served
    if served.process.poll() is None:
        serving.end(served)


def waiting(served, found):
    """Begin a cancellation that waits for the borrower's lock; return its thread."""

    def ask():
        try:
            found.append(served.post("/api/v1/messages/m00000/cancel", {}, Idempotency_Key="k"))
        except (OSError, http.client.HTTPException) as error:
            found.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    for _ in range(500):
        with psycopg.connect(served.url) as ours:
            held = ours.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname ="
                " current_database() AND wait_event_type = 'Lock'"
            ).fetchone()
        if held != (0,):
            return thread
        time.sleep(0.02)
    raise AssertionError("the request did not begin to wait")


def held(url):
    holder = psycopg.connect(url)
    holder.execute("SELECT 1 FROM store_borrower WHERE borrower_id = 'b00000' FOR UPDATE")
    return holder


def children(pid: int) -> list[int]:
    done = subprocess.run(["ps", "--ppid", str(pid), "-o", "pid="], capture_output=True,
                          text=True, check=False)  # fmt: skip
    return [int(one) for one in done.stdout.split()]


def test_what_is_being_answered_at_the_stop_is_answered(ended):
    found: list[object] = []
    holder = held(ended.url)
    thread = waiting(ended, found)
    ended.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    holder.close()
    thread.join(timeout=60)
    assert ended.process.wait(timeout=60) == 0
    assert getattr(found[0], "status", found[0]) == 200
    assert Message.objects.get().state == "cancelled"


@pytest.mark.skipif(not Path("/proc").exists(), reason="skipped: no process table to look in")
def test_a_process_that_dies_has_done_nothing_and_the_request_may_come_again(ended):
    found: list[object] = []
    holder = held(ended.url)
    thread = waiting(ended, found)
    (child,) = children(ended.process.pid)
    os.kill(child, signal.SIGKILL)
    thread.join(timeout=60)
    assert isinstance(found[0], OSError | http.client.HTTPException)
    holder.close()
    for _ in range(200):
        try:
            again = ended.post("/api/v1/messages/m00000/cancel", {}, Idempotency_Key="k")
        except (OSError, http.client.HTTPException):
            again = None
        if again is not None and again.status == 200:
            break
        time.sleep(0.1)
    assert again is not None
    assert again.status == 200
    assert Message.objects.get().state == "cancelled"
    assert Audit.objects.filter(kind="message.cancelled").count() == 1
    assert IdempotentAnswer.objects.count() == 1
