"""How many parts a text message has (3GPP 23.038; mainland China counts 70/67 the same way)."""

from __future__ import annotations

import re

#: The GSM 7-bit default alphabet, escape aside.
GSM_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: Characters of the extension table: an escape and a septet, never parted.
GSM_EXTENSION = "\f^{}\\[~]|€"

_GSM = re.compile("[" + re.escape(GSM_BASIC + GSM_EXTENSION) + "]*")
_EXTENSION = re.compile("[" + re.escape(GSM_EXTENSION) + "]")

GSM, UCS2 = "GSM-7", "UCS-2"
_SINGLE = {GSM: 160, UCS2: 70}
_PART = {GSM: 153, UCS2: 67}


def is_gsm(text: str) -> bool:
    """Return whether every character is in the GSM 7-bit alphabet or its extension."""
    return _GSM.fullmatch(text) is not None


def units(text: str, encoding: str) -> int:
    """Return the septets (GSM-7) or UTF-16 code units (UCS-2) of a text."""
    if encoding == GSM:
        return len(text) + len(_EXTENSION.findall(text))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def is_even(text: str) -> bool:
    """Return whether every character has one unit, in either encoding."""
    return text.isascii() or max(text) <= "\uffff"


def segments(text: str) -> tuple[str, int]:
    """Return the encoding and the number of parts of a text, its signature included.

    A character of two units is never parted: it begins the next part.

    >>> segments("a" * 160), segments("a" * 161), segments("您" * 71)
    (('GSM-7', 1), ('GSM-7', 2), ('UCS-2', 2))
    """
    encoding = GSM if is_gsm(text) else UCS2
    total = units(text, encoding)
    if total == len(text):
        return encoding, count(total, encoding)
    return encoding, 1 if total <= _SINGLE[encoding] else _parts(text, encoding)


def count(total: int, encoding: str) -> int:
    """Return the parts of `total` units where every character has one unit."""
    if total <= _SINGLE[encoding]:
        return 1
    return -(-total // _PART[encoding])


def _parts(text: str, encoding: str) -> int:
    wide = GSM_EXTENSION if encoding == GSM else None
    room, parts, used = _PART[encoding], 1, 0
    for character in text:
        size = 2 if (character in wide if wide else ord(character) > 0xFFFF) else 1
        if used + size > room:
            parts, used = parts + 1, 0
        used += size
    return parts
