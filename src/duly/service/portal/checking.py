"""Is this message yours, is this caller yours? Asked by anybody, and nothing is said of a debt."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse

from duly.service.api.serving import present
from duly.service.api.slowing import (
    ADDRESS_A_MINUTE,
    CODE_AN_HOUR,
    HOUR,
    MINUTE,
    address_of,
    is_too_often,
)
from duly.service.operations import verifying
from duly.service.portal.pages import page, shown, too_often

_CODE_MAX = 40
_LAST4 = re.compile(r"[0-9]{4}")
_BAD = 422


@shown("GET")
def home(request: HttpRequest) -> HttpResponse:
    """Show the two doors."""
    return page(request, "home")


@shown("GET", "POST")
def verify(request: HttpRequest) -> HttpResponse:
    """Say whether a message was ours, by its code and the end of the number it came to."""
    if request.method != "POST":
        return page(request, "verify", code="", last4="", wrong=())
    if is_too_often("verify_address", address_of(request), ADDRESS_A_MINUTE, MINUTE):
        return too_often(request, MINUTE)
    code, last4 = asked(request)
    wrong = faults(code, last4)
    if wrong:
        return page(request, "verify", status=_BAD, code=code, last4=last4, wrong=wrong)
    if is_too_often("verify_code", verifying.plain(code), CODE_AN_HOUR, HOUR):
        return too_often(request, HOUR)
    today = present().now().astimezone(ZoneInfo(present().lender.time_zone)).date()
    return page(request, "verified", sent=verifying.verify(code, last4, today=today))


def asked(request: HttpRequest) -> tuple[str, str]:
    """Return the code and the last four digits that a form brings."""
    code = request.POST.get("code", "").strip()[:_CODE_MAX]
    return code, request.POST.get("last4", "").strip()[:_CODE_MAX]


def faults(code: str, last4: str) -> tuple[str, ...]:
    """Return which fields cannot be what they should be; nothing is looked up for it."""
    found = []
    if not verifying.plain(code).isalnum() or not code.isascii():
        found.append("code")
    if not _LAST4.fullmatch(last4):
        found.append("last4")
    return tuple(found)


@shown("GET")
def caller(request: HttpRequest) -> HttpResponse:
    """Show how to check who calls."""
    return page(request, "caller")
