"""The second factor: six digits that change each half minute (RFC 6238), and recovery codes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

SECRET_BYTES = 20
DIGITS, STEP_SECONDS = 6, 30
#: Steps before and after the present one that count: clocks of telephones differ.
_BESIDE = 1
RECOVERY_CODES = 8
_RECOVERY_BYTES = 10


def new_secret() -> bytes:
    """Return a new secret."""
    return secrets.token_bytes(SECRET_BYTES)


def address_of(secret: bytes, *, name: str, issuer: str) -> str:
    """Return the address that an authenticator takes a secret from."""
    told = {"secret": base64.b32encode(secret).decode(), "issuer": issuer}
    return f"otpauth://totp/{quote(f'{issuer}:{name}')}?{urlencode(told, quote_via=quote)}"


def code_at(secret: bytes, step: int) -> str:
    """Return the code of one time step.

    >>> code_at(b"12345678901234567890", 1)
    '287082'
    """
    mark = hmac.digest(secret, step.to_bytes(8), hashlib.sha1)
    start = mark[-1] & 0x0F
    number = int.from_bytes(mark[start : start + 4]) & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_of(secret: bytes, code: str, *, at: datetime, after: int) -> int | None:
    """Return the time step of a code that counts now; None for another, or one not after a step.

    Whoever saw a code being typed cannot use it again.
    """
    now = int(at.timestamp()) // STEP_SECONDS
    found = None
    for step in range(now - _BESIDE, now + _BESIDE + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode()) and step > after:
            found = step
    return found


def new_recovery() -> list[str]:
    """Return new recovery codes, each good once."""
    found = []
    for _ in range(RECOVERY_CODES):
        text = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower()
        found.append("-".join(text[at : at + 4] for at in range(0, len(text), 4)))
    return found


def recovery_mark(code: str) -> str:
    """Return what is kept of a recovery code; how it is spaced or cased does not count.

    Eighty random bits need no slow hash.
    """
    plain = "".join(one for one in code.lower() if one.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()
