"""The types of events that are taken, and the kinds of words that are folded from them."""

from __future__ import annotations

TYPES = (
    "payment.posted",
    "payment.reversed",
    "loan.upserted",
    "borrower.upserted",
    "borrower.preferred",
    "contact_point.changed",
    "consent.granted",
    "consent.withdrawn",
    "signal.raised",
    "signal.cleared",
)
WORDS = (
    "payment", "reversal", "loan", "schedule", "borrower", "preference", "contact_point", "consent",
    "signal", "clearing",
)  # fmt: skip
