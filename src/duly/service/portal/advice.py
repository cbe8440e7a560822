"""Where free help is: offices and charities by rule pack, each with its source."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from duly.core.words import LOCALES


@dataclass(frozen=True, kw_only=True)
class Helper:
    """Somebody who helps for nothing, in the words of one language."""

    name: str
    help: str
    phone: str
    source: str

    @property
    def dials(self) -> str:
        """Return the number as a phone takes it."""
        return "".join(one for one in self.phone if one.isdigit())


@cache
def _known() -> dict[str, list[dict[str, object]]]:
    source = resources.files("duly.service.portal").joinpath("advice.toml")
    found: dict[str, list[dict[str, object]]] = tomllib.loads(source.read_text("utf-8"))
    return found


def helpers(packs: Sequence[str], locale: str) -> tuple[Helper, ...]:
    """Return who helps where a lender's packs hold; nobody where we know nobody."""
    assert locale in LOCALES
    return tuple(
        Helper(name=one["name"][locale], help=one["help"][locale], phone=str(one["phone"]),  # type: ignore[index]
               source=str(one["source"]))
        for pack in packs for one in _known().get(pack, [])
    )  # fmt: skip
