"""Goal: what is dead is seen, and sent again only by a person and only where it was not sent.

Method: messages that were refused in a real database; the operations, the commands and a running
server's API over them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import timedelta

import psycopg
import pytest
from outgoing import AT, DAY, fill, states

from duly.book import Route
from duly.core.errors import Refused
from duly.delivery import Answer
from duly.delivery.retrying import Terms
from duly.rules import active, load_packs
from duly.service.operations import dead_letters, keys
from duly.service.operations.asking import standing
from duly.service.operations.measuring import figures
from duly.service.outbox.claiming import claim
from duly.service.outbox.identity import Identity
from duly.service.outbox.refusing import Refusals
from duly.service.outbox.submitting import submit, write_answers
from duly.service.privacy.erasing import erase
from duly.service.store.models import Attempt, Audit, DeadLetter, Message, Run

RULES = active(load_packs(("decency", "cn")), DAY)
BOX = Route(name="box", channel="sms", kind="sandbox")
THROTTLED = "0x00000058 ESME_RTHROTTLED"
BUSY = ("throttled", THROTTLED)
WHY = {"by": "李雷", "reason": "the carrier is back"}


def kill(url, outcome, code, *, at=AT):
    """Let a route of one attempt answer so to all that is due; return how many that were."""
    with psycopg.connect(url, autocommit=True) as ours:
        me = Identity(url)
        found = claim(ours, worker=me.number, routes=[BOX], rules=RULES, at=at, batch=100)
        going = submit(ours, found.claimed, worker=me.number, at=at)
        write_answers(
            ours, "box", [Answer(message_id=one.message_id, outcome=outcome, code=code)
                          for one in going],
            refusals=Refusals(routes=[BOX], terms={"box": Terms(attempts=1)}), at=at,
        )  # fmt: skip
        me.close()
    return len(going)


def refusal(call, *given, **named):
    with pytest.raises(Refused) as refused:
        call(*given, **named)
    return refused.value.diagnostics[0].code


class TestRetry:
    def test_goes_through_the_door_once_more_and_is_taken(self, store):
        fill(1)
        kill(store, *BUSY)
        found = dead_letters.retry("m00000", **WHY, at=AT)
        assert (found["ended"], found["ended_by"], found["state"]) == (
            "retried",
            "李雷",
            "released",
        )
        assert dead_letters.listed() == []
        assert kill(store, "accepted", "") == 1
        assert states(store) == {"accepted": 1}
        assert list(Attempt.objects.order_by("number").values_list("number", "outcome")) == [
            (1, "throttled"), (2, "accepted"),
        ]  # fmt: skip
        assert Audit.objects.filter(kind="message.dead_retried").count() == 1

    def test_what_dies_again_is_another_letter_with_its_tries_counted_anew(self, store):
        fill(1)
        for _ in range(2):
            assert kill(store, *BUSY) == 1
            dead_letters.retry("m00000", **WHY, at=AT)
        assert kill(store, *BUSY) == 1
        letters = DeadLetter.objects.order_by("id").values_list("attempts", "reason", "ended")
        assert list(letters) == [
            (1, "no_attempt_left", "retried"), (2, "no_attempt_left", "retried"),
            (3, "no_attempt_left", None),
        ]  # fmt: skip

    def test_the_door_has_the_last_word(self, store):
        fill(1)
        kill(store, *BUSY)
        dead_letters.retry("m00000", **WHY, at=AT)
        assert kill(store, *BUSY, at=AT + timedelta(hours=12)) == 0
        assert states(store) == {"expired": 1}

    @pytest.mark.parametrize(
        ("outcome", "code", "why"),
        [
            ("refused", "DULY:partial x", "dead_for_good"),
            ("refused", "0x0000000b ESME_RINVDSTADR", "dead_for_good"),
            ("unknown", "DULY:no_answer", "no_dead_letter"),
            ("accepted", "", "no_dead_letter"),
        ],
    )
    def test_what_may_have_been_sent_or_may_not_be_is_refused(self, store, outcome, code, why):
        fill(1)
        kill(store, outcome, code)
        before = states(store)
        assert refusal(dead_letters.retry, "m00000", **WHY, at=AT) == why
        assert states(store) == before
        assert not Audit.objects.filter(kind="message.dead_retried").exists()

    def test_after_its_window_and_after_its_run_it_is_refused(self, store):
        fill(1)
        kill(store, *BUSY)
        late = AT + timedelta(hours=10)
        assert refusal(dead_letters.retry, "m00000", **WHY, at=late) == "dead_window_over"
        Run.objects.update(state="superseded")
        assert refusal(dead_letters.retry, "m00000", **WHY, at=AT) == "dead_run_over"
        assert states(store) == {"undelivered": 1}
        assert DeadLetter.objects.get().ended is None

    def test_a_name_and_a_reason_are_asked_for(self, store):
        fill(1)
        kill(store, *BUSY)
        assert refusal(dead_letters.retry, "m00000", by=" ", reason="x", at=AT) == "no_name"
        assert refusal(dead_letters.retry, "m00000", by="Li", reason=" ", at=AT) == "dead_words"
        assert refusal(dead_letters.close, "m00000", by="Li", reason="x" * 201) == "dead_words"
        assert DeadLetter.objects.get().ended is None

    def test_another_process_cannot_lead_it_back_without_a_letter(self, store):
        fill(1)
        kill(store, *BUSY)
        dead_letters.close("m00000", **WHY)
        with (
            psycopg.connect(store, autocommit=True) as ours,
            pytest.raises(psycopg.errors.CheckViolation),
        ):
            ours.execute("UPDATE store_message SET state = 'released'")


def test_a_closed_letter_is_closed_once_and_nothing_is_sent(store):
    fill(2)
    kill(store, *BUSY)
    found = dead_letters.close("m00000", by="Li", reason="told by phone")
    assert (found["ended"], found["state"]) == ("closed", "undelivered")
    assert refusal(dead_letters.close, "m00000", **WHY) == "no_dead_letter"
    assert refusal(dead_letters.retry, "m00000", **WHY, at=AT) == "no_dead_letter"
    assert [row["message_id"] for row in dead_letters.listed()] == ["m00001"]
    assert Audit.objects.filter(kind="message.dead_closed").count() == 1


def test_they_are_counted_where_people_and_watchers_look(store):
    fill(3)
    assert standing().dead_letters == {}
    kill(store, *BUSY)
    dead_letters.close("m00001", **WHY)
    assert standing().dead_letters == {"no_attempt_left": 2}
    (figure,) = [one for one in figures(at=AT) if one.name == "duly_dead_letters"]
    assert figure.samples == {("no_attempt_left",): 2.0}


def test_a_forgotten_person_leaves_no_words_and_is_not_written_to(store):
    fill(2)
    kill(store, *BUSY)
    dead_letters.close("m00000", by="Li", reason="his wife rang")
    people = ["b00000", "b00001"]
    with psycopg.connect(store) as ours, ours.cursor() as cursor:
        cursor.execute(
            "INSERT INTO store_deletion (borrower_id, by, because, under, at, made_at)"
            " SELECT n, 'Li', 'asked', 'CN-PI-7', now(), now() FROM unnest(%s::text[]) AS n",
            (people,),
        )
        erase(cursor, people)
    assert set(DeadLetter.objects.values_list("code", "ended_by", "ended_why")) == {
        ("", "deleted", "deleted"), ("", None, None),
    }  # fmt: skip
    assert refusal(dead_letters.retry, "m00001", **WHY, at=AT) == "dead_for_good"


def test_by_commands_alone(store, tmp_path):
    fill(2)
    kill(store, *BUSY)

    def told(*words: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "duly.cli.main", *words],
            env={"PATH": os.environ["PATH"], "DULY_DATABASE_URL": store, "PYTHONUTF8": "1",
                 "DULY_SECRET_KEYS": "k1:" + "5a" * 32, "DULY_HOME": str(tmp_path)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    rows = json.loads(told("dead", "list", "--json"))
    assert [(row["message_id"], row["reason"], row["code"]) for row in rows] == [
        ("m00000", "no_attempt_left", THROTTLED), ("m00001", "no_attempt_left", THROTTLED),
    ]  # fmt: skip
    assert "no attempt is left" in told("dead", "list")
    assert json.loads(told("status", "--json"))["dead_letters"] == {"no_attempt_left": 2}
    assert "2 dead letters" in told("status")
    retry = ("dead", "retry", "m00000", "--by", "李雷", "--because", "back")
    assert "window" in told(*retry, code=2)
    assert "李雷" in told(*retry, "--at", AT.isoformat())
    assert Message.objects.get(message_id="m00000").state == "released"
    told("dead", "close", "m00001", "--by", "Li", "--because", "rang")
    assert told("dead", "list") == "There are no dead letters.\n"


class TestApi:
    @pytest.fixture
    def dead(self, facts):
        with psycopg.connect(facts.url, autocommit=True) as ours:
            # Other modules have stopped numbers, routes and runs of this server.
            ours.execute("TRUNCATE store_message, store_run, store_borrower, store_word,"
                         " store_stopped, store_book_contact_points CASCADE")  # fmt: skip
        fill(3)
        assert kill(facts.url, *BUSY) == 3
        return facts

    def test_they_come_page_by_page_with_no_number_and_no_text(self, dead):
        first = dead.get("/api/v1/dead-letters?limit=2").json
        assert [one["message_id"] for one in first["items"]] == ["m00000", "m00001"]
        assert first["items"][0]["class"] == "dunning"
        assert {"address", "text"} & set(first["items"][0]) == set()
        rest = dead.get(f"/api/v1/dead-letters?limit=2&cursor={first['next_cursor']}").json
        assert [one["message_id"] for one in rest["items"]] == ["m00002"]
        assert rest["next_cursor"] is None

    def test_a_cursor_of_another_list_and_a_stranger_are_refused(self, dead):
        first = dead.get("/api/v1/dead-letters?limit=2").json
        assert dead.get(f"/api/v1/tasks?cursor={first['next_cursor']}").code == "bad_cursor"
        assert dead.ask("GET", "/api/v1/dead-letters", None, key=None).status == 401

    def test_a_person_sends_one_again_and_closes_another_each_once(self, dead):
        said = {"by": "李雷", "reason": "the carrier is back"}
        path = "/api/v1/dead-letters/m00000/retry"
        found = dead.post(path, said, Idempotency_Key="r1")
        assert found.status == 200, found.body
        assert (found.json["ended"], found.json["ended_by"], found.json["state"]) == (
            "retried", "李雷", "released",
        )  # fmt: skip
        again = dead.post(path, said, Idempotency_Key="r1")
        assert (again.json, again.headers["idempotent-replay"]) == (found.json, "true")
        assert dead.post(path, {**said, "by": "Han"}, Idempotency_Key="r1").code == "other_body"
        assert dead.post(path, said).code == "not_found"
        closed = dead.post("/api/v1/dead-letters/m00001/close", said)
        assert (closed.json["ended"], closed.json["state"]) == ("closed", "undelivered")
        assert dead.post("/api/v1/dead-letters/m00001/close", said).code == "not_found"
        left = dead.get("/api/v1/dead-letters").json["items"]
        assert [one["message_id"] for one in left] == ["m00002"]
        assert states(dead.url) == {"released": 1, "undelivered": 2}
        told = [
            json.loads(one.payload)
            for one in Audit.objects.filter(
                kind__startswith="message.dead_", subject__in=["m00000", "m00001"]
            ).order_by("-id")[:2]
        ]
        assert told == [{"by": "李雷", "key": "tests", "why": "the carrier is back"}] * 2

    def test_what_may_not_go_again_and_who_says_nothing_is_refused_and_nothing_is_done(self, dead):
        said = {"by": "李雷", "reason": "back"}
        Run.objects.update(state="superseded")
        path = "/api/v1/dead-letters/m00000/retry"
        found = dead.post(path, said, Accept_Language="zh-CN")
        assert (found.status, found.code) == (409, "not_retriable")
        assert [one["code"] for one in found.json["errors"]] == ["dead_run_over"]
        assert "计划" in found.json["errors"][0]["detail"]
        for body, pointer in (
            ({**said, "by": "\u3000"}, "/by"),
            ({**said, "reason": " "}, "/reason"),
        ):
            refused = dead.post(path, body)
            assert (refused.code, refused.json["errors"][0]["pointer"]) == ("invalid", pointer)
        assert dead.post(path, {"by": "李雷"}).code == "invalid"
        assert dead.post("/api/v1/dead-letters/nobody/retry", said).code == "not_found"
        assert states(dead.url) == {"undelivered": 3}
        assert DeadLetter.objects.filter(ended=None).count() == 3

    def test_a_key_that_only_reads_neither_sends_nor_closes(self, dead):
        reads = keys.create(f"reads-{time.time_ns()}", scopes=("messages:read",), days=1).text
        said = {"by": "李雷", "reason": "back"}
        for what in ("retry", "close"):
            path = f"/api/v1/dead-letters/m00000/{what}"
            assert dead.post(path, said, key=reads).code == "unscoped"
            assert dead.post(path, said, key=None).status == 401
        assert states(dead.url) == {"undelivered": 3}
        assert DeadLetter.objects.filter(ended=None).count() == 3
