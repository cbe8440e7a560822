"""Goal: a receipt says what the center said, no more.

Method: receipts as centers write them (SMPP 3.4, appendix B, and its habits), composed by hand.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from duly.delivery.codes import meaning_of, state_of
from duly.delivery.smpp.joining import Joined, Joiner
from duly.delivery.smpp.pdu import Delivered
from duly.delivery.smpp.receipts import (
    Said,
    id_of_answer,
    id_of_receipt,
    is_receipt,
    raw_of,
    read_receipt,
    read_said,
)
from duly.delivery.smpp.texts import Piece

SHANGHAI = ZoneInfo("Asia/Shanghai")


def delivered(message: bytes = b"", *, esm_class: int = 4, data_coding: int = 0, tlvs=None):
    return Delivered(
        source_ton=1, source="8613800000001", destination="1069000000", esm_class=esm_class,
        data_coding=data_coding, message=message, tlvs=tlvs or {},
    )  # fmt: skip


def text(stat: str = "DELIVRD", name: str = "1234567890", done: str = "2603101001") -> bytes:
    return (
        f"id:{name} sub:001 dlvrd:001 submit date:2603101000 done date:{done} stat:{stat}"
        " err:000 text:hello"
    ).encode()


@pytest.mark.parametrize(
    ("stat", "state"),
    [
        ("DELIVRD", "delivered"),
        ("UNDELIV", "undelivered"),
        ("EXPIRED", "undelivered"),
        ("DELETED", "undelivered"),
        ("REJECTD", "undelivered"),
        ("ACCEPTD", "unknown"),
        ("ENROUTE", "unknown"),
        ("UNKNOWN", "unknown"),
        ("MK:0001", "undelivered"),
        ("MK:0010", "unknown"),
        ("MA:0023", "undelivered"),
        ("XX:9999", "unknown"),
    ],
)
def test_each_word_of_the_end_leads_to_its_state(stat, state):
    found = read_receipt(delivered(text(stat)), ids="same", zone=None)
    assert (found.provider_id, found.state, found.code) == ("1234567890", state, stat)
    assert found.at is None


@pytest.mark.parametrize(
    ("done", "zone", "at"),
    [
        ("2603101001", SHANGHAI, datetime(2026, 3, 10, 2, 1, tzinfo=UTC)),
        ("260310100159", SHANGHAI, datetime(2026, 3, 10, 2, 1, 59, tzinfo=UTC)),
        ("20260310100159", SHANGHAI, datetime(2026, 3, 10, 2, 1, 59, tzinfo=UTC)),
        ("200310120030", SHANGHAI, datetime(2020, 3, 10, 4, 0, 30, tzinfo=UTC)),
        ("2603101001", None, None),  # No zone is said: no instant is known.
        ("2613101001", SHANGHAI, None),  # There is no thirteenth month.
        ("yesterday", SHANGHAI, None),
    ],
)
def test_the_time_is_the_centers_or_none(done, zone, at):
    assert read_receipt(delivered(text(done=done)), ids="same", zone=zone).at == at


def test_optional_parameters_are_believed_before_the_text():
    told = delivered(text("UNDELIV"), tlvs={0x001E: b"AB1\0", 0x0427: b"\x02"})
    assert read_receipt(told, ids="same", zone=None).provider_id == "AB1"
    bare = delivered(tlvs={0x001E: b"AB1\0", 0x0427: b"\x02"})
    found = read_receipt(bare, ids="same", zone=None)
    assert (found.provider_id, found.state, found.code) == ("AB1", "delivered", "DELIVRD")


def test_the_borrowers_own_words_are_no_fields_of_the_receipt():
    forged = delivered(b"id:7 stat:UNDELIV err:001 Text:id:8 stat:DELIVRD done date:2603101001")
    found = read_receipt(forged, ids="same", zone=SHANGHAI)
    assert (found.provider_id, found.state, found.at) == ("7", "undelivered", None)
    nothing = read_receipt(delivered(b"Text: stat:DELIVRD id:9"), ids="same", zone=None)
    assert (nothing.provider_id, nothing.state, nothing.code) == ("", "unknown", "")


@pytest.mark.parametrize(
    ("ids", "answer", "receipt", "alike"),
    [
        ("same", "1F", "1F", True),
        ("answer_hex", "0000001F", "31", True),
        ("answer_hex", "1f", "0000000031", True),
        ("receipt_hex", "31", "1f", True),
        ("answer_hex", "1F", "1F", False),  # Not written as was said: kept as it came.
        ("answer_hex", "f81d4fae-7dec", "f81d4fae-7dec", True),  # No number at all: as it came.
    ],
)
def test_one_id_written_in_two_ways_is_one(ids, answer, receipt, alike):
    assert (id_of_answer(answer, ids) == id_of_receipt(receipt, ids)) is alike


def test_the_same_receipt_twice_is_the_same_text():
    assert raw_of(delivered(text())) == raw_of(delivered(text()))
    assert json.loads(raw_of(delivered(b"TD\0", esm_class=0), session="w.1", sequence=9)) == {
        "from": "8613800000001", "to": "1069000000", "esm_class": 0, "data_coding": 0,
        "message": "544400", "tlvs": {}, "session": "w.1", "sequence": 9,
    }  # fmt: skip
    assert "\0" not in raw_of(delivered(b"\0\x01"))


def test_a_receipt_is_told_from_a_reply():
    assert is_receipt(delivered(esm_class=0x04))
    assert is_receipt(delivered(esm_class=0x20))
    assert is_receipt(delivered(esm_class=0x44))
    assert not is_receipt(delivered(esm_class=0x00))
    assert not is_receipt(delivered(esm_class=0x40))
    assert is_receipt(delivered(esm_class=0x00, tlvs={0x001E: b"1\0"}))


def test_a_reply_is_read_by_its_coding_and_its_header():
    found = read_said(
        delivered(bytes.fromhex("050003070201") + "退订".encode("utf-16-be"),
                  esm_class=0x40, data_coding=8), default_coding=0)  # fmt: skip
    assert found == Said(address="+8613800000001", to="1069000000", text="退订",
                         piece=Piece(reference=7, parts=2, part=1))  # fmt: skip
    latin = read_said(delivered(b"caf\xe9", esm_class=0), default_coding=3)
    assert (latin.text, latin.piece) == ("café", None)


def test_codes_have_one_meaning_each_whatever_their_case():
    codes = ("delivrd", "BLACK", "ID:0076", "MA:0451", "00141", "")
    assert [meaning_of(code) for code in codes] == [
        "delivered", "blocked", "content", "content", "frequency", "unknown",
    ]  # fmt: skip
    assert [state_of(code) for code in ("MA:0001", "BEYONDD", "SGIP:1", "MK:0010")] == [
        "undelivered", "undelivered", "undelivered", "unknown",
    ]  # fmt: skip


class TestJoiner:
    def said(self, words: str, part: int, *, parts: int = 2, reference: int = 7) -> Said:
        piece = Piece(reference=reference, parts=parts, part=part)
        return Said(address="+8613800000001", to="1069", text=words, piece=piece)

    def joined(self, words: str) -> Joined:
        return Joined(address="+8613800000001", to="1069", text=words)

    def test_joins_pieces_in_whatever_order_they_come(self):
        joiner = Joiner(patience_seconds=60)
        assert joiner.add(self.said("订", 2), at=0) == []
        assert joiner.add(self.said("退", 1), at=1) == [self.joined("退订")]
        assert joiner.rest() == []

    def test_a_piece_that_comes_twice_is_one(self):
        joiner = Joiner(patience_seconds=60)
        assert joiner.add(self.said("退", 1), at=0) == []
        assert joiner.add(self.said("退", 1), at=1) == []
        assert joiner.add(self.said("订", 2), at=2) == [self.joined("退订")]

    def test_gives_what_came_when_the_rest_stays_away(self):
        joiner = Joiner(patience_seconds=60)
        joiner.add(self.said("退订", 1, parts=3), at=0)
        assert joiner.overdue(at=59) == []
        assert joiner.overdue(at=60) == [self.joined("退订[…][…]")]

    def test_a_reference_that_comes_round_begins_another_text(self):
        joiner = Joiner(patience_seconds=60)
        joiner.add(self.said("first", 1), at=0)
        assert joiner.add(self.said("other", 1), at=5) == [self.joined("first[…]")]
        assert joiner.rest() == [self.joined("other[…]")]

    def test_a_flood_of_first_pieces_fills_no_memory(self):
        joiner = Joiner(patience_seconds=60)
        given = [joiner.add(self.said("x", 1, reference=n), at=n) for n in range(1500)]
        assert sum(len(one) for one in given) == 500


def test_a_done_date_is_read_in_the_zone_of_the_center_not_ours():
    found = read_receipt(delivered(text()), ids="same", zone=ZoneInfo("Europe/London"))
    assert found.at == datetime(2026, 3, 10, 10, 1, tzinfo=UTC)
    assert found.at.utcoffset() == timedelta(0)
