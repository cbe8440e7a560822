"""The port of a payment provider: an intent goes out as an address, an outcome comes back signed.

A provider hears an amount, a currency, a reference and where to come back to: nothing of a debt and
nothing of a person. What it tells is believed only where it is signed, of this hour and readable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

#: What a provider can tell of a payment. `pending`: it does not know yet.
Status: TypeAlias = Literal["paid", "failed", "pending"]
#: Why a callback is not believed.
Why: TypeAlias = Literal["signature", "stale", "unreadable", "unknown_status"]


@dataclass(frozen=True, kw_only=True)
class Intent:
    """All that a provider hears; the amount in minor units."""

    reference: str
    amount: int
    currency: str
    return_to: str  #: where the payer's browser comes back to


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a provider told, verified; whether it fits the intent is for its reader to say."""

    name: str  #: of the callback: the same where it is posted again
    reference: str
    status: Status
    amount: int
    currency: str
    payment_id: str = ""  #: the provider's name for the money; there where it was paid
    paid_at: datetime | None = None  #: aware; None where the provider does not say


class CallbackRefused(Exception):
    """A callback that is not believed; nothing of it may be acted upon."""

    def __init__(self, why: Why) -> None:
        self.why = why
        super().__init__(why)


class Provider(Protocol):
    """One way to pay at somebody else's page; `at` is the machine's clock, aware."""

    name: str

    def checkout(self, intent: Intent, *, at: datetime) -> str:
        """Return the address of the provider's page for an intent."""
        ...

    def read_callback(self, headers: Mapping[str, str], body: bytes, *, at: datetime) -> Outcome:
        """Return what a post tells; refused (CallbackRefused): forged, stale or unreadable.

        Names of headers are in small letters.
        """
        ...
