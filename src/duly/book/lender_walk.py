"""A walk over the mappings of the lender file that notes each mistake where it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from duly.core import near as words
from duly.core.diagnostic import Diagnostic


class WrongValueError(ValueError):
    """A value is not of its kind; the text says what would be."""


class Walk:
    """Walks the file's mappings and gathers what is wrong."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Diagnostic] = []

    def wrong(self, code: str, place: tuple[int, int], **values: object) -> None:
        """Note one mistake at a 0-based line and column."""
        line, column = place
        self.found.append(
            Diagnostic(
                area="book",
                code=code,
                file=self.file,
                line=line + 1,
                column=str(column + 1),
                values=values,
            )
        )

    def section(
        self,
        node: object,
        keys: Mapping[str, tuple[str, Callable[[object], object]]],
        path: str,
        also: tuple[str, ...] = (),
        *,
        at: tuple[int, int] = (0, 0),
    ) -> dict[str, object]:
        """Return the values of one mapping by field; unknown keys other than `also` are wrong.

        `at` is the place of the mapping itself, 0-based line and column.
        """
        if not isinstance(node, dict):
            self.wrong("lender_bad_value", at, name=path, value=node, wanted="{…}")
            return {}
        values: dict[str, object] = {}
        for key, value in node.items():
            named = f"{path}.{key}".lstrip(".")
            if key in keys:
                field, read = keys[key]
                try:
                    values[field] = read(value)
                except WrongValueError as wrong:
                    place = node.lc.value(key)  # type: ignore[attr-defined]
                    self.wrong(
                        "lender_bad_value", place, name=named, value=value, wanted=str(wrong)
                    )
            elif key not in also:
                near = words.near(str(key), (*keys, *also))
                place = node.lc.key(key)  # type: ignore[attr-defined]
                shown = f" ({near}?)" if near else ""
                self.wrong("lender_unknown_key", place, name=named, near=shown)
        return values

    def required(self, node: object, keys: tuple[str, ...], path: str) -> None:
        """Note each key that a mapping lacks."""
        place = (node.lc.line, node.lc.col) if hasattr(node, "lc") else (0, 0)
        for key in keys:
            if not isinstance(node, dict) or key not in node:
                self.wrong("lender_missing_key", place, name=f"{path}.{key}")
