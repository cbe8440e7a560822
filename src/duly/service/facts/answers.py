"""Which of our texts asks for nothing: what news about money does not stop, and who may get it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from duly.replies import PAYMENT, PROMISE, STOPPED, STRANGER

#: Answers that speak of a payment: news of one makes them untrue.
_OF_MONEY = frozenset({PROMISE, PAYMENT})


def asks_nothing(row: Mapping[str, Any]) -> bool:
    """Return whether a message asks for nothing: a correction, an answer to a reply, a receipt."""
    return row["message_class"] in ("correction", "answer", "receipt")


def falls_with(row: Mapping[str, Any], why: str) -> bool:
    """Return whether news about a loan takes a message back though it asks for nothing.

    A receipt says that money came: money that went back makes it untrue.
    """
    return bool(row["message_class"] == "receipt") and why == "payment_reversed"


def outlives_news(row: Mapping[str, Any]) -> bool:
    """Return whether a message that waits stays true whatever is told of payments and loans."""
    return asks_nothing(row) and row.get("template") not in _OF_MONEY


def is_for_a_stranger(row: Mapping[str, Any]) -> bool:
    """Return whether it is the apology to a person whom we took for another (DEC-PERSON-1)."""
    return row.get("template") == STRANGER


def is_last_word(row: Mapping[str, Any]) -> bool:
    """Return whether it is the one confirmation of a stop, of which the rules are asked."""
    return row.get("template") == STOPPED
