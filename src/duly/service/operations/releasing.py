"""Approve, stop, lift: who may let messages go, and who may hold them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.service.operations.recording import record

SCOPES = ("all", "run", "template", "route")


@dataclass(frozen=True, kw_only=True)
class Approved:
    """How many approvals a run has and needs; `released` where this one was the last."""

    given: int
    needed: int
    released: bool


def approve(plan_sha256: str, *, by: str) -> Approved:
    """Approve a run in a person's name; it is released with the last name that it needs.

    Refused: an unknown run, one that waits for nobody, the same person twice.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT plan_sha256, state, approvals_needed FROM store_run"
            " WHERE plan_sha256 LIKE %s ORDER BY plan_sha256 FOR UPDATE",
            [plan_sha256.replace("%", "").replace("_", "") + "%"],
        )
        rows = cursor.fetchall()
        if len(rows) != 1:
            raise _refused("unknown_run", run=plan_sha256)
        sha, state, needed = rows[0]
        if state != "planned":
            raise _refused("not_waiting", run=sha, state=state)
        cursor.execute(
            'INSERT INTO store_approval (run_id, "by") VALUES (%s, %s)'
            " ON CONFLICT DO NOTHING RETURNING id",
            [sha, by],
        )
        if cursor.fetchone() is None:
            raise _refused("approved_before", run=sha, by=by)
        cursor.execute("SELECT count(*) FROM store_approval WHERE run_id = %s", [sha])
        given = int(cursor.fetchone()[0])
        released = given >= needed
        if released:
            cursor.execute("UPDATE store_run SET state = 'released' WHERE plan_sha256 = %s", [sha])
            cursor.execute(
                "UPDATE store_message SET state = 'released', state_at = now()"
                " WHERE run_id = %s AND state = 'planned'",
                [sha],
            )
        record("run.approved", [(sha, {"by": by, "given": given, "needed": needed})])
    return Approved(given=given, needed=int(needed), released=released)


def stop(scope: str, name: str, *, by: str) -> None:
    """Hold whatever the scope names, from this instant on; a stop that stands already is enough."""
    assert scope in SCOPES
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE store_stopped IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(
            'INSERT INTO store_stopped (scope, name, "by") SELECT %s, %s, %s WHERE NOT EXISTS'
            " (SELECT 1 FROM store_stopped WHERE scope = %s AND name = %s AND lifted_at IS NULL)",
            [scope, name, by, scope, name],
        )
        record("stopped", [(f"{scope}:{name}", {"by": by})])


def lift(scope: str, name: str, *, by: str) -> None:
    """Lift a stop; refused where none stands, or where the name is the first person's."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            'SELECT id, "by" FROM store_stopped WHERE scope = %s AND name = %s'
            " AND lifted_at IS NULL FOR UPDATE",
            [scope, name],
        )
        row = cursor.fetchone()
        if row is None:
            raise _refused("not_stopped", scope=scope, name=name)
        if row[1] == by:
            raise _refused("second_name", by=by)
        cursor.execute(
            "UPDATE store_stopped SET lifted_by = %s, lifted_at = now() WHERE id = %s",
            [by, row[0]],
        )
        record("lifted", [(f"{scope}:{name}", {"by": by})])


def _refused(code: str, **values: object) -> Refused:
    return Refused(Diagnostic(area="service", code=code, values=values))
