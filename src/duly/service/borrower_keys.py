"""Keys of borrowers: what the record holds of a person is read by his key, and by it alone.

A key is 32 random bytes, made when the first row about the person is written and kept wrapped
under the first of DULY_SECRET_KEYS. A row's salt stands sealed together with its payload: with the
key both are gone, and nothing can be guessed from the hash that the log holds.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from duly.core.check_key import CheckKey, read_keys
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused

KEY_BYTES = 32
SALT_BYTES = 16
_NONCE_BYTES = 12
_ROWS_AT_ONCE = 5_000

Connection = psycopg.Connection[Any]
Masters = Callable[[], Sequence[CheckKey]]

_KNOWN = """
SELECT borrower_id, id, wrapped, master FROM store_borrowerkey
WHERE borrower_id = ANY(%s) AND wrapped IS NOT NULL
"""
#: In the order of their ids: two who make keys for the same persons do not wait for each other.
_MAKE = """
INSERT INTO store_borrowerkey (borrower_id, wrapped, master)
SELECT n.who, n.wrapped, %(master)s
FROM unnest(%(people)s::text[], %(wrapped)s::bytea[]) WITH ORDINALITY AS n(who, wrapped, place)
ORDER BY n.place ON CONFLICT (borrower_id) WHERE wrapped IS NOT NULL DO NOTHING
"""


@dataclass(frozen=True, kw_only=True)
class BorrowersKey:
    """The key of one borrower, opened: its number in the store and its bytes."""

    number: int
    secret: bytes = field(repr=False)


class UnreadableKey(Refused):
    """None of the master keys of this machine opens what is wrapped or sealed."""

    def __init__(self, master: str) -> None:
        self.master = master
        super().__init__(
            Diagnostic(area="service", code="unreadable_key", values={"master": master})
        )


def _of_environment() -> Sequence[CheckKey]:
    return read_keys(os.environ.get("DULY_SECRET_KEYS", ""))


_masters: Masters = _of_environment


def use(given: Masters) -> None:
    """Say once a process where its master keys come from; else DULY_SECRET_KEYS is read.

    They are asked for when the first is needed, and once.
    """
    global _masters  # noqa: PLW0603 As Django's database, it is the process's.
    _masters = lru_cache(maxsize=1)(given)


def masters() -> tuple[CheckKey, ...]:
    """Return the master keys, the first of which wraps; refused where there is none."""
    found = tuple(_masters())
    if not found:
        raise Refused(Diagnostic(area="service", code="no_master_key"))
    return found


def keys_of(connection: Connection, people: Iterable[str]) -> dict[str, BorrowersKey]:
    """Return the key of each borrower, made and kept within the transaction where there is none.

    Refused (UnreadableKey): a key that was wrapped under a master key which this machine lacks.
    """
    wanted = sorted(set(people))
    found: dict[str, BorrowersKey] = {}
    for start in range(0, len(wanted), _ROWS_AT_ONCE):
        part = wanted[start : start + _ROWS_AT_ONCE]
        found |= _alive(connection, part)
        missing = [one for one in part if one not in found]
        if missing:
            _make(connection, missing)
            found |= _alive(connection, missing)
    return found


def _alive(connection: Connection, people: Sequence[str]) -> dict[str, BorrowersKey]:
    rows = connection.execute(_KNOWN, (list(people),)).fetchall()
    return {
        who: BorrowersKey(
            number=number, secret=unwrap(bytes(wrapped), master=master, borrower_id=who)
        )
        for who, number, wrapped, master in rows
    }


def _make(connection: Connection, people: Sequence[str]) -> None:
    first = masters()[0]
    connection.execute(
        _MAKE,
        {
            "people": list(people),
            "wrapped": [
                wrap(secrets.token_bytes(KEY_BYTES), master=first, borrower_id=one)
                for one in people
            ],
            "master": first.key_id,
        },
    )


def wrap(secret: bytes, *, master: CheckKey, borrower_id: str) -> bytes:
    """Return a borrower's key as it is kept; it opens for this borrower only."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + _cipher(master.secret).encrypt(nonce, secret, borrower_id.encode())


def unwrap(wrapped: bytes, *, master: str, borrower_id: str) -> bytes:
    """Return the key that was wrapped under the master key of a name (UnreadableKey)."""
    for one in masters():
        if one.key_id == master:
            try:
                return _cipher(one.secret).decrypt(
                    wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], borrower_id.encode()
                )
            except InvalidTag:
                break
    raise UnreadableKey(master)


def rewrap(connection: Connection) -> int:
    """Wrap every key under the first master key; return how many were under another.

    Some thousands a transaction; killed on the way, the same again does the rest.
    """
    first, count = masters()[0], 0
    while True:
        with connection.transaction():
            rows = connection.execute(
                "SELECT id, borrower_id, wrapped, master FROM store_borrowerkey"
                " WHERE wrapped IS NOT NULL AND master <> %s ORDER BY id LIMIT %s FOR UPDATE",
                (first.key_id, _ROWS_AT_ONCE),
            ).fetchall()
            if not rows:
                return count
            with connection.cursor() as cursor:
                cursor.executemany(
                    "UPDATE store_borrowerkey SET wrapped = %s, master = %s WHERE id = %s",
                    [(_again(row, first), first.key_id, row[0]) for row in rows],
                )
        count += len(rows)


def _again(row: Sequence[Any], first: CheckKey) -> bytes:
    _, who, wrapped, master = row
    secret = unwrap(bytes(wrapped), master=master, borrower_id=who)
    return wrap(secret, master=first, borrower_id=who)


def salted_hash(salt: bytes, text: str) -> str:
    """Return what the record keeps of a payload for good: nobody guesses it without the salt."""
    return hashlib.sha256(salt + text.encode()).hexdigest()


def about_of(kind: str, subject: str) -> bytes:
    """Return what a sealed payload is bound to: it opens nowhere else."""
    return f"{kind}\n{subject}".encode()


def sealed(secret: bytes, *, salt: bytes, text: str, about: bytes) -> bytes:
    """Return salt and payload of a row under a borrower's key (AES-256-GCM)."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(secret).encrypt(nonce, salt + text.encode(), about)


def opened(
    sealed: bytes, *, wrapped: bytes, master: str, borrower_id: str, about: bytes
) -> tuple[bytes, str]:
    """Return salt and payload of a sealed row; refused (UnreadableKey) where no key opens it."""
    secret = unwrap(wrapped, master=master, borrower_id=borrower_id)
    try:
        found = AESGCM(secret).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about)
    except InvalidTag:
        raise UnreadableKey(master) from None
    return found[:SALT_BYTES], found[SALT_BYTES:].decode()


@dataclass(frozen=True, kw_only=True)
class Payload:
    """What a row of the record says, with the salt of its hash."""

    text: str
    salt: bytes

    def fits(self, payload_sha256: str) -> bool:
        """Return whether this is what was hashed."""
        return salted_hash(self.salt, self.text) == payload_sha256


#: What `payload_of` reads, of store_audit as `a` and store_borrowerkey as `k`.
COLUMNS = "a.kind, a.subject, a.payload, a.salt, a.ciphertext, k.wrapped, k.master, k.borrower_id"


def payload_of(cells: Sequence[Any]) -> Payload | None:
    """Return what a row says, by its COLUMNS; None where the borrower's key was destroyed.

    Refused (UnreadableKey): a row that no key of this machine opens.
    """
    kind, subject, text, salt, ciphertext, wrapped, master, who = cells
    if ciphertext is None:
        return Payload(text=text, salt=bytes(salt))
    if wrapped is None:
        return None
    found = opened(
        bytes(ciphertext), wrapped=bytes(wrapped), master=master, borrower_id=who,
        about=about_of(kind, subject),
    )  # fmt: skip
    return Payload(salt=found[0], text=found[1])


@lru_cache(maxsize=16)
def _cipher(secret: bytes) -> AESGCM:
    info = b"duly borrower keys v1"
    return AESGCM(HKDF(SHA256(), length=KEY_BYTES, salt=None, info=info).derive(secret))
