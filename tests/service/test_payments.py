"""Goal: money that came is posted once and money that is in doubt reaches a person; nothing is
believed that a provider did not sign, and nothing that it signed is lost.

Method: the store and the operations; the other side signs by means of its own.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import IntegrityError, connection, transaction
from known_books import LENDER, cut, load, small
from outgoing import fill
from payment_world import CLOCK, FORMER, PROVIDER, body_of, lender_of, signed, way_of
from telling_events import AT

from duly.care import checkout
from duly.care.checkout import CallbackRefused
from duly.core.errors import Refused
from duly.service.operations import payments
from duly.service.operations.books import load_book
from duly.service.operations.deriving import derived
from duly.service.operations.events import accept
from duly.service.operations.providers import providers_of
from duly.service.store import payment_models
from duly.service.store.event_models import Event, Word
from duly.service.store.models import Audit, Message, PaymentCallback, PaymentIntent, Task

PAYS = lender_of(LENDER)
BACK = "https://my.example.com/pay/back?payment={reference}"


TABLES = {
    "loans": [{"loan_id": "l1", "borrower_id": "b00000"}],
    "installments": [{"loan_id": "l1"}, {"loan_id": "l1", "number": "2", "due_on": "2026-03-01"}],
}


@pytest.fixture
def world(store):
    """Give the way to pay of a lender; b00000 has the loan l1 and a message that waits."""
    fill(1, state="planned")
    return way_of(PAYS)


@pytest.fixture
def booked(world, write_book, tmp_path):
    """Give the same with the book of the loan."""
    load(small(write_book, tmp_path / "book", **TABLES))
    return world


def begun(way, amount=50_000, **given):
    usual = {"borrower_id": "b00000", "loan_id": "l1", "currency": "CNY", "lender": PAYS,
             "return_to": BACK, "clock": CLOCK}  # fmt: skip
    return payments.begin(way, amount, **(usual | given))


def told(way, body, *, at=AT, clock=CLOCK, **given):
    told = way.provider.read_callback(signed(body, **given), body, at=clock)
    return payments.take(way, told, body=body, lender=PAYS, at=at, clock=clock)


def stands(reference):
    return PaymentIntent.objects.get(reference=reference).state


def came():
    return [one.came for one in PaymentCallback.objects.order_by("id")]


def nothing_happened(reference):
    """Return whether no money was posted, no message cancelled and the payment still waits."""
    return (
        Event.objects.filter(source=payments.SOURCE).count(), Message.objects.get().state,
        stands(reference),
    ) == (0, "planned", "redirected")  # fmt: skip


def test_what_goes_to_the_provider_is_an_amount_and_a_reference(world):
    one = begun(world)
    told = dict(parse_qsl(urlsplit(one.url).query))
    assert {name: told[name] for name in ("merchant", "amount", "currency", "reference")} == {
        "merchant": "M1", "amount": "500.00", "currency": "CNY", "reference": one.reference,
    }  # fmt: skip
    assert told["return_to"] == f"https://my.example.com/pay/back?payment={one.reference}"
    assert "l1" not in one.url
    assert "b00000" not in one.url
    assert len(one.reference) == 32
    assert stands(one.reference) == "redirected"


def test_a_second_tap_is_no_second_payment(world):
    first, second, other = begun(world), begun(world), begun(world, 40_000)
    assert first.reference == second.reference != other.reference
    assert PaymentIntent.objects.count() == 2
    assert Audit.objects.filter(kind="payment.begun").count() == 2


def test_money_that_came_is_posted_and_cancels(booked):
    one = begun(booked)
    body = body_of(one.reference, paid_at="2026-11-30T15:59:00+08:00")
    assert told(booked, body) == "taken"
    intent = PaymentIntent.objects.get()
    assert (intent.state, intent.payment_id, intent.paid_on) == (
        "paid", "card-778", date(2026, 3, 10),
    )  # fmt: skip
    word = Word.objects.get(kind="payment")
    assert (word.key, word.loan_id, word.data["amount"], word.data["paid_on"]) == (
        "card-778", "l1", "500.00", "2026-03-10",
    )  # fmt: skip
    assert (Message.objects.get().state, Message.objects.get().reason) == ("cancelled", "payment")
    (loan,) = derived("b00000", lender=PAYS, at=AT, clock=AT).loans
    assert [(pay.payment_id, pay.amount) for pay in loan.trace.payments] == [("card-778", 50_000)]
    assert Task.objects.count() == 0


def test_the_book_that_comes_later_counts_it_once(booked, write_book, tmp_path):
    one = begun(booked)
    told(booked, body_of(one.reference))
    row = {"payment_id": "card-778", "loan_id": "l1", "paid_on": "2026-03-10", "amount": "500.00"}
    tables = {**TABLES, "payments": [row]}
    later = cut(write_book(tmp_path / "later", tables), AT + timedelta(hours=1))
    assert load_book(later, lender=LENDER, at=AT + timedelta(hours=2), locale="en").aside == 0
    (loan,) = derived("b00000", lender=PAYS, at=AT + timedelta(hours=2), clock=AT).loans
    assert [(pay.payment_id, pay.amount) for pay in loan.trace.payments] == [("card-778", 50_000)]


def test_the_book_that_came_before_is_the_same_money(world):
    one = begun(world)
    accept([{
        "specversion": "1.0", "id": "e-1", "source": "/core", "type": "payment.posted",
        "time": AT.isoformat(), "data": {"payment_id": "card-778", "loan_id": "l1",
                                         "paid_on": "2026-03-10", "amount": "500"},
    }], at=AT)  # fmt: skip
    assert told(world, body_of(one.reference)) == "taken"
    assert Task.objects.count() == 0


def test_told_twice_it_is_heard_once(world):
    one = begun(world)
    body = body_of(one.reference)
    found = [told(world, body, name="evt-a") for _ in range(3)]
    assert found == ["taken", "repeated", "repeated"]
    # Under a name of its own it is the same money.
    assert told(world, body) == "no_news"
    assert came() == ["taken", "no_news"]
    assert Event.objects.filter(source=payments.SOURCE).count() == 1


def test_told_at_once_it_is_heard_once(world):
    one = begun(world)
    body = body_of(one.reference)
    found = []

    def post(name):
        found.append(told(world, body, name=name))
        connection.close()

    threads = [threading.Thread(target=post, args=(f"evt-{n // 2}-x",)) for n in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(found) == ["no_news"] * 2 + ["repeated"] * 3 + ["taken"]
    assert Event.objects.filter(source=payments.SOURCE).count() == 1


@pytest.mark.parametrize(
    ("order", "end"),
    [
        (("failed",), "failed"), (("failed", "paid"), "paid"), (("paid", "failed"), "paid"),
        (("pending", "failed", "pending", "paid"), "paid"), (("pending",), "redirected"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else one,
)  # fmt: skip
def test_in_whatever_order_it_is_told(world, order, end):
    one = begun(world)
    for status in order:
        paid_by = "778" if status == "paid" else None
        told(world, body_of(one.reference, status=status, payment_id=paid_by))
    assert stands(one.reference) == end
    assert Event.objects.filter(source=payments.SOURCE).count() == (end == "paid")
    assert PaymentCallback.objects.count() == len(order)
    assert Task.objects.count() == 0


def test_after_its_time_money_still_counts(world):
    one = begun(world)
    for n in range(60):  # More than are swept at once.
        PaymentIntent.objects.create(
            reference=f"{n:032}", provider="card", borrower_id="b9", loan_id=f"l{n}", amount=1,
            currency="CNY", expires_at=CLOCK,
        )  # fmt: skip
    PaymentIntent.objects.update(expires_at=CLOCK - timedelta(days=1))
    assert payments.intent_of(one.reference)["state"] == "expired"
    assert payments.begun_by("b00000", "l1") == []
    again = begun(world)
    assert again.reference != one.reference
    assert stands(one.reference) == "expired"
    assert told(world, body_of(one.reference)) == "taken"
    assert stands(one.reference) == "paid"


@pytest.mark.parametrize(
    ("changed", "why"),
    [({"amount": "500.01"}, "amount"), ({"amount": "0.01"}, "amount"),
     ({"currency": "USD"}, "currency")],
)  # fmt: skip
def test_money_that_does_not_fit_is_a_persons_to_match(world, changed, why):
    one = begun(world)
    assert told(world, body_of(one.reference, **changed)) == why
    assert nothing_happened(one.reference)
    task = Task.objects.get()
    assert (task.kind, task.borrower_id, task.loan_id) == ("match_payment", "b00000", "l1")
    assert PaymentIntent.objects.get().doubt == why
    # The right word after it is taken; the doubt stays until a person has looked.
    assert told(world, body_of(one.reference)) == "taken"
    assert (stands(one.reference), PaymentIntent.objects.get().doubt) == ("paid", why)


def test_money_for_nothing_that_was_begun_is_a_persons_too(world):
    one = begun(world)
    assert told(world, body_of("f" * 32)) == "unknown_intent"
    assert nothing_happened(one.reference)
    task = Task.objects.get()
    assert (task.kind, task.borrower_id) == ("match_payment", None)
    row = PaymentCallback.objects.get()
    assert (row.reference, row.amount, row.payment_id) == ("f" * 32, 50_000, "778")
    # What was refused there took no money: it is kept and nobody has to look.
    told(world, body_of("f" * 32, status="failed"))
    assert (Task.objects.count(), PaymentCallback.objects.count()) == (1, 2)


def test_another_provider_cannot_speak_for_it(world):
    one = begun(world)
    other = way_of(lender_of(LENDER, replace(PROVIDER, name="wallet")))
    assert told(other, body_of(one.reference)) == "unknown_intent"
    assert nothing_happened(one.reference)


def test_paid_twice_is_a_persons_to_match(world):
    one = begun(world)
    told(world, body_of(one.reference))
    assert told(world, body_of(one.reference, payment_id="779")) == "again"
    assert Event.objects.filter(source=payments.SOURCE).count() == 1
    assert Task.objects.get().kind == "match_payment"


@pytest.mark.parametrize("changed", [{"loan_id": "l2"}, {"amount": "499.00"}])
def test_a_name_that_stands_for_other_money_overwrites_none(world, changed):
    one = begun(world)
    data = {"payment_id": "card-778", "loan_id": "l1", "paid_on": "2026-03-02",
            "amount": "500.00"} | changed  # fmt: skip
    accept([{"specversion": "1.0", "id": "e-1", "source": "/core", "type": "payment.posted",
             "time": AT.isoformat(), "data": data}], at=AT)  # fmt: skip
    assert told(world, body_of(one.reference)) == "payment_id"
    word = Word.objects.get(kind="payment")
    assert (word.loan_id, word.data["amount"]) == (data["loan_id"], data["amount"])
    assert stands(one.reference) == "redirected"
    assert Task.objects.get().kind == "match_payment"


def test_one_name_is_one_payment(world):
    first, second = begun(world), begun(world, 40_000)
    told(world, body_of(first.reference))
    assert told(world, body_of(second.reference, amount="400.00")) == "payment_id"
    assert stands(second.reference) == "redirected"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"secret": "a secret of somebody else"}, "signature"),
        ({"stamped": CLOCK - timedelta(minutes=6)}, "stale"),
        ({"stamped": CLOCK + timedelta(minutes=6)}, "stale"),
    ],
    ids=["forged", "old", "ahead"],
)
def test_what_is_not_believed_leaves_no_trace_of_money(world, given, why):
    one = begun(world)
    with pytest.raises(CallbackRefused) as found:
        told(world, body_of(one.reference), **given)
    assert found.value.why == why
    assert nothing_happened(one.reference)
    assert PaymentCallback.objects.count() == Task.objects.count() == 0


def test_the_secret_before_todays_is_believed_while_it_is_named(world):
    one = begun(world)
    assert told(world, body_of(one.reference), secret=FORMER) == "taken"
    settings = {k: v for k, v in PROVIDER.settings.items() if k != "former_secret_env"}
    without = way_of(lender_of(LENDER, replace(PROVIDER, settings=settings)))
    with pytest.raises(CallbackRefused):
        told(without, body_of(one.reference), secret=FORMER)


def test_another_body_under_a_taken_name_is_refused(world):
    one, two = begun(world), begun(world, 40_000)
    told(world, body_of(one.reference), name="evt-a")
    with pytest.raises(payments.RepeatedCallback):
        told(world, body_of(two.reference, amount="400.00", payment_id="779"), name="evt-a")
    assert stands(two.reference) == "redirected"
    assert came() == ["taken"]


def test_what_breaks_on_the_way_is_told_again(world, monkeypatch):
    one = begun(world)
    body = body_of(one.reference)

    def broken(*_, **__):
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(payments.events, "accept", broken)
        with pytest.raises(RuntimeError):
            told(world, body, name="evt-a")
    assert nothing_happened(one.reference)
    assert PaymentCallback.objects.count() == 0
    assert told(world, body, name="evt-a") == "taken"


def test_who_pays_before_midnight_has_paid_that_day(world):
    for place, (paid_at, day) in enumerate((
        (CLOCK - timedelta(hours=11), date(2026, 3, 9)),
        (CLOCK + timedelta(hours=1), date(2026, 3, 10)),
        (None, date(2026, 3, 10)),
        # No money came before the payment was begun.
        (CLOCK - timedelta(days=400), date(2026, 3, 8)),
    )):  # fmt: skip
        one = begun(world, 100 + place)
        PaymentIntent.objects.update(created_at=CLOCK - timedelta(days=2))
        said = {} if paid_at is None else {"paid_at": paid_at.isoformat()}
        told(world, body_of(one.reference, amount=f"1.0{place}", payment_id=f"d{place}", **said))
        assert PaymentIntent.objects.get(reference=one.reference).paid_on == day


@pytest.mark.parametrize(
    "change",
    ["state = 'created'", "state = 'failed'", "amount = 1", "loan_id = 'l2'", "payment_id = NULL",
     "doubt = 'perhaps'", "currency = 'cny'"],
)  # fmt: skip
def test_the_store_itself_lets_nothing_be_undone(world, change):
    one = begun(world)
    told(world, body_of(one.reference))
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE store_paymentintent SET {change}")
    with pytest.raises(IntegrityError), transaction.atomic():
        PaymentCallback.objects.update(amount=1)
    assert stands(one.reference) == "paid"


def test_the_store_and_the_port_have_the_same_states():
    assert (payment_models.STATES, payment_models.OPEN) == (checkout.STATES, checkout.OPEN)


@pytest.mark.parametrize(
    ("settings", "environ", "address", "codes"),
    [
        ({"url": "http://pay.example.com/"}, {}, "", ["pay_setting"]),
        ({"url": "https://a:b@pay.example.com/"}, {}, "", ["pay_setting"]),
        ({"merchant": None}, {}, "", ["pay_setting"]),
        ({"amounts": "float"}, {}, "", ["pay_setting"]),
        ({"names": {"loan": "x"}}, {}, "", ["pay_setting"]),
        ({"names": {"amount": "x", "status": "x"}}, {}, "", ["pay_setting"]),
        ({"statuses": {"OK": "perhaps", "PAID": "paid"}}, {}, "", ["pay_setting"]),
        ({"statuses": {"NO": "failed"}}, {}, "", ["pay_setting"]),
        ({"prefix": "a b"}, {}, "", ["pay_setting"]),
        ({"seed": 1}, {}, "", ["pay_setting"]),
        ({}, {"TEST_PAY": "short"}, "", ["pay_secret"]),
        ({}, {"TEST_PAY": "", "TEST_PAY_BEFORE": ""}, "", ["pay_secret", "pay_secret"]),
    ],
    ids=str,
)
def test_what_a_provider_cannot_use_is_refused_at_the_start(settings, environ, address, codes):
    one = replace(PROVIDER, settings={**PROVIDER.settings, **settings})
    with pytest.raises(Refused) as found:
        way_of(lender_of(LENDER, one, address=address), **environ)
    assert [each.code for each in found.value.diagnostics] == codes


def test_a_sandbox_is_served_on_the_machine_itself_alone():
    one = replace(PROVIDER, kind="sandbox", settings={"secret_env": "TEST_PAY", "seed": 7})
    with pytest.raises(Refused):
        way_of(lender_of(LENDER, one))
    found = way_of(lender_of(LENDER, one, address="http://127.0.0.1:8000"))
    assert (found.seed, found.host) == (7, "127.0.0.1:8000")
    assert "know" not in repr(found)


def test_without_an_address_to_come_back_to_nobody_is_sent_away():
    with pytest.raises(Refused):
        providers_of(replace(PAYS, portal=LENDER.portal), {"TEST_PAY": "x" * 16})
