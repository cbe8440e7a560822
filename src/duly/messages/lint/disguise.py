"""Which word was meant? Letters for characters, like sounds, digits for letters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from duly.messages.lint.files import data
from duly.spelling import Traced, rewritten

_HAN = "\u4e00-\u9fff"
_MIXED = re.compile(rf"[{_HAN}][a-z]{{1,6}}|[a-z]{{1,6}}[{_HAN}]")
_RUN = re.compile(
    rf"(?<=[{_HAN}])[a-z]{{1,6}}(?![a-z0-9@.])|(?<![a-z0-9@.])[a-z]{{1,6}}(?=[{_HAN}])"
)
#: Letters that stand beside characters in ordinary texts.
_COMMON = frozenset(
    "app t td r n y q qq vip stop sms atm gps id k h s a b c d hr ok pos ic www".split()
)
_REACH = 4
_PINYIN = re.compile(r"(?<![a-z0-9./@:])[a-z]{4,24}(?: [a-z]{2,6}){0,5}(?![a-z0-9./@])")
_LETTERS = str.maketrans("0134579@$!|+€", "oieastgasiltc")
_TOKEN = re.compile(r"(?<![\w@$!|*.])[a-z0-9@$!|*]{3,16}(?![\w@$*])")
_ODD = re.compile(r"[0-9@$!|*]")
_SPACED = re.compile(r"(?<![a-z0-9])(?:[a-z0-9@$]([ .\-_*~·]{1,2})){3,12}[a-z0-9@$](?![a-z0-9])")
_NOT_LETTER = re.compile(r"[^a-z0-9@$]")
_LIKE_SOUND_FROM = 3  #: characters from which two words of one sound are hardly an accident
_FIRST_SOUND = 0xE100

Change = tuple[int, int, str]


@dataclass(frozen=True, kw_only=True)
class _Disguises:
    words: re.Pattern[str]
    meant: Mapping[str, str]
    mixed: re.Pattern[str]
    terms: Sequence[str]
    spelt: Mapping[str, str]
    sounds: Mapping[int, str]
    sounded: Sequence[tuple[str, str]]
    english: frozenset[str]


def restored(source: Traced) -> Traced:
    """Return the text with disguised words written as they are meant, traced to the original."""
    known = _disguises()
    changes = list(_worded(source.text, known))
    if changes:
        source = rewritten(source, changes)
    text = source.text
    if text.isascii():
        return rewritten(
            source, _apart([*_leet(text, known), *_spaced(text, known), *_pinyin(text, known)])
        )
    found = [*_sounded(text, known), *_leet(text, known)]
    if _MIXED.search(text):
        found += _mixed(text, known)
    found += _pinyin(text, known)
    return rewritten(source, _apart(found))


def _worded(text: str, known: _Disguises) -> Iterator[Change]:
    for found in known.words.finditer(text):
        yield found.start(), found.end(), known.meant[found[0]]


def _mixed(text: str, known: _Disguises) -> Iterator[Change]:
    """Give the terms of which a part is written in letters, a part in characters."""
    for run in _RUN.finditer(text):
        if run[0] in _COMMON:
            continue
        low, high = max(0, run.start() - _REACH), run.end() + _REACH
        yield from _mixed_within(text, low, high, known)


def _mixed_within(text: str, low: int, high: int, known: _Disguises) -> Iterator[Change]:
    for found in known.mixed.finditer(text, low, high):
        written = found[0]
        if written.isascii() or not any("a" <= char <= "z" for char in written):
            continue
        end = found.end()
        if (
            written[-1].isascii()
            and text[end : end + 1].isascii()
            and text[end : end + 1].isalpha()
        ):
            continue
        start = found.start()
        if start and written[0].isascii() and "a" <= text[start - 1] <= "z":
            continue
        yield start, end, known.terms[int(found.lastgroup[1:]) if found.lastgroup else 0]


def _pinyin(text: str, known: _Disguises) -> Iterator[Change]:
    for found in _PINYIN.finditer(text):
        term = known.spelt.get(found[0].replace(" ", ""))
        if term is not None:
            yield found.start(), found.end(), term
            continue
        for word in re.finditer(r"[a-z]+", found[0]):
            term = known.spelt.get(word[0])
            if term is not None:
                yield found.start() + word.start(), found.start() + word.end(), term


def _sounded(text: str, known: _Disguises) -> Iterator[Change]:
    heard = text.translate(known.sounds)
    for sound, term in known.sounded:
        place = heard.find(sound)
        while place >= 0:
            if text[place : place + len(term)] != term:
                yield place, place + len(term), term
            place = heard.find(sound, place + 1)


def _leet(text: str, known: _Disguises) -> Iterator[Change]:
    for found in _TOKEN.finditer(text):
        written = found[0]
        if not _ODD.search(written) or not any("a" <= char <= "z" for char in written):
            continue
        plain = written.rstrip("!").translate(_LETTERS)
        if plain in known.english:
            yield found.start(), found.start() + len(written.rstrip("!")), plain
        elif "*" in written:
            shape = re.compile(re.escape(plain).replace(r"\*", "[a-z]"))
            meant = [word for word in known.english if shape.fullmatch(word)]
            if len(meant) == 1 and plain.count("*") <= 2:
                yield found.start(), found.end(), meant[0]


def _spaced(text: str, known: _Disguises) -> Iterator[Change]:
    for found in _SPACED.finditer(text):
        plain = _NOT_LETTER.sub("", found[0]).translate(_LETTERS)
        if plain in known.english:
            yield found.start(), found.end(), plain


def _apart(changes: Sequence[Change]) -> list[Change]:
    """Return the changes in order, the longer one where two overlap."""
    kept: list[Change] = []
    for change in sorted(changes, key=lambda one: (one[0], -one[1])):
        if not kept or change[0] >= kept[-1][1]:
            kept.append(change)
    return kept


@cache
def _disguises() -> _Disguises:
    found = data("disguises.yaml")
    meant = {
        written.casefold(): term for term, several in found["words"].items() for written in several
    }
    longest = sorted(meant, key=len, reverse=True)
    terms = {term: spelt.split() for term, spelt in found["terms"].items()}
    long = sorted(terms, key=len, reverse=True)
    several = [term for term in long if len(term) > 1]
    parts = [
        f"(?P<t{place}>" + "".join(
            f"(?:{char}|{spelt}|{spelt[:2] if spelt[1:2] == 'h' else spelt[0]}|{spelt[0]})"
            for char, spelt in zip(term, terms[term], strict=True)
        ) + ")"
        for place, term in enumerate(several)
    ]  # fmt: skip
    sounds: dict[int, str] = {}
    codes = {name: chr(_FIRST_SOUND + place) for place, name in enumerate(sorted(found["sounds"]))}
    for name, chars in found["sounds"].items():
        for char in chars:
            sounds.setdefault(ord(char), codes[name])
    for term in several:  # A character of several readings is heard as in the term.
        for char, spelt in zip(term, terms[term], strict=True):
            sounds[ord(char)] = codes[spelt]
    return _Disguises(
        words=re.compile("|".join(map(re.escape, longest))),
        meant=meant,
        mixed=re.compile("|".join(parts)),
        terms=several,
        spelt={"".join(terms[term]): term for term in several},
        sounds=sounds,
        sounded=[
            ("".join(codes[spelt] for spelt in terms[term]), term)
            for term in long
            if len(term) >= _LIKE_SOUND_FROM
        ],
        english=frozenset(found["english"]),
    )
