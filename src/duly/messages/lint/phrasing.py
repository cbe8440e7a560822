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
from typing import NamedTuple, TypeAlias

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
_KEY_LETTERS, _KEY_CHARACTERS = 8, 2


class PhraseBroken(DulyError):
    """A phrase of the lexicon cannot be read."""


_Must: TypeAlias = tuple[frozenset[str], ...]


class _Part(NamedTuple):
    pattern: str
    must: tuple[frozenset[str], ...]  #: of each, one key stands in every match; most telling first
    ways: int
    loose: bool = False  #: may be empty or end with a space, so that a space after it is no must
    first: str = ""  #: the pattern where a phrase begins: not within a word, and quick to find
    within: tuple[frozenset[str], ...] = ()  #: `must` where the part goes on with a begun word
    #: Whether a word begins after it: always, not always, or (None) just where one begins before.
    parted: bool | None = False
    each: tuple[_Must, ...] = ()  #: `must` of each alternative, where all of it is alternatives


#: No phrase begins or ends within a word of letters, or within a number.
_EDGE = "(?!(?<=[a-z])[a-z]|(?<=[0-9])[0-9])"
_SPACE = "[ -]{1,2}"
#: More sets of keys than these are not asked: each lets fewer texts through than the next.
_MUST_MAX = 6
_NOTHING = _Part("", (), 1, loose=True, first=_EDGE, parted=None)


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """One phrase: its pattern, and the keys of which a text must hold one to be looked at."""

    written: str
    source: str
    keys: frozenset[str]
    more: _Must  #: of each of these a text must hold one as well
    each: tuple[_Must, ...]  #: both of each alternative, the keys first: one must be satisfied

    def may_stand(self, held: Set[str]) -> bool:
        """Return whether a text with these keys can match, where it holds one of `keys`."""
        for keys in self.more:  # noqa: SIM110 - a loop is twice as fast, and this is asked often.
            if keys.isdisjoint(held):
                return False
        return True

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
                if phrase.source in asked or not phrase.may_stand(held):
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
            name: _open(f"(?:{shape})", 4) for name, shape in (shapes or {}).items()
        }

    def phrase(self, written: str) -> Phrase:
        """Return a phrase; refuse (PhraseBroken) one that is empty, open or may run long."""
        part = self._whole(written)
        if not part.must:
            raise PhraseBroken(f"{written!r}: no word that must stand in a text")
        if part.ways > WAYS_MAX:
            raise PhraseBroken(f"{written!r}: {part.ways} ways to match")
        return _phrase(written, part)

    def any_of(self, several: Iterable[str]) -> AnyOf:
        """Return phrases of which one is enough, each asked only where its key is held."""
        by_key: dict[str, list[Phrase]] = {}
        keyless: list[str] = []
        for one in several:
            part = self._whole(one)
            if not part.must:
                keyless.append(_edged(part))
                continue
            phrase = _phrase(one, part)
            for key in phrase.keys:
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
        found.update([word[:at] for at in range(1, min(len(word), _KEY_LETTERS) + 1)])
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
        return _open(f"({kind}{{0,{most}}}?)", most + 1)._replace(parted=True)
    if piece == "#":
        return _open(_NUMBER, 4)
    if piece in "^$":
        return _open(piece, 1)._replace(parted=True)
    begun, *words = piece.split(" ")
    must = _keys(piece)
    return _Part(
        _SPACE.join(map(re.escape, [begun, *words])),
        _telling(must),
        1,
        piece.endswith(" "),
        _SPACE.join([_begun(begun), *map(re.escape, words)]),
        _telling(must[1:] if begun and piece.isascii() and piece[0].isalnum() else must),
        not (piece[-1].isascii() and piece[-1].isalnum()),
    )


def _open(pattern: str, ways: int) -> _Part:
    """Return a part of which no word need stand in a text."""
    return _Part(pattern, (), ways, first=_EDGE + pattern)


def _begun(word: str) -> str:
    """Return the pattern of a word that does not begin within another.

    The word comes first, so that it is found as plain characters are, then the look back.
    """
    escaped = re.escape(word)
    if not word or not word[0].isascii():
        return escaped if word else _EDGE
    kind = "[a-z]" if word[0].isalpha() else "[0-9]"
    return f"{escaped}(?<!{kind}{escaped})" if word[0].isalnum() else escaped


def _keys(literal: str) -> list[frozenset[str]]:
    """Return the pieces of a literal by which a text is asked; none where it has no word."""
    if literal.isascii():
        return [frozenset({word[:_KEY_LETTERS]}) for word in _WORD.findall(literal)]
    found: list[str] = []
    for run in _NOT_LETTERS.findall(literal):
        pairs = [run[at : at + _KEY_CHARACTERS] for at in range(0, len(run), _KEY_CHARACTERS)]
        found += pairs if len(run) < _KEY_CHARACTERS else [*pairs[:-1], run[-_KEY_CHARACTERS:]]
    return [frozenset({key}) for key in found]


def _either(parts: Sequence[_Part]) -> _Part:
    if len(parts) == 1:
        return parts[0]
    pattern = "(?:" + "|".join([part.pattern for part in parts]) + ")"
    first = "(?:" + "|".join([part.first for part in parts]) + ")"
    parted = {part.parted for part in parts}
    return _Part(
        pattern,
        _each([part.must for part in parts]),
        max(part.ways for part in parts),
        any(part.loose for part in parts),
        _EDGE + pattern if any(part.first.startswith(_EDGE) for part in parts) else first,
        _each([part.within for part in parts]),
        False if False in parted else None if None in parted else True,
        tuple(one for part in parts for one in part.each or (part.must,)),
    )


def _each(several: Sequence[tuple[frozenset[str], ...]]) -> tuple[frozenset[str], ...]:
    """Return one key of the best set of each alternative, of the next best of each, and so on."""
    depth = min(map(len, several))
    return _telling([frozenset().union(*(must[at] for must in several)) for at in range(depth)])


def _chain(parts: Sequence[_Part]) -> _Part:
    if not parts:
        return _NOTHING
    if len(parts) == 1:
        return parts[0]
    pattern, first, ways = "", "", 1
    must, within = list[frozenset[str]](), list[frozenset[str]]()
    parted: bool | None = None
    for place, part in enumerate(parts):
        before = parts[place - 1].pattern if place else ""
        after = parts[place + 1].pattern if place + 1 < len(parts) else ""
        lead = _EDGE if _is_hole(before) else ""
        tail = _EDGE if _is_hole(after) else ""
        written = part.pattern
        if place and parts[place - 1].loose and written.startswith(_SPACE):
            written = "[ -]{0,2}" + written.removeprefix(_SPACE)
        pattern += lead + written + tail
        first += (lead + written if place else part.first) + tail
        ways *= part.ways
        must += part.within if parted is False else part.must
        within += part.must if parted else part.within
        parted = parted if part.parted is None else part.parted
    if parts[0].loose:
        first = _EDGE + pattern
    return _Part(pattern, _telling(must), ways, parts[-1].loose, first, _telling(within), parted)


def _is_hole(pattern: str) -> bool:
    return pattern.startswith(("([^", "((?:[^"))


def _telling(must: Iterable[frozenset[str]]) -> tuple[frozenset[str], ...]:
    """Return sets of keys, first those that let few texts through: long keys, and few of them."""
    several = sorted(
        dict.fromkeys(must), key=lambda keys: (min(map(len, keys)), -len(keys)), reverse=True
    )
    return tuple(several[:_MUST_MAX])


def _phrase(written: str, part: _Part) -> Phrase:
    each = tuple(dict.fromkeys(part.each)) or (part.must,)
    return Phrase(
        written=written, source=_edged(part), keys=part.must[0], more=part.must[1:], each=each
    )


def _edged(part: _Part) -> str:
    return f"(?:{part.first}){_EDGE}"
