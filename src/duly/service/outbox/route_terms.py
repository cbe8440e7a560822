"""What the lender file states of a route beside its gateway: tries, waiting, and what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from duly.book import Route
from duly.delivery.retrying import Terms
from duly.service.outbox.route_settings import RouteSettings

_ATTEMPTS_MAX = 100
_SECONDS_MAX = 86_400


def read_terms(settings: RouteSettings) -> Terms:
    """Return the terms of one route; what is wrong is noted in its settings."""
    plain = Terms()
    refusals = settings.whole("fallback_refusals", 0, most=_ATTEMPTS_MAX)
    return Terms(
        attempts=settings.whole("attempts", plain.attempts, least=1, most=_ATTEMPTS_MAX),
        first_seconds=settings.seconds("back_off", plain.first_seconds, most=_SECONDS_MAX),
        most_seconds=settings.seconds("back_off_most", plain.most_seconds, most=_SECONDS_MAX),
        fallback_refusals=refusals or None,
        fallback_after=settings.seconds("fallback_after", 0, most=_SECONDS_MAX) or None,
    )


def terms_of(routes: Sequence[Route]) -> Mapping[str, Terms]:
    """Return the terms of each route by its name."""
    return {route.name: read_terms(RouteSettings(route, {})) for route in routes}
