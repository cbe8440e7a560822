"""Somebody else asks before contacting a person: the same rules as the door, the same counters.

What is allowed is written into the ledger of contacts at once, under the asker's own id: every cap
counts it from that second on, whether the contact is made or not, and the book that tells of it
later under that id adds nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

from django.db import connection, transaction

from duly.book import Lender
from duly.delivery.door import Told, Waiting, facts_at
from duly.rules import Rule, decide, lenders_rules
from duly.service.facts.at_door import News, news_of
from duly.service.facts.contacts import CONTACTS
from duly.service.operations.recording import record
from duly.service.rows import as_dicts

#: How old the decision may be whose facts are asked: today's, or yesterday's before today's run.
FACTS_DAYS_MAX = 1

_DECISION = """
SELECT d.borrower_id, d.business_date, d.facts::text, d.by_channel::text, d.run_id, r.loaded_at
FROM store_decision AS d JOIN store_run AS r ON r.plan_sha256 = d.run_id
WHERE d.loan_id = %s AND r.state NOT IN ('superseded', 'missed')
ORDER BY d.business_date DESC LIMIT 1
"""
_PERSON = """
SELECT time_zone, region, quiet_from, quiet_until FROM store_borrower WHERE borrower_id = %s
"""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One contact that somebody wants to make now."""

    contact_id: str
    loan_id: str
    channel: str
    address: str | None
    contact_class: str
    agency: str  #: who makes it, as the ledger names it
    own: bool = False  #: a person of the lender's own makes it, not an agency


@dataclass(frozen=True, kw_only=True)
class Reserved:
    """What the rules answer: allowed now, not before `until`, or not at all (`block`)."""

    effect: Literal["allow", "delay", "block"]
    reason: str = ""
    rules: tuple[str, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True)
class _Decided:
    """The latest decision about a loan."""

    borrower_id: str
    business_date: date
    facts: str | None
    by_channel: str | None
    run_id: str
    loaded_at: datetime


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the rules are asked about one contact: read once, asked for as many instants as wanted.

    `refused` where no rule is asked, because what they need is not known or too old.
    """

    refused: Reserved | None = None
    waiting: Waiting | None = None
    told: Sequence[Told] = ()
    contacts: Sequence[Mapping[str, object]] = ()
    time_zone: str = ""

    def answer(self, lender: Lender, at: datetime) -> Reserved:
        """Return what every rule together says of an instant."""
        if self.refused is not None:
            return self.refused
        assert self.waiting is not None
        facts = facts_at(self.waiting, at=at, contacts=self.contacts, told=self.told)
        found = decide(_rules(lender.packs, lender.switched_off), facts)
        spoke = tuple(verdict.rule_id for verdict in found.verdicts)
        reason = next((one.reason for one in found.verdicts if one.reason), "")
        if found.effect == "allow":
            return Reserved(effect="allow")
        if found.effect == "delay":
            return Reserved(effect="delay", reason=reason, rules=spoke, until=found.until)
        return Reserved(effect="block", reason=reason, rules=spoke)


class ContactIdTaken(Exception):
    """The id names another contact already."""


def reserve(wish: Wish, *, lender: Lender, at: datetime) -> Reserved | None:
    """Ask whether a contact may be made at an instant, and reserve it; None for an unknown loan.

    Refused: an id that names another contact (ContactIdTaken). The same wish twice is one contact.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        found = _decided(wish.loan_id)
        if found is None:
            return None
        borrower = found.borrower_id
        cursor.execute(f"{_PERSON} FOR NO KEY UPDATE", [borrower])
        person = cursor.fetchone()
        if _again(wish, borrower):
            return Reserved(effect="allow")
        answer = _asked(wish, lender, at, found, person).answer(lender, at)
        if answer.effect == "allow":
            cursor.execute(
                "INSERT INTO store_contact (contact_id, borrower_id, loan_id, channel, address,"
                " at, direction, outcome, contact_class, agency)"
                " VALUES (%s, %s, %s, %s, %s, %s, 'out', 'unknown', %s, %s)",
                [wish.contact_id, borrower, wish.loan_id, wish.channel, wish.address, at,
                 wish.contact_class, wish.agency],
            )  # fmt: skip
        told: dict[str, object] = {
            "agency": wish.agency, "loan": wish.loan_id, "channel": wish.channel,
            "effect": answer.effect, "reason": answer.reason, "rules": list(answer.rules),
        }  # fmt: skip
        record("contact.asked", [(wish.contact_id, told)], about={wish.contact_id: borrower})
    return answer


def asked(wish: Wish, *, lender: Lender, at: datetime) -> Asked | None:
    """Return what the rules would be asked about a contact, reserving nothing; None as above."""
    found = _decided(wish.loan_id)
    if found is None:
        return None
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_PERSON, [found.borrower_id])
        return _asked(wish, lender, at, found, cursor.fetchone())


def _decided(loan_id: str) -> _Decided | None:
    with connection.cursor() as cursor:
        cursor.execute(_DECISION, [loan_id])
        row = cursor.fetchone()
    return None if row is None else _Decided(*row)


def _again(wish: Wish, borrower: str) -> bool:
    """Return whether this very contact is in the ledger; refuse another one of its id."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT borrower_id, channel, direction FROM store_contact WHERE contact_id = %s",
            [wish.contact_id],
        )
        row = cursor.fetchone()
    if row is None:
        return False
    if row != (borrower, wish.channel, "out"):
        raise ContactIdTaken(wish.contact_id)
    return True


def _asked(
    wish: Wish, lender: Lender, at: datetime, found: _Decided, person: tuple[Any, ...] | None
) -> Asked:
    """Read what every rule is asked; what is not known of the person, or too old, forbids."""
    today = lender.day_of(at)
    if found.facts is None or person is None:
        return _no("nothing_to_contact_about")
    if today - found.business_date > timedelta(days=FACTS_DAYS_MAX):
        return _no("facts_too_old")
    # The plan asked about its own channel: what another one has otherwise takes its place.
    own = json.loads(found.by_channel or "{}").get(wish.channel)
    if own is None:
        return _no("missing:servicing_withdrawn")
    news = _news(wish, found, at)
    if news.stopped is not None:
        return _no(news.stopped)
    about = {"channel": wish.channel, "class": wish.contact_class, "agency": not wish.own}
    names = ("time_zone", "region", "quiet_from", "quiet_until")
    waiting = Waiting(
        facts={**json.loads(found.facts), **own, **news.facts, **about},
        loan_ids=frozenset({wish.loan_id}),
        channel=wish.channel,
        address=wish.address or "",
        not_before=at,
        not_after=at,
        **{**dict(zip(names, person, strict=True)), **news.person},
    )
    return Asked(
        waiting=waiting, told=[*_told(found.borrower_id), *news.told],
        contacts=_contacts(found.borrower_id, at), time_zone=str(person[0]),
    )  # fmt: skip


def _no(reason: str) -> Asked:
    return Asked(refused=Reserved(effect="block", reason=reason))


def _news(wish: Wish, found: _Decided, at: datetime) -> News:
    """Return what was told since the plan was loaded, as a claim of a message asks it."""
    row = {
        "message_id": wish.contact_id, "borrower_id": found.borrower_id, "run_id": found.run_id,
        "loan_ids": [wish.loan_id], "channel": wish.channel, "address": wish.address or "",
        "loaded_at": found.loaded_at, "message_class": wish.contact_class,
    }  # fmt: skip
    assert connection.connection is not None, "the transaction is open"
    return news_of(connection.connection, [row], at=at)[wish.contact_id]


@lru_cache(maxsize=4)
def _rules(packs: tuple[str, ...], switched_off: tuple[str, ...]) -> tuple[Rule, ...]:
    return lenders_rules(packs, switched_off)


def _contacts(borrower: str, at: datetime) -> Sequence[Mapping[str, object]]:
    with connection.cursor() as cursor:
        cursor.execute(CONTACTS, {"people": [borrower], "at": at})
        return as_dicts(cursor)


def _told(borrower: str) -> list[Told]:
    """Return every signal of a person, whoever told us: the plan's and what came since."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, loan_id, starts_at, ends_at, detail->>'channel' FROM store_signal"
            " WHERE borrower_id = %s",
            [borrower],
        )
        return [
            Told(kind=kind, loan_id=loan, starts_at=starts, ends_at=ends,
                 channel=channel if kind == "opt_out" else None)
            for kind, loan, starts, ends, channel in cursor.fetchall()
        ]  # fmt: skip
