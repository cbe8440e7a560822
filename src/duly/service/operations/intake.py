"""What gateways post to us: who may, in which format; forged and repeated posts leave a record."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Literal, cast

from django.db import connection, transaction

from duly.book import Route
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.delivery.http import signature
from duly.delivery.webhooks import Format, UnreadableError, When, read
from duly.service.operations.metering import count
from duly.service.operations.recording import record
from duly.service.outbox.reports import write_reports
from duly.service.outbox.route_settings import RouteSettings

#: Seconds by which the instant of a signature may differ from ours.
TOLERANCE_SECONDS = 300
#: Kinds of route whose gateway may report by webhook.
_REPORTS = ("http", "webhook", "letter")
_RECORDS_A_MINUTE = 30  #: of one route and reason: a flood of forgeries fills no disk
_SWEPT_AT_ONCE = 50
_NAME_MAX = 150

Why = Literal["signature", "stale", "repeated", "unreadable", "unknown_status", "too_large",
              "content_type"]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Intake:
    """How one route's gateway reports: by `token` where it cannot sign, else by signature."""

    route: str
    form: Format
    secret: bytes = field(repr=False)
    zone: tzinfo | None

    @property
    def signs(self) -> bool:
        """Whether its gateway signs as Standard Webhooks do."""
        return self.form == "generic"


class WebhookRefused(Exception):
    """A post that is not taken; nothing of it was written but the record."""

    def __init__(self, why: Why) -> None:
        self.why = why
        super().__init__(why)


def intakes_of(
    routes: Sequence[Route], environ: Mapping[str, str] = os.environ
) -> dict[str, Intake]:
    """Return the intake of each route that names a secret for it; refuse broken settings."""
    found: list[Diagnostic] = []
    made: dict[str, Intake] = {}
    for route in routes:
        if route.kind not in _REPORTS or "webhook_secret_env" not in route.settings:
            continue
        settings = RouteSettings(route, environ)
        made[route.name] = Intake(
            route=route.name,
            form=_form(route, settings),
            secret=settings.secret("webhook_secret_env", required=True).encode(),
            zone=settings.zone("time_zone"),
        )
        found += settings.found
    if found:
        raise Refused(*found)
    return made


def _form(route: Route, settings: RouteSettings) -> Format:
    """Return in which words a gateway reports; only resellers of text messages have their own."""
    if route.kind != "http":
        return "generic"
    found = settings.choice("webhook_format", "generic", "aliyun", "tencent", "huawei")
    return cast("Format", found)


def take(
    intake: Intake, *, headers: Mapping[str, str], token: str, body: bytes, at: datetime
) -> int:
    """Write down what a post tells and return how many reports it held.

    Refused (WebhookRefused) with a record: a wrong signature or token, a signature of another
    time, one that was taken before, a body that is not of the route's format. A gateway that
    posts again under a new signature is heard again: the same report twice is one.
    """
    name = _authentic(intake, headers, token, body, at)
    try:
        reports = read(intake.form, body, when=When(zone=intake.zone, received_at=at))
    except UnreadableError:
        raise WebhookRefused("unreadable") from None
    with transaction.atomic():
        if name is not None and not _first(intake.route, name):
            raise WebhookRefused("repeated")
        assert connection.connection is not None
        write_reports(connection.connection, intake.route, reports)
    return len(reports)


def refuse(route: str, why: Why, *, size: int, body: bytes = b"") -> None:
    """Record a refusal, so many a minute at most: what was posted by its hash alone."""
    if count("webhook", hashlib.sha256(f"{route}\n{why}".encode()).hexdigest(),
             seconds=60) > _RECORDS_A_MINUTE:  # fmt: skip
        return
    told = {"why": why, "bytes": size, "sha256": hashlib.sha256(body).hexdigest()}
    with transaction.atomic():
        record("webhook.refused", [(route[:200], told)])


def _authentic(
    intake: Intake, headers: Mapping[str, str], token: str, body: bytes, at: datetime
) -> str | None:
    """Return the name of a signed post, None of one with the token; refuse any other."""
    if not intake.signs:
        if not hmac.compare_digest(token.encode(), intake.secret):
            raise WebhookRefused("signature")
        return None
    name, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12 and name.isprintable()):
        raise WebhookRefused("signature")
    if not 0 < len(name) <= _NAME_MAX:
        raise WebhookRefused("signature")
    ours = signature(intake.secret, message_id=name, timestamp=int(stamp), body=body)
    wanted = ours["webhook-signature"].encode()
    given = headers.get("webhook-signature", "").split(" ")[:8]
    if sum(hmac.compare_digest(one.encode(), wanted) for one in given) == 0:
        raise WebhookRefused("signature")
    if abs(int(at.timestamp()) - int(stamp)) > TOLERANCE_SECONDS:
        raise WebhookRefused("stale")
    return f"{name}.{stamp}"


def _first(route: str, name: str) -> bool:
    """Note the name of a post; return whether it is new. Old names are swept, a few at a time."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO store_seenwebhook (route, name) VALUES (%s, %s)"
            " ON CONFLICT (route, name) DO NOTHING RETURNING name",
            [route, name],
        )
        new = cursor.fetchone() is not None
        cursor.execute(
            "DELETE FROM store_seenwebhook WHERE ctid = ANY(ARRAY(SELECT ctid FROM"
            " store_seenwebhook WHERE at < now() - interval '1 day' LIMIT %s"
            " FOR UPDATE SKIP LOCKED))",
            [_SWEPT_AT_ONCE],
        )
    return new
