"""Goal: what became known after a plan was made holds its messages at the door, and nothing more.

Method: facts first, then messages released as if by a plan that did not know; the worker's claim.
"""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections
from outgoing import AT, DAY, FACTS, LAWFUL, fill, lender, states
from telling_events import event, paid, signalled

from duly.rules import active, load_packs
from duly.service.operations.events import accept
from duly.service.outbox.claiming import claim
from duly.service.outbox.worker import Worker
from duly.service.store.book_models import BookContact, BookContactPoint, BookSignal
from duly.service.store.event_models import Counted
from duly.service.store.models import Attempt, Borrower, Message, Run

RULES = active(load_packs(("decency", "cn")), DAY)


def why(ours, me, *, at=AT) -> dict[str, str | None]:
    """Claim everything; return what was blocked and why."""
    claim(ours, worker=me, routes=lender().routes, rules=RULES, at=at, batch=500)
    found = Message.objects.filter(state="blocked").order_by("message_id")
    return dict(found.values_list("message_id", "reason"))


def loan(**given):
    cells = {"loan_id": "l1", "borrower_id": "b00000", "principal": "100.00",
             "disbursed_on": "2026-01-01", **given}  # fmt: skip
    return event("loan.upserted", cells)


def point(borrower="b00001", **given):
    cells = {"borrower_id": borrower, "channel": "sms", "address": "13800000001", **given}
    return event("contact_point.changed", cells)


class TestStopped:
    def test_a_payment_that_the_plan_did_not_count(self, ours, me):
        accept([paid("l1", payment_id="p1")], at=AT)
        fill(1)
        assert why(ours, me) == {"m00000": "payment"}

    def test_a_payment_that_the_plan_counted_is_no_news(self, ours, me):
        accept([paid("l1", payment_id="p1")], at=AT)
        fill(1)
        Counted.objects.create(run=Run.objects.get(), kind="payment", payment_id="p1")
        assert why(ours, me) == {}
        assert Message.objects.get().state == "claimed"

    def test_its_reversal_is_news_again(self, ours, me):
        accept([paid("l1", payment_id="p1"),
                event("payment.reversed", {"payment_id": "p1"})], at=AT)  # fmt: skip
        fill(1)
        Counted.objects.create(run=Run.objects.get(), kind="payment", payment_id="p1")
        assert why(ours, me) == {"m00000": "payment_reversed"}

    def test_money_of_the_person_on_no_loan(self, ours, me):
        one = paid(None)
        one["data"]["borrower_id"] = "b00001"
        accept([one], at=AT)
        fill(2)
        assert why(ours, me) == {"m00001": "payment"}

    def test_a_payment_older_than_72_hours_holds_no_more(self, ours, me):
        told = paid("l1", time=(AT - timedelta(hours=72)).isoformat())
        accept([told], at=AT)
        fill(1)
        assert why(ours, me) == {}

    @pytest.mark.parametrize(
        ("told", "reason"),
        [
            (loan(status="closed"), "loan_closed"),
            (point("b00000", status="invalid"), "address_unusable"),
            (point("stranger", status="wrong_person"), "wrong_person"),
            (signalled("agency", loan_id="l1"), "placed"),
            (signalled("opt_out", "x", detail={"address": "+86 13800000001"}), "opt_out"),
        ],
    )
    def test_what_speaks_without_a_rule(self, ours, me, told, reason):
        accept([told], at=AT)
        fill(1)
        assert why(ours, me) == {"m00000": reason}

    @pytest.mark.parametrize(
        "told",
        [loan(), point("b00000", status="active"), signalled("agency", loan_id="l9"),
         signalled("dispute", loan_id="l9"), signalled("opt_out", detail={"channel": "email"}),
         signalled("dispute", starts_at="2026-03-11T00:00:00Z"),
         signalled("dispute", starts_at="2026-03-01T00:00:00Z", ends_at="2026-03-02T00:00:00Z")],
    )  # fmt: skip
    def test_what_does_not_concern_it_lets_it_go(self, ours, me, told):
        accept([told], at=AT)
        fill(1)
        assert why(ours, me) == {}
        assert Message.objects.get().state == "claimed"

    def test_an_opt_out_stops_the_number_of_whoever_else_has_it(self, ours, me):
        BookContactPoint.objects.create(
            borrower_id="spouse", channel="sms", address="+8613800000001",
            address_key="13800000001", status="active", use="personal", cut_at=AT,
        )  # fmt: skip
        accept([signalled("opt_out", "spouse", detail={"channel": "sms"})], at=AT)
        fill(2)
        assert why(ours, me) == {"m00000": "opt_out", "m00001": "opt_out"}


class TestAsked:
    @pytest.mark.parametrize("kind", ["dispute", "hardship", "deceased", "payment_pending"])
    def test_a_signal_is_a_fact_of_the_rules(self, ours, me, kind):
        accept([signalled(kind, loan_id="l1")], at=AT)
        fill(2)
        assert list(why(ours, me)) == ["m00000"]

    def test_a_promise_holds_through_the_day_after_it(self, ours, me):
        detail = {"amount": "5.00", "on": "2026-03-10"}
        accept([signalled("promise", starts_at="2026-03-08T00:00:00Z", detail=detail)], at=AT)
        fill(1)
        assert list(why(ours, me)) == ["m00000"]

    def test_a_stop_outlives_72_hours_and_a_pending_payment_does_not(self, ours, me):
        long_ago = (AT - timedelta(days=9)).isoformat()
        accept([signalled("cease_contact", "b00000", time=long_ago),
                signalled("payment_pending", "b00001", time=long_ago)], at=AT)  # fmt: skip
        fill(2)
        assert list(why(ours, me)) == ["m00000"]

    def test_a_later_book_that_ended_it_has_the_last_word(self, ours, me):
        accept([signalled("cease_contact", signal_id="s1")], at=AT)
        start = datetime(2026, 3, 1, tzinfo=UTC)
        BookSignal.objects.create(
            signal_id="s1", borrower_id="b00000", kind="cease_contact", starts_at=start,
            ends_at=AT - timedelta(minutes=1), cut_at=AT,
        )  # fmt: skip
        fill(1)
        assert why(ours, me) == {}

    def test_a_signal_of_a_book_that_came_after_the_plan(self, ours, me):
        fill(2)
        start = datetime(2026, 3, 1, tzinfo=UTC)
        BookSignal.objects.create(
            signal_id="s1", borrower_id="b00001", kind="dispute", starts_at=start, cut_at=AT
        )
        assert list(why(ours, me)) == ["m00001"]

    def test_a_withdrawn_consent(self, ours, me):
        gone = {"borrower_id": "b00001", "purpose": "servicing"}
        accept([event("consent.withdrawn", gone)], at=AT)
        fill(2)
        assert list(why(ours, me)) == ["m00001"]

    def test_the_hours_that_a_person_told_since(self, ours, me):
        told = {"borrower_id": "b00000", "quiet_from": "09:30", "quiet_until": "11:00"}
        accept([event("borrower.upserted", told)], at=AT)
        fill(1)
        assert why(ours, me) == {}
        one = Message.objects.get()
        assert (one.state, one.due_at) == ("released", AT + timedelta(hours=1))

    def test_the_hours_that_a_person_wished_himself_stand_over_what_was_told_later(self, ours, me):
        wish = {"borrower_id": "b00000", "quiet_from": "09:30", "quiet_until": "11:00"}
        accept([event("borrower.preferred", wish, time="2026-02-01T09:00:00+08:00")], at=AT)
        accept([event("borrower.upserted", {"borrower_id": "b00000", "name": "张伟"})], at=AT)
        fill(1)
        assert why(ours, me) == {}
        one = Message.objects.get()
        assert (one.state, one.due_at) == ("released", AT + timedelta(hours=1))

    def test_a_contact_that_only_a_book_told_uses_the_day_up(self, ours, me):
        fill(1)
        BookContact.objects.create(
            contact_id="c1", borrower_id="b00000", channel="sms", at=AT - timedelta(hours=1),
            direction="out", outcome="sent", by="agency", contact_class="dunning", cut_at=AT,
        )  # fmt: skip
        assert why(ours, me) == {}
        assert Message.objects.get().state == "expired"


def test_payments_while_workers_send_cancel_what_is_left_and_lose_nothing(store, tmp_path):
    count = 300
    _released(count)
    log = tmp_path / "wire"
    told: list[str] = []

    def pay() -> None:
        # Several persons in a batch, in no order: neither side may wait for the other for good.
        for first in range(count - 30, -1, -30):
            loans = [first + (7 * step) % 30 for step in range(10)]
            batch = [paid(f"l{one}", payment_id=f"p{one}") for one in loans]
            told.extend(accept(batch, at=AT).cancelled)
        connections.close_all()

    payer = threading.Thread(target=pay)
    workers = [
        Worker(store, lender(log=str(log), window=5), now=lambda: AT, concurrency=2, batch=20)
        for _ in range(2)
    ]

    async def send() -> None:
        await asyncio.gather(*(one.run(once=True) for one in workers))

    payer.start()
    asyncio.run(send())
    payer.join()

    wire = [json.loads(line)["message_id"] for line in log.read_text().splitlines()]
    cancelled = set(Message.objects.filter(state="cancelled").values_list("message_id", flat=True))
    held = set(Message.objects.filter(state="blocked").values_list("message_id", flat=True))
    assert cancelled == set(told)
    assert not (cancelled | held) & set(Attempt.objects.values_list("message_id", flat=True))
    found = states(store)
    assert sum(found.values()) == count
    assert found.get("delivered", 0) == count - len(cancelled) - len(held)
    assert sorted(wire) == sorted(set(wire))
    assert len(wire) == found["delivered"]
    assert cancelled and wire


def _released(count: int) -> None:
    """Write messages that each name a loan of their own."""
    fill(0)
    run = Run.objects.get()
    people = [
        Borrower(borrower_id=f"b{n:05}", time_zone="Asia/Shanghai", locale="zh-CN")
        for n in range(count)
    ]
    Borrower.objects.bulk_create(people)
    Message.objects.bulk_create(
        Message(
            message_id=f"m{n:05}", run=run, borrower_id=f"b{n:05}", business_date=DAY,
            loan_ids=[f"l{n}"], channel="sms", address=f"+8613900{n:06}", locale="zh-CN",
            message_class="dunning", template="overdue", text=LAWFUL, params={}, segments=1,
            code="3P773SGS", key_id="k1", not_before=AT, not_after=AT + timedelta(hours=9),
            facts={name: list(v) if isinstance(v, tuple) else v for name, v in FACTS.items()},
            state="released",
        )
        for n in range(count)
    )  # fmt: skip
