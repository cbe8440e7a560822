"""Approve, stop, lift: who may let messages go, and who may hold them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from django.db import connection, transaction

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.delivery.states import OPEN
from duly.service.operations import braking
from duly.service.operations.braking import Brake
from duly.service.operations.recording import record

SCOPES = ("all", "run", "template", "route")
_NAME_MAX = 200
#: A route is chosen in the claim: what waits for it is not known to be its own.
_HELD = """
SELECT count(*) FROM store_message WHERE state = ANY(%(open)s) AND (%(scope)s = 'all'
    OR %(scope)s = 'run' AND run_id = %(name)s OR %(scope)s = 'template' AND template = %(name)s
    OR %(scope)s = 'route' AND route = %(name)s)
"""


@dataclass(frozen=True, kw_only=True)
class Approved:
    """How many approvals a run has and needs; `released` where this one was the last.

    `broken` are the brakes that hold it: what this person answers for.
    """

    given: int
    needed: int
    released: bool
    broken: tuple[Brake, ...] = ()


def approve(plan_sha256: str, *, by: str) -> Approved:
    """Approve a run in a person's name; it is released with the last name that it needs.

    Refused: no name, an unknown run, one that waits for nobody, the same person twice (however
    the name is spelt), and who made the recall that the run corrects.
    """
    by = person(by)
    with transaction.atomic(), connection.cursor() as cursor:
        sha = named_run(plan_sha256)
        cursor.execute(
            "SELECT state, approvals_needed, summary->>'recalled_by' FROM store_run"
            " WHERE plan_sha256 = %s FOR UPDATE",
            [sha],
        )
        state, needed, recalled_by = cursor.fetchone()
        if state != "planned":
            raise _refused("not_waiting", run=sha, state=state)
        cursor.execute('SELECT "by" FROM store_approval WHERE run_id = %s', [sha])
        before = [row[0] for row in cursor.fetchall()]
        if any(same(by, one) for one in before):
            raise _refused("approved_before", run=sha, by=by)
        if recalled_by is not None and same(by, recalled_by):
            raise _refused("own_recall", run=sha, by=by)
        cursor.execute('INSERT INTO store_approval (run_id, "by") VALUES (%s, %s)', [sha, by])
        given = len(before) + 1
        released = given >= needed
        if released:
            cursor.execute("UPDATE store_run SET state = 'released' WHERE plan_sha256 = %s", [sha])
            cursor.execute(
                "UPDATE store_message SET state = 'released', state_at = now()"
                " WHERE run_id = %s AND state = 'planned'",
                [sha],
            )
        broken = braking.broken(braking.kept(sha))
        record(
            "run.approved",
            [(sha, {"by": by, "given": given, "needed": needed,
                    "broken": {one.name: dict(one.figures) for one in broken}})],
        )  # fmt: skip
    return Approved(given=given, needed=int(needed), released=released, broken=broken)


def named_run(beginning: str) -> str:
    """Return the one run whose SHA-256 begins so; refuse where there is none, or several."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT plan_sha256 FROM store_run WHERE starts_with(plan_sha256, %s) LIMIT 2",
            [beginning],
        )
        rows = cursor.fetchall()
    if len(rows) != 1 or not beginning:
        raise _refused("unknown_run", run=beginning)
    return str(rows[0][0])


def person(name: str) -> str:
    """Return a person's name as it is written down; refuse one that names nobody."""
    found = " ".join(unicodedata.normalize("NFKC", name).split())
    if not found or len(found) > _NAME_MAX or not found.isprintable():
        raise _refused("no_name", by=name)
    return found


def same(one: str, other: str) -> bool:
    """Return whether two names are one person's: case, width and spaces make no second person.

    >>> same("Li Lei", "li  lei"), same("Li Lei", "Wang")
    (True, False)
    """
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()


def stop(scope: str, name: str, *, by: str) -> int:
    """Hold whatever the scope names, from this instant on; return how many messages that is now.

    A stop that stands already is enough. A run is named by its beginning; refused: an unknown one.
    """
    assert scope in SCOPES
    by = person(by)
    with transaction.atomic(), connection.cursor() as cursor:
        name = named_run(name) if scope == "run" else name
        cursor.execute("LOCK TABLE store_stopped IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(
            'INSERT INTO store_stopped (scope, name, "by") SELECT %s, %s, %s WHERE NOT EXISTS'
            " (SELECT 1 FROM store_stopped WHERE scope = %s AND name = %s AND lifted_at IS NULL)",
            [scope, name, by, scope, name],
        )
        if cursor.rowcount:
            record("stopped", [(f"{scope}:{name}", {"by": by})])
        cursor.execute(_HELD, {"scope": scope, "name": name, "open": list(OPEN)})
        return int(cursor.fetchone()[0])


def lift(scope: str, name: str, *, by: str) -> None:
    """Lift a stop; refused where none stands, or where the name is the first person's."""
    by = person(by)
    with transaction.atomic(), connection.cursor() as cursor:
        name = named_run(name) if scope == "run" else name
        cursor.execute(
            'SELECT id, "by" FROM store_stopped WHERE scope = %s AND name = %s'
            " AND lifted_at IS NULL FOR UPDATE",
            [scope, name],
        )
        row = cursor.fetchone()
        if row is None:
            raise _refused("not_stopped", scope=scope, name=name)
        if same(row[1], by):
            raise _refused("second_name", by=by)
        cursor.execute(
            "UPDATE store_stopped SET lifted_by = %s, lifted_at = now() WHERE id = %s",
            [by, row[0]],
        )
        record("lifted", [(f"{scope}:{name}", {"by": by})])


def _refused(code: str, **values: object) -> Refused:
    return Refused(Diagnostic(area="service", code=code, values=values))
