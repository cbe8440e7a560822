"""Letters that wait for a print house: a deletion takes them back, or says what it cannot reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from duly.book import Lender
from duly.delivery.letters import Found, Withdrawal

_FOUND: tuple[Found, ...] = ("erased", "taken", "unreached")
#: Letters that may lie in a spool: what was certainly not taken never lay there.
_LETTERS = """
SELECT m.borrower_id, m.message_id, m.state IN ('delivered', 'undelivered'),
    array_agg(DISTINCT a.route ORDER BY a.route)
FROM store_message AS m JOIN store_attempt AS a USING (message_id)
WHERE m.borrower_id = ANY(%s) AND m.channel = 'letter'
    AND (a.outcome IS NULL OR a.outcome IN ('accepted', 'unknown'))
GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass(frozen=True, kw_only=True)
class Letters:
    """What became of somebody's letters, by message: erased in the spool, taken, out of reach."""

    erased: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()
    unreached: tuple[str, ...] = ()

    def __add__(self, other: Letters) -> Letters:
        """Return the letters of both."""
        return Letters(**{name: getattr(self, name) + getattr(other, name) for name in _FOUND})

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of each, without those of none."""
        return {name: len(ids) for name in _FOUND if (ids := getattr(self, name))}

    @property
    def told(self) -> dict[str, object]:
        """What the record says of them: nothing where there were none."""
        ids = {name: list(getattr(self, name)) for name in self.counts}
        return {"letters": ids} if ids else {}


@dataclass
class SpooledLetters:
    """The letters of a deletion: moved aside within it, destroyed once it is committed.

    A context around the transaction; with an exception everything is put back.
    """

    lender: Lender
    of: dict[str, Letters] = field(default_factory=dict)  #: borrower → what became of his
    _withdrawal: Withdrawal = field(init=False)

    def __enter__(self) -> Self:
        self._withdrawal = Withdrawal(label=f"privacy-{uuid4().hex}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        if kind is None:
            self._withdrawal.destroy()
        else:
            self._withdrawal.put_back()

    def take(self, cursor: Any, people: Sequence[str]) -> None:
        """Move aside what waits for these people, who are locked by the caller's transaction."""
        spools = {
            route.name: Path(str(route.settings["spool"]))
            for route in self.lender.routes
            if route.kind == "letter" and "spool" in route.settings
        }
        without = {route.name for route in self.lender.routes if route.kind == "sandbox"}
        cursor.execute(_LETTERS, [list(people)])
        for borrower, message, has_ended, routes in cursor.fetchall():
            found = {
                self._of(spools, route, message, has_ended=has_ended)
                for route in routes
                if route not in without
            }
            if found:
                name = next(one for one in ("erased", "unreached", "taken") if one in found)
                more = Letters(**{name: (message,)})
                self.of[borrower] = self.of.get(borrower, Letters()) + more

    def _of(
        self, spools: Mapping[str, Path], route: str, message: str, *, has_ended: bool
    ) -> Found:
        """Return what became of a letter at one route; one whose end is known has left the spool.

        It is looked for all the same: a print house may copy what it should take away.
        """
        found = self._withdrawal.take(spools[route], message) if route in spools else "unreached"
        return "taken" if found == "unreached" and has_ended else found
