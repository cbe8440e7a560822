"""Claim what is due: the door stands inside the claim, and no byte is written before it commits.

Persons are locked before their messages, everywhere, and their keys never: a row that names a
person may be written meanwhile, or a submission would wait for who waits for it. A claim never
waits for a lock: who is being looked at by somebody else is left for the next round.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import dict_row

from duly.book import Route
from duly.delivery.door import Passage, Told, Waiting, ask_door, binds
from duly.rules import Remembered, Rule
from duly.service.facts.at_door import News, news_of
from duly.service.facts.contacts import CONTACTS
from duly.service.outbox.evidence import what_the_door_knew
from duly.service.outbox.figures import Figures, renewed
from duly.service.outbox.purse import Purse
from duly.service.outbox.renewing import RENEWED_AT_ONCE
from duly.service.outbox.routing import held_kinds, passed_over, route_of
from duly.service.outbox.wording import UNLAWFUL, TextDoor
from duly.service.outbox.written import Written
from duly.service.rows import Row, unpacked

_DUE = """
SELECT m.message_id, m.borrower_id
FROM store_message AS m JOIN store_borrower AS b ON b.borrower_id = m.borrower_id
WHERE m.state = 'released' AND m.not_before <= %(at)s
    AND (m.due_at IS NULL OR m.due_at <= %(at)s) AND m.channel = ANY(%(channels)s)
    -- Retries go by the clock of the database: a legal instant may be moved.
    AND (m.retry_at IS NULL OR m.retry_at <= now())
    AND NOT m.channel || ' ' || m.message_class || ' ' || m.passed_routes::text = ANY(%(held)s)
    AND (m.not_after < %(at)s OR m.segments <=
        coalesce((%(payable)s::jsonb ->> (m.channel || ' ' || m.message_class))::int, 32767))
    AND NOT EXISTS (SELECT 1 FROM store_stopped AS s WHERE s.lifted_at IS NULL AND (
        s.scope = 'all' OR s.scope = 'run' AND s.name = m.run_id
        OR s.scope = 'template' AND s.name = m.template))
ORDER BY m.not_before, m.message_id
LIMIT %(batch)s
FOR NO KEY UPDATE OF b SKIP LOCKED
"""
_MESSAGES = """
SELECT m.*, b.time_zone, b.region, b.quiet_from, b.quiet_until, r.loaded_at
FROM store_message AS m JOIN store_borrower AS b ON b.borrower_id = m.borrower_id
JOIN store_run AS r ON r.plan_sha256 = m.run_id
WHERE m.message_id = ANY(%s) AND m.state = 'released'
ORDER BY m.not_before, m.message_id
FOR UPDATE OF m SKIP LOCKED
"""
_TOLD = """
SELECT borrower_id, kind, loan_id, starts_at, ends_at, detail
FROM store_signal WHERE borrower_id = ANY(%s) AND source = 'event'
"""
#: How long an answer of the door holds.
_HOLDS = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """One message of ours for the next second, and the route that takes it.

    `lets` asks the door once more with what it knew, at an instant after that second: a batch may
    wait for its route, and a clock may jump.
    """

    message_id: str
    borrower_id: str
    route: str
    row: Mapping[str, Any]
    at: datetime
    lets: Callable[[datetime], bool] = field(repr=False)

    def may_leave(self, at: datetime) -> bool:
        """Return whether what the door answered holds at the instant of the submission."""
        return timedelta(0) <= at - self.at <= _HOLDS or self.lets(at)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What one round found: claimed, and how many the door held, stopped or let lapse."""

    claimed: tuple[Claimed, ...] = ()
    delayed: int = 0
    blocked: int = 0
    expired: int = 0
    stale: int = 0  #: met with old figures: written anew, or cancelled

    @property
    def found(self) -> int:
        """How many messages were due and looked at."""
        looked = len(self.claimed) + self.delayed + self.blocked + self.expired
        return looked + self.stale


def claim(
    connection: psycopg.Connection[Any],
    *,
    worker: int,
    routes: Sequence[Route],
    rules: Sequence[Rule],
    at: datetime,
    batch: int,
    resting: Collection[str] = (),
    waited_for: Collection[str] = (),
    asked: str = "",
    figures: Figures | None = None,
    purse: Purse | None = None,
    texts: TextDoor | None = None,
) -> Claim:
    """Claim up to `batch` due messages at a legal instant, in one transaction.

    The rules are asked of each with the facts of that second. What they allow is reserved and
    claimed; what they delay is looked at again then; what they block or time out is final. What
    only a resting route would take waits for it: it is stopped, or cannot send now. Those among
    them that are `waited_for` are not passed over either. `figures`
    looks whether a text is still true, and writes it anew; without, no text is looked at. `texts`
    asks whether its words are lawful.
    `asked` is the name under which the record holds the rules. What `purse` cannot pay for waits.
    """
    working = [route for route in routes if route.name not in resting]
    payable = json.dumps(dict(purse.fill(connection, working, at=at)) if purse else {})
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        channels = sorted({route.channel for route in routes})
        held = held_kinds(connection, routes, resting=resting, waited_for=waited_for)
        due = cursor.execute(
            _DUE,
            {"at": at, "channels": channels, "held": sorted(held), "payable": payable,
             "batch": batch},
        ).fetchall()  # fmt: skip
        if not due:
            return Claim()
        rows = cursor.execute(_MESSAGES, ([row["message_id"] for row in due],)).fetchall()
        people = sorted({row["borrower_id"] for row in rows})
        contacts = _by_person(cursor.execute(CONTACTS, {"people": people, "at": at}).fetchall())
        told = _by_person(cursor.execute(_TOLD, (people,)).fetchall())
        news = news_of(connection, rows, at=at)
        door = _Door(
            Written(), worker, working, Remembered(rules), at, contacts, told, news, asked, routes,
            purse, texts,
        )  # fmt: skip
        stale = figures.stale(connection, rows, at=at) if figures is not None else {}
        found, old = Claim(), []
        for row in rows:
            if row["message_id"] in stale and door.lets(row):
                old.append(row)
            else:
                found = door.lead(row, found)
        if figures is not None and old:
            # Their persons stay locked meanwhile: the rest waits for the next round.
            old = old[:RENEWED_AT_ONCE]
            for row in renewed(connection, figures, old, stale, written=door.written, at=at):
                found = door.lead(row, found)
            found = replace(found, stale=len(old))
        whose = {row["message_id"]: row["borrower_id"] for row in rows}
        door.written.down(connection, worker=worker, at=at, about=whose)
    return found


def _by_person(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["borrower_id"], []).append(row)
    return found


@dataclass(frozen=True)
class _Door:
    """What is known at the second of a claim; leads messages through, one after another."""

    written: Written
    worker: int
    routes: Sequence[Route]
    rules: Remembered
    at: datetime
    contacts: dict[str, list[Row]]
    told: Mapping[str, Sequence[Row]]
    news: Mapping[str, News]
    asked: str
    every: Sequence[Route]  #: also those that rest
    purse: Purse | None = None
    texts: TextDoor | None = None

    def lets(self, row: Row) -> bool:
        """Return whether a message would pass, and write nothing."""
        return self._ask(row)[0].effect == "allow"

    def lead(self, row: Row, found: Claim) -> Claim:
        """Lead one message through the door and note how it went."""
        passage, knew = self._ask(row)
        name, written = row["message_id"], self.written
        said = {"rules": list(passage.rules), **knew}
        if passage.effect == "delay":
            written.delayed.append((name, passage.until))
            written.say("delayed", name, {"until": passage.until, **said})
            return replace(found, delayed=found.delayed + 1)
        if passage.effect in ("block", "expire"):
            state = "blocked" if passage.effect == "block" else "expired"
            written.ended.append((name, state, passage.reason))
            written.say(state, name, {"reason": passage.reason, **said})
            if passage.effect == "block":
                if passage.rules and self._disagrees(row):
                    told = {"reason": passage.reason, "rules": list(passage.rules)}
                    written.disagreed.append((name, told))
                return replace(found, blocked=found.blocked + 1)
            return replace(found, expired=found.expired + 1)
        route = route_of(row, self.routes)
        assert route is not None, "what no route takes is blocked"
        if self.purse is not None and not self.purse.pays(row, route, at=self.at):
            return found
        who = row["borrower_id"]
        written.claimed.append((name, who, _local_day(row, self.at), route.name))
        said = {"route": route.name, "worker": self.worker, **knew}
        instead = passed_over(row, route, self.every)
        written.say("claimed", name, said | ({"instead_of": instead} if instead else {}))
        lets = self._again(row)
        # A second message to the same person in this round meets the first as a contact.
        self.contacts.setdefault(who, []).append(
            {"at": self.at, "direction": "out", "channel": row["channel"],
             "class": row["message_class"], "outcome": "reserved", "address": row["address"],
             "loan": None}
        )  # fmt: skip
        mine = Claimed(
            message_id=name, borrower_id=who, route=route.name, row=row, at=self.at, lets=lets
        )
        return replace(found, claimed=(*found.claimed, mine))

    def _ask(self, row: Row) -> tuple[Passage, Mapping[str, object]]:
        """Return what the door answers and what it knew, as the record holds it."""
        news = self.news[row["message_id"]]
        row |= news.person
        who = row["borrower_id"]
        told = self._heard_of(who, news)
        contacts = tuple(self.contacts.get(who, ()))
        knew = what_the_door_knew(
            at=self.at, asked=self.asked, contacts=contacts, told=told, news=news
        )
        if route_of(row, self.routes) is None:
            return Passage(effect="block", reason="no_route"), knew
        passage = _asked(row, at=self.at, rules=self.rules, contacts=contacts, news=news, told=told)
        if passage.effect != "allow" or self.texts is None:
            return passage, knew
        heard = [one for one in told if binds(one, frozenset(row["loan_ids"]), row["channel"])]
        broken = self.texts.broken(row, at=self.at, contacts=contacts, told=heard, news=news.facts)
        if not broken:
            return passage, knew
        rules = tuple(one.rule_id for one in broken)
        said = [{"rule": one.rule_id, "words": one.words, "length": one.length, "over": one.over}
                for one in broken]  # fmt: skip
        return Passage(effect="block", reason=UNLAWFUL, rules=rules), {**knew, "text": said}

    def _again(self, row: Row) -> Callable[[datetime], bool]:
        """Return the door of this message with what it knew, to be asked at a later instant."""
        news, who = self.news[row["message_id"]], row["borrower_id"]
        contacts, told = tuple(self.contacts.get(who, ())), self._heard_of(who, news)

        def lets(at: datetime) -> bool:
            known = tuple({**one, "at": min(one["at"], at)} for one in contacts)
            asked = _asked(row, at=at, rules=self.rules, contacts=known, news=news, told=told)
            return asked.effect == "allow"

        return lets

    def _heard_of(self, who: str, news: News) -> list[Told]:
        """Return what was told of a person, before the plan and since."""
        return [*(_told(one) for one in self.told.get(who, ())), *news.told]

    def _disagrees(self, row: Row) -> bool:
        """Return whether the rules block a message on the very facts that its plan had.

        The plan asked them at the first instant of its window: plan and door read a rule otherwise.
        """
        known = [one for one in self.contacts.get(row["borrower_id"], ())
                 if one["at"] <= min(row["loaded_at"], row["not_before"])]  # fmt: skip
        then = row["not_before"]
        asked = ask_door(self.rules, _waiting(row), at=then, contacts=known, told=())
        return asked.effect == "block"


def _asked(
    row: Row, *, at: datetime, rules: Remembered, contacts: Sequence[Row], news: News,
    told: Sequence[Told],
) -> Passage:  # fmt: skip
    """Ask the door about one message; what news stops outright, no rule lets go."""
    waiting = _waiting(row)
    if news.stopped is not None:
        return Passage(effect="block", reason=news.stopped)
    waiting = replace(waiting, facts={**waiting.facts, **news.facts})
    return ask_door(rules, waiting, at=at, contacts=contacts, told=told)


def _waiting(row: Row) -> Waiting:
    return Waiting(
        facts=unpacked(row["facts"]),
        loan_ids=frozenset(row["loan_ids"]),
        channel=row["channel"],
        address=row["address"],
        not_before=row["not_before"],
        not_after=row["not_after"],
        time_zone=row["time_zone"],
        region=row["region"],
        quiet_from=row["quiet_from"],
        quiet_until=row["quiet_until"],
    )


def _told(row: Row) -> Told:
    return Told(
        kind=row["kind"],
        loan_id=row["loan_id"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        channel=row["detail"].get("channel") if row["kind"] == "opt_out" else None,
    )


def _local_day(row: Row, at: datetime) -> date:
    return at.astimezone(ZoneInfo(row["time_zone"])).date()
