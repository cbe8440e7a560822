"""Signing in and out: a number and a code to it, or a hand-over by the lender's own app."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import rotate_token

from duly.plan.addresses import key_of
from duly.service.api.serving import present
from duly.service.api.slowing import HOUR, MINUTE, address_of, is_too_often
from duly.service.faces.face import View
from duly.service.faces.looks import look_of
from duly.service.faces.tags import address
from duly.service.faces.views import put, shown, take
from duly.service.portal import codes, handing_over, sessions, texting
from duly.service.portal.pages import page, problem, too_often
from duly.service.portal.sessions import Session

COOKIE = "__Host-duly"
#: From one address: codes asked for in an hour, tries in ten minutes.
ASKED_AN_HOUR, TRIED = 20, 30
_TRIED_MINUTES = 10
_NUMBER = re.compile(r"[0-9]{6,15}")
_BAD = 422
_LONG = 200  #: characters of a field that are read


def signed_in(*methods: str) -> Callable[[View], View]:
    """Return what makes a view of a function that is for who has signed in: `request.person`."""

    def decorated(view: View) -> View:
        @shown(*methods)
        @wraps(view)
        def viewing(request: HttpRequest, *args: Any, **given: Any) -> HttpResponse:
            person = person_of(request)
            if person is None:
                return _ended(request)
            request.person = person  # type: ignore[attr-defined]
            return _carry(view(request, *args, **given), person)

        return viewing

    return decorated


def known(view: View) -> View:
    """Return a view that knows who has signed in, where somebody has."""

    @wraps(view)
    def viewing(request: HttpRequest, *args: Any, **given: Any) -> HttpResponse:
        person = person_of(request)
        request.person = person  # type: ignore[attr-defined]
        response = view(request, *args, **given)
        return response if person is None else _carry(response, person)

    return viewing


def who_of(request: HttpRequest) -> Session:
    """Return who is signed in, on a page that asks for it."""
    person: Session = request.person  # type: ignore[attr-defined]
    return person


def person_of(request: HttpRequest) -> Session | None:
    """Return who has signed in."""
    token = request.COOKIES.get(COOKIE, "")
    return sessions.look(token) if token else None


def _carry(response: HttpResponse, person: Session) -> HttpResponse:
    if person.token is not None and COOKIE not in response.cookies:
        put(response, COOKIE, person.token)
    return response


def _ended(request: HttpRequest) -> HttpResponse:
    """Lead to the door; who filled in a form hears that nothing of it was done."""
    if request.method == "POST":
        response = problem(request, "ended", status=403)
    else:
        response = _to(request, "sign-in")
    if COOKIE in request.COOKIES:
        take(response, COOKIE)
    return response


def _to(request: HttpRequest, name: str) -> HttpResponse:
    response = HttpResponseRedirect(address(name, look_of(request)))
    response.status_code = 303
    return response


@shown("GET", "POST")
def sign_in(request: HttpRequest) -> HttpResponse:
    """Take a number and promise a code to it, whoever's it is."""
    can = texting.can_text(present().lender)
    if request.method != "POST" or not can:
        return page(request, "sign_in", number="", wrong=(), can=can)
    if is_too_often("code_address", address_of(request), ASKED_AN_HOUR, HOUR):
        return too_often(request, HOUR)
    number = request.POST.get("number", "").strip()[:_LONG]
    if not (number.isascii() and _NUMBER.fullmatch(key_of(number))):
        return page(request, "sign_in", status=_BAD, number=number, wrong=("number",), can=can)
    wish = codes.ask(number, locale=look_of(request).locale)
    codes.send_beside(lender=present().lender, at=present().now())
    return page(request, "code", wish=wish, wrong=False, minutes=codes.MINUTES)


@shown("GET", "POST")
def sign_in_code(request: HttpRequest) -> HttpResponse:
    """Take the code and the name; whatever of them is wrong, the answer is one."""
    if request.method != "POST":
        return _to(request, "sign-in")
    seconds = _TRIED_MINUTES * MINUTE
    if is_too_often("code_tried", address_of(request), TRIED, seconds):
        return too_often(request, seconds)
    given = {one: request.POST.get(one, "")[:_LONG] for one in ("wish", "code", "full_name")}
    who = codes.check(given["wish"], given["code"], given["full_name"])
    if who is None:
        wish = given["wish"]
        return page(request, "code", status=_BAD, wish=wish, wrong=True, minutes=codes.MINUTES)
    return _signed(request, who, by="code")


@shown("GET", "POST")
def hand_over(request: HttpRequest) -> HttpResponse:
    """Sign in whom the lender's app hands over, once he says that he wants it."""
    serving = present()
    secret = serving.handover
    given = request.POST if request.method == "POST" else request.GET
    text = given.get("token", "")
    if is_too_often("hand_over", address_of(request), TRIED, _TRIED_MINUTES * MINUTE):
        return too_often(request, _TRIED_MINUTES * MINUTE)
    # The machine's own clock: a legal instant of a rehearsal opens no door.
    at = serving.clock()
    if handing_over.read(text, secret=secret, at=at) is None:
        return problem(request, "handed", status=403)
    if request.method != "POST":
        return page(request, "hand_over", token=text)
    with transaction.atomic():
        who = handing_over.use(text, secret=secret, at=at)
    if who is None:
        return problem(request, "handed", status=403)
    return _signed(request, who, by="hand_over")


def _signed(request: HttpRequest, who: str, *, by: str) -> HttpResponse:
    """Begin a session; one that stood in this browser before is over."""
    before = person_of(request)
    if before is not None:
        sessions.end(before)
    rotate_token(request)
    response = _to(request, "loans")
    put(response, COOKIE, sessions.begin(who, by=by))
    return response


@shown("POST")
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session and say so."""
    person = person_of(request)
    if person is not None:
        sessions.end(person)
    response = page(request, "signed_out")
    response["Clear-Site-Data"] = '"cache"'
    take(response, COOKIE)
    return response
