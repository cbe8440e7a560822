"""Goal: an event counts at once, once, and only if it is whole; what it forbids never leaves.

Method: a real database with released messages; each type of event; hostile batches.
"""

from __future__ import annotations

import json

import pytest
from outgoing import fill
from telling_events import AT, event, paid, signalled

from duly.service.operations.events import Accepted, EventsRefused, accept
from duly.service.store.event_models import Event, Word
from duly.service.store.models import Audit, Message


def reasons() -> dict[str, str | None]:
    return dict(
        Message.objects.filter(state="cancelled")
        .order_by("message_id")
        .values_list("message_id", "reason")
    )


def point(borrower: str, address: str, **given: object) -> dict[str, object]:
    return event("contact_point.changed", {"borrower_id": borrower, "channel": "sms",
                                           "address": address, **given})  # fmt: skip


class TestAccept:
    def test_a_batch_is_stored_whole_and_audited(self, store):
        told = accept([paid(), paid("l2")], at=AT)
        assert told == Accepted(accepted=2, duplicates=0)
        assert Event.objects.count() == Word.objects.filter(kind="payment").count() == 2
        assert Audit.objects.filter(kind="event.accepted").count() == 2

    def test_the_same_event_twice_is_one(self, store):
        one = paid()
        assert accept([one, dict(one)], at=AT) == Accepted(accepted=1, duplicates=1)
        assert accept([one], at=AT) == Accepted(accepted=0, duplicates=1)
        # The same instant, written another way on the same day, and another trace: the same event.
        again = {**one, "time": "2026-03-10T01:30:00Z", "traceparent": "00-1-2-01"}
        assert accept([again], at=AT).duplicates == 1
        assert Event.objects.count() == 1

    def test_another_body_under_a_known_name_is_refused(self, store):
        one = paid()
        accept([one], at=AT)
        other = {**one, "data": {**one["data"], "amount": "5.00"}}
        with pytest.raises(EventsRefused) as refused:
            accept([paid(), other], at=AT)
        assert [(p.index, p.field, p.code) for p in refused.value.problems] == [
            (1, "id", "other_body")
        ]
        with pytest.raises(EventsRefused):
            accept([one, other], at=AT)
        assert Event.objects.count() == 1
        assert Word.objects.get().data["amount"] == "500.00"

    def test_every_fault_is_told_and_nothing_stored(self, store):
        fill(1)
        bad = event("payment.posted", {"payment_id": "p", "loan_id": "l1", "paid_on": "10.3.2026",
                                       "amount": 734.1})  # fmt: skip
        batch = [paid(), bad, {"id": "x"}, "text", event("payment.lost", {})]
        with pytest.raises(EventsRefused) as refused:
            accept(batch, at=AT)
        found = [(p.index, p.field, p.code) for p in refused.value.problems]
        assert found == [
            (1, "data.paid_on", "bad_date"),
            (1, "data.amount", "not_exact"),
            (2, "specversion", "bad_specversion"),
            (2, "source", "missing_value"),
            (2, "time", "missing_value"),
            (2, "type", "unknown_type"),
            (3, "", "not_an_object"),
            (4, "type", "unknown_type"),
        ]
        assert all(p.message and p.sentence("zh-CN") for p in refused.value.problems)
        assert Event.objects.count() == Word.objects.count() == Audit.objects.count() == 0
        assert reasons() == {}

    def test_unread_fields_are_named(self, store):
        one = paid()
        one["data"]["memo"] = "x"
        assert accept([one], at=AT).unread == ("payment.posted.memo",)

    def test_a_clock_that_runs_ahead_does_not_win(self, store):
        with pytest.raises(EventsRefused) as refused:
            accept([paid(time="2031-01-01T00:00:00Z")], at=AT)
        assert refused.value.problems[0].code == "ahead"


HOSTILE = [
    ("data", {"payment_id": "a\u0000b"}, "control_character"),
    ("data.payment_id", {"payment_id": "a\tb"}, "control_character"),
    ("data.payment_id", {"payment_id": "x" * 201}, "bad_id"),
    ("data.payment_id", {"payment_id": ""}, "missing_value"),
    ("data.payment_id", {"payment_id": ["a"]}, "bad_text"),
    ("data.amount", {"amount": "1e3"}, "bad_number"),
    ("data.amount", {"amount": "-5"}, "not_positive"),
    ("data.amount", {"amount": "0"}, "not_positive"),
    ("data.amount", {"amount": True}, "bad_number"),
    ("data.amount", {"amount": "９.00"}, "bad_number"),
    ("data.amount", {"amount": "100000000001"}, "out_of_range"),
    ("data.amount", {"amount": "1.00001"}, "too_many_decimals"),
    ("data.amount", {"amount": 10**400}, "bad_number"),
    ("data.paid_on", {"paid_on": "2026-02-30"}, "bad_date"),
    ("data.paid_on", {"paid_on": "1066-10-14"}, "out_of_range"),
    ("data.kind", {"kind": "refund"}, "bad_choice"),
    ("data.component", {"component": "fee"}, "component_of_payment"),
    ("data.loan_id", {"loan_id": None}, "names_nobody"),
    ("data.reversed_on", {"reversed_on": "2026-03-01"}, "ends_before_start"),
]


class TestHostile:
    @pytest.mark.parametrize(("field", "given", "code"), HOSTILE)
    def test_a_broken_value_is_refused_with_its_place(self, store, field, given, code):
        one = paid()
        one["data"] |= given
        with pytest.raises(EventsRefused) as refused:
            accept([one], at=AT)
        assert [(p.field, p.code) for p in refused.value.problems] == [(field, code)]
        assert Event.objects.count() == 0

    @pytest.mark.parametrize(
        "given",
        [{"id": "\ud800"}, {"source": "a\nb"}, {"id": "x" * 401}, {"subject": 5}, {"time": 5},
         {"time": "2026-03-10"}, {"time": "0001-01-01T00:00:00+14:00"}, {"data": []},
         {"datacontenttype": "text/html"}, {"data": {"payment_id": "\ud800"}},
         {"data": {"x": float("nan")}}, {"specversion": 1.0}],
    )  # fmt: skip
    def test_a_broken_envelope_is_refused(self, store, given):
        with pytest.raises(EventsRefused) as refused:
            accept([{**paid(), **given}], at=AT)
        assert {p.index for p in refused.value.problems} == {0}
        assert Event.objects.count() == 0

    def test_words_of_sql_are_words(self, store):
        told = paid(payment_id="'; DROP TABLE store_event; --", id="') OR 1=1 --")
        accept([told], at=AT)
        assert Word.objects.get().key == "'; DROP TABLE store_event; --"

    def test_a_deep_detail_is_refused(self, store):
        deep: object = "x"
        for _ in range(50_000):
            deep = [deep]
        with pytest.raises(EventsRefused):
            accept([signalled("dispute", detail={"a": deep})], at=AT)
        assert Event.objects.count() == 0

    @pytest.mark.parametrize(
        ("kind", "detail"),
        [("promise", None), ("promise", {"amount": "5", "on": "soon"}),
         ("promise", {"amount": 5.5, "on": "2026-03-12"}), ("opt_out", {"channel": "fax"}),
         ("dispute", {"accrual": "perhaps"}), ("bureau_reporting", {"report_on": "x"})],
    )  # fmt: skip
    def test_a_detail_says_what_its_kind_must(self, store, kind, detail):
        with pytest.raises(EventsRefused) as refused:
            accept([signalled(kind, detail=detail)], at=AT)
        assert [p.code for p in refused.value.problems] == ["bad_detail"]

    @pytest.mark.parametrize(
        ("kind", "agreed", "field", "code"),
        [
            ("dispute", [{"number": 1, "due_on": "2026-04-01", "amount": "5.00"}], "data.agreed",
             "agreed_of_no_plan"),
            ("plan", [], "data.agreed", "bad_agreed"),
            ("plan", {"number": 1}, "data.agreed", "bad_agreed"),
            ("plan", [1], "data.agreed.0", "not_an_object"),
            ("plan", [{"number": 1, "due_on": "2026-04-01", "amount": "0"}],
             "data.agreed.0.amount", "not_positive"),
            ("plan", [{"number": 0, "due_on": "2026-04-01", "amount": "5"}],
             "data.agreed.0.number", "out_of_range"),
            ("plan", [{"number": 1, "due_on": "2026-04-01", "amount": "5"}] * 2, "data.agreed",
             "duplicate_key"),
            ("plan", [{"number": 2, "due_on": "2026-04-01", "amount": "5"},
                      {"number": 1, "due_on": "2026-05-01", "amount": "5"}], "data.agreed",
             "goes_back"),
        ],
    )  # fmt: skip
    def test_amounts_of_a_plan_are_rows_of_the_book(self, store, kind, agreed, field, code):
        with pytest.raises(EventsRefused) as refused:
            accept([signalled(kind, agreed=agreed)], at=AT)
        assert [(p.field, p.code) for p in refused.value.problems] == [(field, code)]
        assert Event.objects.count() == 0


class TestCancel:
    def test_a_payment_cancels_what_names_its_loan(self, store):
        fill(1)
        Message.objects.update(state="claimed", worker=1)
        assert accept([paid("l2")], at=AT).cancelled == ()
        assert accept([paid("l1")], at=AT).cancelled == ("m00000",)
        assert reasons() == {"m00000": "payment"}
        row = Audit.objects.get(kind="message.cancelled")
        assert (row.subject, json.loads(row.payload)) == ("m00000", {"reason": "payment"})

    def test_what_is_submitted_stays_submitted(self, store):
        fill(1)
        Message.objects.update(state="claimed", worker=1)
        Message.objects.update(state="submitted")
        assert accept([paid("l1")], at=AT).cancelled == ()
        assert Message.objects.get().state == "submitted"

    def test_unapplied_money_stops_the_person(self, store):
        fill(2)
        one = paid(None)
        one["data"]["borrower_id"] = "b00001"
        assert accept([one], at=AT).cancelled == ("m00001",)

    def test_a_reversal_is_news_of_its_loan(self, store):
        accept([paid("l1", payment_id="p1")], at=AT)
        fill(1)
        assert accept([event("payment.reversed", {"payment_id": "p9"})], at=AT).cancelled == ()
        back = event("payment.reversed", {"payment_id": "p1"})
        assert accept([back], at=AT).cancelled == ("m00000",)
        assert reasons() == {"m00000": "payment_reversed"}

    @pytest.mark.parametrize("kind", ["dispute", "hardship", "agency"])
    def test_a_hold_stops_its_loan(self, store, kind):
        fill(2)
        assert accept([signalled(kind, loan_id="l9")], at=AT).cancelled == ()
        assert accept([signalled(kind, loan_id="l1")], at=AT).cancelled == ("m00000",)

    @pytest.mark.parametrize("kind", ["deceased", "cease_contact", "opt_out"])
    def test_a_stop_binds_the_person_whatever_loan_it_names(self, store, kind):
        fill(1)
        told = accept([signalled(kind, loan_id="l9")], at=AT)
        assert told.cancelled == ("m00000",)
        assert reasons() == {"m00000": kind}

    def test_an_opt_out_of_another_channel_stops_nothing(self, store):
        fill(1)
        assert accept([signalled("opt_out", detail={"channel": "email"})], at=AT).cancelled == ()

    def test_a_signal_that_was_cleared_before_it_came_stops_nothing(self, store):
        fill(1)
        accept([event("signal.cleared", {"signal_id": "s1"})], at=AT)
        assert accept([signalled("dispute", signal_id="s1")], at=AT).cancelled == ()

    def test_an_opt_out_stops_the_number_for_whoever_has_it(self, store):
        fill(3)
        Message.objects.filter(message_id="m00002").update(address="+8613900000009")
        told = accept([signalled("opt_out", "b00000", detail={"channel": "sms"})], at=AT)
        assert told.cancelled == ("m00000", "m00001")

    def test_an_opt_out_from_a_number_stops_that_number(self, store):
        fill(2)
        Message.objects.filter(message_id="m00001").update(address="13900000009")
        told = signalled("opt_out", "somebody", detail={"address": "+86 139-0000-0009"})
        assert accept([told], at=AT).cancelled == ("m00001",)

    def test_a_wrong_person_stops_the_number_for_whoever_has_it(self, store):
        fill(2)
        wrong = point("stranger", "86 138 0000 0001", status="wrong_person")
        assert accept([wrong], at=AT).cancelled == ("m00000", "m00001")
        assert set(reasons().values()) == {"wrong_person"}

    def test_a_word_older_than_what_is_known_stops_nothing(self, store):
        fill(1)
        accept([point("b00000", "+8613800000001", status="active")], at=AT)
        early = point("b00000", "+8613800000001", status="wrong_person")
        early["time"] = "2026-03-09T09:30:00+08:00"
        assert accept([early], at=AT).cancelled == ()

    def test_a_dead_number_stops_its_owner_only(self, store):
        fill(2)
        assert accept([point("b00001", "+8613800000001", status="invalid")], at=AT).cancelled == (
            "m00001",
        )

    @pytest.mark.parametrize(
        ("purpose", "channel", "count"),
        [("servicing", None, 1), ("servicing", "sms", 1), ("servicing", "email", 0),
         ("marketing", None, 0)],
    )  # fmt: skip
    def test_a_withdrawn_consent_stops_its_channel(self, store, purpose, channel, count):
        fill(1)
        said = {"borrower_id": "b00000", "purpose": purpose, "channel": channel}
        assert len(accept([event("consent.withdrawn", said)], at=AT).cancelled) == count

    def test_a_closed_loan_is_not_chased(self, store):
        fill(1)
        loan = {"loan_id": "l1", "borrower_id": "b00000", "principal": "100.00",
                "disbursed_on": "2026-01-01"}  # fmt: skip
        assert accept([event("loan.upserted", loan)], at=AT).cancelled == ()
        closed = event("loan.upserted", {**loan, "status": "closed"}, time="2026-03-10T01:31:00Z")
        assert accept([closed], at=AT).cancelled == ("m00000",)
        assert reasons() == {"m00000": "loan_closed"}
