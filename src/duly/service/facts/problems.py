"""What is wrong with events that somebody sent: all of it at once, each with its place."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.words import say


@dataclasses.dataclass(frozen=True, kw_only=True)
class EventProblem:
    """One fault of one event; `index` is its 0-based place in the batch, `field` a dotted path."""

    index: int
    field: str
    code: str
    values: Mapping[str, object] = dataclasses.field(default_factory=dict)

    @property
    def message(self) -> str:
        """The sentence in English."""
        return self.sentence("en")

    def sentence(self, locale: str) -> str:
        """Return what is wrong, in a locale."""
        return say("service", f"event.{self.code}", locale, field=self.field, **self.values)


class EventsRefused(Refused):
    """A batch has faults: nothing of it was stored. `problems` are in the order of the batch."""

    def __init__(
        self, problems: Sequence[EventProblem], file: str = "", lines: Sequence[int] = ()
    ) -> None:
        self.problems = tuple(problems)
        super().__init__(
            *(
                Diagnostic(
                    area="service",
                    code=f"event.{one.code}",
                    file=file,
                    line=lines[one.index] if lines else one.index + 1,
                    column=one.field,
                    values={"field": one.field, **one.values},
                )
                for one in self.problems
            )
        )
