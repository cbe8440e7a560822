"""What follows a certain no: the same route later, the next route, or the end.

A law without a clock and without chance: how long it waits grows with the tries on the route, is
bounded, and is never shorter than what the other side asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from duly.delivery.refusals import About

What: TypeAlias = Literal["again", "next", "dead"]
#: Why a message that was not sent has come to its end; `answered_late`: nobody waited any more.
Reason: TypeAlias = Literal[
    "", "number_refused", "text_refused", "partly_sent", "refused", "no_attempt_left",
    "no_route_left", "window_over", "answered_late",
]  # fmt: skip
REASONS: tuple[Reason, ...] = (
    "number_refused", "text_refused", "partly_sent", "refused", "no_attempt_left",
    "no_route_left", "window_over", "answered_late",
)  # fmt: skip
#: Ends from which not even a person sends again: part of it is out, or nobody is to be written to.
FOR_GOOD: tuple[Reason, ...] = ("number_refused", "partly_sent")
_ENDS: dict[About, Reason] = {
    "number": "number_refused",
    "text": "text_refused",
    "partial": "partly_sent",
    "unclear": "refused",
}


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What the lender states of one route; times are seconds.

    Without `fallback_refusals` no refusal leads to another route, without `fallback_after` a route
    that is away is waited for.
    """

    attempts: int = 10
    first_seconds: int = 2
    most_seconds: int = 600
    fallback_refusals: int | None = None
    fallback_after: int | None = None


@dataclass(frozen=True, kw_only=True)
class Step:
    """What follows: `again` after `seconds`, `next` at once, or `dead` for a `reason`."""

    what: What
    seconds: int = 0
    reason: Reason = ""


def back_off(terms: Terms, *, tries: int, told: int | None = None) -> int:
    """Return how many seconds to wait after so many tries, `told` being what the other side asked.

    >>> [back_off(Terms(), tries=n) for n in (1, 2, 3, 9, 10, 500)]
    [2, 4, 8, 512, 600, 600]
    """
    grown = terms.first_seconds << min(tries - 1, 32)
    return max(min(grown, terms.most_seconds), told or 0)


def step_after(
    about: About,
    *,
    tries: int,
    terms: Terms,
    has_next: bool,
    passed: bool,
    left_seconds: float,
    told: int | None = None,
) -> Step:
    """Return what follows a certain no of a route.

    `tries` are the message's submissions to this route; `has_next`: another route takes its class
    and has not refused it; `passed`: some route has; `left_seconds`: what is left of its window.
    """
    if about in _ENDS:
        return Step(what="dead", reason=_ENDS[about])
    stated = terms.fallback_refusals
    # Whoever is written to too often by one route is not written to by another.
    may_pass = stated is not None and about != "frequency"
    if about == "route":
        if may_pass and has_next:
            return Step(what="next")
        return Step(what="dead", reason="no_route_left" if may_pass else "refused")
    enough = terms.attempts if stated is None else min(stated, terms.attempts)
    if may_pass and has_next and tries >= enough:
        return Step(what="next")
    if tries >= terms.attempts:
        return Step(what="dead", reason="no_route_left" if passed else "no_attempt_left")
    seconds = back_off(terms, tries=tries, told=told)
    if seconds > left_seconds:
        return Step(what="dead", reason="window_over")
    return Step(what="again", seconds=seconds)
