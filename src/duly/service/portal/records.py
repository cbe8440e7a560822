"""'My records': each contact beside the limits that bind us."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse

from duly.service.api.serving import present
from duly.service.portal.burden import DAYS, SHOWN, burden_of, place_of
from duly.service.portal.limits import limits_of
from duly.service.portal.pages import page
from duly.service.portal.signing_in import signed_in, who_of

_OPEN_DAYS = 90  #: what is older is folded


@signed_in("GET")
def messages(request: HttpRequest) -> HttpResponse:
    """Show each contact with a person, the limits that bind us, and how much of them is used."""
    serving, who = present(), who_of(request).borrower_id
    at = serving.now()
    burden = burden_of(who, lender=serving.lender, at=at)
    zone, region = place_of(who, lender=serving.lender)
    limits = limits_of(serving.lender, zone=zone, region=region, at=at)
    recent = at - timedelta(days=_OPEN_DAYS)
    over = (
        burden.texts_today > limits.texts_a_day
        or burden.texts_this_week > limits.texts_a_week
        or (limits.reached_a_day is not None and burden.reached_today > limits.reached_a_day)
    )
    return page(
        request, "messages", burden=burden, limits=limits, over=over, days=DAYS,
        recent_days=_OPEN_DAYS, cut=len(burden.contacts) == SHOWN,
        recent=[one for one in burden.contacts if one.at > recent],
        older=[one for one in burden.contacts if one.at <= recent],
    )  # fmt: skip
