"""Fold a text to the one form in which it is compared, whatever keyboard or trick wrote it."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

#: Characters that a text may put between two Chinese ones without changing what is read.
_BETWEEN = re.compile(r"(?<=[㐀-鿿])[\s\-_.,*~·•|/\\+]+(?=[㐀-鿿])")
_SPACES = re.compile(r"\s+")
_HIDDEN = {"Cc", "Cf", "Cs", "Mn"}


@cache
def _simplified() -> Any:
    """Return the converter to simplified characters; read only where a text has any."""
    return import_module("opencc").OpenCC("t2s")


@cache
def _traditional() -> Any:
    return import_module("opencc").OpenCC("s2twp")


def traditional(sentence: str) -> str:
    """Return a sentence of a pack in the characters and words of Taiwan."""
    return str(_traditional().convert(sentence))


@lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """Return a text as it is compared: NFKC, small letters, simplified, hidden marks taken out."""
    plain = unicodedata.normalize("NFKC", text)
    plain = "".join(
        " " if char in "\n\t\r" else char
        for char in plain
        if char in "\n\t\r" or unicodedata.category(char) not in _HIDDEN
    )
    plain = plain.casefold().replace("’", "'").replace("‘", "'")
    if not plain.isascii():
        plain = str(_simplified().convert(plain))
    plain = _SPACES.sub(" ", plain)
    return _BETWEEN.sub("", plain).strip()
