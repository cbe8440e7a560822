"""Goal: who takes a message back and who submits it never wait for each other in a circle.

Method: a submission half done in one connection, the taking back in another, then the other half.
"""

from __future__ import annotations

import threading
import time

import psycopg
import pytest
from django.db import connections
from outgoing import AT, fill

from duly.service.operations import events
from duly.service.operations.taking_back import cancel
from duly.service.operations.telling import raise_signal
from duly.service.store.models import Contact, Message

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
        with psycopg.connect(store, autocommit=True) as looking:
            for _ in range(400):
                waits = looking.execute(
                    "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
                ).fetchone()
                if waits and waits[0]:
                    break
                time.sleep(0.01)
            else:
                pytest.fail("nobody waited for the submission")
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
