"""Goal: what a day may cost is never passed, what cannot be paid for waits, the law is kept.

Method: claims and submissions over a real database, then whole workers, one of them killed.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
from dataclasses import replace
from datetime import timedelta

import pytest
from outgoing import AT, DAY, fill, lender, states

from duly.book import Limits, Route
from duly.rules import active, load_packs
from duly.service import journal
from duly.service.outbox.claiming import claim
from duly.service.outbox.purse import Purse
from duly.service.outbox.spending import budget_of, lease, return_unspent, say_limit
from duly.service.outbox.submitting import submit
from duly.service.outbox.worker import Worker
from duly.service.store.models import Attempt, Audit, Message, Reservation

RULES = active(load_packs(("decency", "cn")), DAY)
BOX = Route(name="box", channel="sms", kind="sandbox", price=500, settings={"honest": True})


def limited(text_hundredths, *routes):
    return replace(
        lender(), routes=routes or (BOX,), limits=Limits(cost_per_day_minor=text_hundredths)
    )


def purse_of(file, me):
    return Purse(file, file.routes, worker=me, batch=500)


def claimed(ours, me, purse, *, at=AT, routes=(BOX,), batch=500):
    return claim(
        ours, worker=me, routes=routes, rules=RULES, at=at, batch=batch, purse=purse
    ).claimed


def sent(ours, me, purse, mine, *, at=AT):
    going = submit(ours, mine, worker=me, at=at, spending=purse)
    purse.settle([one.message_id for one in mine], spent={one.message_id for one in going})
    return going


def stands(ours):
    found = budget_of(ours, DAY)
    return (found.limit, found.granted, found.spent, found.beyond)


@pytest.fixture
def journalled():
    """Give what the journal holds so far."""
    root = logging.getLogger()
    kept = (list(root.handlers), root.level)
    out = io.StringIO()
    journal.begin("worker", to=out)
    yield lambda: [json.loads(one) for one in out.getvalue().splitlines()]
    journal.begin("worker", form="off")
    root.handlers[:], root.level = kept


class TestPaying:
    def test_what_cannot_be_paid_for_waits_untouched(self, store, ours, me):
        fill(5)
        purse = purse_of(limited(16), me)  # Three texts of 0.05, and a hundredth over.
        mine = claimed(ours, me, purse)
        assert [one.message_id for one in mine] == ["m00000", "m00001", "m00002"]
        assert states(store) == {"claimed": 3, "released": 2}
        assert Reservation.objects.count() == 3
        assert len(sent(ours, me, purse, mine)) == 3
        assert stands(ours) == (1600, 1600, 1500, 0)
        assert claimed(ours, me, purse) == ()
        assert purse.short
        assert Audit.objects.filter(subject="m00003").count() == 0

    def test_a_shorter_text_goes_before_a_longer_one_that_is_too_dear(self, ours, me):
        fill(3)
        Message.objects.filter(message_id="m00000").update(segments=4)
        purse = purse_of(limited(15), me)
        assert [one.message_id for one in claimed(ours, me, purse, batch=1)] == ["m00001"]

    def test_a_segment_costs_by_sms_and_a_message_elsewhere(self, ours, me):
        mail = Route(name="mail", channel="email", kind="smtp", price=3)
        fill(1, segments=7, channel="email", address="a@example.com")
        file = limited(100, mail)
        purse = purse_of(file, me)
        sent(ours, me, purse, claimed(ours, me, purse, routes=file.routes))
        assert stands(ours)[2] == 3

    def test_without_a_price_nothing_is_asked(self, ours, me):
        fill(2)
        free = replace(BOX, price=0)
        file = limited(0, free)
        purse = purse_of(file, me)
        assert len(sent(ours, me, purse, claimed(ours, me, purse, routes=file.routes))) == 2
        purse.look_after(ours, at=AT)
        assert budget_of(ours) is None
        assert not purse.short

    def test_what_was_given_back_costs_nothing(self, ours, me):
        fill(3)
        purse = purse_of(limited(15), me)
        mine = claimed(ours, me, purse)
        Message.objects.filter(message_id="m00001").update(state="cancelled", worker=None)
        assert [one.message_id for one in sent(ours, me, purse, mine)] == ["m00000", "m00002"]
        assert stands(ours) == (1500, 1500, 1000, 0)
        fill_one_more(ours)
        assert [one.message_id for one in claimed(ours, me, purse)] == ["n00000"]

    def test_a_lease_that_others_took_back_pays_for_nothing(self, store, ours, me):
        fill(2)
        purse = purse_of(limited(100), me)
        mine = claimed(ours, me, purse)
        assert return_unspent(ours, DAY, worker=me) == 0
        assert sent(ours, me, purse, mine) == ()
        assert states(store) == {"released": 2}
        assert Attempt.objects.count() == Reservation.objects.count() == 0
        assert stands(ours) == (10_000, 0, 0, 0)

    def test_what_expires_meanwhile_expires(self, store, ours, me):
        fill(2)
        purse = purse_of(limited(0), me)
        assert claimed(ours, me, purse) == ()
        assert states(store) == {"released": 2}
        assert claimed(ours, me, purse, at=AT + timedelta(hours=10)) == ()
        assert states(store) == {"expired": 2}

    def test_the_next_day_has_a_budget_of_its_own(self, ours, me):
        fill(2, not_after=AT + timedelta(days=2))
        purse = purse_of(limited(5), me)
        assert len(sent(ours, me, purse, claimed(ours, me, purse))) == 1
        tomorrow = AT + timedelta(days=1)
        assert len(sent(ours, me, purse, claimed(ours, me, purse, at=tomorrow), at=tomorrow)) == 1
        purse.look_after(ours, at=tomorrow, ends=True)
        rows = ours.execute("SELECT day::text, granted FROM store_budget ORDER BY day").fetchall()
        assert rows == [("2026-03-10", 500), ("2026-03-11", 500)]


def fill_one_more(ours):
    """Copy a message for another person."""
    one = Message.objects.first()
    one.borrower.borrower_id = "n"
    one.borrower.save(force_insert=True)
    one.message_id, one.borrower_id = "n00000", "n"
    one.state, one.worker, one.route, one.attempts = "released", None, None, 0
    one.save(force_insert=True)


class TestTheLaw:
    @pytest.mark.parametrize(
        ("kind", "goes"),
        [("statutory", 1), ("correction", 1), ("dunning", 0), ("receipt", 0), ("answer", 0)],
    )
    def test_what_must_be_sent_goes_though_nothing_is_left(self, ours, me, kind, goes):
        fill(1, message_class=kind, segments=2)
        purse = purse_of(limited(0), me)
        assert len(sent(ours, me, purse, claimed(ours, me, purse))) == goes
        assert stands(ours) == (0, 0, 0, 1000 * goes)

    def test_it_is_paid_for_while_something_is_left(self, ours, me):
        fill(1, message_class="statutory", segments=2)
        purse = purse_of(limited(100), me)
        sent(ours, me, purse, claimed(ours, me, purse))
        assert stands(ours) == (10_000, 10_000, 1000, 0)


class TestLookingAfter:
    def test_what_nobody_uses_goes_back_and_comes_again(self, ours, me):
        fill(2)
        purse = purse_of(limited(20), me)
        mine = claimed(ours, me, purse, batch=1)
        purse.look_after(ours, at=AT)  # It was used: nothing goes back.
        assert stands(ours) == (2000, 2000, 0, 0)
        purse.look_after(ours, at=AT)
        assert stands(ours) == (2000, 500, 0, 0)  # What is claimed stays paid for.
        sent(ours, me, purse, mine)
        assert len(sent(ours, me, purse, claimed(ours, me, purse))) == 1
        purse.look_after(ours, at=AT, ends=True)
        assert stands(ours) == (2000, 1000, 1000, 0)

    def test_a_limit_that_was_lowered_takes_effect_at_once(self, ours, me):
        fill(4)
        purse = purse_of(limited(100), me)
        sent(ours, me, purse, claimed(ours, me, purse, batch=1))
        newer = purse_of(limited(10), me + 1)
        newer.look_after(ours, at=AT)
        purse.look_after(ours, at=AT)
        assert stands(ours) == (1000, 500, 500, 0)
        assert len(sent(ours, me, purse, claimed(ours, me, purse))) == 1
        assert stands(ours) == (1000, 1000, 1000, 0)

    def test_a_limit_that_was_raised_takes_effect_at_once(self, ours, me):
        fill(4)
        purse = purse_of(limited(5), me)
        assert len(sent(ours, me, purse, claimed(ours, me, purse))) == 1
        purse_of(limited(15), me + 1).look_after(ours, at=AT)
        assert len(sent(ours, me, purse, claimed(ours, me, purse))) == 2

    def test_an_older_process_does_not_bring_its_limit_back(self, ours, me):
        old, new = purse_of(limited(5), me), purse_of(limited(15), me + 1)
        old.look_after(ours, at=AT)
        new.look_after(ours, at=AT)
        old.of_worker(me + 2).look_after(ours, at=AT)
        assert stands(ours)[0] == 1500

    def test_that_a_budget_is_exhausted_is_said_once(self, ours, me, journalled):
        fill(3)
        purses = [purse_of(limited(6), me), purse_of(limited(6), me + 1)]
        sent(ours, me, purses[0], claimed(ours, me, purses[0]))
        for purse in purses * 2:
            claimed(ours, me, purse)
            purse.look_after(ours, at=AT)
        told = [one for one in journalled() if one["event"] == "budget.exhausted"]
        assert [(one["business_date"], one["count"], one["level"]) for one in told] == [
            ("2026-03-10", 2, "warning")
        ]
        assert "withheld" not in told[0]
        payload = json.loads(Audit.objects.get(kind="budget.exhausted").payload)
        assert payload == {"beyond": "0.00", "limit": "0.06", "spent": "0.05", "waiting": 2}
        assert budget_of(ours, DAY).exhausted_at is not None

    def test_it_is_not_exhausted_while_another_may_spend_it(self, ours, me):
        fill(2)
        say_limit(ours, DAY, limit=1000, since=AT)
        lease(ours, DAY, worker=me + 1, block=1000)
        purse = purse_of(limited(10), me)
        assert claimed(ours, me, purse) == ()
        purse.look_after(ours, at=AT)  # Gives the other's back: it does not live.
        assert budget_of(ours, DAY).exhausted_at is None
        assert len(claimed(ours, me, purse)) == 2

    def test_nothing_is_said_where_nothing_waits(self, ours, me):
        purse = purse_of(limited(0), me)
        claimed(ours, me, purse)
        purse.look_after(ours, at=AT)
        assert budget_of(ours, DAY).exhausted_at is None
        assert Audit.objects.count() == 0


class TestWorkers:
    def test_one_spends_its_budget_and_gives_the_rest_back(self, store, ours):
        fill(30)
        worker = Worker(store, limited(52), now=lambda: AT, concurrency=3, batch=7)
        tally = asyncio.run(worker.run(once=True))
        assert (tally.submitted, tally.given_back) == (10, 0)
        assert states(store) == {"delivered": 10, "released": 20}
        assert stands(ours) == (5200, 5000, 5000, 0)
        assert budget_of(ours, DAY).exhausted_at is not None

    def test_two_at_once_spend_it_together(self, store, ours):
        fill(200)

        async def both():
            pair = [Worker(store, limited(500), now=lambda: AT, concurrency=2, batch=9)
                    for _ in range(2)]  # fmt: skip
            return await asyncio.gather(*[one.run(once=True) for one in pair])

        tallies = asyncio.run(both())
        assert sum(one.submitted for one in tallies) == 100
        assert states(store) == {"delivered": 100, "released": 100}
        assert stands(ours) == (50_000, 50_000, 50_000, 0)
