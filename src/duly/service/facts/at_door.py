"""What is known at the second of a claim that the plan of a message did not know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import JsonbLoader

from duly.delivery.door import Told
from duly.plan.addresses import key_of
from duly.service.facts.answers import (
    asks_nothing,
    falls_with,
    is_for_a_stranger,
    is_last_word,
)
from duly.service.facts.told import HOLDS, IN_FORCE, LASTING_SQL, in_force, signal_of
from duly.service.rows import Row

_WORDS = f"""
SELECT w.kind, w.key, w.time, w.borrower_id, w.loan_id, w.data FROM store_word AS w
WHERE (w.borrower_id = ANY(%(people)s) OR w.loan_id = ANY(%(loans)s))
    AND (w.time > %(since)s OR {LASTING_SQL})
"""
#: Reversals of payments that only a book told; the others are found by their payment's word.
_REVERSED = """
WITH recent AS MATERIALIZED (
    SELECT key, time FROM store_word WHERE kind = 'reversal' AND time > %(since)s)
SELECT r.key, coalesce(p.loan_id, w.loan_id) AS loan_id FROM recent AS r
LEFT JOIN store_book_payments AS p ON p.payment_id = r.key
LEFT JOIN store_word AS w ON w.kind = 'payment' AND w.key = r.key
WHERE p.loan_id = ANY(%(loans)s) OR w.loan_id = ANY(%(loans)s)
"""
_COUNTED = """
SELECT run_id, kind, payment_id FROM store_counted
WHERE run_id = ANY(%(runs)s) AND payment_id = ANY(%(payments)s)
"""
#: Words about the numbers that would be written to: whoever they belong to.
_NUMBERS = f"""
SELECT w.kind, w.key, w.time, w.address_key, w.data FROM store_word AS w
WHERE w.address_key = ANY(%(numbers)s) AND (w.time > %(since)s OR {LASTING_SQL})
"""
_OPTED_OUT = """
SELECT s.kind, s.key, s.time, n.address_key, s.data
FROM (
    SELECT borrower_id, address_key FROM store_word
    WHERE kind = 'contact_point' AND address_key = ANY(%(numbers)s)
    UNION SELECT borrower_id, address_key FROM store_book_contact_points
    WHERE address_key = ANY(%(numbers)s)
) AS n JOIN store_word AS s ON s.borrower_id = n.borrower_id
WHERE s.kind = 'signal' AND s.data->>'kind' = 'opt_out'
"""
#: Who has a text that was recalled: nothing that dunns for three days.
_HELD = """
SELECT DISTINCT borrower_id FROM store_hold
WHERE borrower_id = ANY(%(people)s) AND starts_at <= %(at)s AND ends_at > %(at)s
"""
_ENDED = "SELECT key, data FROM store_word WHERE kind = 'clearing' AND key = ANY(%s)"
_BOOK_SIGNALS = """
SELECT signal_id, borrower_id, loan_id, kind, starts_at, ends_at, detail, cut_at, known_at
FROM store_book_signals WHERE borrower_id = ANY(%(people)s) OR signal_id = ANY(%(signals)s)
"""
#: When the newest book was cut that has the key of a word of these kinds.
_CUTS = """
SELECT 'borrower' AS kind, borrower_id AS key, cut_at FROM store_book_borrowers
WHERE borrower_id = ANY(%(borrower)s)
UNION ALL SELECT 'loan', loan_id, cut_at FROM store_book_loans WHERE loan_id = ANY(%(loan)s)
UNION ALL SELECT 'consent', k.key, c.cut_at FROM unnest(%(consent)s::text[]) AS k(key)
JOIN store_book_consents AS c ON c.borrower_id = k.key::json->>0 AND c.purpose = k.key::json->>1
    AND coalesce(c.channel, '') = k.key::json->>2
UNION ALL SELECT 'contact_point', k.key, c.cut_at FROM unnest(%(contact_point)s::text[]) AS k(key)
JOIN store_book_contact_points AS c ON c.borrower_id = k.key::json->>0
    AND c.channel = k.key::json->>1 AND c.address = k.key::json->>2
"""


@dataclass
class News:
    """What speaks about one message: signals for its rules, or why it may not leave at all."""

    told: list[Told] = field(default_factory=list)
    stopped: str | None = None
    facts: dict[str, object] = field(default_factory=dict)
    person: dict[str, object] = field(default_factory=dict)


def news_of(
    connection: psycopg.Connection[Any], rows: Sequence[Mapping[str, Any]], *, at: datetime
) -> dict[str, News]:
    """Return the news of each message by its id, asked by a few questions for all of them.

    A row has `message_id, borrower_id, run_id, loan_ids, channel, address, message_class,
    loaded_at`, and `template` where it is a text.
    """
    look = _Look(connection, rows, at)
    return {row["message_id"]: look.news(row) for row in rows}


class _Look:
    """The words about the messages of one claim."""

    def __init__(
        self, connection: psycopg.Connection[Any], rows: Sequence[Mapping[str, Any]], at: datetime
    ) -> None:
        self._at = at
        self._cursor = connection.cursor(row_factory=dict_row)
        # Whose connection it is does not matter: Django's hands over the text of a jsonb.
        self._cursor.adapters.register_loader("jsonb", JsonbLoader)
        people = sorted({row["borrower_id"] for row in rows})
        loans = sorted({loan for row in rows for loan in row["loan_ids"]})
        numbers = sorted({key_of(row["address"]) for row in rows})
        given = {"people": people, "loans": loans, "since": at - IN_FORCE, "numbers": numbers}
        words = self._ask(_WORDS, given)
        near = self._ask(_NUMBERS, given)
        held = self._ask(_HELD, {"people": people, "at": at})
        self._held = {row["borrower_id"] for row in held}
        opted = self._ask(_OPTED_OUT, given)
        self._cuts = self._known_cuts([*words, *near])
        self._by_person: dict[str, list[Row]] = {}
        for word in words:
            if word["borrower_id"] and self._counts(word):
                self._by_person.setdefault(word["borrower_id"], []).append(word)
        self._closed = {
            word["key"] for word in words
            if word["kind"] == "loan" and word["data"]["status"] not in (None, "active")
            and self._counts(word)
        }  # fmt: skip
        signals = [word for word in (*words, *near, *opted) if word["kind"] == "signal"]
        keys = sorted({word["key"] for word in signals})
        self._book = {
            row["signal_id"]: row
            for row in self._ask(_BOOK_SIGNALS, {"people": people, "signals": keys})
        }
        ended = self._cursor.execute(_ENDED, (sorted({*keys, *self._book}),)).fetchall()
        self._ended = {row["key"]: row["data"] for row in ended}
        self._paid(words, given, sorted({row["run_id"] for row in rows}))
        self._numbers(near, opted)
        self._cursor.close()

    def _ask(self, question: str, given: Mapping[str, object]) -> list[Row]:
        return self._cursor.execute(question.encode(), given).fetchall()

    def _counts(self, word: Mapping[str, Any]) -> bool:
        return in_force(word, at=self._at, cut_at=self._cuts.get((word["kind"], word["key"])))

    def _known_cuts(self, words: Sequence[Row]) -> dict[tuple[str, str], datetime]:
        keys: dict[str, list[str]] = {
            kind: sorted({word["key"] for word in words if word["kind"] == kind})
            for kind in ("borrower", "loan", "consent", "contact_point")
        }
        if not any(keys.values()):
            return {}
        return {(row["kind"], row["key"]): row["cut_at"] for row in self._ask(_CUTS, keys)}

    def _paid(self, words: Sequence[Row], given: Mapping[str, object], runs: list[str]) -> None:
        """Learn which payments were told, and which of them a plan had counted."""
        found = [
            ("payment", word["key"], word["loan_id"], word["borrower_id"])
            for word in words
            if word["kind"] == "payment" and word["time"] > self._at - IN_FORCE
        ]
        found += [
            ("reversal", row["key"], row["loan_id"], None) for row in self._ask(_REVERSED, given)
        ]
        self._payments = found
        self._counted: set[tuple[str, str, str]] = set()
        if found:
            asked = {"runs": runs, "payments": sorted({one[1] for one in found})}
            self._counted = {
                (row["run_id"], row["kind"], row["payment_id"])
                for row in self._ask(_COUNTED, asked)
            }

    def _numbers(self, near: Sequence[Row], opted: Sequence[Row]) -> None:
        self._wrong = {
            word["address_key"] for word in near
            if word["kind"] == "contact_point" and word["data"]["status"] == "wrong_person"
            and self._counts(word)
        }  # fmt: skip
        self._stopped: dict[str, set[str | None]] = {}
        for word in (*(one for one in near if one["kind"] == "signal"), *opted):
            told = self._signal(word)
            if _is_open(told, self._at):
                self._stopped.setdefault(word["address_key"], set()).add(told.channel)

    def _signal(self, word: Row) -> Told:
        """Return a signal as events and the books tell it: a later book has the last word."""
        book = self._book.get(word["key"])
        ended = self._ended.get(word["key"])
        if book is not None and book["cut_at"] > word["time"]:
            return _of_book(book, ended)
        return signal_of(word["data"], ended)

    def news(self, row: Mapping[str, Any]) -> News:
        """Return what speaks about one message."""
        who, loans, number = row["borrower_id"], row["loan_ids"], key_of(row["address"])
        found = News()
        words = self._by_person.get(who, [])
        named = set()
        wish: dict[str, object] = {}
        for word in words:
            if word["kind"] == "signal":
                named.add(word["key"])
                found.told.append(self._signal(word))
            elif word["kind"] == "borrower":
                found.person |= _person(word["data"])
            elif word["kind"] == "preference":
                wish = _quiet(word["data"])
            elif word["kind"] == "consent" and _withdrawn(word["data"], row["channel"]):
                found.facts["servicing_withdrawn"] = True
            elif _is_dead(word, number):
                found.stopped = "address_unusable"
        found.person |= wish
        for book in self._book.values():
            if book["borrower_id"] == who and book["signal_id"] not in named:
                told = _of_book(book, self._ended.get(book["signal_id"]))
                # What the plan's own book said, the plan has judged: a promise may be broken.
                # Nobody judged it for an answer or a receipt, which no plan made.
                ours = row["message_class"] in ("answer", "receipt")
                new = ours or book["known_at"] > row["loaded_at"]
                if new and book["kind"] not in ("promise", "plan"):
                    found.told.append(told)
        found.stopped = self._why(row, loans, number, found.told) or found.stopped
        return found

    def _why(
        self, row: Mapping[str, Any], loans: Sequence[str], number: str, told: Sequence[Told]
    ) -> str | None:
        # A correction asks for nothing: who paid needs it most. Only its address may be wrong.
        harmless = asks_nothing(row)
        for kind, key, loan, who in self._payments:
            why = "payment" if kind == "payment" else "payment_reversed"
            if harmless and not falls_with(row, why):
                continue
            concerns = loan in loans if loan else who == row["borrower_id"]
            if concerns and (row["run_id"], kind, key) not in self._counted:
                return why
        if self._closed & set(loans) and not harmless:
            return "loan_closed"
        if number in self._wrong and not is_for_a_stranger(row):
            return "wrong_person"
        if {None, row["channel"]} & self._stopped.get(number, set()) and not is_last_word(row):
            return "opt_out"
        if row["message_class"] == "dunning" and row["borrower_id"] in self._held:
            return "recalled"
        for one in () if harmless else told:
            binds = one.loan_id is None or one.loan_id in loans
            if one.kind in HOLDS and binds and _is_open(one, self._at):
                return HOLDS[one.kind]
        return None


def _is_open(told: Told, at: datetime) -> bool:
    return told.starts_at <= at and (told.ends_at is None or at < told.ends_at)


def _is_dead(word: Mapping[str, Any], number: str) -> bool:
    data = word["data"]
    dead = word["kind"] == "contact_point" and data["status"] == "invalid"
    return dead and key_of(data["address"]) == number


def _of_book(row: Row, ended: Mapping[str, Any] | None) -> Told:
    def text(at: datetime | None) -> str | None:
        return None if at is None else at.isoformat()

    data = {**row, "starts_at": text(row["starts_at"]), "ends_at": text(row["ends_at"])}
    return signal_of(data, ended)


def _person(data: Mapping[str, Any]) -> dict[str, object]:
    """Return what a claim knows of a person, where a word says it."""
    return {name: data[name] for name in ("time_zone", "region") if data[name]} | _quiet(data)


def _quiet(data: Mapping[str, Any]) -> dict[str, object]:
    """Return somebody's quiet hours as minutes of his day; None: none that he asked for."""
    found: dict[str, object] = {}
    for name in ("quiet_from", "quiet_until"):
        clock = data[name]
        found[name] = None if clock is None else int(clock[:2]) * 60 + int(clock[3:])
    return found


def _withdrawn(data: Mapping[str, Any], channel: str) -> bool:
    said = (data["purpose"], data["granted"]) == ("servicing", "withdrawn")
    return said and data["channel"] in (None, channel)
