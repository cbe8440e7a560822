"""What is asked without a key: did you send this text, and what gateways report."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from ninja import Router

from duly.delivery.webhooks import ANSWERS
from duly.messages.code import plain
from duly.service.api.answers import answer
from duly.service.api.openapi import responses
from duly.service.api.problems import Problem
from duly.service.api.schemas import Name, VerifyIn, VerifyOut
from duly.service.api.serving import present
from duly.service.api.slowing import (
    ADDRESS_A_MINUTE,
    CODE_AN_HOUR,
    HOUR,
    MINUTE,
    address_of,
    is_too_often,
)
from duly.service.operations import hearing, intake, payments
from duly.service.operations.verifying import verify

_PROBLEMS: Mapping[str, str] = {
    "signature": "bad_signature",
    "stale": "bad_signature",
    "repeated": "seen_before",
    "unreadable": "unreadable",
    "unknown_status": "unreadable",
}

router = Router(tags=["public"])


@router.post(
    "/verify", auth=None, response=responses(VerifyOut), operation_id="verify_code"
)  # fmt: skip
def verify_code(request: HttpRequest, body: VerifyIn) -> HttpResponse:
    """Say whether a text was ours, by its code and the end of the number it came to."""
    serving = present()
    _slow("verify_address", address_of(request), ADDRESS_A_MINUTE, MINUTE)
    _slow("verify_code", plain(body.code), CODE_AN_HOUR, HOUR)
    lender = serving.lender
    found = verify(body.code, body.phone_last4, today=serving.today)
    return answer(
        VerifyOut(
            ours=found is not None,
            sent_on=None if found is None else found.sent_on,
            channel=None if found is None else found.channel,
            lender=lender.name,
            hotline=lender.hotline,
            website=lender.website,
            app=lender.app,
        )
    )


@router.post(
    "/webhooks/{route}",
    auth=None,
    response=responses(None),
    operation_id="post_webhook",
)
def post_webhook(request: HttpRequest, route: Name) -> HttpResponse:
    """Take receipts and replies of a gateway; answered in that gateway's own words."""
    serving = present()
    entry = serving.intakes.get(route)
    if entry is None:
        raise Problem("not_found")
    body = request.body
    headers = {name.lower(): value for name, value in request.headers.items()}
    token = headers.get("x-duly-token", "") or request.GET.get("token", "")
    try:
        intake.take(entry, headers=headers, token=token, body=body, at=serving.clock())
    except intake.WebhookRefused as refused:
        intake.refuse(route, refused.why, size=len(body), body=body)
        raise Problem(_PROBLEMS[refused.why]) from None
    hearing.hear_beside(lender=serving.lender, at=serving.now())
    return HttpResponse(ANSWERS[entry.form], content_type="application/json")


@router.post(
    "/payments/{provider}",
    auth=None,
    response=responses(None),
    operation_id="post_payment",
)
def post_payment(request: HttpRequest, provider: Name) -> HttpResponse:
    """Take what a payment provider tells, signed; told twice it is heard once."""
    serving = present()
    way = serving.ways.get(provider)
    if way is None:
        raise Problem("not_found")
    headers = {name.lower(): value for name, value in request.headers.items()}
    why = payments.hear(way, headers=headers, body=request.body, lender=serving.lender,
                        at=serving.now(), clock=serving.clock())  # fmt: skip
    if why is not None:
        raise Problem(_PROBLEMS[why])
    return HttpResponse("{}", content_type="application/json")


def _slow(kind: str, subject: str, most: int, seconds: int) -> None:
    """Count a question; refuse it where there were too many."""
    if is_too_often(kind, subject, most, seconds):
        raise Problem("too_often", headers={"Retry-After": str(seconds)})
