"""How a page is made: its words, what every page says at its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from duly.service.api.serving import present
from duly.service.faces.looks import look_of, named
from duly.service.faces.views import dressed, problem, served, sha_of, too_often

__all__ = ["page", "problem", "style", "too_often"]

_STYLE = Path(__file__).parent / "style.css"


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
    text = render_to_string(f"{name}.html", context, request)
    return dressed(text, locale=look.locale, status=status)


def style(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 A view takes its request.
    """Serve the style sheet."""
    return served(_STYLE, "text/css")
