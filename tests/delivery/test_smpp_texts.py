"""Goal: what is written is what the segments were counted by, and reads back as it was.

Method: octets worked by hand from 3GPP 23.038 and 23.040; laws over any text.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duly.delivery.smpp.texts import Piece, UnsayableError, read, take_header, write
from duly.messages.parts import GSM_BASIC, GSM_EXTENSION, segments

_GSM = st.text(st.sampled_from(GSM_BASIC + GSM_EXTENSION), min_size=1, max_size=700)
_ANY = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=400)


@pytest.mark.parametrize(
    ("text", "coding", "octets"),
    [
        ("Hi @£", 0, "48 69 20 00 01"),
        ("[1€]", 0, "1b 3c 31 1b 65 1b 3e"),
        ("Æ\n", 0, "1c 0a"),
        ("退订", 8, "90 00 8b a2"),
        ("a😀", 8, "00 61 d8 3d de 00"),
        ("a\0", 8, "00 61 00 00"),
    ],
)
def test_a_short_text_is_one_part_without_a_header(text, coding, octets):
    found = write(text, message_id="m1")
    assert (found.data_coding, found.esm_class) == (coding, 0)
    assert found.parts == (bytes.fromhex(octets),)


def test_a_long_text_has_headers_that_join_its_parts():
    found = write("a" * 161, message_id="m1")
    # The first octet of md5("m1") is ae.
    assert found.esm_class == 0x40
    assert found.parts == (
        bytes.fromhex("050003ae0201") + b"a" * 153,
        bytes.fromhex("050003ae0202") + b"a" * 8,
    )
    # 70 ideographs are one part, 71 are two of 67 and 4.
    assert [len(part) for part in write("您" * 70, message_id="m1").parts] == [140]
    assert [len(part) for part in write("您" * 71, message_id="m1").parts] == [140, 6 + 8]


def test_an_escape_or_a_pair_of_surrogates_is_never_parted():
    first, second = write("a" * 152 + "€" + "b" * 20, message_id="m1").parts
    assert first[6:] == b"a" * 152
    assert second[6:] == b"\x1b\x65" + b"b" * 20
    first, second = write("您" * 66 + "😀" + "好" * 5, message_id="m1").parts
    assert first[6:].decode("utf-16-be") == "您" * 66
    assert second[6:].decode("utf-16-be") == "😀好好好好好"


@given(st.one_of(_GSM, _ANY))
def test_parts_are_as_many_as_were_counted_and_say_the_text(text):
    found = write(text, message_id="m")
    assert len(found.parts) == segments(text)[1]
    assert all(len(part) <= (160 if found.data_coding == 0 else 140) for part in found.parts)
    bodies, pieces = [], []
    for part in found.parts:
        piece, body = take_header(part) if found.esm_class else (None, part)
        pieces.append(piece)
        bodies.append(body)
    assert "".join(read(body, found.data_coding) for body in bodies) == text
    if found.esm_class:
        assert [piece.part for piece in pieces] == list(range(1, len(found.parts) + 1))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "DULY:text_empty"),
        ("a\ud800", "DULY:text_unpaired_surrogate"),
        ("a" * (153 * 255 + 1), "DULY:text_too_long"),
    ],
)
def test_a_text_that_cannot_be_sent_is_refused_before_the_wire(text, code):
    with pytest.raises(UnsayableError, match=code):
        write(text, message_id="m1")


@pytest.mark.parametrize(
    ("octets", "coding", "text"),
    [
        (b"TD", 0x00, "TD"),
        (b"\x1b\x65 \x00", 0x00, "€ @"),
        (b"\x1b\x41", 0x00, "A"),  # 23.038: an escape that means nothing shows the basic character.
        (b"\x80", 0x00, "�"),
        (b"TD", 0x01, "TD"),
        (b"caf\xe9", 0x03, "café"),
        (bytes.fromhex("90008ba2"), 0x08, "退订"),
        (bytes.fromhex("90008b"), 0x08, "退�"),
        ("退订".encode("gbk"), 0x0F, "退订"),
        (bytes.fromhex("90008ba2"), 0xE0, "退订"),
        (b"TD", 0xF1, "TD"),
        (b"\x01\x02", 0x04, ""),
        (b"\x01\x02", 0xF5, ""),
    ],
)
def test_what_a_person_wrote_is_read_by_its_coding(octets, coding, text):
    assert read(octets, coding) == text


@pytest.mark.parametrize(
    ("octets", "piece", "rest"),
    [
        ("05 00 03 2a 03 02 41", Piece(reference=42, parts=3, part=2), b"A"),
        ("06 08 04 01 00 02 01 41", Piece(reference=256, parts=2, part=1), b"A"),
        # Ports first, then the concatenation.
        ("0b 05 04 0b 84 23 f0 00 03 07 02 01 41", Piece(reference=7, parts=2, part=1), b"A"),
        ("05 00 03 2a 00 00 41", None, b"A"),  # No parts: no piece.
        ("05 00 03 2a 02 03 41", None, b"A"),  # The third of two: no piece.
        ("ff 41", None, b"\xff\x41"),  # Longer than what there is: no header.
        ("", None, b""),
    ],
)
def test_a_header_is_taken_off_and_says_which_piece_it_is(octets, piece, rest):
    assert take_header(bytes.fromhex(octets)) == (piece, rest)


@given(st.binary(max_size=40))
def test_any_header_is_survived(octets):
    _, rest = take_header(octets)
    assert octets.endswith(rest)
