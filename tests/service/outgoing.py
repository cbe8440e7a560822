"""Messages in the store for the tests of the outbox: lawful at ten in Shanghai on a Tuesday."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg

from duly.book import Lender, Route
from duly.rules import NEUTRAL
from duly.service.store.models import Borrower, Message, Run

AT = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
DAY = date(2026, 3, 10)
FACTS = {name: value for name, value in NEUTRAL.items() if name not in {"at", "contacts"}}


#: A text of that lender that no rule about texts stops.
LAWFUL = "【示例消金】您的借款已逾期，请勿转账给个人。核验码3P773SGS，不收短信回TD"


def lender(**settings: object) -> Lender:
    """Return a lender with one honest sandbox as its only route."""
    route = Route(name="box", channel="sms", kind="sandbox", settings={"honest": True, **settings})
    return Lender(
        name="示例消费金融有限公司",
        signature="示例消金",
        hotline="95xxx",
        app="App",
        routes=(route,),
    )


def fill(count: int, **given: Any) -> list[str]:
    """Write so many released messages to as many people and return their ids."""
    run, _ = Run.objects.get_or_create(
        plan_sha256="a" * 64,
        defaults={
            "business_date": DAY,
            "messages_count": count,
            "summary": {},
            "state": "released",
        },
    )
    people = [
        Borrower(borrower_id=f"b{n:05}", time_zone="Asia/Shanghai", locale="zh-CN")
        for n in range(count)
    ]
    Borrower.objects.bulk_create(people, ignore_conflicts=True)
    values: dict[str, Any] = {
        "run": run,
        "business_date": DAY,
        "loan_ids": ["l1"],
        "channel": "sms",
        "address": "+8613800000001",
        "locale": "zh-CN",
        "message_class": "dunning",
        "template": "overdue",
        "text": LAWFUL,
        "params": {},
        "segments": 1,
        "code": "3P773SGS",
        "key_id": "k1",
        "not_before": AT - timedelta(minutes=30),
        "not_after": AT + timedelta(hours=9),
        "facts": json.loads(json.dumps(FACTS, default=list)),
        "state": "released",
    } | given
    ids = [f"m{n:05}" for n in range(count)]
    Message.objects.bulk_create(
        Message(message_id=name, borrower=person, **values)
        for name, person in zip(ids, people, strict=True)
    )
    return ids


def states(url: str) -> dict[str, int]:
    """Return how many messages are in each state, asked from outside."""
    with psycopg.connect(url) as ours:
        rows = ours.execute("SELECT state, count(*) FROM store_message GROUP BY 1").fetchall()
    return dict(rows)
