"""Which acts do the words of a reply speak of? Patterns in two catalogues, each with a strength."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

import yaml

from duly.replies.respelling import HAN

Strength = Literal["sure", "likely"]
_NAME = re.compile(r"<(\w+)>")
_LATIN = re.compile(r"[a-z]")
#: Acts of which each sign counts: how somebody died hides not what the writer says of himself.
_EACH = ("self_harm", "severe_illness", "destitution")
#: Words that only look like what must never be missed; they are hidden from these acts.
HARMLESS = "harmless"
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
                text = one.pattern.sub(lambda match: "_" * len(match[0]), text)
    return text


def cues(text: str) -> tuple[Cue, ...]:
    """Return the cues of a respelled text: one for an act and a strength, each sign of danger."""
    found = []
    hidden = without_harmless(text)
    for catalogue in (_catalogue(language) for language in _languages(text)):
        for one in catalogue:
            for match in _matches(one, hidden if one.act in _BLIND_TO_HARMLESS else text):
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


@cache
def _catalogue(language: str) -> tuple[_Pattern, ...]:
    loaded = [_loaded(f"{name}.{language}.yaml") for name in ("cues", "danger")]
    words: dict[str, str] = {}
    for source in loaded:
        words |= source.pop("words")

    def spelled(pattern: str) -> str:
        for _ in range(3):  # A word may stand in the alternatives of another.
            pattern = _NAME.sub(lambda name: words[name[1]], pattern)
        return pattern

    return tuple(
        _Pattern(act=act, strength=strength,
                 pattern=re.compile("|".join(f"(?:{spelled(one)})" for one in patterns)))
        for source in loaded
        for act, strengths in source.items()
        for strength, patterns in strengths.items()
    )  # fmt: skip


def _loaded(name: str) -> dict[str, Any]:
    source = resources.files("duly.replies").joinpath(name)
    loaded: dict[str, Any] = yaml.load(source.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return loaded
