"""No text makes the lint fail or slow, and a finding always shows what was really written."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duly.messages.lint import LABELS, NONE, STAGES, Message, corpora, labels_of, lint
from duly.messages.lint.disguise import restored
from duly.messages.lint.lexicon import lexicon
from duly.messages.lint.phrasing import WAYS_MAX, PhraseBroken, Phrasing, keys_in
from duly.spelling import traced

PIECES = st.sampled_from(
    ["【示例消金】", "再不还", "后果自负", "上门", "家人", "不会", "，", "。", "t.cn/a1", "法院",
     "1", "860元", "逾期3天", "起su", "\u202e", "\u200b", "\x00", "🐧", "we will ", "call your ",
     "boss ", "never ", "STOP", "p0lice ", " ", "\n", "％", "e\u0301", "ﬃ", "ß", "İ", "\ud800",
     "𠮷", "退订回T"]
)  # fmt: skip


@given(text=st.text(max_size=80) | st.lists(PIECES, max_size=14).map("".join),
       stage=st.sampled_from(("", *STAGES)))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_a_finding_shows_the_words_at_its_place(text, stage):
    found = lint(Message(text=text, stage=stage))
    for one in found:
        assert one.label in LABELS
        assert one.words == text[one.start : one.end]
        assert 0 <= one.start <= one.end <= len(text)
        assert one.words or one.label.startswith("missing_")
    assert labels_of(found) == labels_of(lint(Message(text=text, stage=stage)))


@pytest.mark.parametrize(
    "text",
    [
        "我们会通知" * 1000,
        "不会联系您的家人，" * 600,
        "you will " * 600,
        "we will call your " * 300,
        "a" * 5000,
        "1" * 5000,
        "1 " * 2500,
        "。" * 5000,
        "后 " * 2500,
        "后," * 2500,
        "【" * 5000,
        "a." * 2500,
        "*" * 5000,
        "p*" * 2500,
        "\u202e" * 5000,
        "(" * 5000,
        "A B " * 1250,
        "1-" * 2500,
        "逾期" * 2500,
        "知道你家在哪" * 800,
    ],
)
def test_a_text_of_five_thousand_characters_is_read_in_a_second(text):
    lint(Message(text="x您"))
    start = time.process_time()
    lint(Message(text=text[:5000], stage="d8_30"))
    assert time.process_time() - start < 1


def test_an_empty_text_is_told_what_it_lacks_where_its_stage_is_known():
    assert labels_of(lint(Message(text=""))) == (NONE,)
    assert labels_of(lint(Message(text="", stage="d8_30"))) == (
        "missing_identity", "missing_amount", "missing_due_date", "missing_optout",
    )  # fmt: skip
    assert labels_of(lint(Message(text="", stage="receipt"))) == (NONE,)


def test_every_phrase_can_be_read_and_is_bounded():
    assert len(lexicon().phrases) > 500
    for phrase, _ in lexicon().phrases:
        assert phrase.compiled().pattern
        assert phrase.keys


@pytest.mark.parametrize(
    ("phrase", "why"),
    [
        ("", "no word"),
        ("**", "no word"),
        ("(a|b", "not closed"),
        ("a)", "bracket too many"),
        ("<nobody>", "no group nobody"),
        ("?", "nothing stands before"),
        ("a ** b ** c ** d", "ways to match"),
    ],
)
def test_a_phrase_that_is_empty_open_or_endless_is_refused(phrase, why):
    with pytest.raises(PhraseBroken, match=why):
        Phrasing({}).phrase(phrase)
    assert WAYS_MAX < 61**3


def test_no_text_is_spared_a_phrase_by_its_keys():
    for rows in corpora().values():
        for row in rows:
            text = restored(traced(row.message.text)).text
            asked = {
                phrase.written
                for hint in (False, True)
                for phrase, _ in lexicon().candidates(keys_in(text), hint=hint)
            }
            for phrase, _ in lexicon().phrases:
                if phrase.compiled().search(text):
                    assert phrase.written in asked, (row.id, phrase.written)
