"""'Pay now': an amount of one's own at a provider's page, and what we have heard of it since."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from duly.care import debt_of
from duly.care.paying import Effect, pay
from duly.service.api.serving import present
from duly.service.api.slowing import DAY, is_too_often
from duly.service.faces.looks import look_of
from duly.service.faces.views import shown
from duly.service.operations import payments
from duly.service.operations.providers import Way
from duly.service.portal.forms import amount_of
from duly.service.portal.offering import Standing
from duly.service.portal.pages import page, problem, too_often
from duly.service.portal.relief import led, standing_for
from duly.service.portal.signing_in import known, signed_in, who_of

#: Payments that one person may begin in a day.
BEGUN_A_DAY = 60
_TYPED_MAX = 40
_REFERENCE = re.compile(r"[0-9a-f]{32}")


def ways_of(standing: Standing) -> Mapping[str, Way]:
    """Return at whose pages a loan may be paid: none where its figures are not sure or lawful."""
    if standing.loan.trace is None or standing.loan.capped:
        return {}
    currency = standing.receipt.currency
    return {name: way for name, way in present().ways.items() if currency in way.currencies}


def least_of(standing: Standing) -> int:
    """Return the least that may be paid: the lender's, or all that is owed where that is less."""
    own = present().lender.payments.least.get(standing.receipt.currency, 1)
    return min(max(own, 1), int(str(standing.receipt.position["outstanding_total"])))


def effect_of(standing: Standing, amount: int) -> Effect | None:
    """Return what an amount would do; None for none, and for a loan that has ended."""
    trace = standing.loan.trace
    assert trace is not None
    if not amount or trace.accrual_stops_on is not None:
        return None
    return pay(debt_of(trace), amount)


def bound(standing: Standing, amount: int, effect: Effect | None) -> str:
    """Return why an amount is not paid here: `least`, `most`, `ended`; empty: it may be."""
    if effect is None:
        return "ended"
    if amount < least_of(standing):
        return "least"
    return "most" if effect.left else ""


@signed_in("GET", "POST")
def go(request: HttpRequest) -> HttpResponse:
    """Begin a payment and lead to the provider's page; the same tap twice is one payment."""
    if request.method != "POST":  # In another language, or loaded again: looking begins nothing.
        return led(request, "pay", loan=request.GET.get("loan", ""),
                   amount=request.GET.get("amount", "")[:_TYPED_MAX])  # fmt: skip
    standing = standing_for(request)
    way = None if standing is None else ways_of(standing).get(request.POST.get("way", ""))
    if standing is None or way is None or standing.loan.trace is None:
        return problem(request, "nowhere", status=404)
    typed = request.POST.get("amount", "")[:_TYPED_MAX]
    amount = amount_of(typed, standing.receipt.currency) or 0
    if not amount or bound(standing, amount, effect_of(standing, amount)):
        # What was owed has changed, or the form was not ours: the page says what may be paid.
        return led(request, "pay", loan=standing.receipt.loan_id, amount=typed)
    if is_too_often("portal_pay", who_of(request).borrower_id, BEGUN_A_DAY, DAY):
        return too_often(request, DAY)
    serving, look = present(), look_of(request)
    begun = payments.begin(
        way, amount, borrower_id=who_of(request).borrower_id, loan_id=standing.receipt.loan_id,
        currency=standing.receipt.currency, lender=serving.lender, clock=serving.clock(),
        return_to=f"{_back()}?{urlencode([*look.chosen, ('payment', '')])}{{reference}}",
    )  # fmt: skip
    # Not a redirection: a form's policy would have to name each host that the provider leads on to.
    response = page(request, "pay_go", one=standing.receipt, host=way.host, url=begun.url,
                    amount=amount)  # fmt: skip
    response["Refresh"] = f"0; url={begun.url}"
    return response


def _back() -> str:
    """Return the whole address of the page to come back to."""
    portal = present().lender.portal
    return f"{portal.begins.removesuffix(portal.prefix)}{reverse('pay-back')}"


@shown("GET")
@known
def back(request: HttpRequest) -> HttpResponse:
    """Say what we have heard of a payment: received, not yet, or refused.

    Whoever comes from another site brings no session; the reference, which nobody guesses, opens
    an amount and a state, and nothing of a debt.
    """
    reference = request.GET.get("payment", "")
    found = payments.intent_of(reference) if _REFERENCE.fullmatch(reference) else None
    if found is None:
        return problem(request, "nowhere", status=404)
    person = request.person  # type: ignore[attr-defined]
    mine = person is not None and person.borrower_id == found["borrower_id"]
    way = present().ways.get(found["provider"])
    return page(
        request, "pay_back", found=found, mine=mine, loan=found["loan_id"] if mine else "",
        host=way.host if way else found["provider"],
    )  # fmt: skip
