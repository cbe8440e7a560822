"""Text of strangers, made safe to show: no control character acts, no bidi mark turns a line."""

from __future__ import annotations

import re

#: C0, DEL and C1 controls, line and paragraph separators, bidirectional marks and overrides.
ACTING = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
_ACTING = re.compile(f"[{ACTING}]")
_ACTING_IN_LINES = re.compile(f"(?!\n)[{ACTING}]")
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str) -> str:
    r"""Return a text with each acting character written out, such as \x1b or \u202e."""
    return _ACTING.sub(_written, text)


def visible_lines(text: str) -> str:
    """Return a text of several lines in the same way, its line ends kept."""
    return _ACTING_IN_LINES.sub(_written, text)


def _written(found: re.Match[str]) -> str:
    letter = found[0]
    code = ord(letter)
    return _NAMED.get(letter) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")
