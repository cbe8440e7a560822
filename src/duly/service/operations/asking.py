"""What stands where: counts for people and programs."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from duly.delivery.states import STATES


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Messages by state, submissions by route and by outcome, what is stopped."""

    states: dict[str, int]
    routes: dict[str, dict[str, int]]
    outcomes: dict[str, int]
    stopped: tuple[str, ...]


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
    )
