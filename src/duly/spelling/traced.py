"""Fold a text as readers compare it, and remember where each folded character was written.

`folded` gives one line to look words up in; this keeps commas, sentence ends and line ends, because
who reads meaning must know where a clause ends, and shows the reader his own words afterwards.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

_HAN = "㐀-鿿"
#: What a writer may put between two Chinese characters without changing what is read.
_BETWEEN = re.compile(
    rf"(?<=[{_HAN}])(?:_|[^\w\n,:;。!?()<>\[\]【】{{}}\"'、%@$￥¥£€]){{1,12}}(?=[{_HAN}])"
)
#: Single characters parted by one and the same mark or letter: 后,果,自,负, 后x果x自x负.
_SPELT_OUT = re.compile(rf"(?:[{_HAN}]([,、。:/;!'\"a-z]))(?:[{_HAN}]\1){{2,30}}[{_HAN}]")
_HIDDEN = frozenset({"Cc", "Cf", "Mn", "Me"})
_LINE = frozenset("\n\r\u2028\u2029\x85")
_MARKS = {"’": "'", "‘": "'", "`": "'", "´": "'", "“": '"', "”": '"', "„": '"',
          **dict.fromkeys("丶丨丿亅乀乄灬丷ヽゝ〆㊙㊗", "·"),  # strokes written for a point
          "．": ".", "｡": "。", "‐": "-", "‑": "-", "–": "-", "—": "-"}  # fmt: skip
#: Letters of other alphabets that are read as Latin ones.
_ALIKE = dict(zip("аеорсухіјѕԁɡһԛԝοαερνικτ", "aeopcyxijsdghqwoaepvikt", strict=True))
#: Zhuyin as the letters of pinyin, its tones left out.
_ZHUYIN = dict(zip(
    "ㄅㄆㄇㄈㄉㄊㄋㄌㄍㄎㄏㄐㄑㄒㄓㄔㄕㄖㄗㄘㄙㄚㄛㄜㄝㄞㄟㄠㄡㄢㄣㄤㄥㄦㄧㄨㄩˊˇˋ˙",
    [*"bpmfdtnlgkhjqx", "zh", "ch", "sh", *"rzcsaoee", "ai", "ei", "ao", "ou", "an", "en", "ang",
     "eng", "er", *"iuv", "", "", "", ""],
    strict=True,
))  # fmt: skip
#: Pictures that stand for a word.
_PICTURES = {"➕": "加", "🐧": "qq", "👮": "警察", "🚓": "警察", "🚔": "警察", "🏦": "银行",
             "🔪": "刀", "⚖": "法院", "🏠": "家", "🏡": "家", "📱": "手机", "☎": "电话",
             "💰": "钱", "💵": "钱", "👪": "家人", "💳": "银行卡", "🔗": "链接",
             "🐶": "狗", "🐕": "狗", "🐷": "猪", "🏫": "学校", "🚄": "高铁", "🚅": "高铁",
             **dict.fromkeys("❤♥💗💓💕💖💙💚💛💜🧡🖤🤍", "心")}  # fmt: skip
#: From U+202E to U+202C, or to the end of the line, letters run from right to left.
_TURN = "\u202e"
_TURNED = re.compile("\u202e([^\u202c\n\r\u2028\u2029]*)\u202c?")
_SIMPLE = "gb2312"
#: Characters of that set that do have a simpler form.
_NOT_SIMPLE = frozenset("乾夥後徵拚捱摺於榘菸薹袷醣麴麽")


@dataclass(frozen=True, kw_only=True)
class Traced:
    """A folded text; character n of it was written at `places[n]`, the last place is the end."""

    text: str
    places: Sequence[int]

    def written(self, start: int, end: int) -> tuple[int, int]:
        """Return where the folded characters `start` to `end` stand in the original."""
        if start >= end:
            return self.places[start], self.places[start]
        held = self.places[start:end]
        return min(held), max(held) + 1


def traced(original: str) -> Traced:
    """Return a text folded: NFKC, small letters, simplified, hidden marks and accents taken out."""
    chars = set(original)
    for char in chars - _KNOWN.keys():
        _KNOWN[char] = piece = _folded_char(char)
        if len(piece) == 1:
            _TO_ONE[ord(char)] = piece
            _ONE.add(char)
    if chars <= _ONE:  # Nearly every text: character for character, each in its own place.
        text = original.translate(_TO_ONE)
        return _without_tricks(Traced(text=text, places=range(len(original) + 1)))
    pieces: list[str] = []
    places: list[int] = []
    for place, char in enumerate(original):
        piece = _KNOWN[char]
        pieces.append(piece)
        places += [place] * len(piece)
    places.append(len(original))
    return _without_tricks(Traced(text="".join(pieces), places=places))


def is_turned(original: str) -> bool:
    """Return whether a text holds a mark that shows what follows from right to left."""
    return _TURN in original


def turned(original: str) -> Traced:
    """Return a text folded as it is seen: what stands behind U+202E is read from its end."""
    order: list[int] = []
    last = 0
    for found in _TURNED.finditer(original):
        order += range(last, found.start())
        order += range(found.end(1) - 1, found.start(1) - 1, -1)
        last = found.end()
    order += range(last, len(original))
    seen = traced("".join([original[place] for place in order]))
    written = [*order, len(original)]
    return Traced(text=seen.text, places=[written[place] for place in seen.places])


def rewritten(source: Traced, changes: Sequence[tuple[int, int, str]]) -> Traced:
    """Return the text with spans replaced; ascending and apart, each traced to what it replaced."""
    if not changes:
        return source
    pieces: list[str] = []
    places: list[int] = []
    last = 0
    for start, end, new in changes:
        pieces += [source.text[last:start], new]
        places += source.places[last:start]
        width = end - start
        places += [source.places[start + min(n, width - 1)] for n in range(len(new))]
        if new and width > len(new):
            places[-1] = source.places[end - 1]
        last = end
    pieces.append(source.text[last:])
    places += source.places[last:]
    return Traced(text="".join(pieces), places=places)


def _without_tricks(source: Traced) -> Traced:
    text = source.text
    changes = [(found.start(), found.end(), "") for found in _BETWEEN.finditer(text) if found[0]]
    for found in _SPELT_OUT.finditer(text):
        changes += [(place, place + 1, "") for place in range(found.start() + 1, found.end(), 2)]
    return rewritten(source, sorted(set(changes)))


#: Folded characters, filled as they are met: each distinct character is folded once.
_KNOWN: dict[str, str] = {}
#: Those that stay one character, as `str.translate` takes them.
_TO_ONE: dict[int, str] = {}
_ONE: set[str] = set()


def _folded_char(char: str) -> str:
    if char in _LINE:
        return "\n"
    for table in (_MARKS, _PICTURES, _ZHUYIN):
        if char in table:
            return table[char]
    if unicodedata.category(char) in _HIDDEN and char != "\t":
        return ""
    plain = unicodedata.normalize("NFKC", char)
    if not plain.isascii():
        plain = "".join(
            one for one in unicodedata.normalize("NFKD", plain)
            if unicodedata.category(one) not in _HIDDEN
        )  # fmt: skip
    plain = "".join(_ALIKE.get(one, one) for one in plain.casefold())
    return plain if plain.isascii() or _is_simple(plain) else str(_simplified().convert(plain))


def _is_simple(plain: str) -> bool:
    """Return whether no character has a simplified form: the national set has simple ones only."""
    try:
        plain.encode(_SIMPLE)
    except UnicodeEncodeError:
        return not any("\u3400" <= one <= "\u9fff" for one in plain)
    return _NOT_SIMPLE.isdisjoint(plain)


@cache
def _simplified() -> Any:
    return import_module("opencc").OpenCC("t2s")
