"""Phrases as patterns: plain words with holes, every hole bounded, and what a text must hold first.

`*` stands for at most 12 characters of one sentence (24 where the phrase is in letters), `**` for
40 (60), `~` for at most 8 (16) of one clause; `#` is a number in digits or characters, `(a|b)` one
of several, `(a|)` an optional word, `书?` an optional character, `<kin>` the words of a group, `^`
and `$` the ends of the text. A space of a phrase is one or two spaces or hyphens.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from duly.core.errors import DulyError

#: A phrase has so many ways to match from one place at most; more is refused when it is read.
WAYS_MAX = 8_000
_PIECE = re.compile(r"\*\*|[*~#()|^$?]|<[a-z_]+>")
_NUMBER = r"(?:[0-9][0-9,.]{0,9}|[零〇一二两三四五六七八九十百千万半几数]{1,6})"
#: In letters a full stop with a space after it ends a sentence.
_STOP = r"(?:[^。!?;\n.]|[.](?! ))"
_HOLES = {  # piece: characters, and how many at most; in Chinese, then in letters
    "*": (r"[^。!?;\n]", 12, _STOP, 24),
    "**": (r"[^。!?;\n]", 40, _STOP, 60),
    "~": (r"[^。!?;,\n]", 8, r"[^。!?;,:\n]", 16),
}
_WORD = re.compile(r"[a-z0-9]+")
_NOT_LETTERS = re.compile(r"[^\x00-\x7f]+")
_KEY_LETTERS, _KEY_CHARACTERS = 4, 2


class PhraseBroken(DulyError):
    """A phrase of the lexicon cannot be read."""


class _Part(NamedTuple):
    pattern: str
    keys: frozenset[str] | None  #: one of them stands in every match; None where nothing must
    ways: int
    more: frozenset[str] | None = None  #: one of these stands in every match, too
    loose: bool = False  #: may be empty or end with a space, so that a space after it is no must


_NOTHING = _Part("", None, 1, loose=True)
#: No phrase begins or ends within a word of letters, or within a number.
_EDGE = "(?!(?<=[a-z])[a-z]|(?<=[0-9])[0-9])"
_SPACE = "[ -]{1,2}"


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """One phrase: its pattern, and the keys of which a text must hold one to be looked at."""

    written: str
    source: str
    keys: frozenset[str]
    more: frozenset[str]  #: a text must hold one of these as well; empty where there are none

    def compiled(self) -> re.Pattern[str]:
        """Return the pattern; `re` keeps it, and most are never asked for."""
        found = _COMPILED.get(self.source)
        if found is None:
            found = _COMPILED[self.source] = re.compile(self.source)
        return found


@dataclass(frozen=True, kw_only=True)
class AnyOf:
    """Phrases of which one is enough."""

    by_key: Mapping[str, tuple[Phrase, ...]]
    keyless: re.Pattern[str] | None

    def stands_in(self, text: str, held: Set[str]) -> bool:
        """Return whether one stands in a piece of a text that holds these keys (`keys_in`)."""
        if self.keyless is not None and self.keyless.search(text):
            return True
        asked: set[str] = set()
        for key in self.by_key.keys() & held:
            for phrase in self.by_key[key]:
                if phrase.source in asked or (phrase.more and phrase.more.isdisjoint(held)):
                    continue
                asked.add(phrase.source)
                if phrase.compiled().search(text):
                    return True
        return False


_COMPILED: dict[str, re.Pattern[str]] = {}


class Phrasing:
    """Reads phrases with one set of word groups and of shapes (regular expressions)."""

    def __init__(
        self, groups: Mapping[str, Sequence[str]], shapes: Mapping[str, str] | None = None
    ) -> None:
        self._groups = groups
        self._known: dict[str, _Part] = {
            name: _Part(f"(?:{shape})", None, 4) for name, shape in (shapes or {}).items()
        }

    def phrase(self, written: str) -> Phrase:
        """Return a phrase; refuse (PhraseBroken) one that is empty, open or may run long."""
        part = self._whole(written)
        if part.keys is None:
            raise PhraseBroken(f"{written!r}: no word that must stand in a text")
        if part.ways > WAYS_MAX:
            raise PhraseBroken(f"{written!r}: {part.ways} ways to match")
        return Phrase(
            written=written, source=_edged(part), keys=part.keys, more=part.more or frozenset()
        )

    def any_of(self, several: Iterable[str]) -> AnyOf:
        """Return phrases of which one is enough, each asked only where its key is held."""
        by_key: dict[str, list[Phrase]] = {}
        keyless: list[str] = []
        for one in several:
            part = self._whole(one)
            if part.keys is None:
                keyless.append(_edged(part))
                continue
            phrase = Phrase(
                written=one, source=_edged(part), keys=part.keys, more=part.more or frozenset()
            )
            for key in part.keys:
                by_key.setdefault(key, []).append(phrase)
        return AnyOf(
            by_key={key: tuple(phrases) for key, phrases in by_key.items()},
            keyless=re.compile("|".join(keyless)) if keyless else None,
        )

    def union(self, several: Iterable[str]) -> re.Pattern[str]:
        """Return one pattern that finds any of the phrases."""
        return re.compile("|".join(_edged(self._whole(one)) for one in several))

    def _whole(self, written: str) -> _Part:
        letters = written.isascii()
        if written and _PIECE.search(written) is None:
            return _single(written, letters=letters)
        pieces = _pieces(written)
        part, rest = self._alternatives(pieces, 0, written, letters=letters)
        if rest != len(pieces):
            raise PhraseBroken(f"{written!r}: a bracket too many")
        return part

    def _alternatives(
        self, pieces: list[str], place: int, written: str, *, letters: bool
    ) -> tuple[_Part, int]:
        found = []
        while True:
            part, place = self._sequence(pieces, place, written, letters=letters)
            found.append(part)
            if place >= len(pieces) or pieces[place] != "|":
                return _either(found), place
            place += 1

    def _sequence(
        self, pieces: list[str], place: int, written: str, *, letters: bool
    ) -> tuple[_Part, int]:
        parts: list[_Part] = []
        while place < len(pieces) and pieces[place] not in "|)":
            piece = pieces[place]
            place += 1
            if piece == "(":
                part, place = self._alternatives(pieces, place, written, letters=letters)
                if place >= len(pieces):
                    raise PhraseBroken(f"{written!r}: a bracket is not closed")
                place += 1
                parts.append(part)
            elif piece == "?":
                if not parts:
                    raise PhraseBroken(f"{written!r}: nothing stands before the question mark")
                parts.append(_either([parts.pop(), _NOTHING]))
            elif piece.startswith("<"):
                parts.append(self._group(piece[1:-1], written))
            else:
                parts.append(_single(piece, letters=letters))
        return _chain(parts), place

    def _group(self, name: str, written: str) -> _Part:
        if name not in self._known:
            if name not in self._groups:
                raise PhraseBroken(f"{written!r}: there is no group {name}")
            longest = sorted(map(str, self._groups[name]), key=len, reverse=True)
            self._known[name] = _either([self._whole(word) for word in longest])
        return self._known[name]


def keys_in(text: str) -> set[str]:
    """Return every key that a folded text holds."""
    found: set[str] = set()
    for word in set(_WORD.findall(text)):
        found.update((word[:1], word[:2], word[:3], word[:4]))
    if not text.isascii():
        found.update(text)
        found.update([text[place : place + 2] for place in range(len(text) - 1)])
    return found


def _pieces(written: str) -> list[str]:
    found: list[str] = []
    last = 0
    for match in _PIECE.finditer(written):
        if match.start() > last:
            literal = _after_hole(written[last : match.start()], found)
            if match[0] == "?" and len(literal) > 1:  # It makes one character optional.
                found.append(literal[:-1])
                literal = literal[-1]
            found.append(literal)
        if match[0] in _HOLES and found and found[-1].endswith(" "):
            found[-1] = found[-1][:-1]  # The hole may be empty, or begin with the space.
        found.append(match[0])
        last = match.end()
    if last < len(written):
        found.append(_after_hole(written[last:], found))
    return [piece for piece in found if piece]


def _after_hole(literal: str, before: list[str]) -> str:
    """Return a literal without the space that a hole before it may have swallowed."""
    return literal[1:] if before and before[-1] in _HOLES and literal[:1] == " " else literal


@cache
def _single(piece: str, *, letters: bool) -> _Part:
    if piece in _HOLES:
        kind, most = _HOLES[piece][2:] if letters else _HOLES[piece][:2]
        return _Part(f"({kind}{{0,{most}}}?)", None, most + 1)
    if piece == "#":
        return _Part(_NUMBER, None, 4)
    if piece in "^$":
        return _Part(piece, None, 1)
    pattern = piece if piece.isalnum() else _SPACE.join(map(re.escape, piece.split(" ")))
    key = _key(piece)
    keys = frozenset({key}) if key else None
    return _Part(pattern, keys, 1, None, piece.endswith(" "))


def _key(literal: str) -> str:
    """Return the piece of a literal by which a text is asked; empty where it has no word."""
    if not literal.isascii():
        run = max(_NOT_LETTERS.findall(literal), key=len)
        return str(run[:_KEY_CHARACTERS])
    words: list[str] = _WORD.findall(literal)
    return max(words, key=len)[:_KEY_LETTERS] if words else ""


def _either(parts: Sequence[_Part]) -> _Part:
    if len(parts) == 1:
        return parts[0]
    keys = [part.keys for part in parts if part.keys is not None]
    more = [part.more for part in parts if part.more is not None]
    return _Part(
        "(?:" + "|".join([part.pattern for part in parts]) + ")",
        frozenset().union(*keys) if len(keys) == len(parts) else None,
        max(part.ways for part in parts),
        frozenset().union(*more) if len(more) == len(parts) else None,
        any(part.loose for part in parts),
    )


def _chain(parts: Sequence[_Part]) -> _Part:
    if not parts:
        return _NOTHING
    if len(parts) == 1:
        return parts[0]
    pattern, ways = "", 1
    for place, part in enumerate(parts):
        before = parts[place - 1].pattern if place else ""
        after = parts[place + 1].pattern if place + 1 < len(parts) else ""
        lead = _EDGE if _is_hole(before) else ""
        tail = _EDGE if _is_hole(after) else ""
        written = part.pattern
        if place and parts[place - 1].loose and written.startswith(_SPACE):
            written = "[ -]{0,2}" + written.removeprefix(_SPACE)
        pattern += lead + written + tail
        ways *= part.ways
    must = [keys for part in parts for keys in (part.keys, part.more) if keys is not None]
    must.sort(key=_telling, reverse=True)
    best = must[0] if must else None
    return _Part(pattern, best, ways, must[1] if len(must) > 1 else None, parts[-1].loose)


def _is_hole(pattern: str) -> bool:
    return pattern.startswith(("([^", "((?:[^"))


def _telling(keys: frozenset[str]) -> tuple[int, int]:
    """Return how few texts keys let through: long keys let few, and so do few keys."""
    return min(map(len, keys)), -len(keys)


def _edged(part: _Part) -> str:
    return f"{_EDGE}(?:{part.pattern}){_EDGE}"
