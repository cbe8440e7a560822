"""What a text of each stage must and may never say: the two tables, read once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

import yaml

CLASSES = ("dunning", "statutory", "receipt", "answer", "correction")

MONEY = re.compile(
    r"(?:(?:人民幣)?[0-9][0-9,]*(?:\.[0-9]+)?元|(?:NT|HK)\$[0-9][0-9,]*(?:\.[0-9]+)?"
    r"|[A-Z]{3} [0-9][0-9,]*(?:\.[0-9]+)?)"
)
_ZH_DATE = r"(?:[0-9]{4}年)?[0-9]{1,2}月[0-9]{1,2}日"
_EN_DATE = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{1,2}(?:, [0-9]{4})?"
_DATES = {"zh-CN": _ZH_DATE, "zh-TW": _ZH_DATE, "en": _EN_DATE}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage: its class, elements it must hold, kinds it never holds, facts it needs."""

    message_class: str
    like: str  #: the nearest stage of the labelling guide
    must: tuple[str, ...]
    never: tuple[str, ...]
    facts: tuple[str, ...]


def _table(name: str) -> dict[str, Any]:
    text = resources.files("duly.messages").joinpath(name).read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return found


def _stages() -> Mapping[str, Stage]:
    return MappingProxyType(
        {
            name: Stage(
                message_class=row["class"],
                like=row["like"],
                must=tuple(row["must"]),
                never=tuple(row["never"]),
                facts=tuple(row["facts"]),
            )
            for name, row in _table("stages.yaml").items()
        }
    )


STAGES = _stages()
#: Stages whose texts name no debt at all.
NO_DEBT = frozenset(name for name, stage in STAGES.items() if "debt" in stage.never)
#: Stages whose texts ask for an overdue amount: none goes out inside the grace.
DEMANDING = frozenset(
    name
    for name, stage in STAGES.items()
    if stage.message_class == "dunning" and "overdue_total" in stage.facts
) | {"legal"}


def stage_facts(stage: str) -> tuple[str, ...]:
    """Return the facts without which no text of a stage is written."""
    return STAGES[stage].facts


_KNOWN = _table("elements.yaml")
#: Every element with the rules that ask for it.
ELEMENTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {name: tuple(row["rules"]) for name, row in _KNOWN["must"].items()}
)
KINDS: tuple[str, ...] = tuple(_KNOWN["never"])
#: Words of the lexicon that a stage may say, simplified and English.
LAWFUL: Mapping[str, frozenset[str]] = MappingProxyType(
    {stage: frozenset(words) for stage, words in _KNOWN["lawful"].items()}
)
#: Elements that only the form of a text shows.
BY_FORM = frozenset({"identity", "code"})


@cache
def pattern(locale: str, name: str) -> re.Pattern[str]:
    """Return how an element, a kind or a saying is known in a locale of messages."""
    row = next(part[name] for part in _parts() if name in part and locale in part[name])
    text = row[locale].replace("{MONEY}", MONEY.pattern).replace("{DATE}", _DATES[locale])
    return re.compile(text)


def _parts() -> tuple[Mapping[str, Mapping[str, str]], ...]:
    return _KNOWN["must"], _KNOWN["never"], _KNOWN["said"]
