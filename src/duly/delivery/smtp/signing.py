"""A mail signed by its domain (DKIM, RFC 6376); needs `pip install duly[dkim]`."""

from __future__ import annotations

from dataclasses import dataclass, field

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused

#: Signed where they are there; RFC 8058 asks for the last two.
_HEADERS = (
    *("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"),
    *("Auto-Submitted", "List-Unsubscribe", "List-Unsubscribe-Post"),
)


@dataclass(frozen=True, kw_only=True)
class DkimKey:
    """Who signs: the domain, the selector of its DNS record and an RSA key in PEM."""

    domain: str
    selector: str
    private_key: bytes = field(repr=False)


def check_key(key: DkimKey, *, route: str) -> None:
    """Sign nothing in particular; refused (Refused) where that cannot be done."""
    try:
        sign(b"From: a@example.com\r\n\r\n", key)
    except ImportError as error:
        raise _refused("dkim_not_installed", route) from error
    except ValueError as error:
        raise _refused("dkim_bad_key", route, why=str(error)) from error


def sign(mail: bytes, key: DkimKey) -> bytes:
    """Return the mail with its signature before it; refuse (ValueError) a key that is none."""
    import dkim

    present = {
        line.partition(b":")[0].strip().lower()
        for line in mail.partition(b"\r\n\r\n")[0].split(b"\r\n")
        if not line.startswith((b" ", b"\t"))
    }
    headers = [name.encode() for name in _HEADERS if name.lower().encode() in present]
    try:
        signature: bytes = dkim.sign(
            mail,
            key.selector.encode(),
            key.domain.encode(),
            key.private_key,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=headers,
        )
    except dkim.DKIMException as error:
        raise ValueError(type(error).__name__) from error
    return signature + mail


def _refused(code: str, route: str, **values: object) -> Refused:
    return Refused(Diagnostic(area="service", code=code, values={"route": route} | values))
