"""Who of the lender may sign in to the console: added, reset, disabled; and whether it is them."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.db import connection, transaction

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.service.operations import one_time
from duly.service.operations.recording import record
from duly.service.operations.sessions import Sessions
from duly.service.outgoing.secrets import UnreadableSecret, seal, unseal
from duly.service.rows import Row, as_dicts
from duly.service.store.staff_models import ROLES

#: What ends a session, in minutes: without a look, and in all.
IDLE_MINUTES, WHOLE_MINUTES = 15, 480
#: Wrong tries in a row that lock an account, and for how long.
TRIES, LOCKED_MINUTES = 5, 15
SESSIONS = Sessions(
    table="store_staffsession", owner="staff_id",
    idle_minutes=IDLE_MINUTES, whole_minutes=WHOLE_MINUTES,
)  # fmt: skip
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,59}")
_PURPOSE = b"duly staff secrets v1"
#: No letter or digit that another looks like.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _OF_A_GROUP = 5, 5
_ROW = """
SELECT name, role, password, secret, step, recovery::text, locked_until > now()
FROM store_staff WHERE name = %s AND disabled_at IS NULL FOR UPDATE
"""
_FAILED = f"""
UPDATE store_staff SET
    failures = CASE WHEN failures + 1 >= {TRIES} THEN 0 ELSE failures + 1 END,
    locked_until = CASE WHEN failures + 1 >= {TRIES}
        THEN now() + interval '{LOCKED_MINUTES} minutes' ELSE locked_until END
WHERE name = %s RETURNING locked_until > now()
"""
_ENTERED = """
UPDATE store_staff SET failures = 0, locked_until = NULL, signed_in_at = now(), step = %s,
    recovery = %s::jsonb WHERE name = %s
"""


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a person is given once, to sign in with; kept nowhere."""

    name: str
    role: str
    password: str = field(repr=False)
    secret: bytes = field(repr=False)
    recovery: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Entered:
    """Somebody who showed both factors: his session and the token of his cookie."""

    name: str
    role: str
    number: int
    token: str = field(repr=False)


def add(name: str, *, role: str, keys: Sequence[bytes]) -> Given:
    """Let a person sign in; refused: a name that is none or was given, an unknown role."""
    if not _NAME.fullmatch(name):
        raise _refused("staff_name", name=name)
    if role not in ROLES:
        raise _refused("staff_role", role=role, known=", ".join(ROLES))
    given = _given(name, role)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO store_staff (name, role, password, secret, recovery)"
            " VALUES (%s, %s, %s, %s, %s::jsonb) ON CONFLICT DO NOTHING RETURNING name",
            [name, role, *_kept(given, keys)],
        )
        if cursor.fetchone() is None:
            raise _refused("staff_there", name=name)
        record("staff.added", [(name, {"role": role})])
    return given


def reset(name: str, *, keys: Sequence[bytes]) -> Given:
    """Give a person another password and second factor; whoever is signed in as them is out.

    Refused: nobody of this name who may sign in.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT role FROM store_staff WHERE name = %s AND disabled_at IS NULL FOR UPDATE",
            [name],
        )
        row = cursor.fetchone()
        if row is None:
            raise _refused("no_staff", name=name)
        given = _given(name, row[0])
        cursor.execute(
            "UPDATE store_staff SET password = %s, secret = %s, recovery = %s::jsonb, step = 0,"
            " failures = 0, locked_until = NULL WHERE name = %s",
            [*_kept(given, keys), name],
        )
        ended = SESSIONS.end_all([name])
        record("staff.reset", [(name, {"sessions": len(ended)})])
    return given


def disable(name: str) -> int:
    """Let a person sign in no more and end his sessions; return how many; refused for nobody."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE store_staff SET disabled_at = now(), recovery = '[]'"
            " WHERE name = %s AND disabled_at IS NULL RETURNING name",
            [name],
        )
        if cursor.fetchone() is None:
            raise _refused("no_staff", name=name)
        ended = SESSIONS.end_all([name])
        record("staff.disabled", [(name, {"sessions": len(ended)})])
    return len(ended)


def listed() -> list[Row]:
    """Return everybody who ever was let in, by name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, role, created_at, signed_in_at, disabled_at,"
            " coalesce(locked_until > now(), false) AS locked,"
            " jsonb_array_length(recovery) AS recovery FROM store_staff ORDER BY name"
        )
        return as_dicts(cursor)


def anybody() -> bool:
    """Return whether somebody may sign in."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM store_staff WHERE disabled_at IS NULL)")
        return bool(cursor.fetchone()[0])


def enter(
    name: str, password: str, code: str, *, at: datetime, keys: Sequence[bytes], asker: str
) -> Entered | None:
    """Sign a person in who shows both factors; None whatever of it is wrong, or while locked.

    Each try is recorded, of a name that nobody has without the name: it may be a password. The
    work is the same whether somebody has the name. `asker` is a mark of the address.
    """
    _nobodys()  # Made once a process, whoever asks first.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ROW, [name])
        row = cursor.fetchone()
        if row is None:
            check_password(password, _nobodys())
            record("staff.refused", [("-", {"asker": asker, "why": "unknown"})])
            return None
        known, role, kept, sealed, step, left, locked = row
        right = check_password(password, kept)
        factor = _factor(known, code.strip(), bytes(sealed), json.loads(left), step, at, keys)
        if locked or not right or factor is None:
            why = "locked" if locked else "wrong"
            record("staff.refused", [(known, {"asker": asker, "why": why})])
            if not locked:
                _fail(cursor, known)
            return None
        by, new_step, new_left = factor
        cursor.execute(_ENTERED, [new_step, json.dumps(new_left), known])
        number, token = SESSIONS.begin(known, by=by)
        told = {"asker": asker, "by": by, "session": number, "recovery": len(new_left)}
        record("staff.signed_in", [(known, told)])
    return Entered(name=known, role=role, number=number, token=token)


def _fail(cursor: Any, name: str) -> None:
    cursor.execute(_FAILED, [name])
    if cursor.fetchone()[0]:
        record("staff.locked", [(name, {"minutes": LOCKED_MINUTES})])


def _factor(
    name: str,
    code: str,
    sealed: bytes,
    left: list[str],
    step: int,
    at: datetime,
    keys: Sequence[bytes],
) -> tuple[str, int, list[str]] | None:
    """Return by which factor a code counts, and what is kept of both afterwards."""
    try:
        secret = unseal(sealed, keys=keys, name=name, purpose=_PURPOSE)
    except UnreadableSecret:
        secret = b""
    if secret:
        found = one_time.step_of(secret, code, at=at, after=step)
        if found is not None:
            return "code", found, left
    mark = one_time.recovery_mark(code)
    if mark in left:
        return "recovery", step, [one for one in left if one != mark]
    return None


def _given(name: str, role: str) -> Given:
    def group() -> str:
        return "".join(secrets.choice(_LETTERS) for _ in range(_OF_A_GROUP))

    return Given(
        name=name, role=role, password="-".join(group() for _ in range(_GROUPS)),
        secret=one_time.new_secret(), recovery=tuple(one_time.new_recovery()),
    )  # fmt: skip


def _kept(given: Given, keys: Sequence[bytes]) -> list[Any]:
    """Return what the store has of what was given: password, secret, recovery codes."""
    return [
        make_password(given.password),
        seal(given.secret, keys=keys, name=given.name, purpose=_PURPOSE),
        json.dumps([one_time.recovery_mark(one) for one in given.recovery]),
    ]


@cache
def _nobodys() -> str:
    return str(make_password(secrets.token_hex()))


def _refused(code: str, **values: object) -> Refused:
    return Refused(Diagnostic(area="service", code=code, values=values))
