"""Lines of JSON: what is read, what is refused with its place, what is only warned of."""

from __future__ import annotations

import json

import pytest

from duly.core.errors import Refused
from duly.messages.lint import read_messages
from duly.messages.lint.reading import TEXT_CHARACTERS_MAX


def _lines(*rows: object) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


def test_messages_are_read_in_their_order_with_a_mark_and_empty_lines():
    content = (
        b"\xef\xbb\xbf" + _lines({"id": 7, "text": "a"}) + b"\n\n" + _lines({"id": "b", "text": ""})
    )
    asked, warnings = read_messages(content, "m.jsonl")
    assert [(one.id, one.message.text) for one in asked] == [(7, "a"), ("b", "")]
    assert warnings == ()


def test_every_mistake_is_named_with_its_line_and_nothing_is_returned():
    content = (
        b'{"id": 1}\n{bad\n[1]\n{"id": 4, "text": 5}\n{"id": 5, "text": null}\n"text"\n'
        b'{"text": "a"}\n{"id": null, "text": "a"}\n'
        b'{"id": "", "text": "a"}\n{"id": [], "text": "a"}\n'
    )
    with pytest.raises(Refused) as refused:
        read_messages(content, "m.jsonl")
    found = [(one.file, one.line, one.column, one.code) for one in refused.value.diagnostics]
    assert found == [
        ("m.jsonl", 1, "text", "text_missing"),
        ("m.jsonl", 2, "2", "not_json"),
        ("m.jsonl", 3, "", "not_an_object"),
        ("m.jsonl", 4, "text", "text_is_no_text"),
        ("m.jsonl", 5, "text", "text_missing"),
        ("m.jsonl", 6, "", "not_an_object"),
        *(("m.jsonl", line, "id", "id_missing") for line in (7, 8, 9, 10)),
    ]


@pytest.mark.parametrize("content", ["您好".encode("gbk"), "【示例】逾期".encode("utf-16")])
def test_another_encoding_is_refused(content):
    with pytest.raises(Refused) as refused:
        read_messages(content, "m.jsonl")
    assert [one.code for one in refused.value.diagnostics] == ["not_utf8"]


def test_gbk_is_named_where_it_fits():
    with pytest.raises(Refused, match="GBK"):
        read_messages('{"text": "您已逾期"}'.encode("gbk"), "m.jsonl")


def test_a_text_of_a_megabyte_is_no_message():
    with pytest.raises(Refused, match="20,000"):
        read_messages(_lines({"id": 1, "text": "欠" * (1 << 20)}), "m.jsonl")
    asked, _ = read_messages(_lines({"id": 1, "text": "欠" * TEXT_CHARACTERS_MAX}), "m.jsonl")
    assert len(asked[0].message.text) == TEXT_CHARACTERS_MAX


def test_endless_brackets_and_digits_are_no_json():
    with pytest.raises(Refused) as refused:
        read_messages(b"[" * 100_000 + b"\n" + b'{"text": ' + b"9" * 10_000 + b"}", "m.jsonl")
    assert [one.code for one in refused.value.diagnostics] == ["not_json", "not_json"]


def test_a_stage_that_nobody_knows_is_warned_of_and_left_out():
    asked, warnings = read_messages(_lines({"id": 1, "text": "a", "stage": "d8-30"}), "m.jsonl")
    assert asked[0].message.stage == ""
    assert [(one.severity, one.line, one.code) for one in warnings] == [
        ("warning", 1, "unknown_stage")
    ]
    assert "d8_30" in warnings[0].render("en")


def test_facts_may_be_an_object_a_note_or_nothing():
    rows = [{"id": 1, "text": "a", "facts": facts} for facts in ({"filed": True}, "filed", None)]
    asked, _ = read_messages(_lines(*rows), "m.jsonl")
    assert [one.message.facts for one in asked] == [{"filed": True}, {"note": "filed"}, {}]


def test_a_mark_that_turns_a_text_around_is_warned_of_at_its_place():
    asked, warnings = read_messages(_lines({"id": 1, "text": "还\u202e款"}), "m.jsonl")
    assert len(asked) == 1
    assert [(one.severity, one.line, one.column, one.code, one.values["place"])
            for one in warnings] == [("warning", 1, "text", "text_turned", "2")]  # fmt: skip


def test_a_line_that_is_not_utf8_hides_no_other_mistake():
    lines = [b'{"id": 1, "text": "fine"}', b'{"id": 2, "text": "\xff"}', b'{"id": 3}', b"{broken"]
    with pytest.raises(Refused) as refused:
        read_messages(b"\n".join(lines), "file.jsonl")
    found = [(one.line, one.code) for one in refused.value.diagnostics]
    assert found == [(2, "not_utf8"), (3, "text_missing"), (4, "not_json")]
