"""How far a payment has come; money that was paid stays paid, whatever is heard later."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from duly.care.checkout.port import Status

STATES = ("created", "redirected", "paid", "failed", "expired")
#: Of these nobody has told an end yet.
OPEN = ("created", "redirected")

#: State and what is told → the next state. A card that was refused may be followed by one that
#: pays, and money may come after the time was up: both are money.
_AFTER: Mapping[tuple[str, Status], str] = MappingProxyType(
    {
        ("created", "paid"): "paid",
        ("created", "failed"): "failed",
        ("redirected", "paid"): "paid",
        ("redirected", "failed"): "failed",
        ("failed", "paid"): "paid",
        ("expired", "paid"): "paid",
        ("expired", "failed"): "failed",
    }
)


def after(state: str, told: Status) -> str:
    """Return the state after something was told; the same where it is no news.

    >>> after("redirected", "paid"), after("paid", "failed"), after("failed", "paid")
    ('paid', 'paid', 'paid')
    """
    assert state in STATES, state
    return _AFTER.get((state, told), state)
