"""Goal: a day that a borrower names is the promise that a reply would make, and no third in a row.

Method: a running server and its store; taps, twice, wrong, forged, about another's loan.
"""

from __future__ import annotations

import json

import psycopg
import pytest
from browsing import shown
from outgoing import AT
from portal_world import LOAN, WHO, begin, beside, emptied, signed_in, tell
from telling_events import paid, signalled

from duly.service.operations.events import accept
from duly.service.store.models import Endpoint, Message, OutgoingEvent, Task

OTHER = "L-OTHER"


@pytest.fixture(scope="module")
def book(served, write_book, tmp_path_factory):
    """Give the server with the book; B2 has another loan."""
    yield tell(
        served, write_book, tmp_path_factory.mktemp("book"),
        **beside(OTHER),
    )  # fmt: skip
    emptied(served.url, books=True)


@pytest.fixture
def world(book, facts):
    return begin(facts, WHO, "B2")


def told(url):
    """Return when and what was promised."""
    with psycopg.connect(url) as ours:
        rows = ours.execute(
            "SELECT data->>'loan_id', data->>'detail' FROM store_word WHERE kind = 'signal'"
            " AND data->>'kind' = 'promise' ORDER BY time, key"
        ).fetchall()
    return [(loan, json.loads(detail)) for loan, detail in rows]


def waiting():
    return Message.objects.get(message_id="m-waits").state


def named(world, *, language="en", **given):
    """Return a browser that has named a day."""
    browser = signed_in(world, language=language)
    browser.go(f"/promise?loan={LOAN}")
    browser.submit("/promise", **({"on": "2026-03-14", "amount": "300"} | given))
    return browser


def before(since, on, name):
    """Raise a promise that was made earlier."""
    detail = {"on": on, "amount": "100.00"}
    accept([signalled("promise", WHO, loan_id=LOAN, signal_id=name, detail=detail,
                      starts_at=f"{since}T09:00:00+08:00")], at=AT)  # fmt: skip


class TestPromise:
    @pytest.mark.parametrize("language", ["en", "zh-CN"])
    def test_it_is_the_signal_of_a_reply_and_cancels_what_waits(self, world, language):
        Endpoint.objects.create(name="crm", url="https://crm.example", types=["promise.made"],
                                secret=b"x")  # fmt: skip
        browser = named(world, language=language)
        assert told(world.url) == [(LOAN, {"on": "2026-03-14", "amount": "300.00", "by": "portal"})]
        assert (waiting(), Message.objects.get(message_id="m-waits").reason) == (
            "cancelled", "promise",
        )  # fmt: skip
        (event,) = OutgoingEvent.objects.all()
        assert (event.data["on"], event.data["amount"]) == ("2026-03-14", "300.00")
        assert Task.objects.count() == 0
        says = {"en": "No reminders through Mar 15", "zh-CN": "到3月15日为止不提醒"}
        assert says[language] in browser.text

    def test_what_is_due_stands_in_the_field(self, world):
        browser = signed_in(world)
        browser.go(f"/promise?loan={LOAN}")
        fields = browser.form("/promise")
        assert (fields["on"], fields["amount"]) == ("2026-03-17", "626.17")
        assert "The late charge of the contract goes on" in browser.text
        assert "You can name 2 days in a row" in browser.text

    def test_two_taps_are_one(self, world):
        before("2026-03-01", "2026-03-05", "p-1")
        browser = signed_in(world)
        browser.go(f"/promise?loan={LOAN}")
        fields = browser.form("/promise")
        for _ in range(2):
            browser.post("/promise", fields)
            assert browser.at == "/loan/1"
        assert len(told(world.url)) == 2

    def test_no_third_in_a_row(self, world):
        before("2026-02-20", "2026-02-24", "p-1")
        before("2026-03-01", "2026-03-05", "p-2")
        browser = signed_in(world)
        browser.go(f"/promise?loan={LOAN}")
        assert "2 days in a row were named for this loan" in browser.text
        mark = browser.form("/relief/person") | {"on": "2026-03-14", "amount": "300"}
        browser.post("/promise", mark)
        assert (len(told(world.url)), waiting()) == (2, "planned")
        # A third that reached us otherwise holds nobody back, and the page does not say so.
        before("2026-03-09", "2026-03-14", "p-3")
        browser.go("/loan")
        assert "are paused" not in browser.text

    def test_one_that_was_kept_begins_a_new_row(self, world):
        before("2026-02-20", "2026-02-24", "p-1")
        before("2026-03-01", "2026-03-05", "p-2")
        accept([paid(LOAN, payment_id="P-9")], at=AT)
        accept([{**paid(LOAN, payment_id="P-8"), "data": {
            "payment_id": "P-8", "loan_id": LOAN, "paid_on": "2026-03-06", "amount": "100.00"}}],
            at=AT)  # fmt: skip
        browser = signed_in(world)
        browser.go(f"/promise?loan={LOAN}")
        assert "You can name 2 days in a row" in browser.text

    @pytest.mark.parametrize(
        ("given", "wrong"),
        [({"on": "2026-03-09"}, "on"), ({"on": "2026-04-10"}, "on"), ({"on": "soon"}, "on"),
         ({"on": ""}, "on"), ({"amount": "0"}, "amount"), ({"amount": "-5"}, "amount"),
         ({"amount": "1e3"}, "amount"), ({"amount": "1.234"}, "amount"),
         ({"amount": "1235.18"}, "amount"), ({"amount": "9" * 30}, "amount")],
    )  # fmt: skip
    def test_what_cannot_be_is_said_beside_its_field(self, world, given, wrong):
        browser = named(world, **given)
        assert browser.reply.status == 422
        assert browser.page.one("input", name=wrong).attributes["aria-invalid"] == "true"
        assert (told(world.url), waiting()) == ([], "planned")

    @pytest.mark.parametrize("given", [{"on": "2026-03-10"}, {"on": "2026-04-09"},
                                       {"amount": "1,235.17"}, {"amount": "0.01"}])  # fmt: skip
    def test_the_limits_themselves_are_within(self, world, given):
        assert named(world, **given).at == "/loan/1"
        assert len(told(world.url)) == 1

    def test_a_promise_ends_with_its_month(self, world):
        browser = named(world, on="2026-04-09")
        assert "No reminders through Apr 9" in browser.text

    @pytest.mark.parametrize("kind", ["dispute", "legal_case"])
    def test_where_a_person_has_to_look_no_day_is_noted(self, world, kind):
        accept([signalled(kind, WHO, loan_id=LOAN)], at=AT)
        browser = signed_in(world)
        browser.go(f"/promise?loan={LOAN}")
        mark = browser.form("/relief/person") | {"on": "2026-03-14", "amount": "300"}
        browser.post("/promise", mark)
        assert told(world.url) == []

    def test_nobody_names_a_day_for_anothers_loan_or_from_elsewhere(self, world):
        browser = signed_in(world)
        browser.go(f"/promise?loan={LOAN}")
        fields = browser.form("/promise") | {"on": "2026-03-14", "amount": "300"}
        assert browser.go(f"/promise?loan={OTHER}").status == 404
        assert browser.post("/promise", fields | {"loan": OTHER}).status == 404
        forged = fields | {"csrfmiddlewaretoken": "a" * 64}
        assert browser.post("/promise", forged).status == 403
        assert shown(world, f"/promise?loan={LOAN}").at == "/sign-in"
        assert told(world.url) == []
