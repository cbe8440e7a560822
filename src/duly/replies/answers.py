"""What is said back to a reply: one text that confirms what followed, or nothing and why.

Nothing where a person has to write: danger, a death, a representative, abuse, what we are not sure
that we understood.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from duly.replies.automatic import is_automatic
from duly.replies.reading import Reading

STRANGER = "wrong_person"
STOPPED = "opt_out_confirmed"
PROMISE = "promise_noted"
PAYMENT = "payment_checking"
REQUEST = "request_received"

#: Intent → the text that confirms it, the gravest first: the order of the guide. A text that waits
#: gives way to a graver one, or to one of its own kind, and to no other.
TEXTS = {
    "dispute_identity": STRANGER,
    "opt_out": STOPPED,
    "dispute_amount": "dispute_opened",
    "complaint": "complaint_received",
    "hardship": "hardship_received",
    "paid_already": PAYMENT,
    "promise_to_pay": PROMISE,
    "instalment_request": REQUEST,
    "extension_request": REQUEST,
    "verify_authenticity": REQUEST,
    "how_to_pay": REQUEST,
    "callback_request": REQUEST,
}
#: Intent → the signal without which nothing followed that a text could confirm.
_NEEDS = {
    "dispute_identity": "identity_dispute",
    "opt_out": "opt_out",
    "paid_already": "payment_pending",
    "promise_to_pay": "promise",
    "hardship": "hardship",
    "dispute_amount": "dispute",
    "complaint": "complaint",
}
#: To hold somebody back on a guess harms nobody; to tell him that we understood would.
_CONFIDENCE_MIN = Decimal("0.80")
#: Whatever else a reply says: a person writes.
_A_PERSON_WRITES = ("deceased_or_incapacity", "legal_representation")
#: A person answers these in any case; that he is needed says nothing of a doubt.
_IN_ANY_CASE = ("dispute_identity", "dispute_amount", "complaint", "hardship", "callback_request")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The template that is said back, or None and why nothing is."""

    template: str | None
    why: str = ""


def answer_to(reading: Reading, text: str, signals: Collection[str]) -> Answer:
    """Return what is said back to a reply, whose reading led to signals of these kinds."""
    spoken = {reading.intent, reading.secondary_intent}
    template = TEXTS.get(reading.intent)
    if reading.vulnerable or spoken & set(_A_PERSON_WRITES):
        return Answer(template=None, why="person_writes")
    if is_automatic(text):
        return Answer(template=None, why="automatic")
    if template is None:
        return Answer(template=None, why="nothing_to_confirm")
    if reading.confidence < _CONFIDENCE_MIN:
        return Answer(template=None, why="unsure")
    if reading.secondary_intent == "dispute_identity":
        return Answer(template=None, why="number_unsure")
    if "opt_out" in spoken:
        # A stop comes before whatever else was said: the only text after it is its confirmation.
        stop = STOPPED if "opt_out" in signals else None
        return Answer(template=stop, why="" if stop else "unsure")
    if reading.needs_person and reading.intent not in _IN_ANY_CASE:
        return Answer(template=None, why="person_writes")
    if _NEEDS.get(reading.intent, "") not in ("", *signals):
        return Answer(template=None, why="nothing_followed")
    return Answer(template=template)


def rank(template: str) -> int:
    """Return how grave a text is, 0 first."""
    return list(dict.fromkeys(TEXTS.values())).index(template)
