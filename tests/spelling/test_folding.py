"""Goal: every way to write the same words folds to one form. Method: pairs worked by hand."""

from __future__ import annotations

import pytest

from duly.spelling import folded


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
