"""Goal: what must never be is refused by the database itself. Method: each invariant, broken."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from django.db import IntegrityError, connection

from duly.delivery import STATES, may_follow
from duly.service import migrating
from duly.service.store.book_models import BookBorrower, BookPayment, BookSignal
from duly.service.store.event_models import Event, MessageLoan, Word
from duly.service.store.models import (
    Approval,
    Audit,
    Borrower,
    Contact,
    Message,
    Reservation,
    Run,
    Stopped,
)

AT = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)
DAY = date(2026, 3, 10)


def run(plan: str = "p1", **given: object) -> Run:
    values = {"business_date": DAY, "messages_count": 1, "summary": {}}
    return Run.objects.create(plan_sha256=plan, **values | given)


def borrower(name: str = "b1") -> Borrower:
    return Borrower.objects.create(borrower_id=name, time_zone="Asia/Shanghai", locale="zh-CN")


def message(name: str = "m1", **given: object) -> Message:
    values: dict[str, object] = {
        "message_id": name,
        "business_date": DAY,
        "loan_ids": ["l1"],
        "channel": "sms",
        "address": "+8613800000001",
        "locale": "zh-CN",
        "message_class": "dunning",
        "template": "overdue",
        "text": "{code}",
        "params": {},
        "segments": 1,
        "code": "3P773SGS",
        "key_id": "k1",
        "not_before": AT,
        "not_after": AT + timedelta(hours=8),
        "facts": {},
    }
    values |= given
    if "run" not in values:
        values["run"] = run()
    if "borrower" not in values:
        values["borrower"] = borrower()
    return Message.objects.create(**values)


class TestMigrations:
    def test_the_models_are_what_the_migrations_make(self, store):
        from django.core.management import call_command

        assert migrating.pending() == ()
        call_command("makemigrations", "store", check=True, dry_run=True, verbosity=0)

    def test_migrating_twice_applies_nothing(self, store):
        assert migrating.migrate() == ()


class TestMessage:
    @pytest.mark.parametrize("after", STATES)
    def test_follows_the_order_of_states(self, store, after):
        one = message(state=after, worker=1)
        for state in STATES:
            if state == after:
                continue
            with connection.cursor() as cursor:
                cursor.execute("BEGIN")
                try:
                    cursor.execute(
                        "UPDATE store_message SET state = %s WHERE message_id = 'm1'", [state]
                    )
                    moved = True
                except IntegrityError:
                    moved = False
                cursor.execute("ROLLBACK")
            assert moved == may_follow(state, after), state
        one.refresh_from_db()
        assert one.state == after

    @pytest.mark.parametrize(
        ("given", "constraint"),
        [
            ({"state": "sent"}, "message_state"),
            ({"message_class": "notice"}, "message_class"),
            ({"channel": "pigeon"}, "message_channel"),
            ({"not_after": AT - timedelta(seconds=1)}, "message_window"),
            ({"state": "claimed"}, "message_owned"),
        ],
    )
    def test_what_cannot_be_is_refused(self, store, given, constraint):
        with pytest.raises(IntegrityError, match=constraint):
            message(**given)

    def test_one_a_borrower_day_and_class(self, store):
        one = message()
        with pytest.raises(IntegrityError, match="message_once_a_day_and_class"):
            message("m2", run=one.run, borrower=one.borrower)

    def test_a_cancelled_one_gives_its_place_to_another(self, store):
        one = message(state="cancelled")
        other = message("m2", run=one.run, borrower=one.borrower)
        assert Message.objects.filter(borrower=other.borrower).count() == 2


class TestRest:
    def test_a_slot_is_reserved_once(self, store):
        one = message()
        other = message("m2", run=one.run, borrower=one.borrower, message_class="receipt")
        given = {"borrower": one.borrower, "local_day": DAY, "slot": 1}
        Reservation.objects.create(message=one, **given)
        with pytest.raises(IntegrityError, match="reservation_slot"):
            Reservation.objects.create(message=other, **given)

    def test_a_business_date_has_one_plan_that_counts(self, store):
        run("p1")
        with pytest.raises(IntegrityError, match="run_one_a_business_date"):
            run("p2")

    def test_a_superseded_plan_gives_its_date_away(self, store):
        run("p1", state="superseded")
        assert run("p2").business_date == DAY

    def test_nobody_approves_twice(self, store):
        one = run()
        Approval.objects.create(run=one, by="Li")
        with pytest.raises(IntegrityError, match="approval_once_a_person"):
            Approval.objects.create(run=one, by="Li")

    def test_nobody_lifts_his_own_stop(self, store):
        with pytest.raises(IntegrityError, match="stopped_two_people"):
            Stopped.objects.create(scope="all", by="Li", lifted_by="Li", lifted_at=AT)

    @pytest.mark.parametrize("verb", ["UPDATE store_contact SET outcome = 'sent'",
                                      "DELETE FROM store_contact"])  # fmt: skip
    def test_a_contact_that_was_is_never_unsaid(self, store, verb):
        Contact.objects.create(contact_id="c1", borrower=borrower(), channel="sms", at=AT,
                               direction="out", outcome="unknown")  # fmt: skip
        with psycopg.connect(store) as ours, pytest.raises(psycopg.errors.CheckViolation):
            ours.execute(verb.encode())
        assert Contact.objects.get().outcome == "unknown"

    def test_an_audit_row_is_never_changed(self, store):
        Audit.objects.create(kind="claimed", subject="m1", plain="{}", salt=b"x" * 16,
                             payload_sha256="0" * 64)  # fmt: skip
        with pytest.raises(IntegrityError, match="only added"):
            Audit.objects.update(kind="other")


def word(time: datetime = AT, **given: object) -> Word:
    values = {"kind": "payment", "key": "p1", "time": time, "source": "/s", "event_id": "1"}
    return Word.objects.create(**values | {"data": {}} | given)


class TestFacts:
    @pytest.mark.parametrize(
        "later",
        [{"time": AT - timedelta(microseconds=1)}, {"source": "/S"}, {"event_id": "0"}],
    )
    def test_a_word_never_goes_back(self, store, later):
        word()
        with pytest.raises(IntegrityError, match="may not go back"):
            Word.objects.filter(key="p1").update(**later)
        assert Word.objects.get().time == AT

    def test_a_key_has_one_word(self, store):
        word()
        with pytest.raises(IntegrityError, match="store_word_pkey"):
            word(event_id="2")

    def test_an_event_is_named_once_and_never_changed(self, store):
        given = {"source": "/s", "event_id": "1", "type": "signal.raised", "time": AT, "data": {},
                 "body_sha256": "0" * 64, "received_at": AT}  # fmt: skip
        Event.objects.create(**given)
        with pytest.raises(IntegrityError, match="event_once"):
            Event.objects.create(**given)
        with pytest.raises(IntegrityError, match="only added"):
            Event.objects.update(type="signal.cleared")
        with pytest.raises(IntegrityError, match="only added"):
            Event.objects.all().delete()

    def test_the_loans_of_a_message_are_known(self, store):
        message(loan_ids=["l1", "l2", "l1"])
        assert set(MessageLoan.objects.values_list("message_id", "loan_id")) == {
            ("m1", "l1"), ("m1", "l2"),
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("sql", "constraint"),
        [
            ("UPDATE store_book_payments SET amount = 0", "book_payments_amount"),
            ("UPDATE store_book_payments SET kind = 'refund'", "book_payments_kind"),
            ("UPDATE store_book_payments SET reversed_on = '2026-01-01'", "book_payments_reversal"),
            ("UPDATE store_book_payments SET loan_id = NULL", "book_payments_owner"),
            ("UPDATE store_book_signals SET kind = 'rumour'", "book_signals_kind"),
            ("UPDATE store_book_signals SET ends_at = '2026-01-01Z'", "book_signals_ends"),
            ("UPDATE store_book_borrowers SET quiet_from = 1440", "book_borrowers_quiet"),
        ],
    )
    def test_what_no_book_may_say_is_refused(self, store, sql, constraint):
        BookPayment.objects.create(payment_id="p1", loan_id="l1", paid_on=DAY, amount=1,
                                   kind="payment", decimals=2, cut_at=AT)  # fmt: skip
        BookSignal.objects.create(signal_id="s1", borrower_id="b1", kind="dispute", starts_at=AT,
                                  cut_at=AT)  # fmt: skip
        BookBorrower.objects.create(borrower_id="b1", locale="zh-CN", time_zone="Asia/Shanghai",
                                    decimals=2, cut_at=AT)  # fmt: skip
        with (
            psycopg.connect(store) as ours,
            pytest.raises(psycopg.errors.CheckViolation, match=constraint),
        ):
            ours.execute(sql.encode())
