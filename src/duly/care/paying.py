"""What an amount would do if it came today: where it goes, what is still due, what a day costs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from duly.care.debts import Debt
from duly.position.walk import Applied, Payment

_PAID = "\uffff paid"  #: a name that stands behind every payment of the day


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What a payment of today does; amounts in minor units."""

    applied: tuple[Applied, ...]
    left: int  #: beyond all that is owed
    due: int  #: still due today
    total: int  #: still owed in all
    daily_charge: int  #: what each further day then adds


def pay(debt: Debt, amount: int) -> Effect:
    """Return what an amount above nought does to a debt today."""
    assert amount > 0, "nothing is paid"
    paid = Payment(payment_id=_PAID, paid_on=debt.as_of, amount=amount, kind="payment",
                   component="", reversed_on=None)  # fmt: skip
    rows = sorted(
        (*debt.payments, paid),
        key=lambda one: (one.paid_on, one.kind == "waiver", one.payment_id.encode()),
    )
    after = replace(debt, payments=tuple(rows))
    applied, left = after.applied(paid)
    return Effect(
        applied=applied, left=left, due=after.due(), total=after.owed(debt.as_of),
        daily_charge=after.daily_charge(),
    )  # fmt: skip
