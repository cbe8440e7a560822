"""Is this message yours, is this caller yours? Asked by anybody, and nothing is said of a debt."""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse

from duly.messages.code import plain
from duly.service.api.serving import present
from duly.service.api.slowing import (
    ADDRESS_A_MINUTE,
    CODE_AN_HOUR,
    HOUR,
    MINUTE,
    address_of,
    is_too_often,
)
from duly.service.faces.views import shown
from duly.service.operations import verifying
from duly.service.operations.calling import word_of
from duly.service.portal.pages import page, too_often
from duly.service.portal.signing_in import known

_CODE_MAX = 40
_LAST4 = re.compile(r"[0-9]{4}")
_BAD = 422


@shown("GET")
@known
def home(request: HttpRequest) -> HttpResponse:
    """Show the two doors."""
    return page(request, "home")


@shown("GET", "POST")
def verify(request: HttpRequest) -> HttpResponse:
    """Say whether a message was ours, by its code and the end of the number it came to."""
    asked = asked_of(request, "verify")
    if isinstance(asked, HttpResponse):
        return asked
    code, last4 = asked
    return page(request, "verified", sent=verifying.verify(code, last4, today=present().today))


def asked_of(request: HttpRequest, name: str) -> tuple[str, str] | HttpResponse:
    """Return the code and the last four digits that a form brings, else the page to show instead.

    That is the form itself, with what is wrong in it, or the page for who asks too often.
    """
    if request.method != "POST":
        return page(request, name, code="", last4="", wrong=())
    if is_too_often("verify_address", address_of(request), ADDRESS_A_MINUTE, MINUTE):
        return too_often(request, MINUTE)
    code = request.POST.get("code", "").strip()[:_CODE_MAX]
    last4 = request.POST.get("last4", "").strip()[:_CODE_MAX]
    wrong = _faults(code, last4)
    if wrong:
        return page(request, name, status=_BAD, code=code, last4=last4, wrong=wrong)
    if is_too_often("verify_code", plain(code), CODE_AN_HOUR, HOUR):
        return too_often(request, HOUR)
    return code, last4


def _faults(code: str, last4: str) -> tuple[str, ...]:
    """Return which fields cannot be what they should be; nothing is looked up for it."""
    found = []
    if not plain(code).isalnum() or not code.isascii():
        found.append("code")
    if not _LAST4.fullmatch(last4):
        found.append("last4")
    return tuple(found)


@shown("GET")
@known
def caller(request: HttpRequest) -> HttpResponse:
    """Show how to check who calls; who has signed in sees the word of the day."""
    person = request.person  # type: ignore[attr-defined]
    word = person and word_of(person.borrower_id, present().today, signer=present().signer)
    return page(request, "caller", word=word)
