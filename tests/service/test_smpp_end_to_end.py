"""Goal: from the store to a center and back, once, also when the center dies in the middle.

Method: a worker over a real database and node's `smpp`; what reached the wire is written down by
the center, outside the database.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import psycopg
import pytest
from node_center import NodeCenter, installed
from outgoing import AT, fill, states

from duly.book import Lender, Route
from duly.core.errors import Refused
from duly.service.outbox.worker import Worker
from duly.service.store.models import Attempt, Message, Report

WINDOW = 10


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return installed(tmp_path_factory.mktemp("center"))


@pytest.fixture
def center(folder, tmp_path):
    found = NodeCenter(folder=folder, log=tmp_path / "wire", delay_ms=60)
    found.start()
    yield found
    found.kill()


@pytest.fixture
def password(monkeypatch):
    monkeypatch.setenv("DULY_SMPP_PASSWORD", "s3cr3t")


def lender(center: NodeCenter, **settings: object) -> Lender:
    route = Route(
        name="carrier-a", channel="sms", kind="smpp",
        settings={"host": "127.0.0.1", "port": center.port, "system_id": "duly",
                  "password_env": "DULY_SMPP_PASSWORD", "source": "1069000000",
                  "window": WINDOW, **settings},
    )  # fmt: skip
    return Lender(
        name="示例消费金融有限公司",
        signature="示例消金",
        hotline="95xxx",
        app="App",
        routes=(route,),
    )


def fill_numbered(store: str, count: int) -> dict[str, str]:
    """Write so many messages, each to a number of its own; return the ids by number."""
    ids = fill(count, text="【示例消金】您的还款计划，请勿转账给个人。核验码3P773SGS，不收短信回TD")
    with psycopg.connect(store) as ours:
        ours.execute(
            "UPDATE store_message SET address = '+861380000' || right(message_id, 4) || '0'"
        )
    return {f"861380000{name[-4:]}0": name for name in ids}


def test_messages_are_delivered_and_their_receipts_written_down(store, center, password):
    numbers = fill_numbered(store, 60)
    worker = Worker(store, lender(center), now=lambda: AT, concurrency=2)
    tally = asyncio.run(worker.run(once=True))
    assert tally.outcomes == {"accepted": 60}
    wire = center.reached()
    assert Counter(one["to"] for one in wire) == Counter(list(numbers))
    assert {one["text"] for one in wire} == {
        "【示例消金】您的还款计划，请勿转账给个人。核验码3P773SGS，不收短信回TD"
    }
    # The end of the window in which each may arrive: nine hours after ten in Shanghai.
    assert {one["until"] for one in wire} == {"2026-03-10T11:00:00.000Z"}
    assert states(store) == {"delivered": 60}
    assert Report.objects.filter(kind="receipt", message__isnull=False).count() == 60


def test_a_center_that_dies_in_the_middle_is_come_back_to_and_nothing_is_sent_twice(
    store, center, password
):
    numbers = fill_numbered(store, 300)

    async def whole() -> None:
        worker = Worker(store, lender(center), now=lambda: AT, concurrency=2, batch=50)
        working = asyncio.create_task(worker.run(once=True))
        while len(center.reached()) < 100:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(center.kill)
        await asyncio.sleep(0.3)
        await asyncio.to_thread(center.start)
        await working

    asyncio.run(asyncio.wait_for(whole(), 90))
    reached = Counter(one["to"] for one in center.reached())
    assert [number for number, times in reached.items() if times > 1] == []
    found = states(store)
    assert set(found) <= {"delivered", "accepted", "unknown", "undelivered"}
    assert sum(found.values()) == 300
    assert found["unknown"] + found.get("undelivered", 0) <= 2 * WINDOW
    assert found["unknown"] >= 1
    # Whoever was reached and not answered is unknown; whoever is undelivered was never reached.
    for message in Message.objects.all():
        number = message.address.removeprefix("+")
        assert message.state != "undelivered" or number not in reached
        assert message.state not in ("delivered", "accepted") or number in reached
    unknown = Attempt.objects.filter(message__state="unknown")
    assert {one.code for one in unknown} == {"DULY:connection_lost"}
    assert len(reached) >= 300 - 2 * WINDOW
    assert set(reached) <= set(numbers)


def test_a_center_that_does_not_let_us_in_leaves_everything_where_it_was(
    store, center, monkeypatch
):
    monkeypatch.setenv("DULY_SMPP_PASSWORD", "wrong")
    fill(3)
    with pytest.raises(Refused, match="carrier-a"):
        asyncio.run(Worker(store, lender(center), now=lambda: AT).run(once=True))
    assert states(store) == {"released": 3}
    assert center.reached() == []
    assert Attempt.objects.count() == 0


def test_a_password_that_is_not_there_is_named_before_anybody_is_asked(store, monkeypatch):
    monkeypatch.delenv("DULY_SMPP_PASSWORD", raising=False)
    fill(1)
    nowhere = NodeCenter(folder=None, log=None, port=1)
    with pytest.raises(Refused, match="DULY_SMPP_PASSWORD"):
        asyncio.run(Worker(store, lender(nowhere), now=lambda: AT).run(once=True))
    assert states(store) == {"released": 1}
