"""Goal: no two who write of a message wait for each other in a circle.

Method: the one half done in one connection, the other at work in another, then the other half.
"""

from __future__ import annotations

import threading
import time

import psycopg
import pytest
from django.db import connections
from outgoing import AT, fill

from duly.delivery import Answer, Receipt
from duly.service.operations import events
from duly.service.operations.taking_back import cancel
from duly.service.operations.telling import raise_signal
from duly.service.outbox.reports import match_receipts, write_reports
from duly.service.outbox.submitting import write_answers
from duly.service.store.models import Audit, Contact, Message, Part, Report

PAYMENT = {
    "specversion": "1.0", "id": "p-1", "source": "core", "type": "payment.posted",
    "time": AT.isoformat(),
    "data": {"payment_id": "p-1", "loan_id": "l1", "paid_on": "2026-03-10", "amount": "1.00"},
}  # fmt: skip


def by_signal():
    raise_signal(signal_id="s1", borrower_id="b00000", kind="dispute", starts_at=AT)


def by_request():
    cancel("m00000", by="Li")


def by_payment():
    events.accept([PAYMENT], at=AT)


def until_somebody_waits(store):
    with psycopg.connect(store, autocommit=True) as looking:
        for _ in range(400):
            waits = looking.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
            ).fetchone()
            if waits and waits[0]:
                return
            time.sleep(0.01)
    pytest.fail("nobody waited for the other")


@pytest.mark.parametrize("take_back", [by_signal, by_request, by_payment])
def test_a_submission_and_a_taking_back_do_not_wait_in_a_circle(store, take_back):
    fill(1)
    Message.objects.update(state="claimed", worker=1, route="box")
    failed = []

    def other():
        try:
            take_back()
        except Exception as failure:  # noqa: BLE001 whatever it is, it is the finding
            failed.append(failure)
        finally:
            connections.close_all()

    with psycopg.connect(store) as ours:
        ours.execute("UPDATE store_message SET state = 'submitted'")
        thread = threading.Thread(target=other)
        thread.start()
        until_somebody_waits(store)
        # The ledger's row names the person: that is a lock on the person's key.
        ours.execute(
            "INSERT INTO store_contact (contact_id, borrower_id, channel, address, at, direction,"
            " outcome, contact_class) VALUES ('duly:m00000', 'b00000', 'sms', '1', %s, 'out',"
            " 'sent', 'dunning')",
            (AT,),
        )
        ours.commit()
    thread.join(timeout=20)
    assert not failed
    assert Message.objects.get().state == "submitted"
    assert Contact.objects.count() == 1


class Interleaved:
    """A connection that lets others work after the statements that hold some words."""

    def __init__(self, connection, between):
        self._connection = connection
        self._between = between

    def __getattr__(self, name):
        return getattr(self._connection, name)

    def execute(self, query, *given):
        done = self._connection.execute(query, *given)
        for words in [words for words in self._between if words in query]:
            self._between.pop(words)()
        return done


def test_a_receipt_and_its_answer_do_not_wait_in_a_circle(store):
    """The receipt looks for a part that is not there yet; then the answer brings it."""
    fill(1, state="submitted", route="box")
    Report.objects.create(route="box", kind="receipt", raw="r", raw_sha256="0" * 64,
                          provider_id="p1", state="delivered", code="0")  # fmt: skip
    failed = []

    def answer():
        try:
            with psycopg.connect(store, autocommit=True) as ours:
                match_receipts(ours, "box", ["p1"])
        except psycopg.Error as failure:
            failed.append(failure)

    thread = threading.Thread(target=answer)

    def part_comes():
        Part.objects.create(route="box", provider_id="p1", message_id="m00000", state="accepted",
                            code="")  # fmt: skip
        Message.objects.update(state="accepted")

    def answer_matches_too():
        thread.start()
        until_somebody_waits(store)

    between = {"FROM store_part": part_comes, "FROM store_message": answer_matches_too}
    with psycopg.connect(store, autocommit=True) as ours:
        match_receipts(Interleaved(ours, between), "box", ["p1"])
    if not thread.ident:
        thread.start()
    thread.join(timeout=20)
    assert not failed
    assert Message.objects.get().state == "delivered"
    assert Audit.objects.filter(kind="message.receipt").count() == 1


def test_an_answer_waits_for_no_receipt_and_the_receipt_is_told_all_the_same(store):
    """Who holds the part tells its receipt; the answer that brought it goes on meanwhile."""
    fill(1, state="submitted", route="box")
    Report.objects.create(route="box", kind="receipt", raw="r", raw_sha256="0" * 64,
                          provider_id="p1", state="delivered", code="0")  # fmt: skip

    def answer_comes_too():
        with psycopg.connect(store, autocommit=True) as other:
            other.execute("SET lock_timeout = '5s'")
            match_receipts(other, "box", ["p1"], waits=False)

    Part.objects.create(route="box", provider_id="p1", message_id="m00000", state="accepted",
                        code="")  # fmt: skip
    Message.objects.update(state="accepted")
    with psycopg.connect(store, autocommit=True) as ours:
        match_receipts(Interleaved(ours, {"FROM store_part": answer_comes_too}), "box", ["p1"])
    assert Message.objects.get().state == "delivered"
    assert Audit.objects.filter(kind="message.receipt").count() == 1


def test_a_receipt_whose_answer_comes_while_it_is_kept_is_told_once(store):
    """Each looks before the other has committed: the receipt looks once more after."""
    fill(1, state="submitted", route="box")

    def answer_comes():
        with psycopg.connect(store, autocommit=True) as other:
            write_answers(other, "box", [Answer(message_id="m00000", outcome="accepted",
                                                provider_ids=("p1",))])  # fmt: skip
        assert Message.objects.get().state == "accepted"

    told = Receipt(provider_id="p1", state="delivered", code="X", raw="r1")
    with psycopg.connect(store, autocommit=True) as ours:
        write_reports(Interleaved(ours, {"INTO store_report": answer_comes}), "box", [told])
    assert Message.objects.get().state == "delivered"
    assert Report.objects.get().message_id == "m00000"
    assert Audit.objects.filter(kind="message.receipt").count() == 1


@pytest.mark.parametrize("waits", [True, False])
def test_of_many_parts_only_those_with_a_receipt_are_locked(store, waits):
    fill(3, state="accepted", route="box")
    for n in range(3):
        Part.objects.create(route="box", provider_id=f"p{n}", message_id=f"m0000{n}",
                            state="accepted", code="")  # fmt: skip
    Report.objects.create(route="box", kind="receipt", raw="r", raw_sha256="0" * 64,
                          provider_id="p1", state="delivered", code="0")  # fmt: skip
    with psycopg.connect(store) as holding, psycopg.connect(store, autocommit=True) as ours:
        holding.execute("SELECT 1 FROM store_part WHERE provider_id <> 'p1' FOR UPDATE")
        ours.execute("SET lock_timeout = '5s'")
        match_receipts(ours, "box", ["p0", "p1", "p2"], waits=waits)
    assert list(Message.objects.order_by("message_id").values_list("state", flat=True)) == [
        "accepted", "delivered", "accepted",
    ]  # fmt: skip
