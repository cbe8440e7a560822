"""Hand-over: the lender's own app, where somebody is signed in already, sends him to his pages.

A token is `ID.SECONDS.BORROWER.SIGNATURE`: the borrower's id in URL-safe base64 without padding,
the signature that of Standard Webhooks (HMAC-SHA256 over `ID.SECONDS.` and the borrower's id).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import re
from collections.abc import Mapping
from datetime import datetime

from django.db import connection

from duly.book import Lender
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.delivery.http import signature

#: Seconds for which a token is good, and by which the app's clock may run ahead.
LASTS_SECONDS, AHEAD_SECONDS = 120, 30
_SECRET_BYTES_MIN = 16
_TOKEN = re.compile(
    r"([A-Za-z0-9_-]{8,64})\.([0-9]{1,12})\.([A-Za-z0-9_-]{1,800})\.([A-Za-z0-9+/=]{40,50})"
)
_ONCE = """
INSERT INTO store_seenwebhook (route, name) VALUES ('portal:hand-over', %s)
ON CONFLICT (route, name) DO NOTHING
"""
_KNOWN = "SELECT 1 FROM store_borrower WHERE borrower_id = %s"


def secret_of(lender: Lender, environ: Mapping[str, str] = os.environ) -> bytes:
    """Return the secret of hand-overs, empty where the lender has none; refused: a short one."""
    name = lender.portal.handover_secret_env
    if not name:
        return b""
    secret = environ.get(name, "").encode()
    if len(secret) < _SECRET_BYTES_MIN:
        values = {"name": name, "least": _SECRET_BYTES_MIN}
        raise Refused(Diagnostic(area="service", code="handover_secret", values=values))
    return secret


def token(borrower_id: str, *, secret: bytes, name: str, at: datetime) -> str:
    """Return the token with which an app hands a borrower over."""
    seconds = int(at.timestamp())
    who = borrower_id.encode()
    signed = signature(secret, message_id=name, timestamp=seconds, body=who)["webhook-signature"]
    told = base64.urlsafe_b64encode(who).rstrip(b"=").decode()
    return f"{name}.{seconds}.{told}.{signed.removeprefix('v1,')}"


def read(text: str, *, secret: bytes, at: datetime) -> tuple[str, str] | None:
    """Return the name of a token and whom it hands over; None where it is not good now."""
    found = _TOKEN.fullmatch(text)
    if found is None or not secret:
        return None
    name, seconds, told, given = found.groups()
    try:
        who = base64.urlsafe_b64decode(told + "=" * (-len(told) % 4))
    except (binascii.Error, ValueError):
        return None
    ours = signature(secret, message_id=name, timestamp=int(seconds), body=who)
    if not hmac.compare_digest(ours["webhook-signature"].encode(), f"v1,{given}".encode()):
        return None
    age = int(at.timestamp()) - int(seconds)
    if not -AHEAD_SECONDS <= age <= LASTS_SECONDS:
        return None
    return name, who.decode("utf-8", "replace")


def use(text: str, *, secret: bytes, at: datetime) -> str | None:
    """Use a token up, in the caller's transaction, and return whom it hands over; None: not good.

    The second use of a token is none, and nobody whom we do not know is signed in.
    """
    found = read(text, secret=secret, at=at)
    if found is None:
        return None
    name, who = found
    with connection.cursor() as cursor:
        cursor.execute(_ONCE, [name])
        if not cursor.rowcount:
            return None
        cursor.execute(_KNOWN, [who])
        return who if cursor.fetchone() is not None else None
