"""Words that people read, from catalogues in zh-CN and en (`core/words/AREA.LOCALE.toml`)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

LOCALES = ("zh-CN", "en")
#: `{rows}` is a value; `{rows|row|rows}` the word for one, or for any other number of them.
_HOLE = re.compile(r"\{(\w+)(?:\|([^|{}]*)\|([^|{}]*))?\}")


class UnknownWords(KeyError):
    """The catalogue has no such entry."""


@cache
def catalogue(area: str, locale: str) -> dict[str, str]:
    """Return the entries of one area in one locale, keyed by dotted name."""
    source = resources.files("duly.core").joinpath("words", f"{area}.{locale}.toml")
    return dict(_flat("", tomllib.loads(source.read_text(encoding="utf-8"))))


def _flat(prefix: str, table: dict[str, object]) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            rows.extend(_flat(f"{prefix}{key}.", value))
        else:
            rows.append((prefix + key, str(value)))
    return rows


def known_locale(wanted: str) -> str:
    """Return the catalogue locale that serves `wanted` (a BCP 47 or POSIX name): zh-CN or en."""
    return "zh-CN" if wanted.replace("_", "-").lower().startswith("zh") else "en"


def say(area: str, key: str, locale: str, /, **values: object) -> str:
    """Return one sentence, its holes filled; refuse (UnknownWords) a key the catalogue lacks."""
    entries = catalogue(area, known_locale(locale))
    if key not in entries:
        raise UnknownWords(f"{area}.{key} ({locale})")
    return _HOLE.sub(lambda hole: _filled(hole, values), entries[key])


def _filled(hole: re.Match[str], values: Mapping[str, object]) -> str:
    if hole[2] is not None:
        return hole[2] if str(values.get(hole[1])) == "1" else hole[3]
    return str(values.get(hole[1], hole[0]))
