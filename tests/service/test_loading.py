"""Goal: a plan is loaded whole and once; a corrected plan of the day takes its place.

Method: a real plan of a sample book in a real database; the same plan again; a second one.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pytest
from django.db import transaction
from outgoing import fill
from plans import AT, proven

from duly.core.errors import Refused
from duly.service.operations import loading
from duly.service.store.models import Audit, Borrower, Contact, Message, Run, Signal


def load(plan):
    return loading.load(plan, at=AT)


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return proven(tmp_path_factory.mktemp("plan"))


@pytest.fixture(scope="module")
def corrected(plan):
    """Give another plan of the same day: the same messages under other names, one fewer."""
    fewer = replace(plan, messages=plan.messages.slice(1), facts=plan.facts.slice(1))
    return replace(
        plan,
        run={**plan.run, "plan_sha256": "f" * 64},
        messages=fewer.messages.set_column(0, "message_id", _named(fewer, "z")),
        facts=fewer.facts.set_column(0, "message_id", _named(fewer, "z")),
    )


def _named(plan, letter):
    """Return the message ids of a plan under another first letter."""
    return pa.array(letter + name[1:] for name in plan.facts.column("message_id").to_pylist())


class TestLoad:
    def test_every_message_stands_as_the_plan_has_it(self, store, plan):
        loaded = load(plan)

        rows = plan.messages.to_pylist()
        assert (loaded.messages, loaded.state, loaded.again) == (len(rows), "released", False)
        assert Message.objects.filter(state="released").count() == len(rows)
        for row in rows:
            one = Message.objects.get(message_id=row["message_id"])
            assert (one.borrower_id, one.channel, one.address) == (
                row["borrower_id"], row["channel"], row["address"],
            )  # fmt: skip
            assert (one.text, one.code, one.key_id) == (row["text"], row["code"], row["key_id"])
            assert (one.loan_ids, one.segments) == (row["loan_ids"], row["segments"])
            assert one.not_before.replace(tzinfo=None) == row["not_before"]
            assert one.not_after.replace(tzinfo=None) == row["not_after"]
            assert one.facts["channel"] == row["channel"]
        assert Borrower.objects.count() == plan.people.num_rows
        assert Contact.objects.count() == plan.contacts.num_rows
        assert Signal.objects.count() == plan.signals.num_rows
        assert json.loads(Audit.objects.get(kind="run.loaded").payload)["messages"] == len(rows)

    def test_the_same_plan_twice_adds_nothing(self, store, plan):
        load(plan)
        count, record = Message.objects.count(), Audit.objects.count()

        again = load(plan)

        assert (again.again, again.messages) == (True, 0)
        assert (Message.objects.count(), Audit.objects.count()) == (count, record)
        assert Audit.objects.filter(kind="run.loaded").count() == 1

    @pytest.mark.parametrize(("approval", "needed"), [("one", 1), ("two", 2)])
    def test_waits_where_the_lender_asks_for_approval(self, store, plan, approval, needed):
        loaded = load(replace(plan, lender=replace(plan.lender, approval=approval)))

        assert loaded.state == "planned"
        assert Run.objects.get().approvals_needed == needed
        assert set(Message.objects.values_list("state", flat=True)) == {"planned"}

    def test_a_load_that_breaks_leaves_nothing(self, store, plan):
        broken = replace(plan, facts=plan.facts.slice(0, 0), people=plan.people.slice(0, 0))
        whole = replace(broken, facts=plan.facts)

        with pytest.raises(Exception, match="violates foreign key"), transaction.atomic():
            load(whole)

        assert Run.objects.count() == Message.objects.count() == Audit.objects.count() == 0

    def test_a_plan_of_yesterday_is_refused(self, store, plan):
        with pytest.raises(Refused) as refused:
            loading.load(plan, at=AT + timedelta(days=1))
        assert refused.value.diagnostics[0].code == "day_is_over"
        assert Run.objects.count() == 0


class TestSupersede:
    def test_what_is_not_submitted_is_cancelled(self, store, plan, corrected):
        first = load(plan)

        second = load(corrected)

        assert second.superseded == first.messages
        assert second.messages == first.messages - 1
        assert set(
            Message.objects.filter(run_id=first.plan_sha256).values_list("state", "reason")
        ) == {("cancelled", "superseded")}
        assert set(
            Message.objects.filter(run_id=second.plan_sha256).values_list("state", flat=True)
        ) == {"released"}

    def test_who_was_submitted_to_gets_nothing_more(self, store, plan, corrected):
        first = load(plan)
        sent = Message.objects.filter(run_id=first.plan_sha256).last()
        assert sent is not None
        for state in ("claimed", "submitted", "accepted"):
            Message.objects.filter(pk=sent.pk).update(state=state, worker=1)

        second = load(corrected)

        assert second.sent_before == 1
        other = Message.objects.get(run_id=second.plan_sha256, borrower=sent.borrower_id)
        assert (other.state, other.reason) == ("cancelled", "sent_before")
        sent.refresh_from_db()
        assert sent.state == "accepted"
        assert Run.objects.get(pk=first.plan_sha256).state == "superseded"

    def test_a_third_plan_does_not_forget_who_was_submitted_to(self, store, plan, corrected):
        first = load(plan)
        sent = Message.objects.filter(run_id=first.plan_sha256).last()
        assert sent is not None
        for state in ("claimed", "submitted", "unknown"):
            Message.objects.filter(pk=sent.pk).update(state=state, worker=1)
        load(corrected)

        again = replace(
            corrected,
            run={**plan.run, "plan_sha256": "e" * 64},
            messages=corrected.messages.set_column(0, "message_id", _named(corrected, "y")),
            facts=corrected.facts.set_column(0, "message_id", _named(corrected, "y")),
        )
        third = load(again)

        assert (third.messages, third.sent_before) == (corrected.messages.num_rows, 1)
        sent.refresh_from_db()
        assert sent.state == "unknown"


class TestAnswers:
    """A text of the class `answer` that the plan itself has, beside the confirmation of a reply."""

    @pytest.fixture
    def warning(self, plan):
        """Give the plan with its first message as a text about the account."""
        rows = plan.messages
        at = rows.schema.get_field_index("class")
        classes = ["answer", *rows.column("class").to_pylist()[1:]]
        return replace(plan, messages=rows.set_column(at, "class", [classes]))

    def confirmation(self, plan, *states):
        """Write what was said back this morning to whom the plan writes first; return both."""
        first = plan.messages.slice(0, 1).to_pylist()[0]
        (name,) = fill(1, message_class="answer", template="promise_noted", state="released")
        Borrower.objects.create(borrower_id=first["borrower_id"], time_zone="Asia/Shanghai")
        Run.objects.filter(plan_sha256="a" * 64).update(kind="answer", business_date=AT.date())
        Message.objects.filter(pk=name).update(
            borrower=first["borrower_id"], business_date=AT.date()
        )
        for state in states:
            Message.objects.filter(pk=name).update(state=state, worker=1)
        return name, first["message_id"]

    @pytest.mark.parametrize("states", [(), ("claimed",)])
    def test_a_confirmation_that_waits_gives_way(self, store, warning, states):
        name, planned = self.confirmation(warning, *states)
        loaded = load(warning)
        assert (loaded.sent_before, loaded.superseded) == (0, 0)
        gone = Message.objects.get(pk=name)
        assert (gone.state, gone.reason, gone.worker) == ("cancelled", "superseded", None)
        assert Message.objects.get(pk=planned).state == "released"
        assert Audit.objects.filter(kind="message.cancelled", subject=name).count() == 1

    @pytest.mark.parametrize("states", [("claimed", "submitted"),
                                        ("claimed", "submitted", "accepted")])  # fmt: skip
    def test_who_has_one_gets_no_second_text_of_the_class_that_day(self, store, warning, states):
        name, planned = self.confirmation(warning, *states)
        assert load(warning).sent_before == 1
        assert Message.objects.get(pk=name).state == states[-1]
        late = Message.objects.get(pk=planned)
        assert (late.state, late.reason) == ("cancelled", "sent_before")

    def test_a_demand_and_a_confirmation_go_beside_each_other(self, store, plan):
        name, planned = self.confirmation(plan)
        assert load(plan).sent_before == 0
        assert {Message.objects.get(pk=one).state for one in (name, planned)} == {"released"}

    @pytest.mark.parametrize("states", [(), ("claimed", "submitted", "accepted")])
    def test_a_sign_in_code_holds_nothing_back_and_gives_way_to_nothing(
        self, store, warning, states
    ):
        name, planned = self.confirmation(warning)
        Message.objects.filter(pk=name).update(template="sign_in_code")
        for state in states:
            Message.objects.filter(pk=name).update(state=state, worker=1)
        assert load(warning).sent_before == 0
        assert Message.objects.get(pk=planned).state == "released"
        assert Message.objects.get(pk=name).state == (states or ("released",))[-1]
