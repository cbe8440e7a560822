"""Since when a route is away, as all workers know it, by the database's clock."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import psycopg

from duly.delivery.retrying import Terms

#: Where nobody looked for so long, nobody knows how long a route was away: it is counted anew.
_WATCH = """
INSERT INTO store_routewatch AS w (route, away_since, seen_at)
SELECT n.route, CASE WHEN n.away THEN now() END, now()
FROM unnest(%s::text[], %s::boolean[]) AS n(route, away) ORDER BY n.route
ON CONFLICT (route) DO UPDATE SET seen_at = now(), away_since = CASE
    WHEN excluded.away_since IS NULL THEN NULL
    WHEN w.seen_at < now() - interval '10 minutes' THEN now()
    ELSE coalesce(w.away_since, now()) END
RETURNING route, coalesce(extract(epoch FROM now() - away_since), -1)::float
"""


def waited_for(
    connection: psycopg.Connection[Any], terms: Mapping[str, Terms], *, away: Collection[str]
) -> set[str]:
    """Note which routes are away, and return those of them that their messages wait for.

    A route that some worker reaches is not away for the others: they wait for it.
    """
    after = {name: one.fallback_after for name, one in terms.items() if one.fallback_after}
    if not after:
        return set(away)
    names = sorted(after)
    rows = connection.execute(_WATCH, (names, [name in away for name in names])).fetchall()
    return set(away) - {route for route, seconds in rows if seconds >= after[route]}
