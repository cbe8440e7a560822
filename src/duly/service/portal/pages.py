"""How a page is made: its language and size, its words, what every page says at its end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, wraps
from pathlib import Path
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.template.loader import render_to_string
from django.views.decorators.csrf import csrf_protect

from duly.book import Lender
from duly.core.words import LOCALES, known_locale
from duly.service import journal
from duly.service.api.serving import present

_STYLE = Path(__file__).parent / "style.css"
_WEEK = 604_800
#: A page that is asked for too often says when to come back.
_TOO_OFTEN = 429

View = Callable[..., HttpResponse]


#: What a page is about, beside its address: a switch of the language keeps it.
_ABOUT = ("loan", "offer", "token")


@dataclass(frozen=True, kw_only=True)
class Look:
    """In which language and size somebody reads; what was chosen goes on in every link."""

    locale: str
    large: bool
    chosen: tuple[tuple[str, str], ...]  #: lang and size, where the address says them
    about: tuple[tuple[str, str], ...] = ()

    @property
    def other(self) -> str:
        """Return the language that the switch leads to."""
        return next(one for one in LOCALES if one != self.locale)


def look_of(request: HttpRequest) -> Look:
    """Return how a page is read: as its address says, else as the browser asks, else the lender.

    No cookie keeps it: nothing is stored about who has not signed in.
    """
    read = request.method == "POST" and not getattr(request, "unread", False)
    try:
        given = request.POST if read else request.GET
    except SuspiciousOperation:  # Thousands of fields: the page that refuses them names no choice.
        given = QueryDict()
    lang, size = given.get("lang", ""), given.get("size", "")
    chosen = [("lang", lang)] if lang in LOCALES else []
    if size == "large":
        chosen.append(("size", size))
    locale = lang if lang in LOCALES else _preferred(request)
    about = tuple((name, given[name]) for name in _ABOUT if given.get(name))
    return Look(locale=locale, large=size == "large", chosen=tuple(chosen), about=about)


def leave_unread(request: HttpRequest) -> None:
    """Say that the body of a request is not read, not even for its language."""
    request.unread = True  # type: ignore[attr-defined]


def _preferred(request: HttpRequest) -> str:
    for part in request.headers.get("Accept-Language", "").split(",")[:10]:
        named = part.partition(";")[0].strip().lower()
        if named.startswith(("zh", "en")):
            return known_locale(named)
    return known_locale(present().lender.locale)


def page(request: HttpRequest, name: str, *, status: int = 200, **values: Any) -> HttpResponse:
    """Return a page by the name of its template."""
    look = look_of(request)
    lender = present().lender
    context = {
        "look": look,
        "lender": named(lender, look.locale),
        "style": style_sha(),
        "here": request.path,
        "person": getattr(request, "person", None),
        **values,
    }
    response = HttpResponse(render_to_string(f"{name}.html", context, request), status=status)
    response["Content-Language"] = look.locale
    response["Vary"] = "Accept-Language, Cookie"
    return response


def named(lender: Lender, locale: str) -> dict[str, object]:
    """Return what pages say of the lender, in the words of a language."""
    english = locale == "en"
    return {
        "name": (english and lender.name_en) or lender.name,
        "app": (english and lender.app_en) or lender.app,
        "hotline": lender.hotline,
        "dials": lender.hotline if lender.hotline.replace("-", "").isdigit() else "",
        "website": lender.website,
        "national": "cn" in lender.packs,
        "texts_per_day": lender.limits.texts_per_day,
        "texts_per_7_days": lender.limits.texts_per_7_days,
        "decides": (english and lender.relief.decides_en) or lender.relief.decides,
    }


def shown(*methods: str) -> Callable[[View], View]:
    """Return what makes a view of a function: methods, forged forms, a database that is away."""

    def decorated(view: View) -> View:
        protected = csrf_protect(view)

        @wraps(view)
        def viewing(request: HttpRequest, *args: Any, **given: Any) -> HttpResponse:
            if request.method not in (*methods, "HEAD"):
                response = problem(request, "method", status=405)
                response["Allow"] = HttpResponseNotAllowed(methods)["Allow"]
                return response
            try:
                return protected(request, *args, **given)
            except (OperationalError, InterfaceError) as error:
                journal.broken("database.away", error)
                response = problem(request, "away", status=503)
                response["Retry-After"] = "5"
                return response

        return viewing

    return decorated


def problem(request: HttpRequest, code: str, *, status: int) -> HttpResponse:
    """Return the page that says what happened, whether anything was lost, what to do."""
    return page(request, "problem", status=status, code=code)


def too_often(request: HttpRequest, seconds: int) -> HttpResponse:
    """Return the page for who asked too often."""
    response = page(request, "problem", status=_TOO_OFTEN, code="often", minutes=-(-seconds // 60))
    response["Retry-After"] = str(seconds)
    return response


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 Django's word
    """Answer a form that did not come from a page of ours, or from one that is too old."""
    return problem(request, "forged", status=403)


def nowhere(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    """Answer for an address that no page has."""
    return problem(request, "nowhere", status=404)


def unreadable(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    """Answer for a request that the framework cannot read."""
    return problem(request, "body", status=400)


def broken(request: HttpRequest) -> HttpResponse:
    """Answer for an error that reached nobody else."""
    return problem(request, "broken", status=500)


@cache
def _style() -> bytes:
    return _STYLE.read_bytes()


@cache
def style_sha() -> str:
    """Return what changes with the style sheet, for its address."""
    return hashlib.sha256(_style()).hexdigest()[:12]


def style(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 A view takes its request.
    """Serve the style sheet."""
    response = HttpResponse(_style(), content_type="text/css; charset=utf-8")
    response["Cache-Control"] = f"public, max-age={_WEEK}"
    return response
