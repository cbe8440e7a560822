"""Keys of the API: made once, shown once, kept as a hash; scoped, expiring, rotated by overlap."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.service.operations.recording import record

#: What a key may be allowed to do.
SCOPES = (
    "events:write", "runs:read", "runs:write", "loans:read", "messages:read", "messages:write",
    "evidence:read", "contacts:write", "tasks:read", "tasks:write",
    "metrics:read",
)  # fmt: skip
DAYS_MAX = 366
OVERLAP_DAYS_MAX = 30
_LIVE_MAX = 2  #: keys of one name that are valid at once: the present one and its successor
_PREFIX_BYTES, _SECRET_BYTES = 5, 32
_TEXT = re.compile(r"duly_([0-9a-f]{10})_[A-Za-z0-9_-]{43}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_LOCK = 0x44554C61
_LIVE = "revoked_at IS NULL AND expires_at > now()"


@dataclass(frozen=True, kw_only=True)
class Made:
    """A new key; `text` is shown this once and kept nowhere."""

    name: str
    prefix: str
    text: str
    scopes: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Listed:
    """What is known of a key; `live` says whether it opens anything now."""

    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None
    live: bool


@dataclass(frozen=True, kw_only=True)
class Opened:
    """Who asks, by a key that is valid."""

    name: str
    scopes: frozenset[str]


def create(name: str, *, scopes: Sequence[str], days: int) -> Made:
    """Make a key for a program that has none.

    Refused: a name that is none, an unknown scope, a name that has a key already (rotate it).
    """
    if not _NAME.fullmatch(name):
        raise _refused("key_name", name=name)
    unknown = [one for one in scopes if one not in SCOPES]
    if unknown or not scopes:
        known = ", ".join(SCOPES)
        raise _refused("key_scopes", scopes=", ".join(unknown) or "-", known=known)
    assert 1 <= days <= DAYS_MAX, "the caller bounds the days"
    with transaction.atomic():
        if _live(name):
            raise _refused("key_there", name=name)
        made = _make(name, tuple(sorted(set(scopes))), days)
        record("key.created", [(name, {"prefix": made.prefix, "scopes": list(made.scopes)})])
    return made


def rotate(name: str, *, days: int, overlap_days: int) -> Made:
    """Make a name's next key; its present one stays valid for the overlap, and no longer.

    Refused: a name without a key, one that is rotating already.
    """
    assert 1 <= days <= DAYS_MAX
    assert 0 <= overlap_days <= OVERLAP_DAYS_MAX
    with transaction.atomic(), connection.cursor() as cursor:
        live = _live(name)
        if not live:
            raise _refused("no_key", name=name)
        if len(live) >= _LIVE_MAX:
            raise _refused("key_rotating", name=name)
        prefix, scopes = live[0]
        made = _make(name, scopes, days)
        cursor.execute(
            "UPDATE store_apikey SET expires_at = least(expires_at, now() + make_interval("
            "days => %s)) WHERE prefix = %s",
            [overlap_days, prefix],
        )
        record("key.rotated", [(name, {"prefix": made.prefix, "former": prefix})])
    return made


def revoke(name: str, *, prefix: str | None = None) -> int:
    """End a name's keys at once, or one of them; return how many; refused where there is none."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE store_apikey SET revoked_at = now() WHERE name = %s AND {_LIVE}"
            " AND (%s::text IS NULL OR prefix = %s) RETURNING prefix",
            [name, prefix, prefix],
        )
        ended = [row[0] for row in cursor.fetchall()]
        if not ended:
            raise _refused("no_key", name=name)
        record("key.revoked", [(name, {"prefixes": sorted(ended)})])
    return len(ended)


def listed() -> tuple[Listed, ...]:
    """Return every key there ever was, the newest last."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, prefix, scopes::text, created_at, expires_at, revoked_at, used_at,"
            f" {_LIVE} FROM store_apikey ORDER BY id"
        )
        return tuple(
            Listed(name=name, prefix=prefix, scopes=_scopes(scopes), created_at=created,
                   expires_at=expires, revoked_at=revoked, used_at=used, live=live)
            for name, prefix, scopes, created, expires, revoked, used, live in cursor.fetchall()
        )  # fmt: skip


def open_with(text: str) -> Opened | None:
    """Return who asks with a key, None where it opens nothing: unknown, ended or expired."""
    found = _TEXT.fullmatch(text)
    if found is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, name, secret_sha256, scopes::text, used_at IS NULL"
            " OR used_at < now() - interval '1 hour'"
            f" FROM store_apikey WHERE prefix = %s AND {_LIVE}",
            [found[1]],
        )
        row = cursor.fetchone()
        if row is None or not hmac.compare_digest(row[2], _hash(text)):
            return None
        if row[4]:
            cursor.execute("UPDATE store_apikey SET used_at = now() WHERE id = %s", [row[0]])
    return Opened(name=row[1], scopes=frozenset(_scopes(row[3])))


def _make(name: str, scopes: tuple[str, ...], days: int) -> Made:
    prefix = secrets.token_hex(_PREFIX_BYTES)
    text = f"duly_{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO store_apikey (name, prefix, secret_sha256, scopes, expires_at)"
            " VALUES (%s, %s, %s, to_jsonb(%s::text[]), now() + make_interval(days => %s))"
            " RETURNING expires_at",
            [name, prefix, _hash(text), list(scopes), days],
        )
        expires = cursor.fetchone()[0]
    return Made(name=name, prefix=prefix, text=text, scopes=scopes, expires_at=expires)


def _live(name: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return prefix and scopes of a name's valid keys, nobody else changing keys meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute(
            f"SELECT prefix, scopes::text FROM store_apikey WHERE name = %s AND {_LIVE}"
            " ORDER BY id DESC",
            [name],
        )
        return [(prefix, _scopes(scopes)) for prefix, scopes in cursor.fetchall()]


def _scopes(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


def _hash(text: str) -> str:
    # 256 random bits need no slow hash: there is nothing to guess.
    return hashlib.sha256(text.encode()).hexdigest()


def _refused(code: str, **values: object) -> Refused:
    return Refused(Diagnostic(area="service", code=code, values=values))
