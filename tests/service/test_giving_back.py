"""Goal: a claim that is given back leaves nothing behind, whoever dies or claims meanwhile."""

from __future__ import annotations

from datetime import date

import pytest
from outgoing import AT, fill, lender, states

from duly.rules import active, load_packs
from duly.service.outbox import submitting
from duly.service.outbox.claiming import claim
from duly.service.outbox.identity import Identity
from duly.service.outbox.submitting import give_back, submit
from duly.service.store.models import Audit, Reservation

RULES = active(load_packs(("decency", "cn")), date(2026, 3, 10))


def claimed(ours, worker):
    return claim(ours, worker=worker, routes=lender().routes, rules=RULES, at=AT, batch=10).claimed


class DiedError(Exception):
    """The process went away here."""


def test_who_dies_in_the_middle_has_given_nothing_back(store, ours, me, monkeypatch):
    fill(2)
    ids = [one.message_id for one in claimed(ours, me)]

    def dies(*_: object) -> None:
        raise DiedError

    monkeypatch.setattr(submitting, "audit", dies)
    with pytest.raises(DiedError):
        give_back(ours, ids, worker=me)
    assert states(store) == {"claimed": 2}
    assert Reservation.objects.count() == 2


def test_a_reservation_that_was_left_behind_is_no_obstacle(store, ours, me):
    fill(1)
    claimed(ours, me)
    ours.execute("UPDATE store_message SET state = 'released', worker = NULL")
    assert Reservation.objects.count() == 1
    assert [one.message_id for one in claimed(ours, me)] == ["m00000"]
    assert Reservation.objects.count() == 1


def test_what_another_claimed_meanwhile_keeps_its_reservation(store, ours, me):
    fill(1)
    mine = claimed(ours, me)
    give_back(ours, ["m00000"], worker=me)
    other = Identity(store)
    assert len(claimed(ours, other.number)) == 1
    # The first still believes that it holds the claim: it was thought dead, and was not.
    assert submit(ours, mine, worker=me, at=AT) == ()
    assert give_back(ours, ["m00000"], worker=me) == ()
    assert states(store) == {"claimed": 1}
    assert Reservation.objects.count() == 1
    assert Audit.objects.filter(kind="message.given_back").count() == 1
    other.close()
