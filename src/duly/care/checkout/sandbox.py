"""A provider that nobody pays at: it pays, refuses, delays, repeats and lies, from a seed.

It speaks as a hosted checkout does, so that whatever holds for one holds for the other. This is
its own side: what it makes of an address that was sent to it, and what it posts back.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from urllib.parse import parse_qsl

from duly.care.checkout.hosted import TOLERANCE_SECONDS, signed_post, signed_query
from duly.core.money import CURRENCIES, NotMoney, major, to_minor

#: Fate → of ten thousand payments.
FATES: Mapping[str, int] = MappingProxyType(
    {
        "pays": 7_400, "refuses": 800, "delays": 600, "repeats": 400, "backwards": 200,
        "silent": 200, "amount": 100, "currency": 100, "forges": 100, "stale": 100,
    }
)  # fmt: skip
#: How long an address that was sent to the sandbox is good: somebody reads the page first.
LASTS_SECONDS = 1_800
_OF = 10_000
_SALT = "pay"
_SIGNATURE = "&signature="
_OTHER = MappingProxyType({"CNY": "USD"})  #: what a lie about the currency says


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the sandbox was asked to take in."""

    reference: str
    amount: int
    currency: str
    return_to: str


@dataclass(frozen=True, kw_only=True)
class Post:
    """One callback: its headers and body, and whether it comes later."""

    headers: Mapping[str, str]
    body: bytes
    later: bool = False


def order_of(query: str, secrets: tuple[bytes, ...], *, at: datetime) -> Order | None:
    """Return the order that a query asks for; None: it is not ours, or of another time."""
    before, found, mark = query.rpartition(_SIGNATURE)
    ours = [
        hmac.compare_digest(signed_query(one, before).encode(), mark.encode()) for one in secrets
    ]
    if not (found and any(ours)):
        return None
    told = dict(parse_qsl(before))
    try:
        order = Order(
            reference=told["reference"], amount=to_minor(told["amount"], told["currency"]),
            currency=told["currency"], return_to=told["return_to"],
        )  # fmt: skip
        stamp = int(told["timestamp"])
    except (KeyError, ValueError, NotMoney):
        return None
    return order if abs(int(at.timestamp()) - stamp) <= LASTS_SECONDS else None


def fate_of(reference: str, seed: int) -> str:
    """Return what happens to a payment: the same for the same reference and seed.

    >>> fate_of("abcdefgh", 7) == fate_of("abcdefgh", 7)
    True
    """
    text = f"{reference}\x1f{seed}\x1f{_SALT}"
    digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    draw, upto = int(digest[:8], 16) % _OF, 0
    for fate, share in FATES.items():
        upto += share
        if draw < upto:
            return fate
    raise AssertionError("the shares make a whole")


def posts_of(order: Order, fate: str, *, secret: bytes, at: datetime) -> tuple[Post, ...]:
    """Return what the sandbox posts about an order, in its order."""
    paid = _post(order, "paid", secret=secret, at=at)
    failed = _post(order, "failed", secret=secret, at=at)
    match fate:
        case "pays":
            return (paid,)
        case "refuses":
            return (failed,)
        case "delays":
            return (Post(headers=paid.headers, body=paid.body, later=True),)
        case "repeats":
            return (paid, paid, _post(order, "paid", secret=secret, at=at, again=True))
        case "backwards":
            return (paid, failed)
        case "amount":
            return (_post(order, "paid", secret=secret, at=at, amount=order.amount + 1),)
        case "currency":
            other = _OTHER.get(order.currency, "CNY")
            return (_post(order, "paid", secret=secret, at=at, currency=other),)
        case "forges":
            return (_post(order, "paid", secret=b"not " + secret, at=at),)
        case "stale":
            then = at - timedelta(seconds=2 * TOLERANCE_SECONDS)
            return (_post(order, "paid", secret=secret, at=then),)
        case _:
            return ()


def _post(
    order: Order, status: str, *, secret: bytes, at: datetime, again: bool = False,
    amount: int | None = None, currency: str | None = None,
) -> Post:  # fmt: skip
    money = order.amount if amount is None else amount
    unit = order.currency if currency is None else currency
    assert unit in CURRENCIES
    told = {
        "reference": order.reference, "status": status, "amount": major(money, unit),
        "currency": unit, "paid_at": at.isoformat(),
        "payment_id": f"sandbox-{order.reference}" if status == "paid" else None,
    }  # fmt: skip
    body = json.dumps(told).encode()
    name = f"{order.reference}-{status}{'-again' if again else ''}"
    return Post(headers=signed_post(secret, body, name=name, at=at), body=body)
