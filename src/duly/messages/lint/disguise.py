"""Which word was meant? Letters for characters, like sounds, digits for letters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from duly.messages.lint.files import data
from duly.messages.lint.model import CONTENT
from duly.messages.lint.sounding import Change, joins, sounded
from duly.spelling import Traced, rewritten

_HAN = "\u4e00-\u9fff"
_IS_HAN = re.compile(rf"[{_HAN}]")
_MIXED = re.compile(rf"[{_HAN}] ?[a-z]{{1,6}}|[a-z]{{1,6}} ?[{_HAN}]")
_RUN = re.compile(
    rf"(?<=[{_HAN}])[a-z]{{1,6}}(?![a-z0-9@.])|(?<![a-z0-9@.])[a-z]{{1,6}}(?=[{_HAN}])"
    rf"|(?<=[{_HAN}] )[a-z]{{2,6}}(?![a-z0-9@.])|(?<![a-z0-9@.])[a-z]{{2,6}}(?= [{_HAN}])"
)
#: A letter that stands alone beside a space begins no word of ours: 回复 D 结清.
_LONE = re.compile(r"(?<![a-z])[a-z](?![a-z])")
#: Letters that stand beside characters in ordinary texts.
_COMMON = frozenset(
    "app t td r n y q qq vip stop sms atm gps id k h s a b c d hr ok pos ic www".split()
)
_REACH = 4
_LETTER_RUN = re.compile(
    r"(?<![a-z0-9./@:])[a-z]{1,30}(?: [a-z]{1,30}){0,60}(?![a-z0-9/@]|[.][a-z0-9])"
)
_SYLLABLES_MAX = 6
_SPELT_MIN = 4  #: letters; shorter ones are words of too many languages
_ENGLISH = frozenset({"like", "women"})  #: spell 立刻 and 我们, but not alone among others
_ALONE = re.compile(r"(?<![a-z0-9])(?:[a-z] {1,3}){3,400}[a-z](?![a-z0-9])")
_ALONE_MIN = 4  #: letters of at least one word: more than one spells by accident
_WORD_MOST = 14
#: What English writers of short texts write for you and your.
_SHORT = re.compile(r"(?<![\w.'/@-])(ur|u)(?![\w.'/@&-])")
_SHORT_FOR = {"ur": "your", "u": "you"}
_LETTERS = str.maketrans("0134579@$!|+€", "oieastgasiltc")
_TOKEN = re.compile(r"(?<![\w@$!|*.])[a-z0-9@$!|*]{3,16}(?![\w@$*])")
_ODD = re.compile(r"[0-9@$!|*]")
_SPACED = re.compile(r"(?<![a-z0-9])(?:[a-z0-9@$]([ .\-_*~·]{1,2})){3,12}[a-z0-9@$](?![a-z0-9])")
_NOT_LETTER = re.compile(r"[^a-z0-9@$]")


@dataclass(frozen=True, kw_only=True)
class _Disguises:
    words: re.Pattern[str]
    meant: Mapping[str, str]
    mixed: re.Pattern[str]
    terms: Sequence[str]
    spelt: Mapping[str, str]
    begun: frozenset[str]  #: what spells a term or, in whole syllables, the beginning of one
    small: Mapping[str, str]  #: single syllables that count beside a term alone
    english: frozenset[str]


def restored(source: Traced) -> Traced:
    """Return the text with disguised words written as they are meant, traced to the original."""
    known = _disguises()
    changes = list(_worded(source.text, known))
    if changes:
        source = rewritten(source, changes)
    text = source.text
    if _IS_HAN.search(text) is None:  # A pound sign makes no text Chinese.
        return rewritten(
            source,
            _apart(
                [
                    *_leet(text, known),
                    *_parted(text),
                    *_spaced(text, known),
                    *_pinyin(text, known),
                    *_short(text),
                ]
            ),
        )
    found = [*sounded(text), *_leet(text, known)]
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
            if len(run[0]) == 1:
                yield from _lettered(text, run.start(), known)
            continue
        low, high = max(0, run.start() - _REACH), run.end() + _REACH
        for start, end, term in _mixed_within(text, low, high, known):
            if start < run.end() and end > run.start():
                yield start, end, term


def _lettered(text: str, place: int, known: _Disguises) -> Iterator[Change]:
    """Give the term that one common letter begins: 全部d结, but not 回复D结清."""
    for start, end, term in _mixed_within(text, place, min(len(text), place + _REACH), known):
        after = text[end : end + 1]
        if start == place and not (after and joins(text[end - 1], after)):
            yield start, end, term


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
        if " " in written and _LONE.search(written):
            continue
        yield start, end, known.terms[int(found.lastgroup[1:]) if found.lastgroup else 0]


def _pinyin(text: str, known: _Disguises) -> Iterator[Change]:
    """Give the terms that are spelt in letters, with the small words spelt between them."""
    for run in _LETTER_RUN.finditer(text):
        words = [(run.start() + one.start(), one[0]) for one in re.finditer("[a-z]+", run[0])]
        if not any(word in known.begun for _, word in words):
            continue
        meant = list(_spelt(words, known))
        if not any(len(term) > 1 and text[start:end] not in _ENGLISH for start, end, term in meant):
            continue
        yield from _beside_characters(list(_joined(meant, text)), text)


def _beside_characters(meant: Sequence[Change], text: str) -> Iterator[Change]:
    """Give the changes, and take out a space between them and a character: zui hou 机会."""
    if meant:
        start, end = meant[0][0], meant[-1][1]
        if start > 1 and text[start - 1] == " " and _IS_HAN.match(text, start - 2):
            yield start - 1, start, ""
        yield from meant
        if text[end : end + 1] == " " and _IS_HAN.match(text, end + 1):
            yield end, end + 1, ""


def _spelt(words: Sequence[tuple[int, str]], known: _Disguises) -> Iterator[Change]:
    """Give the longest terms that words spell from each place on, small words one by one."""
    place = 0
    while place < len(words):
        joined, best = "", None
        for last in range(place, min(place + _SYLLABLES_MAX, len(words))):
            joined += words[last][1]
            if joined not in known.begun:
                break
            term = known.spelt.get(joined) if len(joined) >= _SPELT_MIN else None
            if term is not None:
                best = last, term
        start, word = words[place]
        if best is not None:
            end, written = words[best[0]]
            yield start, end + len(written), best[1]
            place = best[0] + 1
            continue
        if word in known.small:
            yield start, start + len(word), known.small[word]
        place += 1


def _joined(meant: Sequence[Change], text: str) -> Iterator[Change]:
    """Give the terms, and small words only beside them; no space is left between neighbors."""
    group: list[Change] = []
    for change in meant:
        if group and text[group[-1][1] : change[0]] != " ":
            yield from _without_spaces(group)
            group = []
        group.append(change)
    yield from _without_spaces(group)


def _without_spaces(group: Sequence[Change]) -> Iterator[Change]:
    if any(len(term) > 1 for _, _, term in group):
        yield group[0]
        for change in group[1:]:
            yield change[0] - 1, change[0], ""
            yield change


def _leet(text: str, known: _Disguises) -> Iterator[Change]:
    for found in _TOKEN.finditer(text):
        written = found[0]
        if not _ODD.search(written) or not any("a" <= char <= "z" for char in written):
            continue
        plain = written.rstrip("!").translate(_LETTERS)
        other = written.replace("1", "l").rstrip("!").translate(_LETTERS)
        if plain not in known.english and other in _vocabulary():
            plain = other
        if plain in known.english or (plain == other and len(plain) > 3 and plain in _vocabulary()):
            yield found.start(), found.start() + len(written.rstrip("!")), plain
        elif "*" in written:
            shape = re.compile(re.escape(plain).replace(r"\*", "[a-z]"))
            meant = [word for word in known.english if shape.fullmatch(word)]
            if len(meant) == 1 and plain.count("*") <= 2:
                yield found.start(), found.end(), meant[0]


def _parted(text: str) -> Iterator[Change]:
    """Give the words of a sentence of which each letter stands alone: w e w i l l c a l l."""
    for found in _ALONE.finditer(text):
        words = _segmented(found[0].replace(" ", ""))
        if any(len(word) >= _ALONE_MIN for word in words):
            yield found.start(), found.end(), " ".join(words)


def _segmented(letters: str) -> tuple[str, ...]:
    """Return letters as words of the lexicon, as few as can be; nothing where they are none."""
    ends: dict[int, tuple[str, ...]] = {0: ()}
    for start in range(len(letters)):
        for stop in range(start + 1, min(len(letters), start + _WORD_MOST) + 1):
            word = letters[start:stop]
            if start in ends and word in _vocabulary():
                known = (*ends[start], word)
                if stop not in ends or len(known) < len(ends[stop]):
                    ends[stop] = known
    return ends.get(len(letters), ())


@cache
def _vocabulary() -> frozenset[str]:
    """Return the English words that the lexicon speaks of."""
    texts = [data("lexicon", f"{label}.yaml") for label in CONTENT]
    texts.append(data("lexicon", "words.yaml"))
    words = {word for text in texts for word in re.findall("[a-z]{2,}", str(text))}
    return frozenset({*words, *_disguises().english, "a", "i", "you", "your", "we"})


def _short(text: str) -> Iterator[Change]:
    for found in _SHORT.finditer(text):
        yield found.start(), found.end(), _SHORT_FOR[found[0]]


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


def _begun(spelt: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for syllables in spelt.values():
        for count in range(1, len(syllables) + 1):
            yield "".join(syllables[:count])


@cache
def _disguises() -> _Disguises:
    found = data("disguises.yaml")
    meant = {
        written.casefold(): term for term, several in found["words"].items() for written in several
    }
    longest = sorted(meant, key=len, reverse=True)
    terms = {term: written.split() for term, written in found["terms"].items()}
    long = sorted(terms, key=len, reverse=True)
    several = [term for term in long if len(term) > 1]
    parts = [
        f"(?P<t{place}>" + " ?".join(
            f"(?:{char}|{spelt}|{spelt[:2] if spelt[1:2] == 'h' else spelt[0]}|{spelt[0]})"
            for char, spelt in zip(term, terms[term], strict=True)
        ) + ")"
        for place, term in enumerate(several)
    ]  # fmt: skip
    several_spelt = {term: terms[term] for term in several}
    several_spelt |= {term: written.split() for term, written in found["spelt"].items()}
    spelt = {"".join(syllables): term for term, syllables in several_spelt.items()}
    return _Disguises(
        words=re.compile("|".join(map(re.escape, longest))),
        meant=meant,
        mixed=re.compile("|".join(parts)),
        terms=several,
        spelt=spelt,
        begun=frozenset(_begun(several_spelt)),
        small=dict(found["small"]),
        english=frozenset(found["english"]),
    )
