"""Goal: a message leaves once, at a lawful second, and never after it was taken back.

Method: a real database; each step of the outbox by itself, and what happens between the steps.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from databases import until_gone
from outgoing import AT, DAY, FACTS, fill, lender, states

from duly.book import Route
from duly.delivery import Answer, Receipt, Reply
from duly.rules import active, load_packs
from duly.service.operations import releasing
from duly.service.operations.telling import raise_signal
from duly.service.outbox.claiming import claim
from duly.service.outbox.identity import Identity
from duly.service.outbox.orphans import Orphans, settle_orphans
from duly.service.outbox.reports import write_report, write_reports
from duly.service.outbox.submitting import submit, write_answers
from duly.service.outbox.worker import Worker
from duly.service.store.models import (
    Attempt,
    Audit,
    Borrower,
    Contact,
    Message,
    Part,
    Report,
    Reservation,
    Signal,
)

RULES = active(load_packs(("decency", "cn")), DAY)
ROUTES = lender().routes


def claimed(ours, me, *, at=AT, batch=500, routes=ROUTES, resting=()):
    return claim(ours, worker=me, routes=routes, rules=RULES, at=at, batch=batch, resting=resting)


class TestClaim:
    def test_takes_what_is_due_and_reserves_its_place(self, ours, me):
        ids = fill(3)
        found = claimed(ours, me)
        assert [one.message_id for one in found.claimed] == ids
        assert set(Message.objects.values_list("state", "worker", "route")) == {
            ("claimed", me, "box")
        }
        assert list(Reservation.objects.values_list("message_id", "slot", "local_day")) == [
            (name, 1, DAY) for name in ids
        ]
        assert Audit.objects.filter(kind="message.claimed").count() == 3

    def test_takes_no_more_than_asked(self, ours, me):
        fill(5)
        assert len(claimed(ours, me, batch=2).claimed) == 2
        assert len(claimed(ours, me).claimed) == 3
        assert claimed(ours, me).found == 0

    def test_two_at_once_never_take_the_same(self, store, ours, me):
        fill(40)
        with psycopg.connect(store) as other:
            first = claim(other, worker=me, routes=ROUTES, rules=RULES, at=AT, batch=15)
            second = claimed(ours, me)
            other.commit()
        mine = {one.message_id for one in first.claimed}
        theirs = {one.message_id for one in second.claimed}
        assert (len(mine), len(theirs), mine & theirs) == (15, 25, set())

    def test_leaves_early_and_late_ones(self, ours, me):
        fill(1, not_before=AT + timedelta(seconds=1))
        assert claimed(ours, me).found == 0
        late = claimed(ours, me, at=AT + timedelta(hours=10))
        assert (late.expired, late.claimed) == (1, ())
        assert Message.objects.get().state == "expired"

    def test_a_night_is_waited_out_without_being_asked_again(self, ours, me):
        fill(1, not_before=AT, not_after=AT + timedelta(hours=30))
        night = AT + timedelta(hours=13)  # 23:00
        assert claimed(ours, me, at=night).delayed == 1
        assert claimed(ours, me, at=night).found == 0
        morning = AT + timedelta(hours=22, minutes=30)  # 08:30
        assert Message.objects.get().due_at == morning
        assert len(claimed(ours, me, at=morning).claimed) == 1

    def test_a_rule_that_blocks_is_final_and_named(self, ours, me):
        fill(1, facts={**FACTS, "contacts": [], "deceased": True, "about": ["contact"]})
        assert claimed(ours, me).blocked == 1
        assert Message.objects.get().state == "blocked"
        payload = json.loads(Audit.objects.get(kind="message.blocked").payload)
        assert payload["rules"]

    def test_a_rule_that_the_plan_read_otherwise_is_told(self, ours, me):
        """Its facts said so already: the plan should never have written this message."""
        fill(1, facts={**FACTS, "contacts": [], "deceased": True, "about": ["contact"]})
        assert claimed(ours, me).blocked == 1
        row = Audit.objects.get(kind="door.disagreed")
        assert row.subject == Message.objects.get().message_id
        assert json.loads(row.payload)["rules"]

    def test_what_came_after_the_plan_is_no_disagreement(self, ours, me):
        fill(2)
        Signal.objects.create(signal_id="s1", borrower_id="b00000", kind="deceased",
                              starts_at=AT - timedelta(minutes=1), source="event")  # fmt: skip
        found = claimed(ours, me)
        assert (found.blocked, len(found.claimed)) == (1, 1)
        assert not Audit.objects.filter(kind="door.disagreed").exists()

    def test_a_text_of_an_agency_uses_the_day_up(self, ours, me):
        fill(1)
        at = AT - timedelta(hours=1)
        Contact.objects.create(contact_id="c1", borrower_id="b00000", channel="sms", at=at,
                               direction="out", outcome="sent")  # fmt: skip
        assert claimed(ours, me).expired == 1

    def test_without_a_route_that_accepts_the_class_nothing_goes(self, ours, me):
        fill(1, message_class="statutory")
        receipts = [type(ROUTES[0])(name="r", channel="sms", kind="sandbox", accepts=("receipt",))]
        assert claimed(ours, me, routes=receipts).blocked == 1
        assert Message.objects.get().reason == "no_route"


class TestSubmit:
    def test_is_committed_before_the_first_byte(self, store, ours, me):
        ids = fill(2)
        going = submit(ours, claimed(ours, me).claimed, worker=me, at=AT)
        assert [one.message_id for one in going] == ids
        assert states(store) == {"submitted": 2}
        assert set(Attempt.objects.values_list("number", "outcome")) == {(1, None)}
        assert {one.contact_id for one in Contact.objects.all()} == {f"duly:{i}" for i in ids}

    def test_what_was_cancelled_meanwhile_stays(self, ours, me):
        fill(2)
        mine = claimed(ours, me).claimed
        assert raise_signal(signal_id="s1", borrower_id="b00000", kind="payment_pending",
                            starts_at=AT) == 1  # fmt: skip
        going = submit(ours, mine, worker=me, at=AT)
        assert [one.message_id for one in going] == ["m00001"]
        cancelled = Message.objects.get(message_id="m00000")
        assert (cancelled.state, cancelled.reason) == ("cancelled", "payment_pending")
        assert Contact.objects.count() == 1

    @pytest.mark.parametrize(
        ("scope", "name"),
        [("all", ""), ("run", "a" * 64), ("template", "overdue"), ("route", "box")],
    )
    def test_a_stop_is_read_before_every_submission(self, ours, me, scope, name):
        fill(2)
        mine = claimed(ours, me).claimed
        releasing.stop(scope, name, by="Li")
        assert submit(ours, mine, worker=me, at=AT) == ()
        assert set(Message.objects.values_list("state", flat=True)) == {"released"}
        assert Reservation.objects.count() == Attempt.objects.count() == 0
        releasing.lift(scope, name, by="Wang")
        assert len(submit(ours, claimed(ours, me).claimed, worker=me, at=AT)) == 2

    def test_another_worker_cannot_submit_a_claim(self, ours, me):
        fill(1)
        mine = claimed(ours, me).claimed
        assert submit(ours, mine, worker=me + 1, at=AT) == ()
        assert Message.objects.get().state == "claimed"


class TestAnswers:
    def answered(self, ours, me, outcome, ids=("p1",)):
        fill(1)
        submit(ours, claimed(ours, me).claimed, worker=me, at=AT)
        write_answers(ours, "box", [Answer(message_id="m00000", outcome=outcome,
                                           provider_ids=ids, code="0")])  # fmt: skip
        return Message.objects.get()

    @pytest.mark.parametrize(
        ("outcome", "state"),
        [("accepted", "accepted"), ("refused", "undelivered"), ("throttled", "undelivered"),
         ("not_sent", "undelivered"), ("unknown", "unknown")],
    )  # fmt: skip
    def test_each_leads_to_its_state(self, ours, me, outcome, state):
        one = self.answered(ours, me, outcome)
        assert (one.state, one.worker) == (state, None)
        assert Attempt.objects.get().outcome == outcome
        assert claimed(ours, me).found == 0

    def receipt(self, part, state, raw):
        return Receipt(provider_id=part, state=state, code="X", raw=raw)

    def test_a_receipt_moves_an_accepted_message_once(self, ours, me):
        self.answered(ours, me, "accepted")
        for _ in range(2):
            write_report(ours, "box", self.receipt("p1", "delivered", "r1"))
        assert Message.objects.get().state == "delivered"
        assert Report.objects.count() == 1
        assert Audit.objects.filter(kind="message.receipt").count() == 1

    def test_a_receipt_before_its_answer_waits_for_it(self, ours, me):
        write_report(ours, "box", self.receipt("p1", "delivered", "r1"))
        assert self.answered(ours, me, "accepted").state == "delivered"

    def test_all_parts_have_to_arrive(self, ours, me):
        self.answered(ours, me, "accepted", ("p1", "p2"))
        write_report(ours, "box", self.receipt("p1", "delivered", "r1"))
        assert Message.objects.get().state == "accepted"
        write_report(ours, "box", self.receipt("p2", "delivered", "r2"))
        assert Message.objects.get().state == "delivered"

    def test_one_lost_part_is_a_lost_message(self, ours, me):
        self.answered(ours, me, "accepted", ("p1", "p2"))
        write_report(ours, "box", self.receipt("p2", "undelivered", "r2"))
        assert Message.objects.get().state == "undelivered"

    def test_an_unknown_code_stays_unknown_until_a_known_one(self, ours, me):
        self.answered(ours, me, "accepted")
        write_report(ours, "box", self.receipt("p1", "unknown", "MK:0010"))
        assert Message.objects.get().state == "unknown"
        write_report(ours, "box", self.receipt("p1", "delivered", "DELIVRD"))
        assert Message.objects.get().state == "delivered"

    def test_delivered_is_not_taken_back(self, ours, me):
        self.answered(ours, me, "accepted")
        write_report(ours, "box", self.receipt("p1", "delivered", "r1"))
        write_report(ours, "box", self.receipt("p1", "undelivered", "r2"))
        assert Message.objects.get().state == "delivered"

    def test_what_waited_is_told_before_what_comes_and_twice_at_once_is_once(self, ours, me):
        self.answered(ours, me, "accepted")
        # As of a process that died between keeping it and looking for its message.
        Report.objects.create(route="box", kind="receipt", raw="r1", raw_sha256="0" * 64,
                              provider_id="p1", state="unknown", code="X")  # fmt: skip
        come = [self.receipt("p1", "undelivered", "r2"), self.receipt("p1", "delivered", "r3")]
        write_reports(ours, "box", [*come, come[0]])
        assert Message.objects.get().state == "delivered"
        told = Audit.objects.filter(kind="message.receipt").order_by("id")
        assert [json.loads(one.payload)["raw"] for one in told] == ["r1", "r2", "r3"]
        assert {one.message_id for one in Report.objects.all()} == {"m00000"}

    def test_a_receipt_of_nobody_is_kept_and_moves_nothing(self, ours, me):
        self.answered(ours, me, "accepted")
        write_report(ours, "box", self.receipt("other", "delivered", "r1"))
        write_report(ours, "mail", self.receipt("p1", "delivered", "r2"))
        write_report(ours, "box", Reply(address="+86", to="1069", text="TD", raw="TD"))
        assert Message.objects.get().state == "accepted"
        assert set(Report.objects.values_list("kind", "message_id")) == {
            ("receipt", None), ("reply", None),
        }  # fmt: skip
        assert Part.objects.get().state == "accepted"


class TestOrphans:
    def test_the_living_keep_what_is_theirs(self, ours, me):
        fill(2)
        submit(ours, claimed(ours, me, batch=1).claimed, worker=me, at=AT)
        claimed(ours, me)
        assert settle_orphans(ours) == Orphans(released=0, unknown=0)

    def test_a_dead_ones_claims_go_back_and_its_submissions_are_unknown(self, store, ours):
        fill(3)
        dead = Identity(store)
        submit(ours, claimed(ours, dead.number, batch=1).claimed, worker=dead.number, at=AT)
        claimed(ours, dead.number)
        dead.close()
        until_gone(ours, dead.number)

        assert settle_orphans(ours) == Orphans(released=2, unknown=1)

        assert states(store) == {"released": 2, "unknown": 1}
        assert Attempt.objects.get().outcome == "unknown"
        assert Reservation.objects.filter(message__state="released").count() == 0

    def test_an_answer_that_comes_after_the_death_still_counts(self, store, ours):
        fill(1)
        dead = Identity(store)
        submit(ours, claimed(ours, dead.number).claimed, worker=dead.number, at=AT)
        dead.close()
        until_gone(ours, dead.number)
        settle_orphans(ours)
        write_answers(ours, "box", [Answer(message_id="m00000", outcome="accepted",
                                           provider_ids=("p1",))])  # fmt: skip
        assert Message.objects.get().state == "accepted"


class TestRestingRoutes:
    ONE = Route(name="one", channel="sms", kind="sandbox", accepts=("dunning",))
    OTHER = Route(name="other", channel="sms", kind="sandbox", accepts=("receipt",))
    BOTH = Route(name="both", channel="sms", kind="sandbox", accepts=("dunning", "receipt"))

    def test_what_only_a_resting_route_takes_waits_for_it(self, store, ours, me):
        fill(3)
        found = claimed(ours, me, routes=[self.ONE, self.OTHER], resting={"one"})
        assert (found.found, states(store)) == (0, {"released": 3})
        assert Reservation.objects.count() == 0
        assert len(claimed(ours, me, routes=[self.ONE, self.OTHER]).claimed) == 3

    def test_another_route_that_takes_it_goes_in_its_place(self, ours, me):
        fill(2)
        found = claimed(ours, me, routes=[self.ONE, self.BOTH], resting={"one"})
        assert [one.route for one in found.claimed] == ["both", "both"]

    def test_what_no_route_takes_is_blocked_whoever_rests(self, store, ours, me):
        fill(2)
        claimed(ours, me, routes=[self.OTHER], resting={"other"})
        assert states(store) == {"blocked": 2}

    def test_a_route_that_is_stopped_holds_its_messages_and_blocks_none(self, store):
        fill(2)
        releasing.stop(scope="route", name="box", by="ann")
        other = Route(name="other", channel="sms", kind="sandbox", accepts=("receipt",))
        file = lender()
        worker = Worker(store, replace(file, routes=(*file.routes, other)), now=lambda: AT)
        asyncio.run(worker.run(once=True))
        assert states(store) == {"released": 2}


class TestWorker:
    def test_sends_all_that_is_due_once_and_reads_the_receipts(self, store, tmp_path):
        ids = fill(120)
        log = tmp_path / "wire"
        worker = Worker(store, lender(log=str(log), window=50), now=lambda: AT, concurrency=2)
        tally = asyncio.run(worker.run(once=True))
        assert (tally.claimed, tally.submitted) == (120, 120)
        assert len(log.read_text().splitlines()) == 120
        assert states(store) == {"delivered": 120}
        assert Contact.objects.count() == len(ids)

        again = asyncio.run(Worker(store, lender(), now=lambda: AT).run(once=True))
        assert again.claimed == 0

    def test_an_opt_out_before_it_starts_is_kept(self, store):
        fill(2)
        raise_signal(signal_id="s1", borrower_id="b00001", kind="opt_out", starts_at=AT,
                     detail={"channel": "sms"})  # fmt: skip
        asyncio.run(Worker(store, lender(), now=lambda: AT).run(once=True))
        assert states(store) == {"delivered": 1, "cancelled": 1}

    def test_the_same_signal_twice_is_one(self, store):
        fill(1)
        given = {"borrower_id": "b00000", "kind": "dispute", "starts_at": AT}
        assert raise_signal(signal_id="s1", **given) == 1
        assert raise_signal(signal_id="s1", **given) == 0
        assert raise_signal(signal_id="s2", **{**given, "borrower_id": "nobody"}) == 0
        assert Borrower.objects.count() == 1
