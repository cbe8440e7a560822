"""Which gateway serves a route of the lender file."""

from __future__ import annotations

from pathlib import Path

from duly.book import Route
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.delivery import Gateway
from duly.delivery.sandbox import Sandbox

#: Kinds that a worker sends by; a task for a person is no message.
_NOT_SENT = ("tasks",)


def sent_by_worker(route: Route) -> bool:
    """Return whether a worker sends by this route."""
    return route.kind not in _NOT_SENT


def gateway_of(route: Route) -> Gateway:
    """Return the gateway of a route, not yet opened; refuse a kind that is not there."""
    settings = route.settings
    if route.kind == "sandbox":
        log = settings.get("log")
        return Sandbox(
            route.name,
            seed=int(str(settings.get("seed", 7))),
            window=int(str(settings.get("window", 50))),
            honest=settings.get("honest") is True,
            delay_ms=int(str(settings.get("delay_ms", 0))),
            log=None if log is None else Path(str(log)),
        )
    raise Refused(
        Diagnostic(
            area="service", code="no_gateway", values={"route": route.name, "kind": route.kind}
        )
    )
