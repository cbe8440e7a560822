"""Which messages do new events forbid? Those not yet submitted are cancelled, each with its why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from duly.delivery.door import BINDS_PERSON, Told
from duly.delivery.states import OPEN
from duly.plan.addresses import key_of, spellings
from duly.service.facts.answers import falls_with, is_for_a_stranger, outlives_news
from duly.service.facts.cloud_events import ReadEvent, number_of
from duly.service.facts.told import reason_of, signal_of
from duly.service.operations.locking import lock_people
from duly.service.operations.recording import record
from duly.service.rows import as_dicts, unpacked

_LOANS_OF = """
SELECT key, loan_id FROM store_word WHERE kind = 'payment' AND key = ANY(%(keys)s)
UNION SELECT payment_id, loan_id FROM store_book_payments WHERE payment_id = ANY(%(keys)s)
"""
_NUMBERS = """
SELECT borrower_id, address_key FROM store_word
WHERE kind = 'contact_point' AND borrower_id = ANY(%(people)s)
UNION SELECT borrower_id, address_key FROM store_book_contact_points
WHERE borrower_id = ANY(%(people)s)
"""
_MESSAGE_NUMBERS = "SELECT borrower_id, address FROM store_message WHERE borrower_id = ANY(%s)"
#: Whoever may have a message that is concerned: by person, by loan, by number.
_PEOPLE = """
SELECT m.borrower_id FROM store_message AS m
WHERE m.borrower_id = ANY(%(people)s) AND m.state = ANY(%(open)s)
UNION SELECT m.borrower_id FROM store_messageloan AS l JOIN store_message AS m USING (message_id)
WHERE l.loan_id = ANY(%(loans)s) AND m.state = ANY(%(open)s)
UNION SELECT borrower_id FROM store_message
WHERE address = ANY(%(addresses)s) AND state IN ('planned', 'released', 'claimed')
UNION SELECT borrower_id FROM store_word
WHERE kind = 'contact_point' AND address_key = ANY(%(numbers)s)
UNION SELECT borrower_id FROM store_book_contact_points WHERE address_key = ANY(%(numbers)s)
"""
_MESSAGES = """
SELECT message_id, borrower_id, loan_ids, channel, address, not_after, message_class, template
FROM store_message WHERE borrower_id = ANY(%s) AND state = ANY(%s)
ORDER BY message_id FOR UPDATE
"""
_CANCEL = """
UPDATE store_message AS m SET state = 'cancelled', reason = c.reason, state_at = now(),
    worker = NULL
FROM unnest(%s::text[], %s::text[]) AS c(message_id, reason)
WHERE m.message_id = c.message_id AND m.state = ANY(%s)
"""


@dataclass
class Concerns:
    """Whom the new events concern, and why; the first reason found is the one that is written."""

    loans: dict[str, str] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)
    signals: list[tuple[str, Told]] = field(default_factory=list)
    withdrawn: list[tuple[str, str | None]] = field(default_factory=list)
    numbers: dict[str, str] = field(default_factory=dict)  #: nobody is written to there
    own_numbers: dict[tuple[str, str], str] = field(default_factory=dict)
    #: Number → channels (None: all) on which somebody who has it wants to hear no more.
    opted_out: dict[str, set[str | None]] = field(default_factory=dict)

    def everybody(self) -> list[str]:
        """Return the persons whom an event names."""
        named = {*self.people, *(who for who, _ in (*self.signals, *self.withdrawn))}
        return sorted(named | {who for who, _ in self.own_numbers})

    def reason(self, row: Mapping[str, Any], *, at: datetime) -> str | None:
        """Return why a message may not leave any more, None where nothing concerns it."""
        who, channel, number = row["borrower_id"], row["channel"], key_of(row["address"])
        loans = row["loan_ids"]
        # What asks for nothing: only its person or its address may say no to it.
        correcting = outlives_news(row)
        for loan in loans:
            why = self.loans.get(loan)
            if why is not None and (not correcting or falls_with(row, why)):
                return why
        if who in self.people and not correcting:
            return self.people[who]
        if number in self.numbers and not is_for_a_stranger(row):
            return self.numbers[number]
        if (who, number) in self.own_numbers:
            return self.own_numbers[who, number]
        if {None, channel} & self.opted_out.get(number, set()):
            return "opt_out"
        if (who, None) in self.withdrawn or (who, channel) in self.withdrawn:
            return "consent_withdrawn"
        for whose, told in self.signals:
            if correcting and told.kind not in BINDS_PERSON:
                continue
            if is_for_a_stranger(row) and told.kind == "identity_dispute":
                continue
            if whose == who and _holds(told, loans, channel, row["not_after"], at):
                return reason_of(told.kind)
        return None


def _holds(
    told: Told, loans: Sequence[str], channel: str, not_after: datetime, at: datetime
) -> bool:
    if told.starts_at > not_after or (told.ends_at is not None and told.ends_at <= at):
        return False
    if told.channel not in (None, channel):
        return False
    return told.kind in BINDS_PERSON or told.loan_id is None or told.loan_id in loans


def cancel(events: Sequence[ReadEvent], *, at: datetime) -> tuple[str, ...]:
    """Cancel what new events forbid and is not submitted, within the caller's transaction.

    Persons are locked in the order of their ids, then their messages. Return the messages' ids.
    """
    concerns = _concerns(events)
    people = concerns.everybody()
    if not (people or concerns.loans or concerns.numbers):
        return ()
    _add_numbers(concerns, at)
    stopped = sorted({*concerns.numbers, *concerns.opted_out})
    with connection.cursor() as cursor:
        cursor.execute(
            _PEOPLE,
            {"people": people, "loans": sorted(concerns.loans), "open": list(OPEN),
             "numbers": stopped, "addresses": [way for one in stopped for way in spellings(one)]},
        )  # fmt: skip
        concerned = [row[0] for row in cursor.fetchall()]
        if not concerned:
            return ()
        lock_people(cursor, concerned)
        cursor.execute(_MESSAGES, [concerned, list(OPEN)])
        found = {}
        for row in as_dicts(cursor):
            row["loan_ids"] = unpacked(row["loan_ids"])
            why = concerns.reason(row, at=at)
            if why is not None:
                found[row["message_id"]] = why
        cursor.execute(_CANCEL, [list(found), list(found.values()), list(OPEN)])
    record("message.cancelled", [(name, {"reason": why}) for name, why in found.items()])
    return tuple(found)


def _concerns(events: Sequence[ReadEvent]) -> Concerns:
    """Gather whom the events concern; where a later word is known about a key, that one counts."""
    found = Concerns()
    said = [word for event in events for word in event.words]
    reversed_ = [word.key for word in said if word.kind == "reversal"]
    for word in said:
        if word.kind == "payment" and word.loan_id:
            found.loans[word.loan_id] = "payment"
        elif word.kind == "payment" and word.borrower_id:
            found.people[word.borrower_id] = "payment"
        elif word.kind == "schedule":
            found.loans.setdefault(word.key, "loan_changed")
    found.loans |= dict.fromkeys(_loans_of(reversed_), "payment_reversed")
    wanted = ("loan", "signal", "consent", "contact_point")
    last = _last([(word.kind, word.key) for word in said if word.kind in wanted])
    ends = _last([("clearing", key) for kind, key in last if kind == "signal"])
    for (kind, key), data in last.items():
        if kind == "signal":
            _add_signal(found, data, ends.get(("clearing", key)))
        else:
            _add_other(found, kind, key, data)
    return found


def _add_signal(found: Concerns, data: Mapping[str, Any], ended: Mapping[str, Any] | None) -> None:
    told = signal_of(data, ended)
    if reason_of(told.kind):
        found.signals.append((data["borrower_id"], told))
    number = number_of(data)
    if number is not None:
        found.opted_out.setdefault(number, set()).add(told.channel)


def _add_other(found: Concerns, kind: str, key: str, data: Mapping[str, Any]) -> None:
    if kind == "loan" and data["status"] not in (None, "active"):
        found.loans.setdefault(key, "loan_closed")
    elif kind == "consent" and (data["purpose"], data["granted"]) == ("servicing", "withdrawn"):
        found.withdrawn.append((data["borrower_id"], data["channel"]))
    elif kind == "contact_point" and data["status"] == "wrong_person":
        found.numbers[key_of(data["address"])] = "wrong_person"
    elif kind == "contact_point" and (
        data["status"] == "invalid" or data["use"] not in (None, "personal")
    ):
        found.own_numbers[data["borrower_id"], key_of(data["address"])] = "address_unusable"


def _loans_of(payments: Sequence[str]) -> list[str]:
    if not payments:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_LOANS_OF, {"keys": list(payments)})
        return [loan for _, loan in cursor.fetchall() if loan]


def _last(keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
    if not keys:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT w.kind, w.key, w.data FROM store_word AS w"
            " JOIN unnest(%s::text[], %s::text[]) AS k(kind, key)"
            " ON w.kind = k.kind AND w.key = k.key",
            [[one[0] for one in keys], [one[1] for one in keys]],
        )
        return {(kind, key): unpacked(data) for kind, key, data in cursor.fetchall()}


def _add_numbers(concerns: Concerns, at: datetime) -> None:
    """Add the numbers of those who opted out: they are stopped for whoever else has them."""
    channels: dict[str, set[str | None]] = {}
    for who, told in concerns.signals:
        if told.kind == "opt_out" and (told.ends_at is None or told.ends_at > at):
            channels.setdefault(who, set()).add(told.channel)
    if not channels:
        return
    with connection.cursor() as cursor:
        cursor.execute(_NUMBERS, {"people": list(channels)})
        numbers = set(cursor.fetchall())
        cursor.execute(_MESSAGE_NUMBERS, [list(channels)])
        numbers |= {(who, key_of(address)) for who, address in cursor.fetchall()}
    for who, number in numbers:
        concerns.opted_out.setdefault(number, set()).update(channels[who])
