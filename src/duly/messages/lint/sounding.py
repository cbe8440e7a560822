"""Which terms does a text sound like? Characters exchanged for others of the same sound."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from duly.messages.lint.files import data

Change = tuple[int, int, str]

_FIRST_SOUND = 0xE100
#: Characters from which two words of one sound are hardly an accident.
_LONG_FROM = 3
#: Sounds that many speakers do not tell apart: zh and z, ing and in, lv and lu.
_BLURRED = (
    (re.compile("^([zcs])h"), r"\1"),
    (re.compile("(?<=[ei])ng$"), "n"),
    (re.compile("^([ln])v$"), r"\1u"),
)
#: Characters of the first level of the national set are in daily use; others are rare.
_DAILY = range(0xB0, 0xD8)
_HAN = range(0x4E00, 0xA000)
#: Two characters before one of these are a name where the first is a surname: 郑欣女士.
_NAME_AFTER = re.compile("先生|女士|小姐|同学|老师|[您你,:]")
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤建鲍"
)


@dataclass(frozen=True, kw_only=True)
class _Sounds:
    codes: Mapping[int, str]  #: of each character the sound, blurred
    exact: Mapping[str, str]  #: of each character the sound as it is spelt
    long: Sequence[tuple[str, str]]  #: codes of a term, and the term
    alike: Sequence[tuple[str, str]]  #: the same of the terms of two characters
    spelt: Mapping[str, Sequence[str]]  #: the syllables of those
    plain: frozenset[str]  #: characters that stand alone in any sentence
    honest: frozenset[str]  #: the terms themselves, and words that only sound like one


def sounded(text: str) -> Iterator[Change]:
    """Give the terms that a folded text sounds like, where it is written otherwise."""
    known = _sounds()
    heard = text.translate(known.codes)
    for codes, term in known.long:
        place = heard.find(codes)
        while place >= 0:
            if text[place : place + len(term)] not in known.honest:
                yield place, place + len(term), term
            place = heard.find(codes, place + 1)
    for codes, term in known.alike:
        place = heard.find(codes)
        while place >= 0:
            if _exchanged(text, place, term, known):
                yield place, place + 2, term
            place = heard.find(codes, place + 1)
    for place in _rare(text):
        yield from _around(text, heard, place, known)


def joins(left: str, right: str) -> bool:
    """Return whether two characters make a word, as far as words of disguises are concerned."""
    return right in _words().get(left, "")


def _exchanged(text: str, place: int, term: str, known: _Sounds) -> bool:
    """Return whether two characters stand for a term: they make no word, nor do their neighbors."""
    written = text[place : place + 2]
    if written == term or (_NAME_AFTER.match(text, place + 2) and written[0] in _SURNAMES):
        return False
    for char, right, sound in zip(written, term, known.spelt[term], strict=True):
        if char != right and (char in known.plain or known.exact.get(char) != sound):
            return False
    before, after = text[max(0, place - 1) : place], text[place + 2 : place + 3]
    return not (
        joins(written[0], written[1])
        or (before and joins(before, written[0]))
        or (after and joins(written[1], after))
    )


def _rare(text: str) -> Iterator[int]:
    """Give the places of characters that hardly any text has."""
    rare = {char for char in set(text) - _met() if ord(char) in _HAN and not _is_daily(char)}
    if rare:
        yield from (place for place, char in enumerate(text) if char in rare)


def _around(text: str, heard: str, place: int, known: _Sounds) -> Iterator[Change]:
    """Give the term of which all but the rare character at a place is there: 后果洎负.

    In a term of three characters the two others are written as they are meant.
    """
    for codes, term in known.long:
        for at in range(len(term)):
            start = place - at
            end = start + len(term)
            if start < 0 or end > len(text) or text[start:end] in known.honest:
                continue
            source, wanted = (text, term) if len(term) == _LONG_FROM else (heard, codes)
            if source[start:place] == wanted[:at] and source[place + 1 : end] == wanted[at + 1 :]:
                yield start, end, term


def _is_daily(char: str) -> bool:
    try:
        return char.encode("gb2312")[0] in _DAILY
    except UnicodeEncodeError:
        return False


@cache
def _met() -> frozenset[str]:
    """Return the characters in daily use, so that most texts are seen to have no other."""
    codes = (bytes((high, low)) for high in _DAILY for low in range(0xA1, 0xFF))
    return frozenset("".join(code.decode("gb2312", "ignore") for code in codes))


@cache
def _words() -> Mapping[str, str]:
    """Return the words of two characters by their first; read where a text asks for them."""
    file = resources.files("duly.messages.lint").joinpath("two_characters.txt")
    return {line[0]: line[1:] for line in file.read_text(encoding="utf-8").splitlines() if line}


def _blurred(syllable: str) -> str:
    for form, plain in _BLURRED:
        syllable = form.sub(plain, syllable)
    return syllable


@cache
def _sounds() -> _Sounds:
    found: Mapping[str, Any] = data("disguises.yaml")
    terms = {term: written.split() for term, written in found["terms"].items()}
    blurred = sorted({_blurred(name) for name in found["sounds"]})
    codes = {name: chr(_FIRST_SOUND + place) for place, name in enumerate(blurred)}
    exact: dict[str, str] = {}
    for name, chars in found["sounds"].items():
        for char in chars:
            exact.setdefault(char, name)
    for term, syllables in terms.items():  # A character of several readings is heard as in these.
        exact.update(zip(term, syllables, strict=True) if len(term) > 1 else ())
    longest = sorted(terms, key=len, reverse=True)
    heard = {term: "".join(codes[_blurred(one)] for one in terms[term]) for term in longest}
    return _Sounds(
        codes={ord(char): codes[_blurred(name)] for char, name in exact.items()},
        exact=exact,
        long=[(heard[term], term) for term in longest if len(term) >= _LONG_FROM],
        alike=[(heard[term], term) for term in found["alike"]],
        spelt={term: terms[term] for term in found["alike"]},
        plain=frozenset(found["plain"]),
        honest=frozenset((*terms, *found["honest"])),
    )
