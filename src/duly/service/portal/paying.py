"""'Pay': the lender's own accounts, the reference, and what an amount would do if it came today.

Nothing is written here: money moves at the bank, and its news reaches us as a payment.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from duly.book import Lender
from duly.care import debt_of
from duly.care.paying import Effect, pay
from duly.core.money import major
from duly.service.api.serving import present
from duly.service.faces.looks import look_of
from duly.service.portal.forms import amount_of
from duly.service.portal.offering import Standing
from duly.service.portal.pages import page, problem
from duly.service.portal.promises import due_of
from duly.service.portal.relief import standing_for
from duly.service.portal.signing_in import signed_in

_BAD, _TYPED_MAX = 422, 40


@signed_in("GET")
def paying(request: HttpRequest) -> HttpResponse:
    """Show where to pay, and what a part would do to the figures before it is paid."""
    standing = standing_for(request)
    if standing is None:
        return problem(request, "nowhere", status=404)
    if standing.loan.trace is None or not standing.receipt.position["outstanding_total"]:
        return page(request, "pay_nothing", one=standing.receipt)
    usual = _usual(standing)
    typed = request.GET.get("amount", major(usual, standing.receipt.currency))[:_TYPED_MAX]
    amount = amount_of(typed, standing.receipt.currency) or 0
    return page(
        request, "pay", status=200 if amount else _BAD, one=standing.receipt, amount=typed,
        pays=amount, wrong=not amount, effect=_effect(standing, amount), usual=usual,
        plan=standing.plan,
        accounts=_accounts(present().lender, standing.receipt.currency, look_of(request).locale),
    )  # fmt: skip


def _usual(standing: Standing) -> int:
    """Return what is to be paid next: by the arrangement, else what is due."""
    if standing.plan is not None and standing.plan.next is not None:
        return standing.plan.next.left
    return due_of(standing)


def _effect(standing: Standing, amount: int) -> Effect | None:
    """Return what an amount would do; None for none, and for a loan that has ended."""
    trace = standing.loan.trace
    assert trace is not None
    if not amount or trace.accrual_stops_on is not None:
        return None
    return pay(debt_of(trace), amount)


def _accounts(lender: Lender, currency: str, locale: str) -> list[dict[str, str]]:
    """Return the accounts of a currency in the words of a language."""
    english = locale == "en"
    return [
        {"holder": (english and one.holder_en) or one.holder,
         "bank": (english and one.bank_en) or one.bank, "number": one.number}
        for one in lender.accounts if (one.currency or lender.currency) == currency
    ]  # fmt: skip
