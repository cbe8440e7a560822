"""CloudEvents for the tests, and the book that they are about."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

AT = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)  # ten in Shanghai, a Tuesday
_NUMBERS = itertools.count(1)


def event(type_: str, data: dict[str, Any], **given: Any) -> dict[str, Any]:
    """Return one CloudEvent; its id is its own unless given."""
    return {
        "specversion": "1.0",
        "id": f"e{next(_NUMBERS)}",
        "source": "/core-banking",
        "type": type_,
        "time": "2026-03-10T09:30:00+08:00",
        "data": data,
    } | given


def paid(loan: str = "l1", **given: Any) -> dict[str, Any]:
    """Return a payment on a loan."""
    named = given.pop("payment_id", f"pay{next(_NUMBERS)}")
    data = {"payment_id": named, "loan_id": loan, "paid_on": "2026-03-10", "amount": "500.00"}
    return event("payment.posted", data, **given)


def signalled(kind: str, borrower: str = "b00000", **given: Any) -> dict[str, Any]:
    """Return a signal about a borrower; what it says of itself goes into its data."""
    data = {"signal_id": f"s{next(_NUMBERS)}", "borrower_id": borrower, "kind": kind}
    data |= {
        one: given.pop(one)
        for one in ("detail", "loan_id", "signal_id", "starts_at", "ends_at", "agreed")
        if one in given
    }
    return event("signal.raised", data, **given)
