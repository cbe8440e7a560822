"""Which gateway serves a route of the lender file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import cast, get_args

from duly.book import Route
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.delivery import Gateway
from duly.delivery.http import HttpGateway, HttpSettings
from duly.delivery.sandbox import Sandbox
from duly.delivery.smpp import SmppGateway, SmppSettings
from duly.delivery.smpp.receipts import Ids
from duly.delivery.smpp.settings import is_source
from duly.delivery.webhooks import Format
from duly.service.outbox.route_settings import RouteSettings
from duly.service.outbox.route_terms import read_terms

#: Kinds that a worker sends by; a task for a person is no message.
_NOT_SENT = ("tasks",)
#: Channels that one kind alone serves, and the kinds that serve one alone.
_OWN = {"push": "webhook", "letter": "letter"}
_CHANNEL_OF = {kind: channel for channel, kind in _OWN.items()}
_WINDOW_MAX, _PER_SECOND_MAX, _SECONDS_MAX = 10_000, 100_000, 600
_SYSTEM_ID_MAX, _SYSTEM_TYPE_MAX = 15, 12  #: characters (SMPP 3.4, 4.1.5)

Clock = Callable[[], datetime]


def sent_by_worker(route: Route) -> bool:
    """Return whether a worker sends by this route."""
    return route.kind not in _NOT_SENT


def gateways_of(
    routes: Sequence[Route],
    *,
    clock: Clock,
    label: str,
    environ: Mapping[str, str] = os.environ,
) -> dict[str, Gateway]:
    """Return the gateway of each route, not yet opened; refuse them with every mistake named.

    `clock` dates mails and signatures; `label` tells this worker from every other. Secrets are
    read from the variables of `environ` that the settings name.
    """
    found: list[Diagnostic] = []
    made: dict[str, Gateway] = {}
    for route in routes:
        if route.kind not in _MAKERS:
            values = {"route": route.name, "kind": route.kind}
            found.append(Diagnostic(area="service", code="no_gateway", values=values))
            continue
        settings = RouteSettings(route, environ)
        if not _carries(route):
            values = {"route": route.name, "kind": route.kind, "channel": route.channel}
            found.append(Diagnostic(area="service", code="route_other_channel", values=values))
        gateway = _MAKERS[route.kind](route, settings, clock, label)
        read_terms(settings)  # What is wrong in them is named with the rest.
        settings.rest()
        found += settings.found
        if gateway is not None and not settings.found:
            made[route.name] = gateway
    if found:
        raise Refused(*found)
    return made


def _carries(route: Route) -> bool:
    """Return whether a kind is for its route's channel: a push by another shows its text."""
    if route.kind == "sandbox":
        return True
    return _OWN.get(route.channel) == _OWN.get(_CHANNEL_OF.get(route.kind, ""))


def _sandbox(route: Route, settings: RouteSettings, _clock: Clock, _label: str) -> Gateway:
    log = settings.text("log", "")
    return Sandbox(
        route.name,
        seed=settings.whole("seed", 7, most=1 << 31),
        window=settings.whole("window", 50, least=1, most=_WINDOW_MAX),
        honest=settings.flag("honest", default=False),
        delay_ms=settings.whole("delay_ms", 0, most=60_000),
        log=Path(log) if log else None,
    )


def _smpp(route: Route, settings: RouteSettings, _clock: Clock, label: str) -> Gateway:
    tls = settings.choice("tls", "never", "required")
    trust = settings.trust()
    source, system_id = settings.text("source"), settings.text("system_id")
    system_type, password = (
        settings.text("system_type", ""),
        settings.secret("password_env", required=True),
    )
    if source and not is_source(source):
        settings.wrong("source", '"1069000000"')
    if not system_id.isascii() or len(system_id) > _SYSTEM_ID_MAX:
        settings.wrong("system_id", f"1 … {_SYSTEM_ID_MAX} ASCII")
    if not system_type.isascii() or len(system_type) > _SYSTEM_TYPE_MAX:
        settings.wrong("system_type", f"0 … {_SYSTEM_TYPE_MAX} ASCII")
    if not (password.isascii() and (password.isprintable() or not password)):
        settings.wrong("password_env", "ASCII")
    return SmppGateway(
        route.name,
        SmppSettings(
            host=settings.text("host"),
            port=settings.port(2775),
            system_id=system_id,
            password=password,
            source=source or "0",
            system_type=system_type,
            tls=trust if tls == "required" else None,
            window=settings.whole("window", 50, least=1, most=_WINDOW_MAX),
            per_second=settings.whole("per_second", 0, most=_PER_SECOND_MAX),
            source_ton=settings.whole("source_ton", -1, least=-1, most=6),
            source_npi=settings.whole("source_npi", -1, least=-1, most=18),
            ids=cast("Ids", settings.choice("ids", "same", "answer_hex", "receipt_hex")),
            zone=settings.zone("time_zone"),
            default_coding=settings.whole("default_coding", 0, most=15),
            validity=settings.flag("validity", default=True),
            response_seconds=settings.whole("timeout_seconds", 30, least=1, most=_SECONDS_MAX),
            enquire_seconds=settings.whole("enquire_seconds", 30, least=1, most=_SECONDS_MAX),
        ),
        label=label,
    )


def _smtp(route: Route, settings: RouteSettings, clock: Clock, _label: str) -> Gateway:
    # A worker that sends no mail need not load how.
    from duly.service.outbox.mail_route import mail_settings

    return mail_settings(route, settings, clock)


def _http(route: Route, settings: RouteSettings, clock: Clock, _label: str) -> Gateway:
    # How it reports is for whoever serves its webhooks; here only mistakes are of interest.
    settings.choice("webhook_format", *get_args(Format))
    settings.text("webhook_secret_env", "")
    settings.zone("time_zone")
    return HttpGateway(
        route.name,
        HttpSettings(
            url=settings.url("url"),
            secret=settings.secret("secret_env", required=True).encode(),
            template_codes=settings.table("template_codes"),
            id_field=settings.text("id_field", "id"),
            code_field=settings.text("code_field", ""),
            code_ok=settings.text("code_ok", "OK"),
            by_part=settings.flag("by_part", default=False),
            window=settings.whole("window", 20, least=1, most=_WINDOW_MAX),
            per_second=settings.whole("per_second", 0, most=_PER_SECOND_MAX),
            response_seconds=settings.whole("timeout_seconds", 15, least=1, most=_SECONDS_MAX),
        ),
        clock=clock,
    )


def _webhook(route: Route, settings: RouteSettings, clock: Clock, _label: str) -> Gateway:
    # A worker that pushes nothing need not load what the lock screen is checked by.
    from duly.service.outbox.own_routes import push_settings

    return push_settings(route, settings, clock)


def _letter(route: Route, settings: RouteSettings, clock: Clock, label: str) -> Gateway:
    from duly.service.outbox.own_routes import letter_settings

    return letter_settings(route, settings, clock, label)


_MAKERS: Mapping[str, Callable[[Route, RouteSettings, Clock, str], Gateway]] = {
    "sandbox": _sandbox,
    "smpp": _smpp,
    "smtp": _smtp,
    "http": _http,
    "webhook": _webhook,
    "letter": _letter,
}
