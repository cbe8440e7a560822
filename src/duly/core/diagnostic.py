"""What a user did wrong, as a value: where, which code, in which words, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from duly.core.words import catalogue, known_locale, say

Severity = Literal["error", "warning"]


@dataclass(frozen=True, kw_only=True)
class Diagnostic:
    """One finding in a user's file.

    The sentence stands in the catalogue `area` under `code`, the hint (optional) under
    `code_hint`; `values` fill their holes.
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
        return say(self.area, self.code, locale, **self.values)

    def hint(self, locale: str) -> str:
        """Return what to do about it, or an empty text where the catalogue has no hint."""
        if f"{self.code}_hint" not in catalogue(self.area, known_locale(locale)):
            return ""
        return say(self.area, f"{self.code}_hint", locale, **self.values)

    def render(self, locale: str) -> str:
        """Return `FILE:ROW:COLUMN code sentence; hint` (contract, section 4)."""
        where = ":".join(str(part) for part in (self.file, self.line or "", self.column) if part)
        hint = self.hint(locale)
        text = f"{where} {self.code} {self.sentence(locale)}".strip()
        return f"{text}; {hint}" if hint else text
