"""What stands where: counts for people and programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from django.db import connection

from duly.delivery.states import STATES
from duly.service.operations import braking, dead_letters
from duly.service.operations.braking import Brake
from duly.service.outbox.spending import Budget, budget_of


@dataclass(frozen=True, kw_only=True)
class WaitingRun:
    """A run that waits for names: how many it needs, who gave theirs, what its brakes said."""

    run: str
    kind: str
    business_date: date
    messages: int
    needed: int
    approved_by: tuple[str, ...]
    brakes: tuple[Brake, ...]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Messages by state, submissions by route and by outcome, what is stopped, what waits.

    `budget` is that of the newest day on which something that costs was to be sent.
    """

    states: dict[str, int]
    routes: dict[str, dict[str, int]]
    outcomes: dict[str, int]
    stopped: tuple[str, ...]
    waiting: tuple[WaitingRun, ...] = ()
    budget: Budget | None = None
    dead_letters: Mapping[str, int] = field(default_factory=dict)  #: open ones, by reason


def standing() -> Standing:
    """Return where all messages stand now, as one consistent look."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 'state', state, '', count(*) FROM store_message GROUP BY 2"
            " UNION ALL SELECT 'route', route, state, count(*) FROM store_message"
            " WHERE route IS NOT NULL GROUP BY 2, 3"
            " UNION ALL SELECT 'outcome', coalesce(outcome, 'none'), '', count(*)"
            " FROM store_attempt GROUP BY 2"
            " UNION ALL SELECT 'stop', scope || coalesce(':' || nullif(name, ''), ''), '', 1"
            " FROM store_stopped WHERE lifted_at IS NULL"
        )
        rows = cursor.fetchall()
    states = dict.fromkeys(STATES, 0)
    states |= {name: count for kind, name, _, count in rows if kind == "state"}
    routes: dict[str, dict[str, int]] = {}
    for kind, name, state, count in sorted(rows):
        if kind == "route":
            routes.setdefault(name, {})[state] = count
    return Standing(
        states=states,
        routes=routes,
        outcomes={name: count for kind, name, _, count in sorted(rows) if kind == "outcome"},
        stopped=tuple(sorted(name for kind, name, _, _ in rows if kind == "stop")),
        waiting=_waiting(),
        budget=budget_of(connection.connection),
        dead_letters=dead_letters.counts(),
    )


def _waiting() -> tuple[WaitingRun, ...]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.plan_sha256, r.kind, r.business_date, r.messages_count, r.approvals_needed,"
            ' ARRAY(SELECT a."by" FROM store_approval AS a WHERE a.run_id = r.plan_sha256'
            " ORDER BY a.at, a.id) FROM store_run AS r WHERE r.state = 'planned'"
            " ORDER BY r.business_date, r.kind, r.plan_sha256"
        )
        rows = cursor.fetchall()
    return tuple(
        WaitingRun(
            run=run, kind=kind, business_date=day, messages=messages, needed=needed,
            approved_by=tuple(names), brakes=braking.kept(run),
        )
        for run, kind, day, messages, needed, names in rows
    )  # fmt: skip
