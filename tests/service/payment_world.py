"""A provider's other side for the tests: it signs what it posts, by means of its own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
from datetime import UTC, datetime
from typing import Any

from serving import FORMER_SECRET, PAY_SECRET

from duly.book import Lender, PaymentProvider, Payments, Portal
from duly.service.operations.providers import Way, providers_of

SECRET, FORMER = PAY_SECRET, FORMER_SECRET
ENVIRONMENT = {"TEST_PAY": SECRET, "TEST_PAY_BEFORE": FORMER}
CLOCK = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)  # The machine's; the law's is that of the tests.
_NAMES = itertools.count(1)

PROVIDER = PaymentProvider(
    name="card", kind="hosted", title="银行卡", title_en="Bank card",
    settings={"url": "https://pay.example.com/checkout", "merchant": "M1", "prefix": "card-",
              "secret_env": "TEST_PAY", "former_secret_env": "TEST_PAY_BEFORE"},
)  # fmt: skip


def lender_of(lender: Lender, *providers: PaymentProvider, address: str = "") -> Lender:
    """Return a lender whose borrowers may pay at these providers."""
    from dataclasses import replace

    portal = Portal(address=address or "https://my.example.com")
    payments = Payments(providers=providers or (PROVIDER,), least={"CNY": 100})
    return replace(lender, portal=portal, payments=payments)


def way_of(lender: Lender, **environ: str) -> Way:
    (found,) = providers_of(lender, ENVIRONMENT | environ).values()
    return found


def body_of(reference: str, **told: Any) -> bytes:
    """Return the body of a callback of a payment of 500.00."""
    usual = {"reference": reference, "status": "paid", "amount": "500.00", "currency": "CNY",
             "payment_id": "778"}  # fmt: skip
    return json.dumps(usual | told).encode()


def signed(body: bytes, *, name: str = "", stamped: datetime = CLOCK,
           secret: str = SECRET) -> dict[str, str]:  # fmt: skip
    """Return the headers of a post, signed as Standard Webhooks say."""
    name, stamp = name or f"evt-{next(_NAMES)}", str(int(stamped.timestamp()))
    digest = hmac.new(secret.encode(), f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {"webhook-id": name, "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}"}  # fmt: skip
