"""The words of a template with their holes: read token by token, each mistake at its place.

A body is text with `{{ variable }}`, `{% if question %}` … `{% else %}` … `{% endif %}`,
`[[phrase]]` and one `{code}`. It has no other syntax: no loop, no filter, no expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from duly.conditions import nearest
from duly.messages.code import HOLE
from duly.messages.front import Notes
from duly.messages.variables import FACT_FLAGS, LENDER_FLAGS, VARIABLES

FLAGS = (*FACT_FLAGS, *LENDER_FLAGS)
BODY_CHARACTERS_MAX = 4_000

_TOKEN = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\[\[.*?\]\]|" + re.escape(HOLE))
_VARIABLE = re.compile(r"\{\{ *([A-Za-z0-9_]+) *\}\}")
_TAG = re.compile(r"\{% *(?:(if|elif) +(?:not +)?([A-Za-z0-9_]+)|(else)|(endif)) *%\}")
_PHRASE = re.compile(r"\[\[ *([A-Za-z0-9_]+) *\]\]")
_LOOSE = re.compile(r"[{}]|\[\[|\]\]")
_LETTER = re.compile(r"\w")


@dataclass(frozen=True, kw_only=True)
class Named:
    """What a body names."""

    variables: frozenset[str]
    flags: frozenset[str]


def read_body(
    text: str, notes: Notes, phrases: Mapping[str, str] | None, *, first_line: int
) -> Named:
    """Return what a body names; note every mistake at its line and column.

    `phrases` None means that no phrase may stand in it. `first_line` is the body's own in the file.
    """
    if len(text) > BODY_CHARACTERS_MAX:
        notes.wrong((first_line, 1), "too_long", count=len(text), most=BODY_CHARACTERS_MAX)
        return Named(variables=frozenset(), flags=frozenset())
    variables: set[str] = set()
    flags: set[str] = set()
    opened: list[tuple[int, int]] = []
    before = ""
    for token, place, gap in _tokens(text, first_line):
        for loose, at in _loose(gap, place[1] - len(gap), place[0]):
            notes.wrong(at, "unbalanced", value=loose)
        if not token:
            before = ""
            continue
        if token.startswith("{{"):
            if before.startswith("{{") and not gap:
                notes.wrong(place, "adjacent", value=f"{before}{token}")
            variables |= _variable(token, place, notes)
        elif token.startswith("{%"):
            flags |= _tag(token, place, notes, opened)
        elif token.startswith("[["):
            _phrase(token, place, notes, phrases)
        before = token
    for place in opened:
        notes.wrong(place, "unclosed_if")
    if not _LETTER.search(_TOKEN.sub("", text)) and not _PHRASE.search(text):
        notes.wrong((first_line, 1), "no_words")
    return Named(variables=frozenset(variables), flags=frozenset(flags))


def _tokens(text: str, first_line: int) -> Iterator[tuple[str, tuple[int, int], str]]:
    """Give each token with its place and the words before it; an empty one at each line's end."""
    for number, line in enumerate(text.split("\n"), start=first_line):
        done = 0
        for hit in _TOKEN.finditer(line):
            yield hit[0], (number, hit.start() + 1), line[done : hit.start()]
            done = hit.end()
        yield "", (number, len(line) + 1), line[done:]


def _loose(gap: str, column: int, line: int) -> Iterator[tuple[str, tuple[int, int]]]:
    for hit in _LOOSE.finditer(gap):
        yield hit[0], (line, column + hit.start())


def _variable(token: str, place: tuple[int, int], notes: Notes) -> set[str]:
    hit = _VARIABLE.fullmatch(token)
    if hit is None:
        notes.wrong(place, "bad_tag", value=token)
        return set()
    if hit[1] not in VARIABLES:
        near = nearest(hit[1], tuple(VARIABLES))
        notes.wrong(place, "unknown", what="variable", value=hit[1], near=near)
        return set()
    return {hit[1]}


def _tag(
    token: str, place: tuple[int, int], notes: Notes, opened: list[tuple[int, int]]
) -> set[str]:
    hit = _TAG.fullmatch(token)
    if hit is None:
        notes.wrong(place, "bad_tag", value=token)
        return set()
    if hit[1] == "if":
        opened.append(place)
    elif not opened:
        notes.wrong(place, "no_if", value=token)
    elif hit[4]:
        opened.pop()
    if hit[2] and hit[2] not in FLAGS:
        near = nearest(hit[2], FLAGS)
        notes.wrong(place, "unknown", what="question", value=hit[2], near=near)
        return set()
    return {hit[2]} if hit[2] else set()


def _phrase(
    token: str, place: tuple[int, int], notes: Notes, phrases: Mapping[str, str] | None
) -> None:
    hit = _PHRASE.fullmatch(token)
    if hit is None:
        notes.wrong(place, "bad_tag", value=token)
    elif phrases is None:
        notes.wrong(place, "no_phrases", value=hit[1])
    elif hit[1] not in phrases:
        near = nearest(hit[1], tuple(phrases))
        notes.wrong(place, "unknown", what="phrase", value=hit[1], near=near)


def expanded(text: str, phrases: Mapping[str, str]) -> str:
    """Return a body with its phrases in place; one of a single line loses its line end."""

    def words(hit: re.Match[str]) -> str:
        found = phrases.get(hit[1], "")
        return found.rstrip("\n") if "\n" not in found[:-1] else found

    return _PHRASE.sub(words, text)


def joined(text: str, *, channel: str, gap: str) -> str:
    """Return the words of a text message on one line; an e-mail keeps its lines."""
    if channel == "email":
        return text
    return gap.join(line.strip() for line in text.splitlines())
