"""A route by SMTP, from the lender file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal, cast

from duly.book import Route
from duly.delivery.smtp import DkimKey, Letterhead, SmtpGateway, SmtpSettings
from duly.delivery.smtp.letter import is_address
from duly.service.outbox.route_settings import RouteSettings

_WINDOW_MAX, _PER_SECOND_MAX, _SECONDS_MAX = 1000, 10_000, 600
_DOMAINS = "lender.example"


def mail_settings(
    route: Route, settings: RouteSettings, clock: Callable[[], datetime]
) -> SmtpGateway:
    """Return the gateway of a route by SMTP; what is wrong is noted in its settings."""
    tls = settings.choice("tls", "offered", "required", "implicit", "never")
    return SmtpGateway(
        route.name,
        SmtpSettings(
            host=settings.text("host"),
            port=settings.port(465 if tls == "implicit" else 25),
            letterhead=_letterhead(settings),
            envelope=_address(settings, "envelope", needed=False),
            user=settings.text("user", ""),
            password=settings.secret("password_env", required=False),
            tls=cast("Literal['offered', 'required', 'implicit', 'never']", tls),
            context=settings.trust(),
            dkim=_dkim(settings),
            window=settings.whole("window", 10, least=1, most=_WINDOW_MAX),
            per_second=settings.whole("per_second", 0, most=_PER_SECOND_MAX),
            response_seconds=settings.whole("timeout_seconds", 60, least=1, most=_SECONDS_MAX),
        ),
        clock=clock,
    )


def _letterhead(settings: RouteSettings) -> Letterhead:
    url = settings.text("unsubscribe_url", "")
    if url and not (url.startswith("https://") and url.isascii() and not set(url) & set("<> ,")):
        settings.wrong("unsubscribe_url", "https://lender.example/stop/{message_id}")
    return Letterhead(
        sender=_address(settings, "sender", needed=True),
        sender_name=settings.text("sender_name", ""),
        subject=settings.text("subject", ""),
        unsubscribe_url=url,
        unsubscribe_mail=_address(settings, "unsubscribe_mail", needed=False),
    )


def _address(settings: RouteSettings, key: str, *, needed: bool) -> str:
    value = settings.text(key) if needed else settings.text(key, "")
    if value and not is_address(value):
        settings.wrong(key, f"name@{_DOMAINS}")
    return value


def _dkim(settings: RouteSettings) -> DkimKey | None:
    domain = settings.text("dkim_domain", "")
    selector = settings.text("dkim_selector", "duly")
    key = settings.file("dkim_key_file", required=bool(domain))
    if not (domain.isascii() and selector.isascii()):
        settings.wrong("dkim_domain", _DOMAINS)
    return DkimKey(domain=domain, selector=selector, private_key=key) if domain else None
