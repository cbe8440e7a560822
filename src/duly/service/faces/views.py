"""What makes a page of a function: its methods, forged forms, a database that is away, files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views.decorators.csrf import csrf_protect

from duly.service import journal
from duly.service.faces.face import View, face_of

_WEEK = 604_800
_TOO_OFTEN = 429


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


def dressed(text: str, *, locale: str, status: int) -> HttpResponse:
    """Return a page with what every page says of itself: its language, and who else may see it."""
    response = HttpResponse(text, status=status)
    response["Content-Language"] = locale
    response["Vary"] = "Accept-Language, Cookie"
    return response


def problem(request: HttpRequest, code: str, *, status: int) -> HttpResponse:
    """Return the page that says what happened, whether anything was lost, what to do."""
    return face_of(request).page(request, "problem", status=status, code=code)


def too_often(request: HttpRequest, seconds: int) -> HttpResponse:
    """Return the page for who asked too often; it says when to come back."""
    response = face_of(request).page(request, "problem", status=_TOO_OFTEN, code="often",
                                     minutes=-(-seconds // 60))  # fmt: skip
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
def content(path: Path) -> bytes:
    """Return a file of ours that a page loads."""
    return path.read_bytes()


@cache
def sha_of(path: Path) -> str:
    """Return what changes with a file, for its address."""
    return hashlib.sha256(content(path)).hexdigest()[:12]


def served(path: Path, kind: str) -> HttpResponse:
    """Serve a file of ours; its address changes with it."""
    response = HttpResponse(content(path), content_type=f"{kind}; charset=utf-8")
    response["Cache-Control"] = f"public, max-age={_WEEK}"
    return response


def put(response: HttpResponse, cookie: str, token: str) -> None:
    """Let an answer carry a token: for this host alone, over TLS, unread by scripts."""
    response.set_cookie(cookie, token, secure=True, httponly=True, samesite="Strict", path="/")


def take(response: HttpResponse, cookie: str) -> None:
    """Let an answer take a token away."""
    response.set_cookie(cookie, "", max_age=0, secure=True, httponly=True, samesite="Strict")
