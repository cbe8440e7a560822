"""Goal: clocks of two machines differ, or jump, and caps hold all the same.

Method: one worker's legal time runs ahead of another's; both write to one person.
"""

from __future__ import annotations

from datetime import date, timedelta

import psycopg
import pytest
from outgoing import AT, fill, lender, states

from duly.rules import active, load_packs
from duly.service.outbox.claiming import claim
from duly.service.outbox.submitting import submit
from duly.service.store.models import Contact, Message, Run

RULES = active(load_packs(("decency", "cn")), date(2026, 3, 10))


def claim_at(ours, me, at, batch=1):
    return claim(ours, worker=me, routes=lender().routes, rules=RULES, at=at, batch=batch)


@pytest.fixture
def two(store: str) -> str:
    """Give one person two messages of two runs, both due."""
    fill(1)
    run = Run.objects.create(plan_sha256="b" * 64, business_date=date(2026, 3, 9), summary={},
                             messages_count=1, state="released")  # fmt: skip
    one = Message.objects.get()
    one.message_id, one.run, one.business_date = "n00000", run, run.business_date
    one.save(force_insert=True)
    return store


@pytest.mark.parametrize("ahead", [1, 3599])
def test_what_a_clock_ahead_of_ours_sent_counts(two, ours, me, ahead):
    first = claim_at(ours, me, AT + timedelta(seconds=ahead))
    submit(ours, first.claimed, worker=me, at=AT + timedelta(seconds=ahead))
    second = claim_at(ours, me, AT)
    assert (len(first.claimed), len(second.claimed)) == (1, 0)
    assert states(two) == {"submitted": 1, "expired": 1}


def test_what_a_clock_ahead_of_ours_reserved_counts(two, ours, me):
    first = claim_at(ours, me, AT + timedelta(seconds=5))
    second = claim_at(ours, me, AT)
    assert (len(first.claimed), len(second.claimed)) == (1, 0)
    assert states(two) == {"claimed": 1, "expired": 1}


def test_a_contact_of_tomorrow_is_none_of_today(store, ours, me):
    fill(1)
    with psycopg.connect(store) as other:
        other.execute(
            "INSERT INTO store_contact (contact_id, borrower_id, channel, at, direction, outcome,"
            " contact_class) VALUES ('x', 'b00000', 'sms', %s, 'out', 'sent', 'dunning')",
            (AT + timedelta(days=1),),
        )
    assert len(claim_at(ours, me, AT).claimed) == 1
    assert Contact.objects.count() == 1
