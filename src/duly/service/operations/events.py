"""Take events in: all of a batch or nothing, each once, in any order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from duly.service.facts.problems import EventProblem, EventsRefused

__all__ = ["Accepted", "EventProblem", "EventsRefused", "accept"]


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """How many events are new, how many were here before or twice in the batch.

    `cancelled` are the messages that will not leave any more because of them.
    """

    accepted: int
    duplicates: int
    cancelled: tuple[str, ...] = ()


def accept(events: Sequence[dict[str, Any]], *, at: datetime) -> Accepted:
    """Store a batch of CloudEvents (contract, section 5) and cancel what they forbid.

    One transaction: every fault of every event is gathered and refused together (EventsRefused),
    with nothing stored. `at` is the legal instant of the reception.
    """
    raise EventsRefused([EventProblem(index=0, field="", code="not_yet")])
