"""'Pay': the lender's own accounts, the reference, and what an amount would do if it came today.

Nothing is written here: money moves at the bank or at a provider's page (`checkout`), and its news
reaches us as a payment.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from duly.book import Lender
from duly.core.money import major
from duly.service.api.serving import present
from duly.service.faces.looks import look_of
from duly.service.operations import payments
from duly.service.portal.checkout import bound, effect_of, least_of, ways_of
from duly.service.portal.forms import amount_of
from duly.service.portal.offering import Standing
from duly.service.portal.pages import page, problem
from duly.service.portal.promises import due_of
from duly.service.portal.relief import standing_for
from duly.service.portal.signing_in import signed_in, who_of

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
    locale, effect = look_of(request).locale, effect_of(standing, amount)
    ways = tuple(ways_of(standing).values())
    begun = payments.begun_by(who_of(request).borrower_id, standing.receipt.loan_id)
    return page(
        request, "pay", status=200 if amount else _BAD, one=standing.receipt, amount=typed,
        pays=amount, wrong=not amount, effect=effect, usual=usual, plan=standing.plan,
        exact=major(amount, standing.receipt.currency), bound=bound(standing, amount, effect),
        ways=[(way, way.called(locale)) for way in ways], least=least_of(standing),
        most=standing.receipt.position["outstanding_total"], begun=begun,
        accounts=_accounts(present().lender, standing.receipt.currency, locale),
    )  # fmt: skip


def _usual(standing: Standing) -> int:
    """Return what is to be paid next: by the arrangement, else what is due."""
    if standing.plan is not None and standing.plan.next is not None:
        return standing.plan.next.left
    return due_of(standing)


def _accounts(lender: Lender, currency: str, locale: str) -> list[dict[str, str]]:
    """Return the accounts of a currency in the words of a language."""
    english = locale == "en"
    return [
        {"holder": (english and one.holder_en) or one.holder,
         "bank": (english and one.bank_en) or one.bank, "number": one.number}
        for one in lender.accounts if (one.currency or lender.currency) == currency
    ]  # fmt: skip
