"""The states of a message, and which may follow which (contract, section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

#: What may come after each state. `submitted` is committed before the first byte is written: from
#: it on the message may have been sent, and nothing sends it again by itself.
_AFTER: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "planned": frozenset({"released", "cancelled", "expired", "blocked"}),
        "released": frozenset({"claimed", "cancelled", "expired", "blocked"}),
        # Back to `released`: its owner died or gave it back before a byte was written.
        "claimed": frozenset({"released", "submitted", "cancelled", "expired", "blocked"}),
        # Back to `released` is not among them: only the proof that nobody took it leads there.
        "submitted": frozenset({"accepted", "undelivered", "unknown"}),
        "accepted": frozenset({"delivered", "undelivered", "unknown"}),
        # A receipt that comes late still tells how it ended.
        "unknown": frozenset({"accepted", "delivered", "undelivered"}),
        "delivered": frozenset(),
        # A gateway that takes its word back is believed: the text did arrive.
        "undelivered": frozenset({"delivered"}),
        "cancelled": frozenset(),
        "expired": frozenset(),
        "blocked": frozenset(),
    }
)
STATES = tuple(_AFTER)
#: From here a message returns to `released` where every submission of it was certainly not taken:
#: by itself from `submitted`, in a person's name from `undelivered`.
_UNTAKEN = ("submitted", "undelivered")
#: States in which nothing can have been sent; a cancellation still comes in time.
OPEN = ("planned", "released", "claimed")
#: States that need no more work of ours; only a late receipt changes some of them.
FINAL = ("delivered", "undelivered", "unknown", "cancelled", "expired", "blocked")


def may_follow(state: str, after: str, *, untaken: bool = False) -> bool:
    """Return whether a message in the state `after` may go to `state`.

    `untaken`: it is proven that no route took any of its submissions.

    >>> may_follow("released", "submitted"), may_follow("released", "submitted", untaken=True)
    (False, True)
    """
    if untaken and state == "released" and after in _UNTAKEN:
        return True
    return state in _AFTER[after]
