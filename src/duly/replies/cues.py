"""Which acts do the words of a reply speak of? Patterns in two catalogues, each with a strength."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

import yaml

Strength = Literal["sure", "likely"]
_NAME = re.compile(r"<(\w+)>")
_HAN = re.compile(r"[㐀-鿿]")
_LATIN = re.compile(r"[a-z]")
#: Acts of which each sign counts: how somebody died hides not what the writer says of himself.
_EACH = ("self_harm", "severe_illness")


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


def cues(text: str) -> tuple[Cue, ...]:
    """Return the cues of a respelled text: one for an act and a strength, each sign of danger."""
    found = []
    for language in _languages(text):
        for one in _catalogue(language):
            for match in _matches(one, text):
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
    return ("zh", "en") if _HAN.search(text) or len(text) <= 3 else ("en",)


@cache
def _catalogue(language: str) -> tuple[_Pattern, ...]:
    source = resources.files("duly.replies").joinpath(f"cues.{language}.yaml")
    loaded: dict[str, Any] = yaml.load(source.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    words: dict[str, str] = loaded.pop("words")

    def spelled(pattern: str) -> str:
        for _ in range(2):  # A word may stand in the alternatives of another.
            pattern = _NAME.sub(lambda name: words[name[1]], pattern)
        return pattern

    return tuple(
        _Pattern(act=act, strength=strength,
                 pattern=re.compile("|".join(f"(?:{spelled(one)})" for one in patterns)))
        for act, strengths in loaded.items()
        for strength, patterns in strengths.items()
    )  # fmt: skip
