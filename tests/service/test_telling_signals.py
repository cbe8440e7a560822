"""Goal: who listens hears of a promise, a dispute and a hardship once, by whatever way it came.
Method: events and replies over the real store, again, late and out of order; what is to be told."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest
from outgoing import AT, fill, lender
from telling_events import event, signalled

from duly.delivery import Reply
from duly.service import setting_up
from duly.service.operations import endpoints, hearing
from duly.service.operations.events import accept
from duly.service.outbox.reports import write_report
from duly.service.store.models import Attempt, Endpoint, OutgoingEvent

TYPES = ["promise.made", "dispute.opened", "hardship.flagged", "plan.agreed"]
PROMISE = json.dumps({"on": "2026-03-12", "amount": "500.00"})


def listening(types=TYPES) -> None:
    Endpoint.objects.create(name="crm", url="https://crm.example", types=types, secret=b"x")


def told() -> list[tuple[str, dict]]:
    return [(one.type, one.data) for one in OutgoingEvent.objects.order_by("type", "id")]


def early(**given):
    return {"time": (AT - timedelta(hours=3)).isoformat()} | given


@pytest.mark.parametrize(
    ("kind", "type_", "detail"),
    [("promise", "promise.made", PROMISE), ("dispute", "dispute.opened", None),
     ("hardship", "hardship.flagged", None)],
)  # fmt: skip
def test_a_signal_of_an_event_is_told_as_one_of_a_reply_is(store, kind, type_, detail):
    listening()
    given = {"signal_id": "s-1", "loan_id": "l1"} | ({"detail": detail} if detail else {})
    accept([signalled(kind, **given)], at=AT)
    said = json.loads(detail) if detail else {}
    assert told() == [
        (type_, said | {"signal_id": "s-1", "borrower_id": "b00000", "loan_id": "l1"})
    ]


def test_a_plan_is_told_with_its_dates_and_without_its_amounts(store):
    listening()
    rows = [{"number": n, "due_on": f"2026-0{3 + n}-10", "amount": "206.10"} for n in (1, 2, 3)]
    detail = {"accrual": "stops", "owed": "618.30"}
    accept([signalled("plan", signal_id="s-1", loan_id="l1", detail=detail, agreed=rows)], at=AT)
    assert told() == [
        ("plan.agreed",
         {"signal_id": "s-1", "borrower_id": "b00000", "loan_id": "l1", "accrual": "stops",
          "payments": 3, "first_on": "2026-04-10", "last_on": "2026-06-10"})
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["complaint", "opt_out", "payment_pending", "deceased"])
def test_other_signals_are_nobodys_business(store, kind):
    listening()
    accept([signalled(kind)], at=AT)
    assert told() == []


def test_a_detail_goes_out_by_its_known_names_only(store):
    listening()
    detail = json.dumps({"accrual": "stops", "note": "ill", "borrower_id": "somebody"})
    accept([signalled("dispute", signal_id="s-1", detail=detail)], at=AT)
    assert told() == [
        ("dispute.opened",
         {"accrual": "stops", "signal_id": "s-1", "borrower_id": "b00000", "loan_id": None})
    ]  # fmt: skip


def _story() -> list[dict]:
    return [
        signalled("dispute", signal_id="s-1", id="first", **early()),
        signalled("dispute", signal_id="s-1", id="again"),
        event("signal.cleared", {"signal_id": "s-1"}, id="ended"),
        signalled("hardship", signal_id="s-2", id="other"),
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_once_in_any_order_one_by_one_and_repeated(store, order):
    listening()
    story = _story()
    for place in (*order, *order):
        accept([story[place]], at=AT)
    assert [kind for kind, _ in told()] == ["dispute.opened", "hardship.flagged"]


def test_once_in_one_batch(store):
    listening()
    accept([*_story(), *_story()], at=AT)
    assert [kind for kind, _ in told()] == ["dispute.opened", "hardship.flagged"]


def test_a_refused_batch_tells_nothing(store):
    from duly.service.operations.events import EventsRefused

    listening()
    with pytest.raises(EventsRefused):
        accept([signalled("dispute"), signalled("no such kind")], at=AT)
    assert told() == []


def test_two_programs_that_tell_of_the_same_signal_at_once_tell_once(store):
    listening()

    def tell(number: int) -> None:
        with setting_up.using(store):
            accept([signalled("dispute", signal_id="s-1", id=f"by {number}")], at=AT)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(tell, range(8)))
    assert [kind for kind, _ in told()] == ["dispute.opened"]


def test_a_reply_is_told_once_also_when_its_signal_comes_back_as_an_event(store):
    listening()
    (name,) = fill(1, state="accepted", route="box")
    Attempt.objects.create(message_id=name, route="box", number=1, outcome="accepted")
    with psycopg.connect(store, autocommit=True) as ours:
        write_report(ours, "box", Reply(address="+8613800000001", to="1069", text="后天还500元",
                                        raw="r", at=None))  # fmt: skip
    hearing.hear_waiting(lender=lender(), at=AT)
    ((kind, data),) = told()
    assert (kind, data["on"], data["amount"], data["loan_id"]) == (
        "promise.made", "2026-03-12", "500.00", "l1")  # fmt: skip
    accept(
        [signalled("promise", signal_id=data["signal_id"], detail=PROMISE, id="from the core")],
        at=AT,
    )
    assert len(told()) == 1


def test_an_endpoint_may_ask_for_them():
    assert set(TYPES) <= set(endpoints.TYPES)


def test_nobody_listens(store):
    accept([signalled("dispute")], at=AT)
    assert told() == []
