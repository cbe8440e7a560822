"""What a deliver_sm tells: a receipt, or what a person wrote (SMPP 3.4, 5.2.12, appendix B)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal, TypeAlias

from duly.delivery.codes import state_of
from duly.delivery.port import Receipt
from duly.delivery.records import printable
from duly.delivery.smpp.pdu import (
    TLV_MESSAGE_STATE,
    TLV_RECEIPTED_MESSAGE_ID,
    Delivered,
)
from duly.delivery.smpp.texts import CLASS_UDH, Piece, read, take_header

#: How a center writes one message's id: alike in answer and receipt, or in hex in one of them and
#: in decimal in the other.
Ids: TypeAlias = Literal["same", "answer_hex", "receipt_hex"]

_CLASS_TYPE, _RECEIPT, _NOTIFICATION = 0x3C, 0x04, 0x20
#: 5.2.28: message_state.
_STATES = {
    1: "ENROUTE", 2: "DELIVRD", 3: "EXPIRED", 4: "DELETED",
    5: "UNDELIV", 6: "ACCEPTD", 7: "UNKNOWN", 8: "REJECTD",
}  # fmt: skip
_FIELD = re.compile(r"(?i)\b(id|stat|done date)\s*:\s*(\S+)")
#: What follows is the borrower's own text: nothing in it is a field.
_TEXT = re.compile(r"(?i)\btext\s*:")
_DATE = re.compile(r"(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?")
_YEAR_IN_FULL = 14  #: digits of YYYYMMDDhhmmss, which some centers write
_ID_MAX = 64
_TON_INTERNATIONAL = 1


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a person wrote, or one piece of it."""

    address: str
    to: str
    text: str
    piece: Piece | None


def is_receipt(delivered: Delivered) -> bool:
    """Return whether a deliver_sm reports on a message of ours."""
    kind = delivered.esm_class & _CLASS_TYPE
    return kind in (_RECEIPT, _NOTIFICATION) or TLV_RECEIPTED_MESSAGE_ID in delivered.tlvs


def raw_of(delivered: Delivered, **also: object) -> str:
    """Return all that a deliver_sm said, as JSON in ASCII; the session's counters are left out.

    So the same receipt brought twice is the same text.
    """
    told = {
        "from": delivered.source,
        "to": delivered.destination,
        "esm_class": delivered.esm_class,
        "data_coding": delivered.data_coding,
        "message": delivered.message.hex(),
        "tlvs": {f"{tag:04x}": value.hex() for tag, value in sorted(delivered.tlvs.items())},
    }
    return json.dumps(told | also, separators=(",", ":"))


def read_receipt(delivered: Delivered, *, ids: Ids, zone: tzinfo | None) -> Receipt:
    """Return a receipt; what it does not say stays empty, a code that is not known is `unknown`.

    The optional parameters are believed before the text. `zone` is the center's own; without it
    the time, which names none, is left out.
    """
    text = printable(delivered.message)
    fields = {
        name.lower(): value for name, value in _FIELD.findall(_TEXT.split(text, maxsplit=1)[0])
    }
    named = delivered.tlvs.get(TLV_RECEIPTED_MESSAGE_ID, b"").partition(b"\0")[0]
    state = delivered.tlvs.get(TLV_MESSAGE_STATE, b"")
    code = fields.get("stat") or (_STATES.get(state[0], f"state {state[0]}") if state else "")
    # 5.3.2.12: the parameter repeats the id of the answer; the text writes it in its own way.
    if named:
        name = id_of_answer(printable(named), ids)
    else:
        name = id_of_receipt(fields.get("id", ""), ids)
    return Receipt(
        provider_id=name,
        state=state_of(code),
        code=code[:_ID_MAX],
        raw=raw_of(delivered),
        at=_instant(fields.get("done date", ""), zone),
    )


def read_said(delivered: Delivered, *, default_coding: int) -> Said:
    """Return what a person wrote; `default_coding` is what the center means by data_coding 0."""
    piece, octets = None, delivered.message
    if delivered.esm_class & CLASS_UDH:
        piece, octets = take_header(octets)
    international = delivered.source_ton == _TON_INTERNATIONAL and delivered.source.isdigit()
    return Said(
        address=f"+{delivered.source}" if international else delivered.source,
        to=delivered.destination,
        text=read(octets, delivered.data_coding or default_coding),
        piece=piece,
    )


def id_of_answer(name: str, ids: Ids) -> str:
    """Return the id of an answer as it is kept.

    >>> id_of_answer("0001F", "answer_hex"), id_of_answer("31", "receipt_hex")
    ('31', '31')
    """
    return _kept(name, ids, "answer_hex")


def id_of_receipt(name: str, ids: Ids) -> str:
    """Return the id in a receipt's text as it is kept.

    >>> id_of_receipt("0000000031", "answer_hex"), id_of_receipt("1F", "same")
    ('31', '1F')
    """
    return _kept(name, ids, "receipt_hex")


def _kept(name: str, ids: Ids, hex_where: Ids) -> str:
    name = name[:_ID_MAX]
    if ids == "same":
        return name
    pattern, base = (r"[0-9A-Fa-f]+", 16) if ids == hex_where else (r"[0-9]+", 10)
    # An id that is not written as was said is kept as it came: it may be another's.
    return str(int(name, base)) if re.fullmatch(pattern, name) else name


def _instant(digits: str, zone: tzinfo | None) -> datetime | None:
    found = _DATE.fullmatch(digits[2:] if len(digits) == _YEAR_IN_FULL else digits)
    if zone is None or found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    try:
        return datetime(2000 + year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None
