"""Goal: what happened is told to who asked, signed, at least once, nowhere else.

Method: a real database, a real server on loopback that answers as badly as servers do.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg
import pytest
from outgoing import AT, fill, lender
from plans import AT as PLAN_AT
from plans import proven

from duly.core.errors import Refused
from duly.delivery import Reply
from duly.service.operations import endpoints, loading
from duly.service.outbox.reports import write_report
from duly.service.outbox.worker import Worker
from duly.service.outgoing.places import NoPlace, check_address, check_url, networks
from duly.service.outgoing.poster import BACK_OFF_SECONDS, Poster
from duly.service.store.models import Audit, Endpoint, EventPost, OutgoingEvent

KEYS = [b"k" * 32]
LOOPBACK = networks("127.0.0.0/8")
ALL = endpoints.TYPES


class Hearer:
    """A server that keeps what is posted and answers what it is told to."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.answer = 200
        self.location = ""
        hearer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hearer.heard.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(hearer.answer)
                if hearer.location:
                    self.send_header("Location", hearer.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        class Server(ThreadingHTTPServer):
            request_queue_size = 256

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def hearer() -> Iterator[Hearer]:
    found = Hearer()
    yield found
    found.close()


def added(hearer, name="crm", types=ALL):
    return endpoints.add(name, hearer.url, types=types, keys=KEYS, allowed=LOOPBACK)


def posted(url, *, keys=KEYS, allowed=LOOPBACK):
    """Post what is due once, and come back."""
    poster = Poster(url, keys=keys, clock=lambda: datetime.now(UTC), allowed=allowed)
    poster.stop()
    return asyncio.run(poster.run())


def sent(store, count=1):
    """Send messages by a worker and an honest sandbox: they are accepted, then delivered."""
    fill(count)
    asyncio.run(Worker(store, lender(), now=lambda: AT).run(once=True))


def signs(secret, headers, body):
    """Return whether one of the signatures is the secret's, as a receiver checks it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    told = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.digest(key, told, "sha256")).decode()
    return wanted in headers["webhook-signature"].split(" ")


def due_now():
    EventPost.objects.filter(state="waiting").update(due_at=datetime(2020, 1, 1, tzinfo=UTC))


class TestTold:
    def test_a_message_is_told_as_it_goes(self, store, hearer):
        secret = added(hearer)
        sent(store, 2)
        done = posted(store)
        assert (done.delivered, done.failed) == (4, 0)
        kinds = sorted(json.loads(body)["type"] for _, body in hearer.heard)
        assert kinds == ["message.delivered"] * 2 + ["message.sent"] * 2
        for headers, body in hearer.heard:
            assert signs(secret, headers, body)
            told = json.loads(body)
            assert told["data"]["message_id"].startswith("m0000")
            assert datetime.fromisoformat(told["timestamp"]).tzinfo
        assert len({headers["webhook-id"] for headers, _ in hearer.heard}) == 4
        assert set(EventPost.objects.values_list("state", flat=True)) == {"delivered"}

    def test_what_is_told_names_no_address_and_no_text(self, store, hearer):
        added(hearer)
        sent(store)
        posted(store)
        said = b"".join(body for _, body in hearer.heard).decode()
        assert "13800000001" not in said and "核验码" not in said

    def test_a_failure_and_an_unknown_end_are_told(self, store, hearer):
        added(hearer)
        fill(2, state="submitted")
        with psycopg.connect(store, autocommit=True) as ours:
            for name, state in (("m00000", "undelivered"), ("m00001", "unknown")):
                ours.execute("UPDATE store_message SET state = %s WHERE message_id = %s",
                             (state, name))  # fmt: skip
        posted(store)
        kinds = sorted(json.loads(body)["type"] for _, body in hearer.heard)
        assert kinds == ["message.failed", "message.unknown"]

    def test_a_reply_is_told_without_its_words(self, store, hearer):
        added(hearer)
        with psycopg.connect(store, autocommit=True) as ours:
            for _ in range(2):
                write_report(ours, "box", Reply(address="+86138", to="1069", text="TD", raw="TD!"))
        posted(store)
        assert [json.loads(body)["type"] for _, body in hearer.heard] == ["reply.received"]
        assert b"TD" not in hearer.heard[0][1]

    def test_each_decision_is_told_once(self, store, hearer, tmp_path):
        added(hearer, types=["decision.made"])
        plan = proven(tmp_path, loans=300)
        loading.load(plan, at=PLAN_AT)
        loading.load(plan, at=PLAN_AT)
        assert OutgoingEvent.objects.count() == EventPost.objects.count() == 300
        posted(store)
        told = [json.loads(body)["data"]["loan_id"] for _, body in hearer.heard]
        assert len(told) == len(set(told)) == 300

    def test_what_is_rolled_back_is_not_told(self, store, hearer):
        added(hearer)
        fill(1, state="submitted")
        with psycopg.connect(store) as ours:
            ours.execute("UPDATE store_message SET state = 'accepted'")
            ours.rollback()
        assert OutgoingEvent.objects.count() == 0

    def test_nobody_asked_nothing_is_kept(self, store, hearer):
        added(hearer, types=["message.failed"])
        sent(store)
        assert OutgoingEvent.objects.count() == 0
        assert posted(store).delivered == 0


class TestTries:
    @pytest.mark.parametrize("status", [500, 404, 302])
    def test_another_answer_is_tried_again_under_the_same_name(self, store, hearer, status):
        added(hearer, types=["message.sent"])
        sent(store)
        hearer.answer, hearer.location = status, "http://127.0.0.1:1/" if status == 302 else ""
        assert posted(store).failed == 1
        one = EventPost.objects.get()
        assert (one.state, one.attempts, one.last_answer) == ("waiting", 1, f"HTTP {status}")
        assert posted(store).failed == 0, "not before its time"
        hearer.answer, hearer.location = 204, ""
        due_now()
        assert posted(store).delivered == 1
        names = [headers["webhook-id"] for headers, _ in hearer.heard]
        assert len(names) == 2 and names[0] == names[1]

    def test_tries_for_three_days_and_then_is_dead_and_seen(self, store, hearer):
        assert sum(BACK_OFF_SECONDS) == 3 * 24 * 3600
        added(hearer, types=["message.sent"])
        sent(store)
        hearer.answer = 503
        for _ in BACK_OFF_SECONDS:
            posted(store)
            due_now()
        assert EventPost.objects.get().state == "waiting"
        posted(store)
        (one,) = endpoints.dead()
        assert (one.endpoint, one.attempts, one.last_answer) == ("crm", 10, "HTTP 503")
        hearer.answer = 200
        assert posted(store).delivered == 0
        assert endpoints.replay("crm", event=one.event) == 1
        assert posted(store).delivered == 1
        assert endpoints.dead() == ()
        with pytest.raises(Refused):
            endpoints.replay("crm")

    def test_gone_is_dead_at_once(self, store, hearer):
        added(hearer, types=["message.sent"])
        sent(store)
        hearer.answer = 410
        posted(store)
        assert endpoints.dead()[0].attempts == 1

    def test_who_cannot_be_reached_is_tried_again(self, store, hearer):
        added(hearer, types=["message.sent"])
        sent(store)
        Endpoint.objects.update(url="http://127.0.0.1:1/hooks")
        assert posted(store).failed == 1
        assert EventPost.objects.get().last_answer == "ClientConnectorError"

    def test_two_posters_post_each_once(self, store, hearer):
        added(hearer, types=["message.sent"])
        sent(store, 120)
        done = []
        both = [threading.Thread(target=lambda: done.append(posted(store))) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join()
        assert sum(one.delivered for one in done) == 120
        assert len({headers["webhook-id"] for headers, _ in hearer.heard}) == 120
        assert len(hearer.heard) == 120

    def test_a_connection_that_breaks_is_made_again(self, store, hearer):
        added(hearer, types=["message.sent"])
        poster = Poster(store, keys=KEYS, clock=lambda: datetime.now(UTC), allowed=LOOPBACK)
        broken = []

        async def broken_in_between():
            running = asyncio.create_task(poster.run())
            for _ in range(200):
                await asyncio.sleep(0.05)
                if await asyncio.to_thread(broke):
                    break
            await asyncio.to_thread(sent_by_hand)
            for _ in range(200):
                await asyncio.sleep(0.05)
                if hearer.heard:
                    break
            poster.stop()
            return await running

        def broke():
            with psycopg.connect(store, autocommit=True) as ours:
                broken.extend(
                    ours.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE"
                        " application_name = 'duly poster' AND datname = current_database()"
                    ).fetchall()
                )
            return broken

        def sent_by_hand():
            with psycopg.connect(store, autocommit=True) as ours:
                ours.execute("UPDATE store_message SET state = 'accepted'")

        fill(1, state="submitted")
        assert asyncio.run(broken_in_between()).delivered == 1
        assert broken == [(True,)]

    def test_who_dies_between_post_and_note_posts_again(self, store, hearer):
        added(hearer, types=["message.sent"])
        sent(store)
        with psycopg.connect(store, autocommit=True) as ours:
            from duly.service.outgoing import poster

            poster._claim(ours)  # Taken, posted, and then its process died.
        assert posted(store).delivered == 0, "its lease has to end"
        due_now()
        assert posted(store).delivered == 1


class TestSecrets:
    def test_both_sign_while_one_rotates(self, store, hearer):
        first = added(hearer, types=["message.sent"])
        second = endpoints.rotate("crm", overlap_hours=24, keys=KEYS)
        assert first != second
        sent(store)
        posted(store)
        headers, body = hearer.heard[0]
        assert len(headers["webhook-signature"].split(" ")) == 2
        assert signs(first, headers, body) and signs(second, headers, body)

    def test_after_the_overlap_the_former_signs_no_more(self, store, hearer):
        first = added(hearer, types=["message.sent"])
        second = endpoints.rotate("crm", overlap_hours=24, keys=KEYS)
        Endpoint.objects.update(former_until=datetime(2020, 1, 1, tzinfo=UTC))
        sent(store)
        posted(store)
        headers, body = hearer.heard[0]
        assert signs(second, headers, body) and not signs(first, headers, body)

    def test_are_sealed_and_opened_by_a_former_key(self, store, hearer):
        secret = added(hearer, types=["message.sent"])
        raw = base64.b64decode(secret.removeprefix("whsec_"))
        assert raw not in bytes(Endpoint.objects.get().secret)
        assert secret not in Audit.objects.get(kind="endpoint.added").payload
        sent(store)
        assert posted(store, keys=[b"n" * 32]).failed == 1
        assert hearer.heard == []
        assert EventPost.objects.get().last_answer == "secret unreadable"
        due_now()
        assert posted(store, keys=[b"n" * 32, *KEYS]).delivered == 1

    def test_a_secret_moved_to_another_endpoint_opens_not(self, store, hearer):
        added(hearer, types=["message.sent"])
        added(hearer, name="other", types=["message.sent"])
        stolen = bytes(Endpoint.objects.get(name="crm").secret)
        Endpoint.objects.filter(name="other").update(secret=stolen)
        with pytest.raises(Refused):
            endpoints.rotate("other", overlap_hours=1, keys=KEYS)


class TestPlaces:
    @pytest.mark.parametrize(
        "url",
        ["http://example.com/x", "ftp://example.com", "https://", "https://a:b@example.com",
         "https://10.0.0.1/x", "https://192.168.1.1", "https://172.16.0.1", "https://127.0.0.1",
         "https://[::1]/", "https://169.254.169.254/latest/meta-data", "https://[fe80::1]",
         "https://[::ffff:10.0.0.1]", "https://0.0.0.0", "https://2130706433/",
         "https://0x7f.1/", "https://127.1", "https://100.64.0.1", "https://[fd00::1]",
         "https://[2002:7f00:1::]", "https://224.0.0.1", "https://exa mple.com", "javascript:1",
         "https://example.com/\r\nX: y", "https://example.com:0", "https://example.com/#a",
         "http://127.0.0.1:1/x", "https://example.com:99999"],
    )  # fmt: skip
    def test_nothing_is_posted_inside(self, store, url):
        with pytest.raises(Refused):
            endpoints.add("crm", url, types=["message.sent"], keys=KEYS, allowed=())
        assert Endpoint.objects.count() == Audit.objects.count() == 0

    def test_http_is_for_loopback_alone_even_where_a_network_is_allowed(self):
        check_url("http://127.0.0.1:8080/x", LOOPBACK)
        check_url("https://10.1.2.3/x", networks("10.0.0.0/8"))
        with pytest.raises(NoPlace):
            check_url("http://10.1.2.3/x", networks("10.0.0.0/8"))
        with pytest.raises(NoPlace):
            check_address("169.254.169.254", LOOPBACK)
        check_address("8.8.8.8", ())

    def test_a_name_that_leads_inside_is_not_connected_to(self, store, hearer):
        endpoints.add("crm", "https://example.com/x", types=["message.sent"], keys=KEYS,
                      allowed=())  # fmt: skip
        # The name leads to this machine: as when its owner changes it after we checked.
        port = hearer.url.rpartition(":")[2]
        Endpoint.objects.update(url=f"https://localhost:{port}")
        sent(store)
        assert posted(store, allowed=()).failed == 1
        assert hearer.heard == []
        assert EventPost.objects.get().last_answer == "not a public address"

    def test_a_network_that_is_allowed_no_more_is_left(self, store, hearer):
        added(hearer, types=["message.sent"])
        sent(store)
        assert posted(store, allowed=()).failed == 1
        assert hearer.heard == []

    @pytest.mark.parametrize(
        ("name", "types"), [("a b", ["message.sent"]), ("crm", ["message.eaten"]), ("crm", [])]
    )
    def test_what_is_no_endpoint_is_not_added(self, store, name, types):
        with pytest.raises(Refused):
            endpoints.add(name, "https://example.com", types=types, keys=KEYS, allowed=())
        assert Endpoint.objects.count() == 0

    def test_a_disabled_one_hears_nothing_more(self, store, hearer):
        added(hearer, types=["message.sent"])
        sent(store)
        assert endpoints.disable("crm") == 1
        assert posted(store).delivered == 0
        assert endpoints.listed()[0].disabled
        assert hearer.heard == []
        with pytest.raises(Refused):
            endpoints.replay("crm")
