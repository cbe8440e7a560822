"""Goal: what was wrong is taken back, its readers are left in peace, nothing goes by itself.

Method: a real database; messages sent over the sandbox, others waiting; the recall, twice; then
the door, the approval of the correction and a worker.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from outgoing import AT, DAY, fill, lender, states
from telling_events import event, paid, signalled

from duly.core.check_key import CheckKey
from duly.core.errors import Refused
from duly.delivery import Answer
from duly.rules import active, load_packs
from duly.service.operations import releasing
from duly.service.operations.events import accept
from duly.service.operations.recalling import HOLD, recall
from duly.service.operations.reserving import Wish, reserve
from duly.service.outbox.claiming import claim
from duly.service.outbox.submitting import submit, write_answers
from duly.service.outbox.worker import Worker
from duly.service.store.models import (
    Approval,
    Audit,
    Decision,
    Hold,
    Message,
    Recall,
    Recalled,
    Reservation,
    Run,
    Stopped,
)

KEY = CheckKey(key_id="k1", secret=b"a key of thirty-two bytes, for us")
RULES = active(load_packs(("decency", "cn")), DAY)
RUN = "a" * 64


def taken(scope="run", name=RUN, *, by="Li Lei", at=AT, **settings):
    return recall(scope, name, by=by, lender=lender(**settings), key=KEY, at=at)


def claimed(ours, me, *, at=AT, batch=500):
    routes = lender().routes
    return claim(ours, worker=me, routes=routes, rules=RULES, at=at, batch=batch)


@pytest.fixture
def half(ours, me):
    """Give five messages: one delivered, one accepted, one submitted, one claimed, one waiting."""
    ids = fill(5, params={"name": "张**"})
    for number, name in enumerate(ids):
        Message.objects.filter(pk=name).update(address=f"+861380000010{number}")
    mine = claimed(ours, me, batch=4).claimed
    submit(ours, mine[:3], worker=me, at=AT)
    answers = [Answer(message_id=name, outcome="accepted", provider_ids=(name,), code="0")
               for name in ids[:2]]  # fmt: skip
    write_answers(ours, "box", answers)
    Message.objects.filter(pk=ids[0]).update(state="delivered")
    return ids


def kinds():
    found = {}
    for kind in Audit.objects.values_list("kind", flat=True):
        found[kind] = found.get(kind, 0) + 1
    return found


class TestRecall:
    def test_what_has_not_left_is_cancelled_and_what_has_is_listed(self, store, half):
        found = taken()
        assert (found.cancelled, found.locked, found.drafted) == (2, 0, 3)
        assert [(one.message_id, one.state) for one in found.recipients] == [
            (half[0], "delivered"), (half[1], "accepted"), (half[2], "submitted"),
        ]  # fmt: skip
        gone = Message.objects.filter(state="cancelled").values_list("message_id", "reason")
        assert set(gone) == {(half[3], "recalled"), (half[4], "recalled")}
        assert set(Reservation.objects.values_list("message_id", flat=True)) == set(half[:3])

    def test_the_holders_alone_are_held_for_three_days(self, store, half):
        found = taken()
        assert found.held_until == AT + timedelta(days=3) == AT + HOLD
        assert set(Hold.objects.values_list("borrower_id", flat=True)) == {
            "b00000", "b00001", "b00002",
        }  # fmt: skip

    def test_a_correction_is_drafted_for_each_and_sent_to_nobody(self, store, half, ours, me):
        found = taken()
        (sha,) = found.corrections
        run = Run.objects.get(pk=sha)
        assert (run.kind, run.state, run.approvals_needed, run.messages_count) == (
            "correction", "planned", 1, 3,
        )  # fmt: skip
        for one in found.recipients:
            wrong = Message.objects.get(pk=one.message_id)
            draft = Message.objects.get(pk=one.correction_id)
            assert (draft.borrower_id, draft.address, draft.channel, draft.loan_ids) == (
                wrong.borrower_id, wrong.address, wrong.channel, wrong.loan_ids,
            )  # fmt: skip
            assert (draft.state, draft.message_class, draft.template) == (
                "planned", "correction", "correction",
            )  # fmt: skip
            assert "张**" in draft.text
            assert "3月10日" in draft.text
            assert draft.code in draft.text
        asyncio.run(Worker(store, lender(), now=lambda: AT).run(once=True))
        assert states(store)["planned"] == 3

    def test_the_same_again_adds_nothing_and_tells_the_same(self, store, half):
        first, told = taken(), kinds()
        again = taken(by="Wang", at=AT + timedelta(hours=1))
        assert (again.cancelled, again.drafted) == (0, 0)
        assert again.recipients == first.recipients
        assert (again.corrections, again.held_until) == (first.corrections, first.held_until)
        assert kinds() == told
        assert (Recall.objects.count(), Hold.objects.count(), Recalled.objects.count()) == (1, 3, 3)

    def test_each_step_is_in_the_record(self, store, half):
        taken()
        found = kinds()
        assert found["recalled"] == found["stopped"] == found["run.drafted"] == 1
        assert found["message.cancelled"] == 2
        assert found["message.recalled"] == found["borrower.held"] == 3

    def test_a_template_is_taken_back_over_all_runs_and_no_other(self, store, half):
        Message.objects.filter(pk=half[4]).update(template="first_late")
        found = taken("template", "overdue")
        assert (found.cancelled, len(found.recipients)) == (1, 3)
        assert Message.objects.get(pk=half[4]).state == "released"

    def test_a_run_is_named_by_its_beginning(self, store, half):
        assert taken("run", "aaaa").name == RUN

    def test_what_cannot_be_recalled_changes_nothing(self, store, half):
        for given in ({"name": "beef"}, {"name": ""}, {"by": " "}):
            with pytest.raises(Refused):
                taken(**given)
        assert Recall.objects.count() == Hold.objects.count() == Stopped.objects.count() == 0
        assert Message.objects.filter(state="cancelled").count() == 0

    def test_a_claim_of_a_worker_is_not_submitted_any_more(self, store, ours, me):
        fill(3)
        mine = claimed(ours, me).claimed
        assert taken().cancelled == 3
        assert submit(ours, mine, worker=me, at=AT) == ()
        assert states(store) == {"cancelled": 3}

    def test_what_somebody_holds_is_said_and_stays_stopped(self, store, monkeypatch):
        ids = fill(2)
        monkeypatch.setattr("duly.service.operations.recalling._ROUNDS", 3)
        with psycopg.connect(store) as other:
            other.execute("SELECT 1 FROM store_message WHERE message_id = %s FOR UPDATE", (ids[0],))
            found = taken()
            assert (found.cancelled, found.locked) == (1, 1)
        asyncio.run(Worker(store, lender(), now=lambda: AT).run(once=True))
        assert states(store) == {"released": 1, "cancelled": 1}
        assert taken().cancelled == 1

    def test_recalling_while_workers_send_cancels_or_lists_each(self, store, tmp_path):
        ids = fill(300)
        log = tmp_path / "wire"
        log.touch()
        worker = Worker(store, lender(log=str(log), window=10), now=lambda: AT, concurrency=2,
                        batch=40)  # fmt: skip

        async def both():
            sending = asyncio.create_task(worker.run(once=True))
            while len(log.read_text().splitlines()) < 30:
                await asyncio.sleep(0.01)
            found = await asyncio.to_thread(taken_over, store)
            await sending
            return found

        found = asyncio.run(both())
        sent = len(log.read_text().splitlines())
        assert found["cancelled"] + sent == len(ids)
        assert (found["recipients"], found["locked"]) == (sent, 0)


def taken_over(store):
    """Recall in another thread, which has a connection of its own."""
    from django.db import connections

    try:
        found = taken()
        return {"cancelled": found.cancelled, "locked": found.locked,
                "recipients": len(found.recipients)}  # fmt: skip
    finally:
        connections.close_all()


class TestHold:
    @pytest.mark.parametrize(
        ("kind", "after", "state"),
        [
            ("dunning", timedelta(minutes=1), "blocked"),
            ("dunning", HOLD - timedelta(seconds=1), "blocked"),
            ("dunning", HOLD, "claimed"),
            ("receipt", timedelta(minutes=1), "claimed"),
        ],
    )
    def test_the_door_blocks_what_dunns_until_then(self, half, ours, me, kind, after, state):
        taken()
        at = AT + after
        sent = Message.objects.get(pk=half[0])
        other = Run.objects.create(plan_sha256="b" * 64, business_date=DAY + timedelta(days=1),
                                   state="released", messages_count=1, summary={})  # fmt: skip
        values = {f.attname: getattr(sent, f.attname) for f in Message._meta.fields}
        Message.objects.create(**values | {
            "message_id": "next", "run_id": other.pk, "business_date": other.business_date,
            "message_class": kind, "state": "released", "worker": None, "not_before": at,
            "not_after": at + timedelta(hours=2), "facts": {**sent.facts, "class": kind},
        })  # fmt: skip
        claimed(ours, me, at=at)
        one = Message.objects.get(pk="next")
        assert one.state == state
        if state == "blocked":
            assert one.reason == "recalled"


class TestTwoPeople:
    def test_who_recalled_neither_lifts_nor_approves(self, store, half):
        (sha,) = taken(by="Li Lei").corrections
        with pytest.raises(Refused, match="second_name"):
            releasing.lift("run", RUN, by="li lei")
        with pytest.raises(Refused, match="own_recall"):
            releasing.approve(sha, by="LI LEI")
        assert Stopped.objects.filter(lifted_at=None).count() == 1
        assert Approval.objects.count() == 0
        assert set(Message.objects.filter(run_id=sha).values_list("state", flat=True)) == {
            "planned"
        }

    def test_approved_by_another_it_goes_to_who_has_the_wrong_text(self, store, half, tmp_path):
        found = taken()
        (sha,) = found.corrections
        assert releasing.approve(sha, by="Wang").released
        log = tmp_path / "wire"
        later = AT + timedelta(minutes=5)
        asyncio.run(Worker(store, lender(log=str(log)), now=lambda: later).run(once=True))
        assert set(Message.objects.filter(run_id=sha).values_list("state", flat=True)) == {
            "delivered"
        }
        assert len(log.read_text().splitlines()) == 3
        assert json.loads(Audit.objects.get(kind="run.approved").payload)["by"] == "Wang"

    def test_two_names_where_the_lender_asks_for_two(self, store, half):
        file = replace(lender(), approval="two")
        (sha,) = recall("run", RUN, by="Li", lender=file, key=KEY, at=AT).corrections
        assert not releasing.approve(sha, by="Wang").released
        assert releasing.approve(sha, by="Zhao").released


class TestWhatIsToldMeanwhile:
    def test_who_pays_gets_the_correction_all_the_same(self, half, ours, me):
        (sha,) = taken().corrections
        releasing.approve(sha, by="Wang")
        assert accept([paid("l1")], at=AT).cancelled == ()
        assert len(claimed(ours, me, at=AT + timedelta(minutes=5)).claimed) == 3

    def test_a_number_that_is_a_strangers_gets_none(self, store, half):
        (sha,) = taken().corrections
        told = event("contact_point.changed", {"borrower_id": "b00000", "channel": "sms",
                     "address": "+8613800000100", "status": "wrong_person"})  # fmt: skip
        assert len(accept([told], at=AT).cancelled) == 1
        assert Message.objects.filter(run_id=sha, state="planned").count() == 2

    def test_who_died_gets_none(self, store, half):
        (sha,) = taken().corrections
        assert len(accept([signalled("deceased", borrower="b00001")], at=AT).cancelled) == 1
        assert Message.objects.filter(run_id=sha, state="planned").count() == 2

    @pytest.mark.parametrize(("kind", "reason"), [("dunning", "recalled"), ("answer", "")])
    def test_an_agency_may_not_dun_them_either(self, half, kind, reason):
        taken()
        facts = Message.objects.get(pk=half[0]).facts
        ways = {"sms": {"opted_out": False, "servicing_withdrawn": False}}
        Decision.objects.create(
            loan_id="l1", run_id=RUN, borrower_id="b00000", business_date=DAY, decision="task",
            reason="x", facts=facts, by_channel=ways,
        )  # fmt: skip
        wish = Wish(contact_id="a1", loan_id="l1", channel="sms", address="+8613800000100",
                    contact_class=kind, agency="示例信用服务")  # fmt: skip
        answer = reserve(wish, lender=lender(), at=AT + timedelta(minutes=5))
        assert answer is not None
        assert answer.effect == ("block" if reason else "allow"), answer
        assert answer.reason == reason
