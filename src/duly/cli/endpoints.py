"""`duly endpoints`: where outgoing events are posted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

from duly.cli import arguments, output, settings
from duly.cli.opening import opened_store
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.words import say

if TYPE_CHECKING:
    from duly.service.outgoing.places import Network

Name = Annotated[str, arguments.worded("option.endpoint_name")]
_NETWORKS = "DULY_ENDPOINT_NETWORKS"


def add(
    name: Name,
    url: Annotated[str, arguments.worded("option.endpoint_url")],
    /,
    *,
    types: Annotated[str, arguments.worded("option.event_types")],
) -> int:
    """Add an endpoint and show its secret, this once."""
    with opened_store():
        from duly.service.operations import endpoints

        listed = arguments.by_commas(types)
        secret = endpoints.add(name, url, types=listed, keys=secrets(), allowed=networks())
    return _show(name, secret)


def rotate(
    name: Name,
    /,
    *,
    overlap_hours: Annotated[
        int, arguments.worded("option.overlap_hours"), arguments.between(0, 168)
    ] = 24,
) -> int:
    """Make an endpoint's next secret; both sign for the overlap."""
    with opened_store():
        from duly.service.operations import endpoints

        secret = endpoints.rotate(name, overlap_hours=overlap_hours, keys=secrets())
    return _show(name, secret)


def disable(name: Name, /) -> int:
    """Post nothing more to an endpoint."""
    with opened_store():
        from duly.service.operations import endpoints

        count = endpoints.disable(name)
    output.line(say("service", "endpoint_disabled", settings.locale(), name=name, count=count))
    return output.DONE


def list_endpoints(*, json: arguments.Json = False) -> int:
    """List the endpoints and how their events stand."""
    with opened_store():
        from duly.service.operations import endpoints

        found = endpoints.listed()
    if json:
        output.as_json(
            [
                {"name": one.name, "url": one.url, "types": list(one.types),
                 "disabled": one.disabled, "waiting": one.waiting, "dead": one.dead,
                 "delivered": one.delivered}
                for one in found
            ]
        )  # fmt: skip
        return output.DONE
    for one in found:
        output.line(f"{one.name:<20} {one.waiting:>8} {one.dead:>8} {one.delivered:>8}  {one.url}")
    return output.DONE


def dead(*, json: arguments.Json = False) -> int:
    """List events that no try delivered; 1 where there are any."""
    with opened_store():
        from duly.service.operations import endpoints

        found = endpoints.dead()
    if json:
        output.as_json(
            [
                {"endpoint": one.endpoint, "event": one.event, "type": one.type,
                 "at": one.at.isoformat(), "attempts": one.attempts,
                 "last_answer": one.last_answer}
                for one in found
            ]
        )  # fmt: skip
    else:
        for one in found:
            output.line(f"{one.endpoint:<20} {one.event}  {one.type:<18} {one.last_answer}")
    return output.FOUND_WRONG if found else output.DONE


def replay(
    name: Name,
    /,
    *,
    event: Annotated[str | None, arguments.worded("option.event_id")] = None,
) -> int:
    """Post dead events again."""
    with opened_store():
        from duly.service.operations import endpoints

        count = endpoints.replay(name, event=event)
    output.line(say("service", "endpoint_replayed", settings.locale(), name=name, count=count))
    return output.DONE


def secrets() -> list[bytes]:
    """Return the keys under which secrets are sealed; one is made where there is none."""
    return [key.secret for key in settings.keys(make=True).keys]


def networks() -> tuple[Network, ...]:
    """Return the networks that DULY_ENDPOINT_NETWORKS allows; refuse a text that names none."""
    from duly.service.outgoing.places import networks as read

    text = os.environ.get(_NETWORKS, "")
    try:
        return read(text)
    except ValueError as error:
        values = {"name": _NETWORKS, "why": error}
        raise Refused(Diagnostic(area="service", code="bad_networks", values=values)) from None


def _show(name: str, secret: str) -> int:
    output.line(secret)
    output.error(say("service", "endpoint_once", settings.locale(), name=name))
    return output.DONE
