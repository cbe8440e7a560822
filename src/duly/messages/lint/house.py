"""What we never say ourselves: the own list of the house, and the lint above it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

from duly.core import digest
from duly.messages.lint.files import data
from duly.messages.lint.linting import lint
from duly.messages.lint.model import MISSING, Message
from duly.spelling import folded

_NEGATION_REACH = 12
_DIGEST_CHARACTERS = 16
_SENTENCE = re.compile(r"[。；.;\n]")


def unsaid(text: str, locale: str) -> tuple[str, ...]:
    """Return the words of a text of ours that the house list forbids, as `CATEGORY:words`."""
    if locale == "zh-TW":  # The list is written in simplified characters.
        text, locale = folded(text), "zh-CN"
    negation, categories = _house(locale)
    found: list[str] = []
    for name, pattern in categories:
        for hit in pattern.finditer(text):
            reach = _NEGATION_REACH if locale == "zh-CN" else 3 * _NEGATION_REACH
            before = _SENTENCE.split(text[max(0, hit.start() - reach) : hit.start()])[-1]
            if name == "MANNERS" or not negation.search(before):
                found.append(f"{name}:{hit.group()}")
    return tuple(found)


def broken(
    text: str,
    stage: str = "",
    names: tuple[str, ...] = (),
    *,
    filed: bool = False,
    neutral: str | None = None,
) -> tuple[str, ...]:
    """Return the labels of content that a text of ours earns, as `label:words`.

    `names` may sign it; `filed` says that no such text is written without a case that was filed.
    What a text lacks is asked elsewhere, more strictly.

    `neutral` is the text without the lender's own words. One that was linted when the lexicon was
    last changed is not linted again: its digest is kept (`approved.txt`). A plan is no slower.
    """
    if neutral is not None and digest_of(neutral, stage) in _approved():
        return ()
    facts: Mapping[str, object] = {"lender": list(names), "filed": filed}
    found = lint(Message(text=text, stage=stage, facts=facts))
    return tuple(f"{one.label}:{one.words}" for one in found if one.label not in MISSING)


def digest_of(neutral: str, stage: str) -> str:
    """Return the fingerprint of a text in its stage."""
    return digest.of_value([stage, neutral])[:_DIGEST_CHARACTERS]


@cache
def fingerprint() -> str:
    """Return the fingerprint of everything that decides what the lint finds in a text."""
    here = resources.files("duly.messages.lint")
    files = [*here.joinpath("lexicon").iterdir(), *here.iterdir()]
    read = {one.name: digest.of_bytes(one.read_bytes())
            for one in files if one.name.endswith((".yaml", ".py"))}  # fmt: skip
    return digest.of_value(read)


@cache
def _approved() -> frozenset[str]:
    """Return the digests that were approved with this very lexicon; none with another."""
    kept = resources.files("duly.messages.lint").joinpath("approved.txt").read_text("utf-8").split()
    return frozenset(kept[1:]) if kept and kept[0] == fingerprint() else frozenset()


@cache
def _house(locale: str) -> tuple[re.Pattern[str], tuple[tuple[str, re.Pattern[str]], ...]]:
    words = data("lexicon", "house.yaml")
    edge = "" if locale == "zh-CN" else r"\b"

    def compiled(several: list[str]) -> re.Pattern[str]:
        return re.compile(f"{edge}(?:{'|'.join(several)}){edge}", re.IGNORECASE)

    return compiled(words["negations"][locale]), tuple(
        (name, compiled(one[locale])) for name, one in words["categories"].items()
    )
