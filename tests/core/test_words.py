"""Goal: what a person reads is whole, in right grammar, and never acts on a terminal."""

from __future__ import annotations

import pytest

from duly.core.diagnostic import Diagnostic
from duly.core.visible import visible, visible_lines
from duly.core.words import say

#: Clears a screen, rings, ends a line, turns the reading order.
ACTING = ["\x1b[2J", "\x07", "\r", "\n", "\x9b31m", "\u202e", "\u2066", "\u200f", "\u2028", "\x00"]


class TestVisible:
    @pytest.mark.parametrize("text", ACTING)
    def test_writes_out_what_would_act(self, text):
        assert visible(f"a{text}b").isprintable()
        assert visible(f"a{text}b").startswith("a\\")

    @pytest.mark.parametrize("text", ["张伟", "é", "a b", "𠮷", "👨‍👩‍👧", "C:\\dir"])
    def test_leaves_all_other_letters(self, text):
        assert visible(text) == text

    def test_of_lines_keeps_their_ends(self):
        assert visible_lines("a\nb\x1bc\n") == "a\nb\\x1bc\n"


class TestDiagnostic:
    @pytest.mark.parametrize("text", ACTING)
    def test_is_one_line_that_does_not_act_whatever_the_file_says(self, text):
        found = Diagnostic(
            area="book", code="unknown_column", file=f"p{text}.csv", column=f"c{text}",
            values={"column": f"c{text}", "near": ""},
        )  # fmt: skip
        for locale in ("en", "zh-CN"):
            assert found.render(locale).isprintable()
            assert found.sentence(locale).isprintable()


class TestNumbers:
    @pytest.mark.parametrize(
        ("rows", "said"),
        [(0, "0 rows quarantined"), (1, "1 row quarantined"), (2, "2 rows quarantined")],
    )
    def test_of_one_is_singular(self, rows, said):
        assert say("cli", "quarantined", "en", rows=rows, out="o").startswith(said)
