"""How a page is made: its words, what every page says at its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from duly.service.api.serving import present
from duly.service.faces.looks import look_of, named
from duly.service.faces.views import served, sha_of

_STYLE = Path(__file__).parent / "style.css"
#: A page that is asked for too often says when to come back.
_TOO_OFTEN = 429


def page(request: HttpRequest, name: str, *, status: int = 200, **values: Any) -> HttpResponse:
    """Return a page by the name of its template."""
    look = look_of(request)
    lender = present().lender
    context = {
        "look": look,
        "lender": named(lender, look.locale),
        "style": sha_of(_STYLE),
        "here": request.path,
        "person": getattr(request, "person", None),
        **values,
    }
    response = HttpResponse(render_to_string(f"{name}.html", context, request), status=status)
    response["Content-Language"] = look.locale
    response["Vary"] = "Accept-Language, Cookie"
    return response


def problem(request: HttpRequest, code: str, *, status: int) -> HttpResponse:
    """Return the page that says what happened, whether anything was lost, what to do."""
    return page(request, "problem", status=status, code=code)


def too_often(request: HttpRequest, seconds: int) -> HttpResponse:
    """Return the page for who asked too often."""
    response = page(request, "problem", status=_TOO_OFTEN, code="often", minutes=-(-seconds // 60))
    response["Retry-After"] = str(seconds)
    return response


def style(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 A view takes its request.
    """Serve the style sheet."""
    return served(_STYLE, "text/css")
