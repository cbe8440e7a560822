"""What is kept of what came, whatever it was: characters that a store and a terminal can hold."""

from __future__ import annotations

from duly.delivery.port import Receipt


def printable(octets: bytes) -> str:
    """Return octets as text: what is no printable ASCII is shown in hex."""
    text = octets.decode("ascii", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in text)


def record(code: str, raw: str) -> Receipt:
    """Return a report that names no part: it is kept, and moves nothing."""
    return Receipt(provider_id="", state="unknown", code=code, raw=raw)
