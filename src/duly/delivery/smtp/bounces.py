"""What a bounce tells (delivery status notifications, RFC 3464); any other mail tells nothing."""

from __future__ import annotations

import email
import email.policy
import json
import re
from datetime import datetime
from email.message import EmailMessage, Message
from email.utils import parsedate_to_datetime

from duly.delivery.port import Receipt
from duly.delivery.records import printable

#: 2.3.3: `delayed` is tried again, `relayed` and `expanded` were handed on to who knows whom.
_STATES = {"failed": "undelivered", "delivered": "delivered"}
_BRACKETS = re.compile(r"<([^<>\s]+)>")
_ID_MAX, _CODE_MAX = 200, 200


def read_bounce(raw: bytes) -> tuple[Receipt, ...]:
    """Return one receipt for each recipient that a bounce speaks of; none where it is no bounce.

    `provider_id` is the Message-ID of the mail that came back, from its envelope id or its own
    headers. A notification that names no mail gives receipts without an id.
    """
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    if mail.get_content_type() != "multipart/report":
        return ()
    status, name = None, ""
    for part in mail.walk():
        kind = part.get_content_type()
        if kind == "message/delivery-status" and status is None:
            status = part
        elif kind in ("message/rfc822", "message/rfc822-headers", "text/rfc822-headers"):
            name = name or _message_id(part)
    if status is None or not isinstance(status.get_payload(), list):
        return ()
    groups = [group for group in status.get_payload() if isinstance(group, Message)]
    of_mail = groups[0] if groups else Message()
    name = _field(of_mail, "Original-Envelope-Id").strip("<>") or name
    return tuple(
        _receipt(group, name=name[:_ID_MAX])
        for group in groups[1:]
        if group.get("Action") is not None
    )


def _receipt(group: Message, *, name: str) -> Receipt:
    action = _field(group, "Action").split(" ")[0].lower()
    code = f"{_field(group, 'Status')} {_field(group, 'Diagnostic-Code')}".strip()
    told = {key.lower(): _field(group, key) for key in group} | {"message": name}
    return Receipt(
        provider_id=name,
        state=_STATES.get(action, "unknown"),  # type: ignore[arg-type]
        code=(code or action)[:_CODE_MAX],
        raw=json.dumps(told, sort_keys=True),
        at=_date(_field(group, "Last-Attempt-Date")),
    )


def _field(group: Message, name: str) -> str:
    """Return a field on one line, in characters that a store can hold."""
    text = " ".join(str(group.get(name, "")).split())
    return printable(text.encode("utf-8", "surrogateescape"))


def _message_id(part: Message) -> str:
    """Return the Message-ID in the headers that came back, whole mail or headers alone."""
    payload = part.get_payload()
    if isinstance(payload, list):
        inner = payload[0] if payload else None
        headers = inner if isinstance(inner, Message) else EmailMessage()
    else:
        text = part.get_payload(decode=True)
        headers = email.message_from_bytes(text if isinstance(text, bytes) else b"")
    found = _BRACKETS.search(str(headers.get("Message-ID", "")))
    return printable(found[1].encode("utf-8", "surrogateescape")) if found else ""


def _date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo is not None else None
