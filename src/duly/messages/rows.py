"""Some rows of columns, each column picked when it is first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

Columns = Mapping[str, Sequence[Any]]


class Rows(Mapping[str, Sequence[Any]]):
    """The rows `places` of `columns`, in that order; `given` columns replace picked ones."""

    def __init__(self, columns: Columns, places: Sequence[int], **given: Sequence[Any]) -> None:
        self.size = len(places)
        self._columns = columns
        self._places = places
        self._known = given

    def __getitem__(self, name: str) -> Sequence[Any]:
        if name not in self._known:
            self._known[name] = pick(self._columns[name], self._places)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def pick(column: Sequence[Any], places: Sequence[int]) -> Sequence[Any]:
    """Return the elements at `places`, in that order."""
    if len(places) == 1:
        return (column[places[0]],)
    return itemgetter(*places)(column) if places else ()
