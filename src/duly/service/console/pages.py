"""How a page of the console is made: its words, who is signed in, what he may open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from duly.service.api.serving import present
from duly.service.console.roles import may
from duly.service.faces.looks import look_of, named
from duly.service.faces.views import dressed, problem, served, sha_of, too_often

__all__ = ["keys", "page", "problem", "style", "too_often"]

_STYLE = Path(__file__).parent / "style.css"
_KEYS = Path(__file__).parent / "keys.js"
#: What the head of each page leads to, for who may.
_DOORS = (("today", "today.see"), ("tasks", "tasks.see"), ("portfolio", "portfolio.see"),
          ("rules", "rules.see"), ("strategy", "strategy.see"))  # fmt: skip


def page(request: HttpRequest, name: str, *, status: int = 200, **values: Any) -> HttpResponse:
    """Return a page by the name of its template."""
    look = look_of(request)
    staff = getattr(request, "staff", None)
    context = {
        "look": look,
        "lender": named(present().lender, look.locale),
        "style": sha_of(_STYLE),
        "keys": sha_of(_KEYS),
        "here": request.path,
        "staff": staff,
        "doors": [one for one, permission in _DOORS if staff and may(staff.role, permission)],
        **values,
    }
    text = render_to_string(f"console/{name}.html", context, request)
    return dressed(text, locale=look.locale, status=status)


def style(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 A view takes its request.
    """Serve the style sheet."""
    return served(_STYLE, "text/css")


def keys(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 A view takes its request.
    """Serve the script of the keyboard."""
    return served(_KEYS, "text/javascript")


#: Files of ours: anybody may have them.
style.permission = "open"  # type: ignore[attr-defined]
keys.permission = "open"  # type: ignore[attr-defined]
