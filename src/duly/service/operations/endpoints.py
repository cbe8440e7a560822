"""Endpoints of outgoing events: add, rotate, disable; what is dead, and post it again."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.service.operations.recording import record
from duly.service.outgoing.places import Network, NoPlace, check_url
from duly.service.outgoing.secrets import UnreadableSecret, new_secret, seal, shown, unseal

#: What is told today; the contract's other types come with what they tell of.
TYPES = (
    "message.sent", "message.delivered", "message.failed", "message.unknown", "decision.made",
    "reply.received", "promise.made", "dispute.opened", "hardship.flagged",
    "plan.agreed",
)  # fmt: skip
OVERLAP_HOURS_MAX = 168
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_DEAD_MAX = 1000


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One endpoint and how its events stand."""

    name: str
    url: str
    types: tuple[str, ...]
    disabled: bool
    waiting: int
    dead: int
    delivered: int


@dataclass(frozen=True, kw_only=True)
class Dead:
    """One event that no try delivered to one endpoint."""

    endpoint: str
    event: str
    type: str
    at: datetime
    attempts: int
    last_answer: str


def add(
    name: str, url: str, *, types: Sequence[str], keys: Sequence[bytes], allowed: Sequence[Network]
) -> str:
    """Add an endpoint and return its secret, this once.

    Refused: a name that is none or is there, an unknown type, a place nothing is posted to.
    """
    if not _NAME.fullmatch(name):
        raise _refused("endpoint_name", name=name)
    unknown = [one for one in types if one not in TYPES]
    if unknown or not types:
        known = ", ".join(TYPES)
        raise _refused("endpoint_types", types=", ".join(unknown) or "-", known=known)
    try:
        check_url(url, allowed)
    except NoPlace as error:
        raise _refused("endpoint_url", url=url, why=error) from None
    secret = new_secret()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO store_endpoint (name, url, types, secret)"
            " VALUES (%s, %s, to_jsonb(%s::text[]), %s) ON CONFLICT DO NOTHING RETURNING name",
            [name, url, sorted(set(types)), seal(secret, keys=keys, name=name)],
        )
        if cursor.fetchone() is None:
            raise _refused("endpoint_there", name=name)
        record("endpoint.added", [(name, {"url": url, "types": sorted(set(types))})])
    return shown(secret)


def rotate(name: str, *, overlap_hours: int, keys: Sequence[bytes]) -> str:
    """Make an endpoint's next secret and return it; the present one signs too for the overlap."""
    assert 0 <= overlap_hours <= OVERLAP_HOURS_MAX
    secret = new_secret()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT secret FROM store_endpoint WHERE name = %s AND disabled_at IS NULL FOR UPDATE",
            [name],
        )
        row = cursor.fetchone()
        if row is None:
            raise _refused("no_endpoint", name=name)
        former = None
        if overlap_hours:
            try:
                former = seal(unseal(bytes(row[0]), keys=keys, name=name), keys=keys, name=name)
            except UnreadableSecret:
                raise _refused("endpoint_keys", name=name) from None
        cursor.execute(
            "UPDATE store_endpoint SET secret = %s, former_secret = %s,"
            " former_until = now() + make_interval(hours => %s) WHERE name = %s",
            [seal(secret, keys=keys, name=name), former, overlap_hours, name],
        )
        record("endpoint.rotated", [(name, {"overlap_hours": overlap_hours})])
    return shown(secret)


def disable(name: str) -> int:
    """Post nothing more to an endpoint; return how many events are dead by it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE store_endpoint SET disabled_at = now() WHERE name = %s AND disabled_at IS NULL"
            " RETURNING name",
            [name],
        )
        if cursor.fetchone() is None:
            raise _refused("no_endpoint", name=name)
        cursor.execute(
            "UPDATE store_eventpost SET state = 'dead', last_answer = 'disabled'"
            " WHERE endpoint_id = %s AND state = 'waiting'",
            [name],
        )
        count = int(cursor.rowcount)
        record("endpoint.disabled", [(name, {"dead": count})])
    return count


def listed() -> tuple[Listed, ...]:
    """Return every endpoint."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.name, e.url, e.types::text, e.disabled_at IS NOT NULL,"
            " count(*) FILTER (WHERE p.state = 'waiting'),"
            " count(*) FILTER (WHERE p.state = 'dead'),"
            " count(*) FILTER (WHERE p.state = 'delivered')"
            " FROM store_endpoint AS e LEFT JOIN store_eventpost AS p ON p.endpoint_id = e.name"
            " GROUP BY e.name ORDER BY e.name"
        )
        return tuple(
            Listed(name=name, url=url, types=tuple(json.loads(types)), disabled=disabled,
                   waiting=waiting, dead=dead, delivered=delivered)
            for name, url, types, disabled, waiting, dead, delivered in cursor.fetchall()
        )  # fmt: skip


def dead() -> tuple[Dead, ...]:
    """Return the dead events, the oldest first, a thousand at most."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.endpoint_id, o.id, o.type, o.at, p.attempts, p.last_answer"
            " FROM store_eventpost AS p JOIN store_outgoingevent AS o ON o.id = p.event_id"
            " WHERE p.state = 'dead' ORDER BY o.at, p.id LIMIT %s",
            [_DEAD_MAX],
        )
        return tuple(
            Dead(endpoint=endpoint, event=event, type=kind, at=at, attempts=attempts,
                 last_answer=answer)
            for endpoint, event, kind, at, attempts, answer in cursor.fetchall()
        )  # fmt: skip


def replay(name: str, *, event: str | None = None) -> int:
    """Let the dead events of an endpoint at work be posted again; return how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM store_endpoint WHERE name = %s AND disabled_at IS NULL", [name]
        )
        if cursor.fetchone() is None:
            raise _refused("no_endpoint", name=name)
        cursor.execute(
            "UPDATE store_eventpost SET state = 'waiting', attempts = 0, due_at = now()"
            " WHERE endpoint_id = %s AND state = 'dead' AND (%s::text IS NULL OR event_id = %s)",
            [name, event, event],
        )
        count = int(cursor.rowcount)
        if not count:
            raise _refused("no_dead", name=name)
        record("endpoint.replayed", [(name, {"events": count})])
    return count


def _refused(code: str, **values: object) -> Refused:
    return Refused(Diagnostic(area="service", code=code, values=values))
