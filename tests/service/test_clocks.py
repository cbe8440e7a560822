"""Goal: clocks of two machines differ, or jump, and caps hold all the same.

Method: one worker's legal time runs ahead of another's; both write to one person.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from datetime import date, timedelta

import psycopg
import pytest
from outgoing import AT, fill, lender, states

from duly.rules import active, load_packs
from duly.service.outbox.claiming import claim
from duly.service.outbox.submitting import submit
from duly.service.outbox.worker import Worker
from duly.service.store.models import Attempt, Borrower, Contact, Message, Run

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


DAYS = timedelta(days=1)
NIGHT = AT + timedelta(hours=11, minutes=30)  # 21:30 in Shanghai


class TestJumpsByDays:
    """Legal time jumps forwards by three days or back by one, and comes back."""

    def test_forwards_nothing_leaves_and_what_was_due_lapses(self, store, ours, me):
        fill(3)
        ahead = claim_at(ours, me, AT + 3 * DAYS, batch=9)
        assert (ahead.claimed, ahead.expired) == ((), 3)
        assert claim_at(ours, me, AT, batch=9).found == 0
        assert (states(store), Contact.objects.count()) == ({"expired": 3}, 0)

    def test_back_nothing_is_due_yet(self, store, ours, me):
        fill(3)
        assert claim_at(ours, me, AT - DAYS, batch=9).found == 0
        assert len(claim_at(ours, me, AT, batch=9).claimed) == 3

    @pytest.mark.parametrize("other", [AT + 3 * DAYS, AT - DAYS, NIGHT])
    def test_between_claim_and_submission_what_may_leave_no_more_is_given_back(
        self, store, ours, me, other
    ):
        fill(2, not_after=AT + timedelta(hours=30))
        found = claim_at(ours, me, AT, batch=9)
        assert submit(ours, found.claimed, worker=me, at=other) == ()
        assert (states(store), Contact.objects.count()) == ({"released": 2}, 0)
        assert Attempt.objects.count() == 0
        # The door is asked anew: once the clock is right again they leave.
        again = claim_at(ours, me, AT, batch=9)
        assert len(submit(ours, again.claimed, worker=me, at=AT)) == 2

    def test_a_batch_that_waited_into_the_night_waits_for_the_morning(self, store, ours, me):
        fill(2, not_after=AT + timedelta(hours=30))
        evening = AT + timedelta(hours=10, minutes=59)  # 20:59
        found = claim_at(ours, me, evening, batch=9)
        assert len(found.claimed) == 2
        going = submit(ours, found.claimed[:1], worker=me, at=evening + timedelta(seconds=30))
        assert len(going) == 1
        late = submit(ours, found.claimed[1:], worker=me, at=NIGHT)
        assert (late, states(store)) == ((), {"submitted": 1, "released": 1})
        assert claim_at(ours, me, NIGHT, batch=9).delayed == 1

    @pytest.mark.parametrize("ahead", [DAYS, 3 * DAYS])
    def test_what_we_sent_by_a_clock_of_days_ahead_counts_when_it_is_back(
        self, two, ours, me, ahead
    ):
        Message.objects.update(not_after=AT + 4 * DAYS)
        first = claim_at(ours, me, AT + ahead)
        assert len(submit(ours, first.claimed, worker=me, at=AT + ahead)) == 1
        assert claim_at(ours, me, AT).claimed == ()
        assert Contact.objects.count() == 1

    def test_a_worker_whose_clock_jumps_at_each_look_sends_lawfully_and_once(self, two, tmp_path):
        for n in range(1, 20):
            person = Borrower.objects.create(borrower_id=f"b{n:05}", time_zone="Asia/Shanghai")
            one = Message.objects.get(pk="m00000")
            one.message_id, one.borrower = f"m{n:05}", person
            one.save(force_insert=True)
        # The first batch finds a clock that stands; whoever else looks takes no part in that.
        jumps = (0 * DAYS, NIGHT - AT, 3 * DAYS, -DAYS)
        offsets = itertools.chain(itertools.repeat(0 * DAYS, 9), itertools.cycle(jumps))
        wire = tmp_path / "wire"
        file = lender(log=str(wire), window=4)
        asyncio.run(Worker(two, file, now=lambda: AT + next(offsets), batch=8).run(once=True))
        reached = [json.loads(line)["message_id"] for line in wire.read_text().splitlines()]
        assert len(reached) == len(set(reached)) == Contact.objects.count() > 0
        people = list(Contact.objects.values_list("borrower_id", flat=True))
        assert len(people) == len(set(people))
        assert set(Contact.objects.values_list("at", flat=True)) == {AT}
