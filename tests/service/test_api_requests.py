"""Goal: a request is done once, or refused whole with every fault named. Method: a real server."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import time

import psycopg
import pytest
from outgoing import fill

from duly.service.api.limits import BODY_MAX
from duly.service.operations import keys
from duly.service.store.models import Audit, Counter, IdempotentAnswer, Message

_EVENT = {"specversion": "1.0", "id": "e1", "source": "core", "type": "payment.posted", "data": {}}
_VERIFY = {"code": "ABCD2345", "phone_last4": "0001"}


@pytest.fixture
def messages(facts):
    """Give three fresh released messages; ids are the same in every test."""
    with psycopg.connect(facts.url, autocommit=True) as ours:
        ours.execute("TRUNCATE store_message, store_run, store_borrower, store_idempotentanswer,"
                     " store_counter CASCADE")  # fmt: skip
    return fill(3)


def raw(served, text: bytes) -> bytes:
    """Send bytes as they are; return what comes until the other side has said enough."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as line:
        line.sendall(text)
        found = b""
        while b"\r\n\r\n" not in found:
            piece = line.recv(65536)
            if not piece:
                break
            found += piece
    return found


class TestIdempotency:
    def test_the_same_request_twice_is_done_once_and_answered_twice(self, facts, messages):
        path = f"/api/v1/messages/{messages[0]}/cancel"
        first = facts.post(path, {}, Idempotency_Key="k-1")
        again = facts.post(path, {}, Idempotency_Key="k-1")
        assert (first.status, first.body) == (again.status, again.body)
        assert "idempotent-replay" not in first.headers
        assert again.headers["idempotent-replay"] == "true"
        assert Audit.objects.filter(kind="message.cancelled", subject=messages[0]).count() >= 1
        assert IdempotentAnswer.objects.count() == 1

    def test_another_body_or_address_with_the_key_is_refused(self, facts, messages):
        path = f"/api/v1/messages/{messages[0]}/cancel"
        facts.post(path, {}, Idempotency_Key="k-1")
        assert facts.post(path, {"x": 1}, Idempotency_Key="k-1").code == "other_body"
        other = facts.post(f"/api/v1/messages/{messages[1]}/cancel", {}, Idempotency_Key="k-1")
        assert (other.status, other.code) == (422, "other_body")
        assert Message.objects.get(message_id=messages[1]).state == "released"

    def test_what_still_runs_is_said_to_run(self, facts, messages):
        path = f"/api/v1/messages/{messages[0]}/cancel"
        found = []
        with psycopg.connect(facts.url) as holder:
            holder.execute("SELECT 1 FROM store_borrower WHERE borrower_id = 'b00000' FOR UPDATE")
            asking = threading.Thread(
                target=lambda: found.append(facts.post(path, {}, Idempotency_Key="k-1"))
            )
            asking.start()
            _wait(lambda: _waits(facts.url))
            running = facts.post(path, {}, Idempotency_Key="k-1")
            assert (running.status, running.code) == (409, "still_running")
            holder.rollback()
        asking.join(timeout=30)
        assert found[0].status == 200
        assert facts.post(path, {}, Idempotency_Key="k-1").body == found[0].body

    def test_each_owner_has_keys_of_his_own(self, facts, messages):
        other = keys.create(f"other-{time.monotonic_ns()}", scopes=["messages:write"], days=1)
        for number, key in enumerate((facts.key, other.text)):
            found = facts.post(
                f"/api/v1/messages/{messages[number]}/cancel", {}, key=key, Idempotency_Key="k-1"
            )
            assert (found.status, found.json["id"]) == (200, messages[number])

    def test_after_a_day_a_key_may_be_used_again(self, facts, messages):
        path = f"/api/v1/messages/{messages[0]}/cancel"
        facts.post(path, {}, Idempotency_Key="k-1")
        with psycopg.connect(facts.url, autocommit=True) as ours:
            ours.execute("UPDATE store_idempotentanswer SET at = now() - interval '25 hours'")
        other = facts.post(f"/api/v1/messages/{messages[1]}/cancel", {}, Idempotency_Key="k-1")
        assert (other.status, other.json["id"]) == (200, messages[1])

    def test_a_refusal_is_not_kept(self, facts, messages):
        path = "/api/v1/messages/nobody/cancel"
        assert facts.post(path, {}, Idempotency_Key="k-1").code == "not_found"
        assert IdempotentAnswer.objects.count() == 0

    @pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
    def test_what_is_no_key_is_refused(self, facts, messages, key):
        path = f"/api/v1/messages/{messages[0]}/cancel"
        assert facts.post(path, {}, Idempotency_Key=key).code == "bad_idempotency_key"
        assert Message.objects.get(message_id=messages[0]).state == "released"


def _waits(url):
    with psycopg.connect(url) as ours:
        return ours.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
        ).fetchone() != (0,)


def _wait(holds):
    for _ in range(500):
        if holds():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come")


class TestBodies:
    @pytest.mark.parametrize(
        "body",
        [b"", b"{", b"[]x", b'{"code": NaN}', b'{"code": "A", "code": "B"}', b"\xff\xfe",
         b'{"code": "\\u0000"}', b'{"code": "\\ud800"}', b"[" * 20_000, b"9" * 5000],
    )  # fmt: skip
    def test_what_is_no_json_is_refused(self, served, body):
        found = served.post("/api/v1/verify", body, key=None)
        assert found.status in (400, 422)
        assert found.code in ("not_json", "invalid")

    def test_all_faults_are_named_at_once_and_no_value(self, served):
        body = {"contact_id": "a\nb", "loan_id": 7, "channel": "pigeon", "secret": "1234"}
        found = served.post("/api/v1/contacts/reserve", body)
        assert found.code == "invalid"
        assert {one["pointer"]: one["code"] for one in found.json["errors"]} == {
            "/contact_id": "wrong_form", "/loan_id": "wrong_type", "/channel": "not_one_of",
            "/agency": "missing", "/secret": "unknown",
        }  # fmt: skip
        assert b"1234" not in found.body and b"pigeon" not in found.body

    @pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data", ""])
    @pytest.mark.parametrize("path", ["/api/v1/verify", "/api/v1/runs", "/api/v1/events",
                                      "/api/v1/contacts/reserve"])  # fmt: skip
    def test_another_content_type_is_refused(self, served, path, kind):
        found = served.post(path, b"{}", kind=kind)
        assert (found.status, found.code) == (415, "content_type")

    @pytest.mark.parametrize("path", ["/api/v1/events", "/api/v1/verify"])
    def test_a_body_too_large_is_refused_by_its_length_alone(self, served, path):
        head = (
            f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {served.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {BODY_MAX + 1}\r\n\r\n"
        )
        assert raw(served, head.encode()).startswith(b"HTTP/1.1 413 ")

    def test_a_body_in_pieces_is_refused(self, served):
        head = (b"POST /api/v1/verify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")  # fmt: skip
        assert raw(served, head).startswith(b"HTTP/1.1 411 ")

    def test_headers_cannot_be_injected(self, facts, messages):
        path = f"/api/v1/messages/{messages[0]}/cancel"
        head = (f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {facts.key}\r\n"
                "Idempotency-Key: a\rX-Evil: 1\r\nContent-Type: application/json\r\n"
                "Content-Length: 2\r\n\r\n{}")  # fmt: skip
        found = raw(facts, head.encode())
        assert b"X-Evil" not in found
        assert found == b"" or found.startswith(b"HTTP/1.1 400 ")
        assert Message.objects.get(message_id=messages[0]).state == "released"

    def test_an_unknown_address_and_method_are_problems_too(self, served):
        assert served.get("/nope", key=None).code == "not_found"
        found = served.ask("DELETE", "/api/v1/runs")
        assert (found.status, found.code) == (405, "method")
        assert set(found.headers["allow"].replace(" ", "").split(",")) == {"GET", "POST"}

    def test_no_answer_is_kept_by_a_cache_or_sniffed(self, served):
        for path in ("/api/v1/runs", "/nope", "/healthz"):
            headers = served.get(path).headers
            assert headers["cache-control"] == "no-store"
            assert headers["x-content-type-options"] == "nosniff"


class TestHostile:
    TEXTS = ("'; DROP TABLE store_message; --", "m1' OR '1'='1", "%27%20OR%201=1--", "../../etc",
             "\u202e", "%00", "%0d%0aSet-Cookie:%20a=b", "a" * 201)  # fmt: skip

    @pytest.mark.parametrize("text", TEXTS)
    @pytest.mark.parametrize("path", ["messages/{}", "loans/{}", "runs/{}", "messages/{}/evidence",
                                      "loans/{}/decisions"])  # fmt: skip
    def test_an_id_is_an_id(self, facts, messages, path, text):
        from urllib.parse import quote

        quoted = text if text.startswith("%") else quote(text, safe="")
        found = facts.get("/api/v1/" + path.format(quoted))
        assert found.code in ("not_found", "invalid")
        assert "set-cookie" not in found.headers
        assert Message.objects.count() == 3

    @pytest.mark.parametrize("text", TEXTS)
    def test_a_text_is_a_text(self, facts, messages, text):
        body = {"contact_id": "c1", "loan_id": text, "channel": "sms", "agency": text}
        assert facts.post("/api/v1/contacts/reserve", body).code in ("not_found", "invalid")
        assert Message.objects.count() == 3

    def test_a_forged_cursor_is_refused(self, served):
        for cursor in ("AAAA", "x", "!!", "A" * 2000, "", "eyJhIjoxfQ"):
            found = served.get(f"/api/v1/runs?cursor={cursor}")
            assert found.code in ("bad_cursor", "invalid"), cursor

    @pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "limit=-1"])
    def test_a_page_has_a_size(self, served, query):
        assert served.get(f"/api/v1/runs?{query}").code == "invalid"


class TestEvents:
    EVENT = _EVENT

    @pytest.mark.parametrize(
        ("kind", "body"),
        [("application/cloudevents+json", [EVENT]), ("application/cloudevents-batch+json", EVENT),
         ("application/json", []), ("application/json", [1]), ("application/json", [EVENT] * 1001),
         ("application/json", "text")],
    )  # fmt: skip
    def test_a_body_of_another_shape_is_refused(self, served, kind, body):
        found = served.post("/api/v1/events", body, kind=kind)
        assert (found.status, found.code) == (422, "invalid")
        assert found.json["errors"]

    def test_broken_json_is_refused(self, served):
        assert served.post("/api/v1/events", b"{").code == "not_json"

    def event(self, number, loan="l1"):
        data = {"payment_id": f"pay-{number}", "loan_id": loan, "paid_on": "2026-03-10",
                "amount": "734.10"}  # fmt: skip
        return {
            "specversion": "1.0",
            "id": f"e-{number}",
            "source": "core-banking",
            "type": "payment.posted",
            "time": "2026-03-10T09:59:00+08:00",
            "data": data,
        }

    def test_a_payment_cancels_what_is_not_submitted(self, facts, messages):
        name = f"{time.monotonic_ns()}"
        body = [self.event(name)]
        first = facts.post("/api/v1/events", body, Idempotency_Key=name)
        assert (first.status, first.json["accepted"], first.json["duplicates"]) == (200, 1, 0)
        assert set(first.json["cancelled"]) == set(messages)
        assert set(Message.objects.values_list("state", flat=True)) == {"cancelled"}
        replayed = facts.post("/api/v1/events", body, Idempotency_Key=name)
        assert replayed.headers["idempotent-replay"] == "true"
        again = facts.post("/api/v1/events", body[0], kind="application/cloudevents+json")
        assert (again.json["accepted"], again.json["duplicates"]) == (0, 1)

    def test_one_bad_event_refuses_the_batch_and_each_fault_is_named(self, facts, messages):
        name = f"{time.monotonic_ns()}"
        bad = self.event(name + "-b") | {"type": "payment.eaten"}
        worse = self.event(name + "-c")
        worse["data"] = {**worse["data"], "amount": "a lot"}
        batch = [self.event(name + "-a"), bad, worse]
        found = facts.post("/api/v1/events", batch, kind="application/cloudevents-batch+json",
                           Accept_Language="zh")  # fmt: skip
        assert (found.status, found.code) == (422, "events_refused")
        places = {one["pointer"].split("/")[1] for one in found.json["errors"]}
        assert places == {"1", "2"}
        assert all(one["detail"] and one["code"] for one in found.json["errors"])
        assert set(Message.objects.values_list("state", flat=True)) == {"released"}
        # The good one of the batch was not kept either.
        assert facts.post("/api/v1/events", batch[0]).json["accepted"] == 1


class TestServer:
    def test_says_that_it_lives_and_could_answer(self, served):
        assert served.get("/healthz", key=None).json == {"status": "ok"}
        assert served.get("/readyz", key=None).json == {"status": "ok"}

    def test_many_at_once_are_answered(self, served):
        found = []
        asking = [
            threading.Thread(target=lambda: found.append(served.get("/api/v1/runs").status))
            for _ in range(40)
        ]
        for one in asking:
            one.start()
        for one in asking:
            one.join(timeout=60)
        assert found == [200] * 40

    def test_writes_no_address_into_its_log(self, served):
        served.get("/api/v1/loans/secret-loan-7")
        served.post("/api/v1/verify", _VERIFY, key=None)
        assert "secret-loan-7" not in (served.folder / "err").read_text()

    def test_who_asks_is_counted_by_a_mark_alone(self, facts, messages):
        facts.post("/api/v1/verify", _VERIFY, key=None)
        kept = json.dumps(list(Counter.objects.values_list("kind", "subject")))
        assert "127.0.0.1" not in kept and "ABCD2345" not in kept
        assert hashlib.sha256(b"127.0.0.1").hexdigest()[:32] not in kept
