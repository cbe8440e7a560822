"""What a user did wrong, as a value: where, which code, in which words, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from duly.core.visible import visible
from duly.core.words import catalogue, known_locale, say

Severity = Literal["error", "warning"]


@dataclass(frozen=True, kw_only=True)
class Diagnostic:
    """One finding in a user's file.

    The sentence stands in the catalogue `area` under `code`, the hint (optional) under
    `code_hint`, or under `code_far` where no word is near the one at fault (`near`, `suggestion`
    empty); `values` fill their holes.
    """

    area: str
    code: str
    severity: Severity = "error"
    file: str = ""
    line: int = 0  #: 1-based line of a text file, or data row of a table; 0 = the file as a whole
    column: str = ""  #: 1-based column of a text file, or the column's name in a table
    values: Mapping[str, object] = field(default_factory=dict)

    def sentence(self, locale: str) -> str:
        """Return the sentence in `locale`, without the hint."""
        return say(self.area, self.code, locale, **self._shown())

    def hint(self, locale: str) -> str:
        """Return what to do about it, or an empty text where the catalogue has no hint."""
        entries = catalogue(self.area, known_locale(locale))
        far = any(self.values.get(name) == "" for name in ("near", "suggestion"))
        key = f"{self.code}_far" if far and f"{self.code}_far" in entries else f"{self.code}_hint"
        return say(self.area, key, locale, **self._shown()) if key in entries else ""

    def _shown(self) -> dict[str, str]:
        """Return the values as a terminal may show them: they come from files of strangers."""
        return {name: visible(str(value)) for name, value in self.values.items()}

    @property
    def place(self) -> str:
        """FILE:ROW:COLUMN, as much of it as is known."""
        parts = (self.file, self.line or "", self.column)
        return visible(":".join(str(part) for part in parts if part))

    def render(self, locale: str) -> str:
        """Return `FILE:ROW:COLUMN code sentence; hint` (contract, section 4)."""
        hint = self.hint(locale)
        text = f"{self.place} {self.code} {self.sentence(locale)}".strip()
        return f"{text}; {hint}" if hint else text
