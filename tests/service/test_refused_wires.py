"""Goal: what a real other side refuses comes back, goes by the next route, or is dead; once.

Method: workers over a real database; a center written from the specification and an HTTP gateway of
the tests, which write down what came. What a center answered with an error it does not have.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from center import Act, Center, frame
from http_server import HttpServer
from outgoing import AT, fill, states
from refused_worker import lender, smpp

from duly.book import Route
from duly.service.outbox.worker import Worker
from duly.service.store.models import Attempt, DeadLetter, Message, Report

SCRIPT = Path(__file__).with_name("refused_worker.py")
THROTTLED, QUEUE_FULL, SYSTEM_ERROR, NO_SUCH_NUMBER, BAD_SOURCE = 0x58, 0x14, 0x08, 0x0B, 0x0A


@pytest.fixture(autouse=True)
def secrets(monkeypatch):
    monkeypatch.setenv("DULY_SMPP_PASSWORD", "s3cr3t")
    monkeypatch.setenv("DULY_GATEWAY_SECRET", "a secret of thirty-two characters")


def http(name: str, port: int, **settings: object) -> Route:
    given = {"url": f"http://127.0.0.1:{port}/send", "secret_env": "DULY_GATEWAY_SECRET",
             **settings}  # fmt: skip
    return Route(name=name, channel="sms", kind="http", settings=given)


def first(statuses: tuple[int, ...]) -> Callable[[object], Act]:
    """Return what answers so to the first submissions, and takes the rest."""

    def act(one) -> Act:
        return Act(status=statuses[one.nth - 1]) if one.nth <= len(statuses) else Act()

    return act


def always(status: int) -> Callable[[object], Act]:
    return lambda _: Act(status=status)


def work(store: str, *routes: Route) -> Worker:
    return Worker(store, lender(*routes), now=lambda: AT)


def with_peers(test: Callable[..., Awaitable[None]], *peers: Center | HttpServer) -> None:
    async def whole() -> None:
        for one in peers:
            await one.start()
        try:
            await asyncio.wait_for(test(*peers), 60)
        finally:
            for one in peers:
                await one.stop()

    asyncio.run(whole())


@pytest.mark.parametrize("status", [THROTTLED, QUEUE_FULL, SYSTEM_ERROR])
def test_a_center_that_is_busy_is_asked_again_and_takes_it_once(store, status):
    fill(1)

    async def test(center: Center) -> None:
        tally = await work(store, smpp("one", center.port, back_off="1s")).run(once=True)
        assert tally.outcomes == {"throttled": 1, "accepted": 1}
        assert len(center.submitted) == 2

    with_peers(test, Center(act=first((status,))))
    assert states(store) in ({"delivered": 1}, {"accepted": 1})
    assert list(Attempt.objects.order_by("number").values_list("route", "outcome")) == [
        ("one", "throttled"), ("one", "accepted"),
    ]  # fmt: skip
    assert DeadLetter.objects.count() == 0


def test_a_number_that_is_none_is_asked_of_no_other_route(store):
    fill(1)

    async def test(center: Center, other: Center) -> None:
        routes = (smpp("one", center.port, fallback_refusals=1), smpp("two", other.port))
        await work(store, *routes).run(once=True)
        assert (len(center.submitted), len(other.submitted)) == (1, 0)

    with_peers(test, Center(act=always(NO_SUCH_NUMBER)), Center())
    assert states(store) == {"undelivered": 1}
    assert list(DeadLetter.objects.values_list("reason", "route", "code", "attempts")) == [
        ("number_refused", "one", "0x0000000b ESME_RINVDSTADR", 1)
    ]


@pytest.mark.parametrize("status", [THROTTLED, BAD_SOURCE])
def test_the_next_route_takes_what_the_first_will_not_have(store, status):
    ids = fill(5)

    async def test(center: Center, other: Center) -> None:
        routes = (smpp("one", center.port, fallback_refusals=1), smpp("two", other.port))
        await work(store, *routes).run(once=True)
        assert (len(center.submitted), len(other.submitted)) == (5, 5)

    with_peers(test, Center(act=always(status)), Center())
    assert set(states(store)) <= {"delivered", "accepted"}
    taken = Attempt.objects.filter(outcome="accepted").values_list("message_id", "route")
    assert sorted(taken) == [(name, "two") for name in ids]


def test_what_the_first_may_have_taken_the_second_never_sees(store):
    fill(3)

    async def test(center: Center, other: Center) -> None:
        one = smpp("one", center.port, fallback_refusals=1, fallback_after="1s", timeout_seconds=1)
        await work(store, one, smpp("two", other.port)).run(once=True)
        assert (len(center.submitted), len(other.submitted)) == (3, 0)

    with_peers(test, Center(act=lambda _: Act(answers=0, receipts=())), Center())
    assert states(store) == {"unknown": 3}
    assert DeadLetter.objects.count() == 0


def test_a_route_that_is_away_is_passed_over_after_the_stated_time(store):
    fill(4)

    async def test(center: Center, other: Center) -> None:
        one = smpp("one", center.port, fallback_after="1s")
        worker = work(store, one, smpp("two", other.port))
        # It lets us in and goes away before the first message.
        gone, claim = threading.Event(), worker._claim

        def when_it_is_gone(connection, number, away):
            gone.wait()
            return claim(connection, number, {"one"})

        worker._claim = when_it_is_gone
        working = asyncio.create_task(worker.run(once=False))
        while not center.binds:
            await asyncio.sleep(0.01)
        await center.stop()
        gone.set()
        while len(other.submitted) < 4:
            await asyncio.sleep(0.01)
        worker.stop()
        await working
        assert (len(center.submitted), len(other.submitted)) == (0, 4)
        await center.start()

    with_peers(test, Center(), Center())
    assert set(states(store)) <= {"delivered", "accepted"}
    assert set(Attempt.objects.values_list("route", flat=True)) == {"two"}


def test_who_dies_between_the_refusal_and_its_writing_sends_nothing_again(store):
    ids = fill(2)

    async def test(center: Center) -> None:
        died = await asyncio.create_subprocess_exec(
            sys.executable, str(SCRIPT), store, str(center.port)
        )
        assert await died.wait() == -signal.SIGKILL
        while states(store) != {"unknown": 2}:
            await work(store, smpp("one", center.port)).run(once=True)
        assert Counter(one.destination[2] for one in center.submitted).total() == 2

    with_peers(test, Center(act=always(THROTTLED)))
    assert set(Message.objects.values_list("reason", flat=True)) == {"worker_died"}
    assert Attempt.objects.count() == len(ids)


class TestHttp:
    @pytest.mark.parametrize("status", [429, 503])
    def test_a_gateway_that_says_not_now_is_asked_again_by_its_own_time(self, store, status):
        fill(1, address="+8613800000009")

        async def test(server: HttpServer) -> None:
            server.status, server.headers = status, {"Retry-After": "1"}
            worker = work(store, http("one", server.port, back_off="1s"))
            working = asyncio.create_task(worker.run(once=True))
            while not server.requests:
                await asyncio.sleep(0.01)
            server.status = 200
            await working
            assert len(server.requests) == 2
            # The same name both times: a gateway that keeps it takes it once in any case.
            assert {one.headers["Idempotency-Key"] for one in server.requests} == {"m00000"}

        with_peers(test, HttpServer())
        assert states(store) == {"accepted": 1}

    @pytest.mark.parametrize(
        ("status", "body", "reason"),
        [
            (400, b"{}", "refused"),
            (400, b'{"code": "MK:0001"}', "number_refused"),
            (422, b'{"code": "isv.SMS_CONTENT_ILLEGAL"}', "text_refused"),
        ],
    )
    def test_a_no_for_good_goes_by_no_other_route(self, store, status, body, reason):
        fill(1, address="+8613800000009")

        async def test(server: HttpServer, other: HttpServer) -> None:
            server.status, server.answer = status, body
            routes = (http("one", server.port, fallback_refusals=1), http("two", other.port))
            await work(store, *routes).run(once=True)
            assert (len(server.requests), len(other.requests)) == (1, 0)

        with_peers(test, HttpServer(), HttpServer())
        assert states(store) == {"undelivered": 1}
        assert DeadLetter.objects.get().reason == reason

    def test_a_gateway_that_does_not_know_us_any_more_is_passed(self, store):
        fill(1, address="+8613800000009")

        async def test(server: HttpServer, other: HttpServer) -> None:
            server.status, server.answer = 401, b"{}"
            routes = (http("one", server.port, fallback_refusals=3), http("two", other.port))
            await work(store, *routes).run(once=True)
            assert (len(server.requests), len(other.requests)) == (1, 1)

        with_peers(test, HttpServer(), HttpServer())
        assert states(store) == {"accepted": 1}


def test_a_center_that_talks_nonsense_is_survived_with_a_record_and_nothing_is_lost(store, capfd):
    fill(3)
    nonsense, nobody = b"\xff" * 40, b"id:p1'; DROP TABLE store_message; -- stat:DELIVRD err:000"

    def act(one) -> Act:
        if one.nth == 1:
            return Act(garbage=nonsense, receipts=())
        if one.nth == 2:  # It hung up on the nonsense and came back; now it waits for an answer.
            center.send(frame(0x05, 0, 71, b"\0\x01\x01861"))  # A delivery that is cut.
            head = b"\0\x01\x018613800000001\0\x01\x011069\0\x04" + bytes(8)
            center.send(frame(0x05, 0, 72, head + bytes([len(nobody)]) + nobody))
        return Act(receipts=())

    async def test(center: Center) -> None:
        await work(store, smpp("one", center.port)).run(once=True)
        assert len(center.binds) == 2

    center = Center(act=act)
    with_peers(test, center)
    found = states(store)
    assert sum(found.values()) == 3 and set(found) <= {"accepted", "unknown"}
    kept = " ".join(Report.objects.order_by("id").values_list("raw", flat=True))
    for octets in (nonsense[:16], b"\0\x01\x01861", nobody):
        assert octets.hex() in kept
    codes = sorted(Report.objects.values_list("code", flat=True))
    assert codes == ["DELIVRD", "DULY:malformed", "DULY:malformed"]
    assert not Report.objects.filter(message__isnull=False).exists()
    assert "861380" not in "".join(capfd.readouterr())
