"""Goal: tasks are read page by page and closed once. Method: a running server, a real webhook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import psycopg
import pytest
from outgoing import fill
from serving import GATEWAY_SECRET

from duly.delivery.http import signature
from duly.service.store.models import Attempt, Message, Task
from duly.service.store.models import Reply as Kept

NUMBER = "+8613800000001"


@pytest.fixture
def heard(facts):
    """Give the server with a message that was sent, and a way to answer it by webhook."""
    with psycopg.connect(facts.url, autocommit=True) as ours:
        ours.execute("TRUNCATE store_message, store_run, store_borrower, store_report, store_word,"
                     " store_event, store_task CASCADE")  # fmt: skip
    fill(1, state="accepted", route="gateway")
    Attempt.objects.create(message_id="m00000", route="gateway", number=1, outcome="accepted")

    def say(*texts: str) -> None:
        replies = [{"from": NUMBER, "to": "1069", "text": text} for text in texts]
        body = json.dumps({"replies": replies}, ensure_ascii=False).encode()
        name, stamp = f"w{time.time_ns()}", int(time.time())
        signed = signature(GATEWAY_SECRET.encode(), message_id=name, timestamp=stamp, body=body)
        done = facts.ask("POST", "/api/v1/webhooks/gateway", body, key=None, **signed)
        assert done.status == 200, done.body

    return facts, say


def test_a_reply_by_webhook_is_acted_upon_before_it_is_answered(heard):
    _, say = heard
    one = Message.objects.get()
    one.pk, one.state, one.business_date, one.route = "later", "released", "2026-03-11", None
    one.save(force_insert=True)
    say("退订")
    assert Kept.objects.get().reading["intent"] == "opt_out"
    assert Message.objects.get(pk="later").state == "cancelled"


def test_tasks_come_page_by_page_the_most_urgent_first(heard):
    served, say = heard
    say("怎么还款", "我要投诉你们", "给我回个电话")
    first = served.get("/api/v1/tasks?limit=2").json
    assert [one["kind"] for one in first["items"]] == ["answer_complaint", "call_back"]
    rest = served.get(f"/api/v1/tasks?limit=2&cursor={first['next_cursor']}").json
    assert [one["kind"] for one in rest["items"]] == ["say_how_to_pay"]
    assert rest["next_cursor"] is None
    assert served.get("/api/v1/tasks?cursor=abc").code == "bad_cursor"


def test_a_task_is_closed_once(heard):
    served, say = heard
    say("我要投诉你们")
    number = Task.objects.get().id
    path = f"/api/v1/tasks/{number}/close"
    closed = served.post(path, {"by": "李雷", "outcome": "answered"})
    assert (closed.status, closed.json["closed_by"]) == (200, "李雷")
    assert served.post(path, {"by": "李雷", "outcome": "answered"}).code == "not_found"
    assert served.post(path, {"by": "\u3000", "outcome": "x"}).code == "invalid"
    assert served.post(path, {"by": "x"}).code == "invalid"
    assert served.get("/api/v1/tasks").json["items"] == []


def test_the_commands_show_what_came_and_what_followed_without_the_number(heard):
    served, say = heard
    say("失业了，没钱还")
    # Closing a task writes a row under the borrower's key: the keys are the server's own.
    environment = {
        "PATH": os.environ["PATH"], "DULY_DATABASE_URL": served.url, "PYTHONUTF8": "1",
        "DULY_SECRET_KEYS": "k1:" + "5a" * 32, "DULY_HOME": str(served.folder / "home"),
    }  # fmt: skip

    def told(*command: str) -> str:
        done = subprocess.run([sys.executable, "-m", "duly.cli.main", *command], text=True,
                              capture_output=True, env=environment)  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    (row,) = json.loads(told("replies", "list", "--json"))
    assert (row["intent"], row["signals"], row["tasks"]) == (
        "hardship",
        ["hardship"],
        ["offer_relief"],
    )
    assert row["address"] == "…0001"
    text = told("replies", "list")
    assert "cannot pay" in text and "13800000001" not in text
    (task,) = json.loads(told("tasks", "list", "--json"))
    assert "Offer relief" in told("tasks", "list")
    done = told("tasks", "close", str(task["id"]), "--by", "李雷", "--outcome", "plan agreed")
    assert "closed by 李雷" in done
    assert told("tasks", "list") == "Nothing is open.\n"
