"""By which route a message goes: the first of the file that takes it and has not refused it.

A route that rests is stopped or cannot send now. One that is waited for is not passed over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import psycopg

from duly.book import Route
from duly.service.rows import Row, unpacked

_PASSED = """
SELECT DISTINCT channel, message_class, passed_routes::text FROM store_message
WHERE state = 'released' AND passed_routes <> '[]'
"""


def taking(
    routes: Sequence[Route], *, channel: str, kind: str, passed: Collection[str]
) -> Iterator[Route]:
    """Give the routes that carry a channel and accept a class, in order, but those it passed."""
    for route in routes:
        if route.channel == channel and kind in route.accepts and route.name not in passed:
            yield route


def route_of(row: Row, routes: Sequence[Route]) -> Route | None:
    """Return the first route that takes a message and has not refused it."""
    return next(_taking(row, routes), None)


def passed_over(row: Row, route: Route, routes: Sequence[Route]) -> list[str]:
    """Return the names of the routes that would come before a message's own, in order."""
    found: list[str] = []
    for one in taking(routes, channel=row["channel"], kind=row["message_class"], passed=()):
        if one.name == route.name:
            break
        found.append(one.name)
    return found


def held_kinds(
    connection: psycopg.Connection[Any],
    routes: Sequence[Route],
    *,
    resting: Collection[str],
    waited_for: Collection[str],
) -> list[str]:
    """Return which messages wait for a route that rests, as `CHANNEL CLASS PASSED`."""
    kinds = {(route.channel, kind, "[]") for route in routes for kind in route.accepts}
    kinds |= set(connection.execute(_PASSED).fetchall())
    return sorted(
        " ".join(kind)
        for kind in kinds
        if _is_held(kind, routes, resting=resting, waited_for=waited_for)
    )


def _is_held(
    kind: tuple[str, str, str],
    routes: Sequence[Route],
    *,
    resting: Collection[str],
    waited_for: Collection[str],
) -> bool:
    channel, message_class, passed = kind
    rests = False
    for one in taking(routes, channel=channel, kind=message_class, passed=unpacked(passed)):
        if one.name not in resting:
            return False
        if one.name in waited_for:
            return True
        rests = True
    return rests


def _taking(row: Row, routes: Sequence[Route]) -> Iterator[Route]:
    return taking(
        routes,
        channel=row["channel"],
        kind=row["message_class"],
        passed=unpacked(row["passed_routes"]),
    )
