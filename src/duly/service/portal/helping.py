"""'Money help': calculators that keep nothing, how to spot fraud, who helps for nothing."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from duly.messages.values import money_text
from duly.service.api.serving import present
from duly.service.api.slowing import MINUTE, address_of, is_too_often
from duly.service.faces.looks import look_of
from duly.service.faces.views import shown
from duly.service.portal.advice import helpers
from duly.service.portal.calculating import CALCULATORS, TYPED_MAX, Said, read
from duly.service.portal.pages import page, problem, too_often
from duly.service.portal.signing_in import known

#: What one address may have worked out in a minute.
WORKED_A_MINUTE = 60
_BAD = 422


@shown("GET")
@known
def money_help(request: HttpRequest) -> HttpResponse:
    """Lead to the calculators, the signs of fraud, and who helps."""
    lender = present().lender
    return page(request, "help", calculators=tuple(CALCULATORS), bureau=lender.bureau_reports,
                helpers=helpers(lender.packs, look_of(request).locale))  # fmt: skip


@shown("GET", "POST")
@known
def calculator(request: HttpRequest, name: str) -> HttpResponse:
    """Ask for a few figures and say what follows; they are in no address, log or store."""
    found, currency = CALCULATORS.get(name), present().lender.currency
    if found is None:
        return problem(request, "nowhere", status=404)
    if request.method == "POST" and is_too_often(
        "help_worked", address_of(request), WORKED_A_MINUTE, MINUTE
    ):
        return too_often(request, MINUTE)
    asked = request.method == "POST"
    typed = {one.name: request.POST.get(one.name, "")[:TYPED_MAX] for one in found.fields}
    given, wrong = read(found, typed, currency) if asked else ({}, [])
    said = found.work(given) if asked and not wrong else []
    locale = look_of(request).locale
    return page(
        request, "calculator", status=_BAD if wrong else 200, calculator=name, wrong=wrong,
        fields=[{"name": one.name, "kind": one.kind, "needed": one.needed,
                 "value": typed[one.name], "wrong": one.name in wrong} for one in found.fields],
        said=[_worded(one, currency, locale) for one in said], currency=currency,
        bureau=present().lender.bureau_reports,
    )  # fmt: skip


def _worded(one: Said, currency: str, locale: str) -> dict[str, object]:
    return {"key": one.key, "values": {
        **{name: money_text(amount, currency, locale) for name, amount in one.amounts.items()},
        **one.counts,
    }}  # fmt: skip
