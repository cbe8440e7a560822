"""What a short-message center wants to know of us, and what we know of it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from duly.delivery.smpp.pdu import Address
from duly.delivery.smpp.receipts import Ids

_TON_INTERNATIONAL, _TON_LETTERS, _NPI_ISDN = 1, 5, 1
_DIGITS_MAX, _LETTERS_MAX = 20, 11


@dataclass(frozen=True, kw_only=True)
class SmppSettings:
    """One route by SMPP 3.4; seconds are of patience, types of number -1 are chosen by look."""

    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    source: str
    system_type: str = ""
    tls: ssl.SSLContext | None = None
    window: int = 50
    per_second: int = 0  #: parts, of all workers on the route; 0: no limit
    source_ton: int = -1
    source_npi: int = -1
    ids: Ids = "same"
    zone: tzinfo | None = None  #: of the times in receipts
    default_coding: int = 0  #: what the center means by data_coding 0: 0 GSM-7, 3 Latin-1, …
    validity: bool = True  #: tell the center until when a message may be delivered
    connect_seconds: float = 10.0
    response_seconds: float = 30.0
    enquire_seconds: float = 30.0
    close_seconds: float = 10.0
    throttled_seconds: float = 1.0
    reply_seconds: float = 60.0  #: how long the pieces of a long reply are waited for
    retry_seconds: float = 0.5  #: before the first attempt to connect again; doubles up to 30


def source_of(settings: SmppSettings) -> Address:
    """Return whom our messages come from: a code of digits, or a name of letters."""
    digits = settings.source.removeprefix("+")
    letters = not digits.isdigit()
    ton = _TON_LETTERS if letters else int(settings.source.startswith("+"))
    npi = 0 if letters else ton
    return Address(
        ton=ton if settings.source_ton < 0 else settings.source_ton,
        npi=npi if settings.source_npi < 0 else settings.source_npi,
        digits=digits,
    )


def is_source(text: str) -> bool:
    """Return whether a text may stand as the sender: up to 20 digits or 11 letters and digits."""
    digits = text.removeprefix("+")
    if digits.isascii() and digits.isdigit():
        return len(digits) <= _DIGITS_MAX
    return text.isascii() and text.isprintable() and 0 < len(text) <= _LETTERS_MAX


def destination_of(address: str) -> Address | None:
    """Return a borrower's number: a plus and digits, or digits; None where it is none."""
    digits = address.removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS_MAX):
        return None
    ton = _TON_INTERNATIONAL if address.startswith("+") else 0
    return Address(ton=ton, npi=_NPI_ISDN, digits=digits)


def validity_of(not_after: datetime | None) -> str:
    """Return the absolute time after which a center may no longer deliver (7.1.1), in UTC.

    >>> validity_of(datetime(2026, 3, 10, 11, 0, tzinfo=UTC)), validity_of(None)
    ('260310110000000+', '')
    """
    return "" if not_after is None else f"{not_after.astimezone(UTC):%y%m%d%H%M%S}000+"
