"""Goal: what a route certainly did not take is tried again within its terms, and nothing else is.

Method: a real database; claim, submit and answer by steps. Waiting is measured inside the database
and shortened by moving `retry_at`, never by a clock of the test.
"""

from __future__ import annotations

import json
from datetime import timedelta

import psycopg
import pytest
from databases import until_gone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from outgoing import AT, DAY, fill, lender, states

from duly.book import Route
from duly.delivery import Answer
from duly.delivery.retrying import Terms
from duly.rules import active, load_packs
from duly.service.borrower_keys import COLUMNS, payload_of
from duly.service.evidence.gathering import Gathered
from duly.service.evidence.page import page
from duly.service.operations import releasing
from duly.service.operations.proving import Row
from duly.service.operations.telling import raise_signal
from duly.service.outbox.claiming import claim
from duly.service.outbox.identity import Identity
from duly.service.outbox.orphans import settle_orphans
from duly.service.outbox.refusing import Refusals
from duly.service.outbox.submitting import submit, write_answers
from duly.service.outbox.watching import waited_for
from duly.service.store.models import (
    Attempt,
    Audit,
    Contact,
    DeadLetter,
    Message,
    Part,
    Reservation,
)

RULES = active(load_packs(("decency", "cn")), DAY)
ONE = Route(name="one", channel="sms", kind="sandbox", accepts=("dunning",))
TWO = Route(name="two", channel="sms", kind="sandbox", accepts=("dunning", "receipt"))
THROTTLED = "0x00000058 ESME_RTHROTTLED"
STATED = Terms(attempts=4, fallback_refusals=2)


def claimed(ours, me, *, routes=(ONE,), at=AT, **more):
    return claim(ours, worker=me, routes=routes, rules=RULES, at=at, batch=500, **more)


def answered(ours, me, outcome, code="", *, routes=(ONE,), terms=None, at=AT, told=None, ids=()):
    """Send what is due and let its route answer so; return the route."""
    going = submit(ours, claimed(ours, me, routes=routes, at=at).claimed, worker=me, at=at)
    assert going, "nothing was due"
    route = Message.objects.get(message_id=going[0].message_id).route
    write_answers(
        ours, route,
        [Answer(message_id=one.message_id, outcome=outcome, code=code, provider_ids=ids,
                retry_after_seconds=told) for one in going],
        refusals=Refusals(routes=routes, terms=terms or {}), at=at,
    )  # fmt: skip
    return route


def now_due(ours):
    ours.execute("UPDATE store_message SET retry_at = now() WHERE retry_at IS NOT NULL")


def waits(ours):
    """Return the seconds from the answer to the next try, as the database counts them."""
    (found,) = ours.execute(
        "SELECT extract(epoch FROM retry_at - state_at)::float FROM store_message"
    ).fetchone()
    return found


def told(ours, kind):
    """Return what the record holds under a kind."""
    rows = ours.execute(
        f"SELECT {COLUMNS} FROM store_audit AS a LEFT JOIN store_borrowerkey AS k"
        " ON k.id = a.key_id WHERE a.kind = %s ORDER BY a.id",
        (kind,),
    ).fetchall()
    return [json.loads(payload_of(row).text) for row in rows]


def dead():
    return list(DeadLetter.objects.values_list("message_id", "reason", "route", "attempts"))


class TestBackOff:
    def test_what_was_put_off_comes_back_and_waits_twice_as_long_each_time(self, store, ours, me):
        fill(1)
        for attempt, seconds in ((1, 2.0), (2, 4.0), (3, 8.0)):
            answered(ours, me, "throttled", THROTTLED)
            one = Message.objects.get()
            assert (one.state, one.worker, one.attempts) == ("released", None, attempt)
            assert waits(ours) == seconds
            assert claimed(ours, me).found == 0
            assert Reservation.objects.count() == 0
            now_due(ours)
        tried = Attempt.objects.order_by("number").values_list("number", "outcome", "code")
        assert list(tried) == [(number, "throttled", THROTTLED) for number in (1, 2, 3)]
        assert Audit.objects.filter(kind="message.waits_again").count() == 3
        answered(ours, me, "accepted", ids=("p1",))
        assert states(store) == {"accepted": 1}
        assert dead() == []
        assert set(Contact.objects.values_list("contact_id", flat=True)) == {
            "duly:m00000", "duly:m00000:2", "duly:m00000:3", "duly:m00000:4",
        }  # fmt: skip

    def test_the_other_side_is_given_the_time_it_asked_for(self, ours, me):
        fill(1)
        answered(ours, me, "throttled", "HTTP 503", told=90)
        assert waits(ours) == 90.0

    def test_after_the_last_attempt_it_is_dead(self, store, ours, me):
        fill(1)
        terms = {"one": Terms(attempts=2)}
        answered(ours, me, "throttled", THROTTLED, terms=terms)
        now_due(ours)
        answered(ours, me, "not_sent", "DULY:not_written", terms=terms)
        assert states(store) == {"undelivered": 1}
        assert Message.objects.get().reason == "no_attempt_left"
        assert dead() == [("m00000", "no_attempt_left", "one", 2)]
        assert Audit.objects.filter(kind="message.dead").count() == 1
        now_due(ours)
        assert claimed(ours, me).found == 0

    def test_a_wait_that_ends_after_the_window_is_not_begun(self, store, ours, me):
        fill(1, not_after=AT + timedelta(seconds=1))
        answered(ours, me, "throttled", THROTTLED)
        assert states(store) == {"undelivered": 1}
        assert dead() == [("m00000", "window_over", "one", 1)]

    def test_what_lapses_while_it_waits_is_dead_too(self, store, ours, me):
        fill(1)
        answered(ours, me, "throttled", THROTTLED)
        now_due(ours)
        assert claimed(ours, me, at=AT + timedelta(hours=10)).expired == 1
        assert states(store) == {"expired": 1}
        assert dead() == [("m00000", "window_over", "one", 1)]

    def test_what_lapses_without_ever_having_been_tried_is_no_dead_letter(self, ours, me):
        fill(1)
        assert claimed(ours, me, at=AT + timedelta(hours=10)).expired == 1
        assert dead() == []

    def test_an_untaken_text_counts_in_no_cap_and_a_taken_one_does(self, store, ours, me):
        fill(1)
        answered(ours, me, "throttled", THROTTLED)
        now_due(ours)
        answered(ours, me, "accepted", ids=("p1",))
        # Another text to the same person: he was written to once today, not three times.
        other = Message.objects.get()
        other.message_id, other.state, other.attempts = "m2", "released", 0
        other.business_date = DAY - timedelta(days=1)
        other.save(force_insert=True)
        found = claimed(ours, me)
        assert (found.delayed, found.blocked, found.expired, len(found.claimed)) == (0, 0, 1, 0)
        (knew,) = told(ours, "message.expired")
        assert knew["contacts_counted"] == 1


def test_a_stranger_reads_each_submission_with_its_own_door_and_its_own_end(ours, me):
    fill(1, params={}, not_after=AT + timedelta(hours=9))
    answered(ours, me, "throttled", THROTTLED)
    now_due(ours)
    answered(ours, me, "accepted", ids=("p1",))
    rows = ours.execute(
        f"SELECT a.id, a.at, {COLUMNS} FROM store_audit AS a LEFT JOIN store_borrowerkey AS k"
        " ON k.id = a.key_id ORDER BY a.id"
    ).fetchall()
    kept = tuple(
        Row(number=number, at=at, kind=cells[0], subject=cells[1], payload=payload_of(cells),
            payload_sha256="", index=0)
        for number, at, *cells in rows
    )  # fmt: skip
    gathered = Gathered(rows=kept, size=1, root=b"", at=AT, signature=b"", days=())
    told_page = page(
        gathered, loan_id="l1", lender=lender(), made_at=AT, key_id="k", fingerprint="f",
        sources=(), locale="en",
    )  # fmt: skip
    first, second = told_page.split("<article")[1:3]
    assert "The gateway answered: throttled" in first
    assert "tried again after 2 s at the earliest" in first
    assert "accepted" not in first
    assert "The gateway answered: accepted" in second.split("</article>")[0]
    assert "throttled" not in second.split("</article>")[0]


class TestFallback:
    ROUTES = (ONE, TWO)

    def test_after_the_stated_refusals_the_next_route_of_the_file_takes_it(self, store, ours, me):
        fill(1)
        terms = {"one": STATED}
        assert answered(ours, me, "throttled", THROTTLED, routes=self.ROUTES, terms=terms) == "one"
        now_due(ours)
        assert answered(ours, me, "throttled", THROTTLED, routes=self.ROUTES, terms=terms) == "one"
        assert Message.objects.get().passed_routes == ["one"]
        assert answered(ours, me, "accepted", routes=self.ROUTES, terms=terms, ids=("p1",)) == "two"
        assert states(store) == {"accepted": 1}
        assert Attempt.objects.filter(outcome="accepted").count() == 1
        assert Audit.objects.filter(kind="message.falls_back").count() == 1
        assert dead() == []

    def test_without_a_word_of_the_lender_it_stays_with_its_route(self, store, ours, me):
        fill(1)
        terms = {"one": Terms(attempts=3)}
        for _ in range(3):
            now_due(ours)
            found = answered(ours, me, "throttled", THROTTLED, routes=self.ROUTES, terms=terms)
            assert found == "one"
        assert dead() == [("m00000", "no_attempt_left", "one", 3)]

    @pytest.mark.parametrize(
        ("outcome", "code", "reason"),
        [
            ("refused", "0x0000000b ESME_RINVDSTADR", "number_refused"),
            ("refused", "HTTP 200 MK:0001", "number_refused"),
            ("refused", "550 5.1.1 no such person", "number_refused"),
            ("refused", "HTTP 400 isv.SMS_CONTENT_ILLEGAL", "text_refused"),
            ("refused", "DULY:partial 0x00000058 ESME_RTHROTTLED", "partly_sent"),
            ("refused", "0x00000045 ESME_RSUBMITFAIL", "refused"),
        ],
    )
    def test_a_no_about_the_person_or_the_words_goes_by_no_other(
        self, store, ours, me, outcome, code, reason
    ):
        fill(1)
        terms = {"one": Terms(fallback_refusals=1)}
        answered(ours, me, outcome, code, routes=self.ROUTES, terms=terms)
        assert states(store) == {"undelivered": 1}
        assert dead() == [("m00000", reason, "one", 1)]
        assert claimed(ours, me, routes=self.ROUTES).found == 0

    def test_who_is_written_to_too_often_by_one_is_not_written_to_by_another(self, ours, me):
        fill(1)
        code = "HTTP 200 isv.BUSINESS_LIMIT_CONTROL"
        terms = {"one": Terms(fallback_refusals=1)}
        answered(ours, me, "throttled", code, routes=self.ROUTES, terms=terms)
        assert Message.objects.get().passed_routes == []
        assert Message.objects.get().state == "released"

    def test_what_may_have_been_sent_never_goes_to_the_second(self, store, ours, me):
        fill(1)
        terms = {"one": Terms(fallback_refusals=1, fallback_after=1)}
        answered(ours, me, "unknown", "DULY:no_answer", routes=self.ROUTES, terms=terms)
        assert states(store) == {"unknown": 1}
        assert claimed(ours, me, routes=self.ROUTES, resting={"one"}).found == 0
        assert dead() == []

    def test_where_the_next_rests_it_waits_and_is_not_blocked(self, store, ours, me):
        fill(1)
        terms = {"one": Terms(fallback_refusals=1)}
        answered(ours, me, "throttled", THROTTLED, routes=self.ROUTES, terms=terms)
        assert claimed(ours, me, routes=self.ROUTES, resting={"two"}).found == 0
        assert states(store) == {"released": 1}
        found = claimed(ours, me, routes=self.ROUTES)
        assert [one.route for one in found.claimed] == ["two"]

    def test_where_no_route_is_left_it_is_dead(self, store, ours, me):
        fill(1)
        terms = {"one": Terms(fallback_refusals=1), "two": Terms(attempts=1)}
        answered(ours, me, "throttled", THROTTLED, routes=self.ROUTES, terms=terms)
        answered(ours, me, "throttled", THROTTLED, routes=self.ROUTES, terms=terms)
        assert states(store) == {"undelivered": 1}
        assert dead() == [("m00000", "no_route_left", "two", 2)]

    def test_where_the_file_has_no_other_any_more_it_is_dead(self, store, ours, me):
        fill(1)
        terms = {"one": Terms(fallback_refusals=1)}
        answered(ours, me, "throttled", THROTTLED, routes=self.ROUTES, terms=terms)
        assert claimed(ours, me, routes=[ONE]).blocked == 1
        assert states(store) == {"blocked": 1}
        assert dead() == [("m00000", "no_route_left", "one", 1)]


STEP = st.sampled_from(
    [
        ("throttled", THROTTLED), ("not_sent", "DULY:not_written"),
        ("refused", "0x0000000a ESME_RINVSRCADR"), ("refused", "0x0000000b ESME_RINVDSTADR"),
        ("refused", "DULY:partial x"), ("unknown", "DULY:no_answer"), ("accepted", ""),
    ]
)  # fmt: skip


@settings(
    max_examples=25, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(st.lists(STEP, min_size=1, max_size=8), st.integers(1, 3), st.integers(1, 3))
def test_whatever_the_routes_answer_a_text_is_out_at_most_once(ours, me, steps, attempts, after):
    ours.execute("TRUNCATE store_message, store_run, store_borrower CASCADE")
    fill(1)
    terms = {
        "one": Terms(attempts=attempts, fallback_refusals=after),
        "two": Terms(attempts=attempts),
    }
    for outcome, code in steps:
        now_due(ours)
        going = claimed(ours, me, routes=(ONE, TWO))
        out = [
            one for one in Attempt.objects.all()
            if one.outcome in ("accepted", "unknown") or one.code.startswith("DULY:partial")
        ]  # fmt: skip
        state = Message.objects.get().state
        assert len(out) <= 1
        if out:
            assert state in ("accepted", "unknown", "undelivered")
        assert (going.found == 0) is (state in ("accepted", "unknown", "undelivered"))
        if going.found == 0:
            # It ended; what was not sent is listed, once.
            assert len(dead()) == (state == "undelivered")
            return
        submit(ours, going.claimed, worker=me, at=AT)
        write_answers(
            ours, going.claimed[0].route,
            [Answer(message_id="m00000", outcome=outcome, code=code)],
            refusals=Refusals(routes=(ONE, TWO), terms=terms), at=AT,
        )  # fmt: skip
    assert Attempt.objects.count() <= 2 * attempts


def test_what_waits_to_be_tried_again_is_taken_back_like_any_other(store, ours, me):
    fill(2)
    answered(ours, me, "throttled", THROTTLED)
    told_of = {"signal_id": "s1", "borrower_id": "b00000", "kind": "opt_out", "starts_at": AT}
    assert raise_signal(**told_of, detail={"channel": "sms"}) == 1
    assert states(store) == {"cancelled": 1, "released": 1}
    assert releasing.stop("all", "", by="Li") == 1
    now_due(ours)
    assert claimed(ours, me).found == 0
    assert states(store) == {"cancelled": 1, "released": 1}
    assert Attempt.objects.count() == 2
    assert dead() == []


class TestAway:
    ROUTES = (ONE, TWO)
    TERMS = {"one": Terms(fallback_after=600), "two": Terms()}  # noqa: RUF012 Never written to.

    def away(self, ours, *names):
        return waited_for(ours, self.TERMS, away=set(names))

    def test_a_route_is_waited_for_until_it_was_away_as_long_as_stated(self, store, ours, me):
        fill(1)
        waited = self.away(ours, "one")
        assert waited == {"one"}
        found = claimed(ours, me, routes=self.ROUTES, resting={"one"}, waited_for=waited)
        assert found.found == 0
        ours.execute("UPDATE store_routewatch SET away_since = now() - interval '10 minutes'")
        assert self.away(ours, "one") == set()
        found = claimed(ours, me, routes=self.ROUTES, resting={"one"}, waited_for=())
        assert [one.route for one in found.claimed] == ["two"]

    def test_a_route_without_a_word_is_waited_for_always(self, ours):
        self.away(ours, "two")
        ours.execute("UPDATE store_routewatch SET away_since = now() - interval '9 days'")
        assert self.away(ours, "two") == {"two"}

    def test_whoever_reaches_it_tells_the_others(self, ours):
        self.away(ours, "one")
        ours.execute("UPDATE store_routewatch SET away_since = now() - interval '1 hour'")
        assert self.away(ours) == set()
        assert self.away(ours, "one") == {"one"}

    def test_the_time_in_which_nobody_looked_does_not_count(self, ours):
        self.away(ours, "one")
        ours.execute(
            "UPDATE store_routewatch SET away_since = now() - interval '9 hours',"
            " seen_at = now() - interval '8 hours'"
        )
        assert self.away(ours, "one") == {"one"}


class TestProof:
    """The database itself asks for the proof, whoever writes."""

    def tried(self, ours, me, outcome, code="x", ids=()):
        fill(1)
        submit(ours, claimed(ours, me).claimed, worker=me, at=AT)
        if outcome is not None:
            answer = Answer(message_id="m00000", outcome=outcome, code=code, provider_ids=ids)
            write_answers(ours, "one", [answer])

    @pytest.mark.parametrize(
        ("outcome", "code", "ids"),
        [
            (None, "", ()),
            ("accepted", "", ("p1",)),
            ("unknown", "DULY:no_answer", ()),
            ("refused", "DULY:partial x", ()),
            # A refusal that nobody sent again in his name.
            ("throttled", THROTTLED, ()),
        ],
    )
    def test_nothing_else_leads_back(self, store, ours, me, outcome, code, ids):
        self.tried(ours, me, outcome, code, ids)
        before = states(store)
        with pytest.raises(psycopg.errors.CheckViolation):
            ours.execute("UPDATE store_message SET state = 'released', worker = NULL")
        assert states(store) == before

    def test_a_part_that_has_a_name_is_proof_of_the_contrary(self, ours, me):
        self.tried(ours, me, None)
        Attempt.objects.update(outcome="throttled")
        Part.objects.create(route="one", provider_id="p", message_id="m00000")
        with pytest.raises(psycopg.errors.CheckViolation):
            ours.execute("UPDATE store_message SET state = 'released', worker = NULL")


def test_a_worker_that_dies_before_it_wrote_the_refusal_leaves_it_unknown(store, ours, me):
    """The late answer of whoever was given up is believed, and still nothing is sent by itself."""
    fill(1)
    other = Identity(store)
    submit(ours, claimed(ours, other.number).claimed, worker=other.number, at=AT)
    number = other.number
    other.close()
    until_gone(ours, number)
    assert settle_orphans(ours).unknown == 1
    assert claimed(ours, me).found == 0
    write_answers(
        ours, "one", [Answer(message_id="m00000", outcome="throttled", code=THROTTLED)],
        refusals=Refusals(routes=(ONE,), terms={}), at=AT,
    )  # fmt: skip
    assert states(store) == {"undelivered": 1}
    assert dead() == [("m00000", "answered_late", "one", 1)]
    assert claimed(ours, me).found == 0
