"""A hosted checkout: signed parameters in an address, signed posts back; two secrets at once.

The address is signed over its query as it is sent, all before `&signature=`, hexadecimal. A post
is signed as Standard Webhooks are: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, cast
from urllib.parse import urlencode, urlsplit, urlunsplit

from duly.care.checkout.port import CallbackRefused, Intent, Outcome, Status
from duly.core.money import CURRENCIES, NotMoney, major, to_minor

#: Seconds by which the instant of a signature may differ from ours.
TOLERANCE_SECONDS = 300
#: What we send and what we read, by our own names; `names` of the settings says the provider's.
SENT = ("merchant", "reference", "amount", "currency", "return_to", "timestamp", "signature")
READ = ("reference", "status", "amount", "currency", "payment_id", "paid_at")
STATUSES: Mapping[str, Status] = MappingProxyType(
    {"paid": "paid", "failed": "failed", "pending": "pending"}
)
_BODY_MAX, _NAME_MAX, _ID_MAX, _GIVEN_MAX = 65_536, 150, 120, 8
_REFERENCE = re.compile(r"[A-Za-z0-9_-]{8,64}")
_AMOUNT_MAX = 10**13


@dataclass(frozen=True, kw_only=True)
class HostedSettings:
    """Where a provider's page is and in which words it speaks.

    The first of `secrets` signs; each of them is believed, so that a secret can be changed while
    payments are under way.
    """

    url: str
    merchant: str
    secrets: tuple[bytes, ...] = field(repr=False)
    amounts: Literal["major", "minor"] = "major"
    names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    statuses: Mapping[str, Status] = field(default_factory=lambda: STATUSES)


class Hosted:
    """One provider with a page of its own."""

    def __init__(self, name: str, settings: HostedSettings) -> None:
        assert settings.secrets, "a provider has a secret"
        self.name = name
        self._settings = settings

    def checkout(self, intent: Intent, *, at: datetime) -> str:
        """Return the signed address of the provider's page for an intent."""
        own = self._settings
        told = {
            "merchant": own.merchant, "reference": intent.reference,
            "amount": self._written(intent.amount, intent.currency),
            "currency": intent.currency, "return_to": intent.return_to,
            "timestamp": str(int(at.timestamp())),
        }  # fmt: skip
        parts = urlsplit(own.url)
        query = urlencode([(own.names.get(name, name), told[name]) for name in SENT[:-1]])
        query = f"{parts.query}&{query}" if parts.query else query
        mark = signed_query(own.secrets[0], query)
        query += f"&{urlencode([(own.names.get('signature', 'signature'), mark)])}"
        return urlunsplit(parts._replace(query=query, fragment=""))

    def read_callback(self, headers: Mapping[str, str], body: bytes, *, at: datetime) -> Outcome:
        """Return what a post tells; refused (CallbackRefused): forged, stale or unreadable."""
        name = verified(headers, body, self._settings.secrets, at=at)
        told = self._fields(body)
        currency, status = _text(told, "currency"), _text(told, "status")
        reference = _text(told, "reference")
        if currency not in CURRENCIES or not _REFERENCE.fullmatch(reference):
            raise CallbackRefused("unreadable")
        if status not in self._settings.statuses:
            raise CallbackRefused("unknown_status")
        meaning = self._settings.statuses[status]
        paid_by = "" if told.get("payment_id") is None else _text(told, "payment_id")
        if not (paid_by.isprintable() and len(paid_by) <= _ID_MAX):
            raise CallbackRefused("unreadable")
        if meaning == "paid" and not paid_by:
            raise CallbackRefused("unreadable")
        return Outcome(
            name=name, reference=reference, status=meaning, currency=currency,
            amount=self._amount(told.get("amount"), currency), payment_id=paid_by,
            paid_at=_instant(told.get("paid_at")),
        )  # fmt: skip

    def _fields(self, body: bytes) -> dict[str, Any]:
        """Return the fields of a body under our names."""
        if len(body) > _BODY_MAX:
            raise CallbackRefused("unreadable")
        try:
            found = json.loads(body, object_pairs_hook=_once)
        except (ValueError, RecursionError):
            raise CallbackRefused("unreadable") from None
        if not isinstance(found, dict):
            raise CallbackRefused("unreadable")
        names = self._settings.names
        return {name: found.get(names.get(name, name)) for name in READ}

    def _written(self, amount: int, currency: str) -> str:
        return str(amount) if self._settings.amounts == "minor" else major(amount, currency)

    def _amount(self, given: object, currency: str) -> int:
        """Return an amount above nought; a number with a point has lost what it was already."""
        minor = 0
        if self._settings.amounts == "minor":
            minor = given if isinstance(given, int) and not isinstance(given, bool) else 0
        elif isinstance(given, str):
            try:
                minor = to_minor(given, currency)
            except NotMoney:
                minor = 0
        if not 0 < minor < _AMOUNT_MAX:
            raise CallbackRefused("unreadable")
        return minor


def signed_query(secret: bytes, query: str) -> str:
    """Return the signature of a query as it is sent."""
    return hmac.new(secret, query.encode(), hashlib.sha256).hexdigest()


def signed_post(secret: bytes, body: bytes, *, name: str, at: datetime) -> dict[str, str]:
    """Return the headers of a post as a provider signs it."""
    stamp = str(int(at.timestamp()))
    return {"webhook-id": name, "webhook-timestamp": stamp,
            "webhook-signature": _mark(secret, name, stamp, body)}  # fmt: skip


def verified(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], *, at: datetime
) -> str:
    """Return the name of a post that one of the secrets signed; refused: another, or stale."""
    name, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise CallbackRefused("signature")
    if not (0 < len(name) <= _NAME_MAX and name.isprintable()):
        raise CallbackRefused("signature")
    given = headers.get("webhook-signature", "").split(" ")[:_GIVEN_MAX]
    found = [
        hmac.compare_digest(one.encode(), _mark(secret, name, stamp, body).encode())
        for secret in secrets
        for one in given
    ]
    if not any(found):
        raise CallbackRefused("signature")
    if abs(int(at.timestamp()) - int(stamp)) > TOLERANCE_SECONDS:
        raise CallbackRefused("stale")
    return name


def _mark(secret: bytes, name: str, stamp: str, body: bytes) -> str:
    signed = f"{name}.{stamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()


def _text(told: Mapping[str, object], name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str):
        raise CallbackRefused("unreadable")
    return value


def _instant(given: object) -> datetime | None:
    if given is None:
        return None
    try:
        found = datetime.fromisoformat(cast("str", given))
    except (ValueError, TypeError):
        raise CallbackRefused("unreadable") from None
    if found.tzinfo is None:
        raise CallbackRefused("unreadable")
    return found


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object; refuse one that says something twice: nobody knows which it meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("said twice")
    return found
