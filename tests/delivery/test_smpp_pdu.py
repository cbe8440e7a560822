"""Goal: bytes are what the SMPP 3.4 specification says.

Method: fixtures written out by hand, field by field, from sections 4 and 5.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duly.delivery.smpp import pdu
from duly.delivery.smpp.pdu import Address, MalformedError, Pdu

BIND = bytes.fromhex(
    "00000024" "00000009" "00000000" "00000001"  # length 36, bind_transceiver, ok, 1
    "64756c7900"  # system_id "duly"
    "73336372337400"  # password "s3cr3t"
    "4f545000"  # system_type "OTP"
    "34" "00" "00"  # interface_version 3.4, addr_ton, addr_npi
    "00"  # address_range
)  # fmt: skip
SUBMIT = bytes.fromhex(
    "00"  # service_type
    "00" "00" "3130363900"  # source 1069
    "01" "01" "3836313338303000"  # destination 8613800, international, ISDN
    "40" "00" "00"  # esm_class UDHI, protocol_id, priority
    "00"  # schedule_delivery_time
    "32363033313031313030303030303 02b00".replace(" ", "") +  # validity 260310110000000+
    "01" "00" "08" "00"  # registered_delivery, replace, data_coding UCS-2, default message
    "02" "60a8"  # sm_length, 您
)  # fmt: skip
DELIVER = bytes.fromhex(
    "00"
    "01" "01" "3836313338303000"
    "00" "00" "3130363900"
    "04" "00" "00" "00" "00"  # esm_class: delivery receipt
    "00" "00" "00" "00"
    "03" "544431"  # TD1
    "001e" "0004" "61623100"  # receipted_message_id "ab1"
    "0427" "0001" "02"  # message_state DELIVERED
)  # fmt: skip


def test_a_bind_is_written_as_the_specification_says():
    body = pdu.bind_body(system_id="duly", password="s3cr3t", system_type="OTP")
    assert pdu.encode(pdu.BIND_TRANSCEIVER, 1, body) == BIND


def test_a_submission_is_written_as_the_specification_says():
    head = pdu.submit_head(
        source=Address(ton=0, npi=0, digits="1069"),
        destination=Address(ton=1, npi=1, digits="8613800"),
        esm_class=0x40,
        validity="260310110000000+",
        data_coding=8,
    )
    assert pdu.submit_body(head, "您".encode("utf-16-be")) == SUBMIT


def test_a_delivery_is_read_as_the_specification_says():
    found = pdu.read_deliver(DELIVER)
    assert (found.source, found.destination) == ("8613800", "1069")
    assert (found.esm_class, found.data_coding, found.message) == (4, 0, b"TD1")
    assert found.tlvs == {0x001E: b"ab1\0", 0x0427: b"\x02"}


def test_a_payload_stands_for_an_empty_message():
    body = DELIVER[: -(4 + 13)] + bytes.fromhex("00042400025444")
    assert pdu.read_deliver(body).message == b"TD"


#: Where a delivery may end: before its optional parameters, and between them.
_WHOLE = (len(DELIVER) - 13, len(DELIVER) - 5)


@pytest.mark.parametrize("length", sorted(set(range(len(DELIVER))) - set(_WHOLE)))
def test_a_delivery_cut_anywhere_else_is_malformed(length):
    with pytest.raises(MalformedError):
        pdu.read_deliver(DELIVER[:length])


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_malformed(octets):
    try:
        pdu.read_deliver(octets)
    except MalformedError as error:
        assert str(error)


class TestTake:
    def test_gives_pdus_one_by_one_however_the_bytes_come(self):
        whole = pdu.encode(0x15, 7) + pdu.encode(0x80000004, 8, b"id\0", 0x58)
        buffer, found = bytearray(), []
        for octet in whole:
            buffer.append(octet)
            while (one := pdu.take(buffer)) is not None:
                found.append(one)
        assert found == [Pdu(0x15, 0, 7), Pdu(0x80000004, 0x58, 8, b"id\0")]
        assert not buffer

    @pytest.mark.parametrize("length", ["00000000", "0000000f", "ffffffff", "00020000"])
    def test_refuses_a_length_that_no_pdu_has(self, length):
        with pytest.raises(MalformedError, match="command_length"):
            pdu.take(bytearray.fromhex(length + "000000150000000000000001"))


def test_a_string_of_the_protocol_is_printable_ascii():
    assert pdu.c_string("") == b"\0"
    for text in ("a\0b", "密码", "a\nb"):
        with pytest.raises(MalformedError):
            pdu.c_string(text)


def test_an_id_of_strange_bytes_can_be_stored():
    assert pdu.read_message_id(b"a\x01\xff\0rest") == "a\\x01\\xff"
    assert pdu.read_message_id(b"") == ""
