"""The few PDUs of SMPP 3.4 that a sender needs, as values and as bytes (sections 4 and 5)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from duly.delivery.records import printable

GENERIC_NACK = 0x80000000
SUBMIT_SM, SUBMIT_SM_RESP = 0x00000004, 0x80000004
DELIVER_SM, DELIVER_SM_RESP = 0x00000005, 0x80000005
UNBIND, UNBIND_RESP = 0x00000006, 0x80000006
BIND_TRANSCEIVER, BIND_TRANSCEIVER_RESP = 0x00000009, 0x80000009
ENQUIRE_LINK, ENQUIRE_LINK_RESP = 0x00000015, 0x80000015
ALERT_NOTIFICATION = 0x00000102
RESPONSE = 0x80000000  #: the bit that every response has

ROK = 0x00000000
RINVCMDID = 0x00000003
RSYSERR = 0x00000008
RMSGQFUL = 0x00000014
RTHROTTLED = 0x00000058
RX_R_APPN = 0x00000066  #: the receiver will not have this message: do not bring it again

#: Names of the statuses that are met often, for people; the number is what is kept.
STATUS_NAMES: Mapping[int, str] = {
    0x00: "ESME_ROK",
    0x01: "ESME_RINVMSGLEN",
    0x02: "ESME_RINVCMDLEN",
    0x03: "ESME_RINVCMDID",
    0x04: "ESME_RINVBNDSTS",
    0x05: "ESME_RALYBND",
    0x08: "ESME_RSYSERR",
    0x0A: "ESME_RINVSRCADR",
    0x0B: "ESME_RINVDSTADR",
    0x0C: "ESME_RINVMSGID",
    0x0D: "ESME_RBINDFAIL",
    0x0E: "ESME_RINVPASWD",
    0x0F: "ESME_RINVSYSID",
    0x14: "ESME_RMSGQFUL",
    0x43: "ESME_RINVESMCLASS",
    0x45: "ESME_RSUBMITFAIL",
    0x53: "ESME_RINVSYSTYP",
    0x58: "ESME_RTHROTTLED",
    0x62: "ESME_RINVEXPIRY",
    0x65: "ESME_RX_P_APPN",
    0x66: "ESME_RX_R_APPN",
    0xFE: "ESME_RDELIVERYFAILURE",
    0xFF: "ESME_RUNKNOWNERR",
}

TLV_RECEIPTED_MESSAGE_ID = 0x001E
TLV_MESSAGE_PAYLOAD = 0x0424
TLV_MESSAGE_STATE = 0x0427

_HEADER = struct.Struct(">IIII")
HEADER_BYTES = _HEADER.size
#: A payload may have 64 kB; nothing that this side understands is longer.
LONGEST_BYTES = 0x10000 + 4096
SEQUENCE_MAX = 0x7FFFFFFF


class MalformedError(ValueError):
    """The bytes are no PDU of their kind; the text says which field is not there."""


@dataclass(frozen=True, slots=True)
class Pdu:
    """One PDU as it came: the header's four words without the length, and the body raw."""

    command: int
    status: int
    sequence: int
    body: bytes = b""


def encode(command: int, sequence: int, body: bytes = b"", status: int = ROK) -> bytes:
    """Return a PDU's bytes.

    >>> encode(ENQUIRE_LINK, 1).hex()
    '00000010000000150000000000000001'
    """
    return _HEADER.pack(HEADER_BYTES + len(body), command, status, sequence) + body


def take(buffer: bytearray) -> Pdu | None:
    """Take one whole PDU off the front of a buffer; None while it is not whole.

    Refused (MalformedError) is a length that no PDU has: where the next one begins is then lost.
    """
    if len(buffer) < HEADER_BYTES:
        return None
    length, command, status, sequence = _HEADER.unpack_from(buffer)
    if not HEADER_BYTES <= length <= LONGEST_BYTES:
        raise MalformedError(f"command_length {length}")
    if len(buffer) < length:
        return None
    body = bytes(buffer[HEADER_BYTES:length])
    del buffer[:length]
    return Pdu(command, status, sequence, body)


def status_name(status: int) -> str:
    """Return a status as it is kept, with its name where it has one.

    >>> status_name(0x58), status_name(0x400)
    ('0x00000058 ESME_RTHROTTLED', '0x00000400')
    """
    return f"0x{status:08x} {STATUS_NAMES.get(status, '')}".rstrip()


def c_string(text: str) -> bytes:
    """Return a C-octet string; refuse (MalformedError) what is not printable ASCII."""
    if not text.isascii() or not (text.isprintable() or not text):
        raise MalformedError("text is not printable ASCII")
    return text.encode("ascii") + b"\0"


def bind_body(*, system_id: str, password: str, system_type: str) -> bytes:
    """Return the body of bind_transceiver (4.1.5): version 3.4, no address range."""
    return (
        c_string(system_id) + c_string(password) + c_string(system_type)
        + bytes((0x34, 0, 0)) + c_string("")
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Address:
    """A party: type of number, numbering plan, digits or letters."""

    ton: int
    npi: int
    digits: str

    def encode(self) -> bytes:
        """Return the three fields of a PDU."""
        return bytes((self.ton, self.npi)) + c_string(self.digits)


def submit_head(
    *, source: Address, destination: Address, esm_class: int, validity: str, data_coding: int
) -> bytes:
    """Return the body of a submit_sm up to sm_length (4.4.1); a receipt of the end is asked for.

    `validity` is absolute or relative time as 7.1.1 writes it; empty leaves it to the center.
    """
    return (
        c_string("") + source.encode() + destination.encode()
        + bytes((esm_class, 0, 0)) + c_string("") + c_string(validity)
        + bytes((1, 0, data_coding, 0))
    )  # fmt: skip


def submit_body(head: bytes, part: bytes) -> bytes:
    """Return a whole body of submit_sm: the head, the length and the short message."""
    return head + bytes((len(part),)) + part


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """The body of a deliver_sm (4.6.1), or as much of it as this side uses."""

    source_ton: int
    source: str
    destination: str
    esm_class: int
    data_coding: int
    message: bytes
    tlvs: Mapping[int, bytes]


def read_deliver(body: bytes) -> Delivered:
    """Read a deliver_sm; refuse (MalformedError) a body that ends too early."""
    at = _after(body, 0, "service_type")
    source_ton = body[at] if at < len(body) else 0
    source, at = _text(body, at + 2, "source_addr")
    destination, at = _text(body, at + 2, "destination_addr")
    if at >= len(body):
        raise MalformedError("esm_class is missing")
    esm_class = body[at]
    at = _after(body, at + 3, "schedule_delivery_time")
    at = _after(body, at, "validity_period")
    if at + 5 > len(body):
        raise MalformedError("sm_length is missing")
    data_coding, length = body[at + 2], body[at + 4]
    at += 5
    if at + length > len(body):
        raise MalformedError(f"short_message has {len(body) - at} of {length} octets")
    message = body[at : at + length]
    tlvs = read_tlvs(body[at + length :])
    return Delivered(
        source_ton=source_ton,
        source=source,
        destination=destination,
        esm_class=esm_class,
        data_coding=data_coding,
        message=message or tlvs.get(TLV_MESSAGE_PAYLOAD, b""),
        tlvs=tlvs,
    )


def read_tlvs(body: bytes) -> Mapping[int, bytes]:
    """Read optional parameters; refuse (MalformedError) one that is longer than what is left."""
    found, at = {}, 0
    while at < len(body):
        if at + 4 > len(body):
            raise MalformedError("an optional parameter is cut")
        tag, length = struct.unpack_from(">HH", body, at)
        at += 4
        if at + length > len(body):
            raise MalformedError(f"optional parameter 0x{tag:04x} is cut")
        found[tag] = body[at : at + length]
        at += length
    return found


def read_message_id(body: bytes) -> str:
    """Return the message_id of a submit_sm_resp, empty where there is none (4.4.2)."""
    return printable(body.partition(b"\0")[0])


def _after(body: bytes, at: int, field: str) -> int:
    end = body.find(b"\0", at)
    if end < 0:
        raise MalformedError(f"{field} has no end")
    return end + 1


def _text(body: bytes, at: int, field: str) -> tuple[str, int]:
    end = _after(body, at, field)
    return printable(body[at : end - 1]), end
