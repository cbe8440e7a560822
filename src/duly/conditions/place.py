"""Where a character of a condition stands in the file that holds it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

#: From an offset in the text (0-based) to (line, column) in the file (both 1-based).
Place: TypeAlias = Callable[[int], tuple[int, int]]


def place_from(text: str, line: int, column: int) -> Place:
    """Return the places of a text whose first character stands at `line:column`."""

    def place(offset: int) -> tuple[int, int]:
        before = text[:offset]
        breaks = before.count("\n")
        if breaks == 0:
            return (line, column + offset)
        return (line + breaks, offset - before.rfind("\n"))

    return place


def place_in_scalar(source: str, line: int, column: int, text: str) -> Place:
    """Return the places of a YAML scalar's text, which stands in `source` at `line:column`.

    Folding, indentation and quotes change blanks and quote marks only: the other characters are
    found in the source in their order. Where one is not found (an escape), the place before it
    stands in.
    """
    known: list[
        tuple[list[int], tuple[int, ...]]
    ] = []  # Counted when the first place is asked for.

    def place(offset: int) -> tuple[int, int]:
        if not known:
            known.append(_counted(source, line, column, text))
        offsets, starts = known[0]
        at = offsets[min(offset, len(offsets) - 1)]
        row = bisect_right(starts, at) - 1
        return (row + 1, at - starts[row] + 1)

    return place


@lru_cache(maxsize=4)
def _line_starts(source: str) -> tuple[int, ...]:
    """Return where the lines of a file start; its many conditions ask for the same."""
    return (0, *(found.end() for found in re.finditer("\n", source)))


def _counted(source: str, line: int, column: int, text: str) -> tuple[list[int], tuple[int, ...]]:
    """Return where each character of the text stands in the source, and where lines start."""
    starts = _line_starts(source)
    first = min(starts[line - 1] + column - 1, len(source)) if line <= len(starts) else len(source)
    found = first
    offsets: list[int] = []
    current = first
    for character in text:
        if character.isspace():
            offsets.append(current)
            continue
        at = source.find(character, current)
        if at >= 0:
            found, current = at, at + 1
        offsets.append(found)
    offsets.append(current)
    return offsets, starts
