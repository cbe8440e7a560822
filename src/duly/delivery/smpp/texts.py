"""A text as the octets of its parts, and back (3GPP 23.038, 23.040; SMPP 3.4, 5.2.19).

GSM-7 goes unpacked, one septet an octet, as centers expect with data_coding 0; a part of several
begins with the six octets of a user data header.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

from duly.messages.parts import GSM, GSM_BASIC, GSM_EXTENSION, UCS2, is_gsm

CODING_DEFAULT, CODING_UCS2 = 0x00, 0x08
CLASS_UDH = 0x40  #: esm_class: the short message begins with a user data header
PARTS_MAX = 255

_ESCAPE = 0x1B
#: 23.038, table 2: what the septet after an escape means.
_EXTENDED = dict(
    zip("\f^{}\\[~]|€", (0x0A, 0x14, 0x28, 0x29, 0x2F, 0x3C, 0x3D, 0x3E, 0x40, 0x65), strict=True)
)
assert set(_EXTENDED) == set(GSM_EXTENSION)
_SINGLE = {GSM: 160, UCS2: 140}  #: octets of a text in one part
_PART = {GSM: 153, UCS2: 134}  #: octets of a part of several, its header aside
_UDH_CONCATENATED = (0x00, 0x08)  #: the reference has one octet, or two


class UnsayableError(ValueError):
    """The text cannot be written; the text of the error is the code of the answer."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """A text ready to be sent: `parts` are the short messages, headers included."""

    data_coding: int
    esm_class: int
    parts: tuple[bytes, ...]


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Which part of which long text a short message is."""

    reference: int
    parts: int
    part: int


@cache
def _septets() -> dict[int, str]:
    """Return the octets of each character of the default alphabet, as text for `translate`."""
    # The alphabet leaves the escape out, which stands at 0x1B.
    basic = {ord(one): chr(at if at < _ESCAPE else at + 1) for at, one in enumerate(GSM_BASIC)}
    return basic | {ord(one): chr(_ESCAPE) + chr(at) for one, at in _EXTENDED.items()}


def write(text: str, *, message_id: str) -> Written:
    """Return the octets of a text's parts, no character parted; refuse (UnsayableError) none.

    The reference that joins the parts is drawn from the message's id.
    """
    if not text:
        raise UnsayableError("DULY:text_empty")
    encoding = GSM if is_gsm(text) else UCS2
    coding = CODING_DEFAULT if encoding == GSM else CODING_UCS2
    try:
        whole = _octets(text, encoding)
    except UnicodeEncodeError as error:
        raise UnsayableError("DULY:text_unpaired_surrogate") from error
    if len(whole) <= _SINGLE[encoding]:
        return Written(data_coding=coding, esm_class=0, parts=(whole,))
    bodies = _split(whole, encoding)
    if len(bodies) > PARTS_MAX:
        raise UnsayableError("DULY:text_too_long")
    reference = hashlib.md5(message_id.encode(), usedforsecurity=False).digest()[0]
    parts = tuple(
        bytes((5, 0, 3, reference, len(bodies), at)) + body for at, body in enumerate(bodies, 1)
    )
    return Written(data_coding=coding, esm_class=CLASS_UDH, parts=parts)


def _octets(text: str, encoding: str) -> bytes:
    if encoding == GSM:
        return text.translate(_septets()).encode("latin-1")
    return text.encode("utf-16-be")


def _split(whole: bytes, encoding: str) -> list[bytes]:
    """Cut octets into parts; an escape and its septet, or a pair of surrogates, stay together."""
    found, at, room = [], 0, _PART[encoding]
    while at < len(whole):
        end = min(at + room, len(whole))
        if end < len(whole):
            if encoding == GSM and whole[end - 1] == _ESCAPE:
                end -= 1
            elif encoding == UCS2 and 0xD8 <= whole[end - 2] <= 0xDB:
                end -= 2
        found.append(whole[at:end])
        at = end
    return found


@cache
def _characters() -> dict[int, str]:
    return {ord(octets): chr(one) for one, octets in _septets().items() if len(octets) == 1}


def read(octets: bytes, data_coding: int) -> str:
    """Return the text of a short message, its header taken off.

    What has no meaning becomes U+FFFD; binary content has no text. 15 is not of SMPP, but centers
    in mainland China send GBK by it.
    """
    # 23.038 in the upper half: 0xC0-0xDF are the default alphabet, 0xE0 UCS-2, 0xF_ by bit 2.
    if data_coding >= 0xE0:
        binary = bool(data_coding & 0x04)
        group = CODING_UCS2 if data_coding < 0xF0 else (0x04 if binary else CODING_DEFAULT)
    else:
        group = CODING_DEFAULT if data_coding >= 0xC0 else data_coding
    match group:
        case 0x00:
            return _read_gsm(octets)
        case 0x01:
            return octets.decode("ascii", "replace")
        case 0x03:
            return octets.decode("latin-1")
        case 0x08:
            return octets.decode("utf-16-be", "replace")
        case 0x0F:
            return octets.decode("gbk", "replace")
        case _:
            return ""


def _read_gsm(octets: bytes) -> str:
    basic, extended = _characters(), {at: one for one, at in _EXTENDED.items()}
    found, escaped = [], False
    for octet in octets:
        if escaped:
            # 23.038: where the table has none, the character of the basic table is shown.
            found.append(extended.get(octet) or basic.get(octet, "�"))
            escaped = False
        elif octet == _ESCAPE:
            escaped = True
        else:
            found.append(basic.get(octet, "�"))
    return "".join(found)


def take_header(octets: bytes) -> tuple[Piece | None, bytes]:
    """Take the user data header off; a header that does not hold leaves the octets as they are."""
    if not octets or octets[0] + 1 > len(octets):
        return None, octets
    header, rest = octets[1 : octets[0] + 1], octets[octets[0] + 1 :]
    at = 0
    while at + 2 <= len(header):
        kind, length = header[at], header[at + 1]
        value = header[at + 2 : at + 2 + length]
        if kind in _UDH_CONCATENATED and len(value) == length == (3 if kind == 0 else 4):
            reference, parts, part = int.from_bytes(value[:-2], "big"), value[-2], value[-1]
            if 1 <= part <= parts:
                return Piece(reference=reference, parts=parts, part=part), rest
        at += 2 + length
    return None, rest
