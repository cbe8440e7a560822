"""Goal: a reply that a gateway brings is answered on the wire, once, whatever answers us.
Method: a worker over a real database and a center that writes back to each text; a running server
that a gateway posts to."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from answer_world import AT, NUMBER, answers
from center import Act, Center
from outgoing import fill
from portal_world import emptied
from serving import GATEWAY_SECRET

from duly.book import Lender, Route
from duly.delivery.http import signature
from duly.service.operations import hearing
from duly.service.outbox.worker import Worker
from duly.service.store.models import Attempt, Message, Report
from duly.service.store.models import Reply as Kept

NEED = "失业了，实在没钱还"


def carrier(port: int) -> Lender:
    settings = {"host": "127.0.0.1", "port": port, "system_id": "duly", "window": 10,
                "password_env": "DULY_SMPP_PASSWORD", "source": "1069000000"}  # fmt: skip
    route = Route(name="carrier-a", channel="sms", kind="smpp", settings=settings)
    return Lender(
        name="示例消费金融有限公司",
        signature="示例消金",
        hotline="95xxx",
        app="App",
        routes=(route,),
    )


def wire(center: Center) -> list[str]:
    """Return the texts that reached the center, their joined parts put together."""
    parts = [one.message for one in center.submitted]
    whole, found = b"", []
    for part in parts:
        joined = part[:1] == b"\x05"
        whole += part[6:] if joined else part
        if not joined or part[4] == part[5]:
            found.append(whole.decode("utf-16-be"))
            whole = b""
    return found


def test_a_machine_that_writes_back_to_each_text_is_answered_once(store, monkeypatch):
    monkeypatch.setenv("DULY_SMPP_PASSWORD", "s3cr3t")
    fill(
        1,
        text="【示例消金】您的还款计划，请勿转账给个人。核验码3P773SGS，不收短信回TD",
        route="carrier-a",
    )
    said: list[str] = []

    async def whole() -> None:
        center = Center()

        def writes_back(_: object) -> Act:
            # In other words each time; the texts of the center are UCS-2.
            said.append(f"{NEED}{len(said)}")
            text = said[-1].encode("utf-16-be")
            loop = asyncio.get_running_loop()
            loop.call_later(0.05, lambda: center.deliver(text, data_coding=8))
            return Act()

        center.act = writes_back
        async with center:
            house = carrier(center.port)
            worker = Worker(
                store, house, now=lambda: AT,
                hear=lambda now: hearing.hear_beside(lender=house, at=now),
            )  # fmt: skip
            working = asyncio.create_task(worker.run(once=False))
            # The dunning text is one part, its answer two: each is written back to.
            for _ in range(600):
                heard = await asyncio.to_thread(_heard)
                if heard == 3 and len(center.submitted) == 3:
                    break
                await asyncio.sleep(0.05)
            await asyncio.sleep(1.5)
            worker.stop()
            await working
            texts.extend(wire(center))

    texts: list[str] = []
    asyncio.run(asyncio.wait_for(whole(), 90))
    assert Kept.objects.count() == len(said) == 3
    (one,) = answers()
    assert (one.template, one.route) == ("hardship_received", "carrier-a")
    assert one.state in ("accepted", "delivered")
    assert texts == [
        "【示例消金】您的还款计划，请勿转账给个人。核验码3P773SGS，不收短信回TD",
        one.text,
    ]
    assert Attempt.objects.filter(message=one).count() == 1


def _heard() -> int:
    from django.db import connection

    try:
        return Kept.objects.exclude(state="new").count()
    finally:
        connection.close()


@pytest.fixture
def texted(facts):
    """Give the running server after a person was texted."""
    emptied(facts.url, books=True)
    (name,) = fill(1, state="accepted", route="gateway", params={"name": "张**"})
    Attempt.objects.create(message_id=name, route="gateway", number=1, outcome="accepted")
    return facts


def test_what_a_gateway_posts_is_answered_in_the_outbox_before_it_hears_of_it(texted):
    body = json.dumps({"replies": [{"from": NUMBER, "text": NEED, "to": "1069"}]}).encode()
    for name in ("first", "again"):
        signed = signature(GATEWAY_SECRET.encode(), message_id=name, timestamp=int(time.time()),
                           body=body)  # fmt: skip
        headers = {key.replace("-", "_"): value for key, value in signed.items()}
        found = texted.post("/api/v1/webhooks/gateway", body, key=None, **headers)
        assert found.status == 200
    (one,) = answers()
    assert (one.template, one.state, one.address) == ("hardship_received", "released", NUMBER)
    assert one.text.startswith("【示例消金】张**您好，您说的难处我们收到了，编号R")
    assert Report.objects.filter(kind="reply").count() == 1
    shown = texted.get(f"/api/v1/messages/{one.message_id}").json
    assert (shown["class"], shown["template"]) == ("answer", "hardship_received")
    assert Message.objects.count() == 2
