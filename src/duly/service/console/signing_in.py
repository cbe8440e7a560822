"""Signing in and out of the console, and the one decorator that every page stands behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.urls import Resolver404, resolve

from duly.service.api.serving import present
from duly.service.api.slowing import MINUTE, address_of, is_too_often
from duly.service.borrower_keys import masters
from duly.service.console.pages import page, problem, too_often
from duly.service.console.roles import may
from duly.service.faces.face import View, face_of
from duly.service.faces.looks import look_of
from duly.service.faces.tags import address
from duly.service.faces.views import put, shown, take
from duly.service.operations.recording import record
from duly.service.operations.staff import LOCKED_MINUTES, SESSIONS, TRIES, enter

COOKIE = "__Host-duly-staff"
#: Tries from one address in so many minutes, whatever the names.
TRIED, TRIED_MINUTES = 30, 10
_BAD, _FORBIDDEN, _SEE_OTHER = 422, 403, 303
_LONG = 200  #: characters of a field that are read
_OPEN = "open"  #: the permission of pages that need no sign-in


@dataclass(frozen=True, kw_only=True)
class Signed:
    """Somebody of the staff who is signed in; `token` is there where the cookie has to change."""

    name: str
    role: str
    number: int
    token: str | None

    def may(self, permission: str) -> bool:
        """Return whether his role may do something."""
        return may(self.role, permission)


def allowed(permission: str, *methods: str) -> Callable[[View], View]:
    """Return what makes a page of a function: for who is signed in and whose role may.

    Each refusal is recorded. `request.staff` says who it is.
    """

    def decorated(view: View) -> View:
        @shown(*methods)
        @wraps(view)
        def viewing(request: HttpRequest, *args: Any, **given: Any) -> HttpResponse:
            staff = staff_of(request)
            if staff is None:
                return _ended(request)
            request.staff = staff  # type: ignore[attr-defined]
            if may(staff.role, permission):
                return _carry(view(request, *args, **given), staff)
            told = {"permission": permission, "role": staff.role}
            record("staff.forbidden", [(staff.name, told)])
            return _carry(problem(request, "forbidden", status=_FORBIDDEN), staff)

        viewing.permission = permission  # type: ignore[attr-defined]
        return viewing

    return decorated


def opened(*methods: str) -> Callable[[View], View]:
    """Return what makes a page of a function that nobody has to sign in for."""

    def decorated(view: View) -> View:
        viewing = shown(*methods)(view)
        viewing.permission = _OPEN  # type: ignore[attr-defined]
        return viewing

    return decorated


def who_of(request: HttpRequest) -> Signed:
    """Return who is signed in, on a page that asks for it."""
    staff: Signed = request.staff  # type: ignore[attr-defined]
    return staff


def staff_of(request: HttpRequest) -> Signed | None:
    """Return who is signed in, with the role that he has now."""
    token = request.COOKIES.get(COOKIE, "")
    seen = SESSIONS.look(token) if token else None
    if seen is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT role FROM store_staff WHERE name = %s AND disabled_at IS NULL", [seen.owner]
        )
        row = cursor.fetchone()
    if row is None:
        return None
    return Signed(name=seen.owner, role=row[0], number=seen.number, token=seen.token)


def _carry(response: HttpResponse, staff: Signed) -> HttpResponse:
    if staff.token is not None and COOKIE not in response.cookies:
        put(response, COOKIE, staff.token)
    return response


def _ended(request: HttpRequest) -> HttpResponse:
    """Lead to the door; who filled in a form hears that nothing of it was done."""
    if request.method == "POST":
        response = problem(request, "ended", status=_FORBIDDEN)
    else:
        door = address("sign-in", look_of(request))
        response = _to(_with(door, [("to", request.path)]))
    if COOKIE in request.COOKIES:
        take(response, COOKIE)
    return response


def _to(where: str) -> HttpResponse:
    response = HttpResponseRedirect(where)
    response.status_code = _SEE_OTHER
    return response


def _with(where: str, pairs: Iterable[tuple[str, str]]) -> str:
    """Return an address with more in its query."""
    query = urlencode(list(pairs))
    return f"{where}{'&' if '?' in where else '?'}{query}" if query else where


def _onward(request: HttpRequest, given: str) -> str:
    """Return where somebody wanted to go, where that is a page of ours; else the first page."""
    face = face_of(request)
    prefix = face.prefix()
    if given.startswith(f"{prefix}/") and len(given) <= _LONG and given.isprintable():
        try:
            resolve(given.removeprefix(prefix), urlconf=face.urls)
        except Resolver404:
            pass
        else:
            return given
    return ""


@opened("GET", "POST")
def sign_in(request: HttpRequest) -> HttpResponse:
    """Take name, password and code together; whatever of them is wrong, the answer is one."""
    told = {"tries": TRIES, "minutes": LOCKED_MINUTES}
    given = request.POST if request.method == "POST" else request.GET
    onward = _onward(request, given.get("to", ""))
    if request.method != "POST":
        return page(request, "sign_in", wrong=False, onward=onward, **told)
    asker = address_of(request)
    if is_too_often("staff_address", asker, TRIED, TRIED_MINUTES * MINUTE):
        return too_often(request, TRIED_MINUTES * MINUTE)
    name, password, code = (given.get(one, "")[:_LONG] for one in ("name", "password", "code"))
    serving = present()
    # The machine's own clock: a legal instant of a rehearsal opens no door.
    entered = enter(
        name.strip().lower(), password.strip(), code, at=serving.clock(),
        keys=[key.secret for key in masters()],
        asker=serving.signer.sign("staff address", asker.encode()).hex(),
    )  # fmt: skip
    if entered is None:
        return page(request, "sign_in", status=_BAD, wrong=True, onward=onward, **told)
    before = staff_of(request)
    if before is not None:
        _end(before)
    rotate_token(request)
    look = look_of(request)
    response = _to(_with(onward, look.chosen) if onward else address("today", look))
    put(response, COOKIE, entered.token)
    return response


@opened("POST")
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session in the store and say so."""
    staff = staff_of(request)
    if staff is not None:
        _end(staff)
    response = page(request, "signed_out")
    response["Clear-Site-Data"] = '"cache"'
    take(response, COOKIE)
    return response


def _end(staff: Signed) -> None:
    with transaction.atomic():
        if SESSIONS.end(staff.number):
            record("staff.signed_out", [(staff.name, {"session": staff.number})])
