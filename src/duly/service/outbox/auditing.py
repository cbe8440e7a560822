"""Audit rows, written in the transaction of what they tell; of a person, under his key."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import psycopg
from pydantic_core import to_json

from duly.service.borrower_keys import SALT_BYTES, about_of, keys_of, salted_hash, sealed

_OF_MESSAGES = "SELECT message_id, borrower_id FROM store_message WHERE message_id = ANY(%s)"
_COLUMNS = "kind, subject, payload, salt, payload_sha256, key_id, ciphertext"
_INSERT = f"INSERT INTO store_audit ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s)"
_COPY = f"COPY store_audit ({_COLUMNS}) FROM STDIN (FORMAT BINARY)"
_TYPES = ("varchar", "varchar", "text", "bytea", "varchar", "int8", "bytea")
_COPIED_FROM = 5  #: rows from which on a COPY is quicker

#: What stands in JSON as it is.
_PLAIN = frozenset({str, int, bool, type(None)})

#: Beginnings of kinds whose rows are about nobody: runs, stops, keys of programs, endpoints.
IMPERSONAL = frozenset(
    {
        "book", "budget", "day", "endpoint", "evidence", "key", "lifted", "person", "policy",
        "recalled", "retention", "rules", "run", "staff", "stopped", "webhook",
    }
)  # fmt: skip
#: Beginnings of kinds whose subject says whom they are about, or whose writer has to.
PERSONAL = frozenset(
    {
        "borrower",
        "contact",
        "decision",
        "door",
        "event",
        "message",
        "payment",
        "record",
        "reply",
        "session",
        "signal",
        "task",
    }
)


def canonical(payload: Mapping[str, object]) -> str:
    """Return a payload as it is hashed: sorted keys, no spaces, characters as they are."""
    return to_json(_ordered(payload)).decode()


def _ordered(value: object) -> object:
    """Return a value as JSON has it, names in order; an instant, too, is written as ISO has it."""
    if value.__class__ in _PLAIN:
        return value
    if isinstance(value, Mapping):
        return {
            name: one if (one := value[name]).__class__ in _PLAIN else _ordered(one)
            for name in _sorted(tuple(value))
        }
    if isinstance(value, list | tuple):
        return [_ordered(one) for one in value]
    if isinstance(value, date):  # An instant is one too.
        return value.isoformat()
    raise TypeError(f"no JSON: {type(value)}")


#: The facts of all messages of a run have the same names.
@lru_cache(maxsize=1024)
def _sorted(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(names))


def audit(
    connection: psycopg.Connection[Any],
    kind: str,
    rows: Iterable[tuple[str, Mapping[str, object]]],
    *,
    about: Mapping[str, str | None] | None = None,
) -> None:
    """Add an audit row for each subject and payload; the payload's hash is salted.

    A row about a borrower is sealed under his key: those about messages and borrowers by
    themselves, others as `about` says (subject → borrower, None where nobody is known).
    """
    found = list(rows)
    if not found:
        return
    people = about if about is not None else _people(connection, kind, [row[0] for row in found])
    keys = keys_of(connection, {one for one in people.values() if one is not None})
    given: list[tuple[object, ...]] = []
    for subject, payload in found:
        text, salt = canonical(payload), secrets.token_bytes(SALT_BYTES)
        digest = salted_hash(salt, text)
        key = keys.get(people.get(subject) or "")
        if key is None:
            given.append((kind, subject, text, salt, digest, None, None))
        else:
            hidden = sealed(key.secret, salt=salt, text=text, about=about_of(kind, subject))
            given.append((kind, subject, None, None, digest, key.number, hidden))
    with connection.cursor() as cursor:
        if len(given) < _COPIED_FROM:
            cursor.executemany(_INSERT, given)
            return
        with cursor.copy(_COPY) as copy:
            copy.set_types(_TYPES)
            for row in given:
                copy.write_row(row)


def _people(
    connection: psycopg.Connection[Any], kind: str, subjects: Sequence[str]
) -> Mapping[str, str | None]:
    """Return whom each subject is about."""
    match kind.partition(".")[0]:
        case "message":
            return dict(connection.execute(_OF_MESSAGES, (list(subjects),)).fetchall())
        case "borrower":
            return {subject: subject for subject in subjects}
        case family:
            assert family not in PERSONAL, f"a row of {kind} says whom it is about"
            return {}
