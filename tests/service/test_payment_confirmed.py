"""Goal: who paid through a provider gets one text that says so, lawfully, and nobody else does.

Method: the store and the operations; the door as a worker asks it, with the packs of China.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from known_books import LENDER, load, small
from payment_world import CLOCK, body_of, lender_of, signed, way_of
from telling_events import AT, event, paid, signalled

from duly.core.errors import DulyError
from duly.rules import active, load_packs
from duly.service.operations import confirming, payments
from duly.service.operations.events import accept
from duly.service.outbox.claiming import claim
from duly.service.store.models import Audit, Borrower, Message, PaymentIntent

PAYS = lender_of(LENDER)
NUMBER, WHO = "+8613800000001", "B1"
RULES = active(load_packs(("decency", "cn")), date(2026, 3, 10))
POINT = {"borrower_id": WHO, "channel": "sms", "address": NUMBER, "verified_on": "2025-11-01"}


@pytest.fixture
def world(store, write_book, tmp_path):
    """Give the way to pay of B1, whose loan l1 is late with 2 installments of 100.00."""
    rows = {"loan_id": "l1", "principal": "100.00"}
    load(small(
        write_book, tmp_path / "book", loans=[{"loan_id": "l1", "borrower_id": WHO,
                                               "late_rate_daily": "0", "principal": "200.00"}],
        installments=[{**rows, "due_on": "2026-02-01"}, {**rows, "number": "2",
                                                         "due_on": "2026-03-01"}],
        borrowers=[{"borrower_id": WHO, "name": "张伟"}], contact_points=[POINT],
    ))  # fmt: skip
    Borrower.objects.create(borrower_id=WHO, time_zone="Asia/Shanghai", locale="zh-CN")
    return way_of(PAYS)


def pay(way, amount="200.00", *, at=AT, name="778", lender=PAYS):
    one = payments.begin(
        way, int(amount.replace(".", "")), borrower_id=WHO, loan_id="l1", currency="CNY",
        lender=lender, return_to="https://my.example.com/{reference}", clock=CLOCK,
    )  # fmt: skip
    body = body_of(one.reference, amount=amount, payment_id=name)
    for _ in range(2):
        why = payments.hear(way, headers=signed(body, name=f"evt-{name}"), body=body,
                            lender=lender, at=at, clock=CLOCK)  # fmt: skip
        assert why is None
    assert PaymentIntent.objects.get(reference=one.reference).state == "paid"
    return one.reference


def leaves(ours, me, *, at=AT):
    claim(ours, worker=me, routes=LENDER.routes, rules=RULES, at=at, batch=50)
    one = Message.objects.get()
    return one.state, one.reason


def test_one_text_says_what_came_and_leaves(world, ours, me):
    pay(world)
    one = Message.objects.get()
    assert (one.message_class, one.template, one.state, one.address, one.loan_ids) == (
        "receipt", "receipt", "released", NUMBER, ["l1"],
    )  # fmt: skip
    assert "3月10日收到您还的200.00元" in one.text
    assert "没有逾期" in one.text
    assert one.code in one.text
    assert "张伟" not in one.text
    assert Audit.objects.filter(kind="message.written", subject=one.message_id).count() == 1
    assert leaves(ours, me) == ("claimed", None)


def test_at_night_it_waits_for_the_morning(world, ours, me):
    night = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
    pay(world, at=night)
    assert leaves(ours, me, at=night) == ("released", None)
    morning = datetime(2026, 3, 11, 1, 0, tzinfo=UTC)
    assert leaves(ours, me, at=morning) == ("claimed", None)


@pytest.mark.parametrize(
    ("told", "end"),
    [
        (lambda: paid("l1", payment_id="other"), ("claimed", None)),
        (lambda: event("payment.reversed", {"payment_id": "card-778"}),
         ("cancelled", "payment_reversed")),
        (lambda: signalled("opt_out", WHO), ("cancelled", "opt_out")),
    ],
    ids=["another payment", "taken back", "opt-out"],
)  # fmt: skip
def test_what_is_told_before_it_leaves(world, ours, me, told, end):
    pay(world)
    accept([told()], at=AT)
    assert leaves(ours, me) == end


def test_who_is_left_in_peace_gets_none(world, ours, me):
    accept([signalled("deceased", WHO)], at=AT)
    pay(world)
    assert leaves(ours, me)[0] == "blocked"


def test_to_a_number_that_is_not_surely_his_none_goes(world):
    for place, point in enumerate((
        {"verified_on": None}, {"status": "invalid"}, {"use": "shared"},
        {"changed_on": "2026-01-01"}, {"borrower_id": "B2"},
    )):  # fmt: skip
        told = event("contact_point.changed", {**POINT, "changed_on": "2025-10-01", **point})
        accept([told | {"time": f"2026-03-10T09:{30 + place}:00+08:00"}], at=AT)
        pay(world, f"{10 + place}.00", name=f"n{place}")
        assert Message.objects.count() == 0, point


def test_a_lender_may_do_without(world):
    quiet = replace(PAYS, payments=replace(PAYS.payments, confirm=False))
    pay(world, lender=quiet)
    no_route = replace(PAYS, routes=())
    pay(world, "100.00", name="779", lender=no_route)
    assert Message.objects.count() == 0


def test_while_something_is_late_it_names_no_debt(world, monkeypatch):
    pay(world, "150.00")
    text = Message.objects.get().text
    assert "150.00元" in text
    assert "没有逾期" not in text
    assert "50.00元" not in text.replace("150.00元", "")
    # A text that breaks leaves the money booked.

    def broken(*_, **__):
        raise DulyError

    monkeypatch.setattr(confirming, "render", broken)
    pay(world, "10.00", name="779")
    assert Message.objects.count() == 1
