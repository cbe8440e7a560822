"""Goal: no text leaves that breaks a rule about texts, whoever wrote it and whenever.

Method: a real plan of a sample book, loaded; then texts, rules and facts that change, and a claim.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from outgoing import AT as TEN
from plans import AT, proven

from duly.messages import Broken
from duly.rules import Rule, lenders_rules
from duly.service.operations import loading
from duly.service.operations.books import load_book
from duly.service.outbox.claiming import claim
from duly.service.outbox.wording import MARK, TextDoor
from duly.service.store.models import Audit, Message


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("text_door")


@pytest.fixture(scope="module")
def plan(home):
    return proven(home)


@pytest.fixture
def told(store, plan, home):
    load_book(home / "book", lender=plan.lender, at=AT, locale="en")
    loading.load(plan, at=AT)
    return plan


def rules_of(plan) -> tuple[Rule, ...]:
    return lenders_rules(plan.lender.packs, plan.lender.switched_off)


class Watched(TextDoor):
    """A door that counts which texts it had to read in full."""

    read = 0

    def broken(self, row: Any, **known: Any) -> tuple[Broken, ...]:
        before = self._on(row, known["at"])
        self._of_day = dict.fromkeys(self._of_day, _Counting.of(before, self))
        return super().broken(row, **known)


class _Counting:
    """Rules about texts that tell their door when they are asked."""

    def __init__(self, asked: Any, door: Watched) -> None:
        self._asked, self._door = asked, door

    @classmethod
    def of(cls, asked: Any, door: Watched) -> _Counting:
        return asked if isinstance(asked, cls) else cls(asked, door)

    def __getattr__(self, name: str) -> Any:
        if name == "broken":
            self._door.read += 1
        return getattr(self._asked, name)


def claimed(ours, me, plan, door: TextDoor, at=TEN) -> Counter[str]:
    """Claim everything that is due; return how it went."""
    found: Counter[str] = Counter()
    while True:
        one = claim(ours, worker=me, routes=plan.lender.routes, rules=rules_of(plan), at=at,
                    batch=500, texts=door)  # fmt: skip
        found += Counter(claimed=len(one.claimed), blocked=one.blocked)
        if not one.found:
            return found


def test_what_its_plan_asked_passes_unread(told, ours, me):
    due = Message.objects.filter(state="released", not_before__lte=TEN).count()
    door = Watched(rules_of(told), told.lender)
    found = claimed(ours, me, told, door)
    assert (found["blocked"], door.read) == (0, 0)
    assert found["claimed"] == due > 10


def test_a_text_that_was_lengthened_since_is_blocked_and_says_by_how_much(told, ours, me):
    one = Message.objects.filter(state="released", channel="sms", message_class="dunning",
                                 not_before__lte=TEN).order_by("message_id")[0]  # fmt: skip
    Message.objects.filter(pk=one.pk).update(text=one.text + "，" * (140 - len(one.text)))
    found = claimed(ours, me, told, TextDoor(rules_of(told), told.lender))
    assert found["blocked"] == 1
    one.refresh_from_db()
    assert (one.state, one.reason) == ("blocked", "text_unlawful")
    record = Audit.objects.get(kind="message.blocked", subject=one.message_id).payload
    record = json.loads(record) if isinstance(record, str) else record
    assert record["rules"] == ["CN-SMS-6"]
    assert record["text"] == [{"rule": "CN-SMS-6", "words": "，" * 6, "length": 140, "over": 6}]


def test_words_that_a_pack_forbids_are_blocked_and_a_lawful_change_passes(told, ours, me):
    first, second = Message.objects.filter(
        state="released", channel="sms", message_class="dunning", not_before__lte=TEN
    ).order_by("message_id")[:2]
    threat, kind = (
        first.text[:60] + "否则后果自负",
        second.text.replace("已还请忽略", "已还请忽略此信"),
    )
    Message.objects.filter(pk=first.pk).update(text=threat)
    Message.objects.filter(pk=second.pk).update(text=kind[:134])
    found = claimed(ours, me, told, TextDoor(rules_of(told), told.lender))
    assert found["blocked"] == 1
    states = dict(Message.objects.values_list("message_id", "state"))
    assert (states[first.message_id], states[second.message_id]) == ("blocked", "claimed")


def test_rules_that_came_since_are_asked_of_every_text(told, ours, me):
    stricter = tuple(
        replace(rule, primitive=replace(rule.primitive, length_max=20))
        if rule.id == "CN-SMS-6" else rule
        for rule in rules_of(told)
    )  # fmt: skip
    due = Message.objects.filter(state="released", not_before__lte=TEN)
    texts = due.filter(channel="sms", message_class="dunning").count()
    found = claimed(ours, me, told, TextDoor(stricter, told.lender))
    assert found["blocked"] == texts > 5


def test_a_text_without_a_plan_is_asked_and_needs_no_mark(told, ours, me):
    one = Message.objects.filter(state="released", channel="sms", message_class="dunning",
                                 not_before__lte=TEN).order_by("message_id")[0]  # fmt: skip
    bare = {name: value for name, value in one.facts.items() if name != MARK}
    Message.objects.filter(pk=one.pk).update(facts=bare)
    door = Watched(rules_of(told), told.lender)
    assert claimed(ours, me, told, door)["blocked"] == 0
    assert door.read == 1
