"""Which acts do the words of a reply speak of? Patterns in two catalogues, each with a strength."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

import yaml

from duly.replies.respelling import HAN

Strength = Literal["sure", "likely"]
_NAME = re.compile(r"<(\w+)>")
_SOURCES = ("cues", "danger")
_LATIN = re.compile(r"[a-z]")
#: Acts of which each sign counts: how somebody died hides not what the writer says of himself.
_EACH = ("self_harm", "severe_illness", "destitution")
#: Words that only look like what must never be missed; they are hidden from these acts.
HARMLESS = "harmless"
#: Words that name an act to say that it is not meant; they are hidden from that act.
_UNMEANT = "unmeant"
#: Acts of the rules that belong to one that may be unmeant.
_OF_AN_ACT = {"demand": "complaint"}
_BLIND_TO_HARMLESS = (
    *_EACH, "deceased_or_incapacity", "legal_representation", "dispute_identity", "opt_out",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Cue:
    """One act that a text speaks of: its name, how surely, and the words."""

    act: str
    strength: Strength
    start: int
    end: int
    words: str


@dataclass(frozen=True, kw_only=True)
class _Pattern:
    act: str
    strength: Strength
    pattern: re.Pattern[str]


def without_harmless(text: str) -> str:
    """Return a respelled text in which what only looks dangerous is blank, as long as before."""
    for language in _languages(text):
        for one in _catalogue(language):
            if one.act == HARMLESS:
                text = one.pattern.sub(_blank, text)
    return text


def unmeant(text: str) -> tuple[str, ...]:
    """Return the acts that a respelled text names only to say that it does not mean them.

    >>> unmeant("我没请律师,只是问问"), unmeant("我已经请律师了")
    (('legal_representation',), ())
    """
    named = _unmeant_in(text)
    return tuple(sorted(set(named) - {one.act for one in cues(text) if one.strength == "sure"}))


def _unmeant_in(text: str) -> Mapping[str, tuple[re.Pattern[str], ...]]:
    """Return by act the patterns that find it unmeant in a text."""
    found: dict[str, tuple[re.Pattern[str], ...]] = {}
    for language in _languages(text):
        for act, pattern in _unmeant(language).items():
            if pattern.search(text):
                found[act] = (*found.get(act, ()), pattern)
    return found


def _blank(match: re.Match[str]) -> str:
    return "_" * len(match[0])


def cues(text: str) -> tuple[Cue, ...]:
    """Return the cues of a respelled text: one for an act and a strength, each sign of danger."""
    found = []
    hidden, unmeant = without_harmless(text), _unmeant_in(text)
    for catalogue in (_catalogue(language) for language in _languages(text)):
        for one in catalogue:
            shown = hidden if one.act in _BLIND_TO_HARMLESS else text
            for pattern in unmeant.get(_OF_AN_ACT.get(one.act, one.act), ()):
                shown = pattern.sub(_blank, shown)
            for match in _matches(one, shown):
                found.append(Cue(act=one.act, strength=one.strength, start=match.start(),
                                 end=match.end(), words=match[0].strip(" ,.!?")))  # fmt: skip
    return tuple(found)


def _matches(one: _Pattern, text: str) -> list[re.Match[str]]:
    if one.act in _EACH:
        return list(one.pattern.finditer(text))
    match = one.pattern.search(text)
    return [] if match is None else [match]


def _languages(text: str) -> tuple[str, ...]:
    if not _LATIN.search(text):
        return ("zh",)
    return ("zh", "en") if HAN.search(text) or len(text) <= 3 else ("en",)


def word(language: str, name: str) -> str:
    """Return the pattern that a word of a catalogue stands for."""
    return _spelled(f"<{name}>", _words(language))


@cache
def _catalogue(language: str) -> tuple[_Pattern, ...]:
    words = _words(language)
    return tuple(
        _Pattern(act=act, strength=strength, pattern=_any_of(patterns, words))
        for name in _SOURCES
        for act, strengths in _loaded(f"{name}.{language}.yaml").items()
        if act not in ("words", _UNMEANT)
        for strength, patterns in strengths.items()
    )


@cache
def _unmeant(language: str) -> Mapping[str, re.Pattern[str]]:
    acts = _loaded(f"danger.{language}.yaml")[_UNMEANT]
    return {act: _any_of(patterns, _words(language)) for act, patterns in acts.items()}


def _any_of(patterns: Sequence[str], words: Mapping[str, str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{_spelled(one, words)})" for one in patterns))


@cache
def _words(language: str) -> Mapping[str, str]:
    words: dict[str, str] = {}
    for name in _SOURCES:
        words |= _loaded(f"{name}.{language}.yaml")["words"]
    return words


def _spelled(pattern: str, words: Mapping[str, str]) -> str:
    for _ in range(3):  # A word may stand in the alternatives of another.
        pattern = _NAME.sub(lambda name: words[name[1]], pattern)
    return pattern


@cache
def _loaded(name: str) -> dict[str, Any]:
    source = resources.files("duly.replies").joinpath(name)
    loaded: dict[str, Any] = yaml.load(source.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return loaded
