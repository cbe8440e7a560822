"""Goal: every way to write the same words folds to one form. Method: pairs worked by hand."""

from __future__ import annotations

import pytest

from duly.spelling import folded, traditional


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ＴＤ退訂", "td退订"),
        ("退\u200b订", "退订"),
        ("退 - 订", "退订"),
        ("起.诉", "起诉"),
        ("I don’t owe", "i don't owe"),
        ("two\n  lines", "two lines"),
        ("\u202e反", "反"),
        ("", ""),
    ],
)
def test_one_spelling(written: str, meant: str) -> None:
    assert folded(written) == meant


def test_a_sentence_of_a_pack_is_written_in_the_characters_of_taiwan_and_folds_back():
    said = traditional("回复 STOP 停止接收本号码短信。")
    assert said == "回覆 STOP 停止接收本號碼簡訊。"
    assert folded(traditional("本消息意在收取债务。")) == folded("本訊息意在收取債務。")
