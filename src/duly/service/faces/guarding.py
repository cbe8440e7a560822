"""Around each page: which requests are ours, how large they may be, what every answer carries."""

from __future__ import annotations

import sys

from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.urls import Resolver404, resolve, set_script_prefix, set_urlconf

from duly.service import journal
from duly.service.api.serving import present
from duly.service.faces.face import Face, Request
from duly.service.faces.looks import leave_unread
from duly.service.faces.views import problem

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_API = ("/api/", "/healthz", "/readyz", "/metrics")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
_UNREADABLE, _NO_LENGTH, _TOO_LARGE, _OTHER_TYPE = 400, 411, 413, 415
_DIGITS_MAX = 12  #: of a length
_YEAR = 31_536_000


def owned(face: Face, request: HttpRequest, *, host: str) -> bool:
    """Return whether a request is for a page of a face, not for a program or another face."""
    if host and _host(request) != host:
        return False
    path, prefix = request.path_info, face.prefix()
    if not host and path.startswith(_API):
        return False
    if not path.startswith(f"{prefix}/") and path != prefix:
        return False
    try:
        resolve(path.removeprefix(prefix) or "/", urlconf=face.urls)
    except Resolver404:
        # Who reads pages is told so by a page; a program hears it as it always did.
        return "text/html" in request.headers.get("Accept", "")
    return True


def guarded(face: Face, view: Request) -> Request:
    """Return a view of pages: refused before it is read where it is too large, headers on all."""

    def noted(request: HttpRequest | None = None, **_: object) -> None:
        """Note in the journal what broke a page; the API notes its own."""
        error = sys.exc_info()[1]
        if error is not None and getattr(request, "urlconf", None) == face.urls:
            journal.broken("request.broken", error)

    got_request_exception.connect(noted, weak=False, dispatch_uid=f"duly.{face.area}")

    def guarding(request: HttpRequest) -> HttpResponse:
        _place(face, request)
        response = _answer(face, request, view)
        response.setdefault("Content-Security-Policy", face.csp)
        for name, value in _HEADERS.items():
            response.setdefault(name, value)
        response.setdefault("Cache-Control", "no-store")
        if request.is_secure():
            response["Strict-Transport-Security"] = f"max-age={_YEAR}"
        return response

    return guarding


def _answer(face: Face, request: HttpRequest, view: Request) -> HttpResponse:
    if request.method == "POST":
        refused = _refused(face, request)
        if refused:
            leave_unread(request)
            return problem(request, "body", status=refused)
    try:
        return view(request)
    except UnreadablePostError:
        leave_unread(request)
        return problem(request, "body", status=_UNREADABLE)


def _refused(face: Face, request: HttpRequest) -> int:
    """Return the status under which a body is refused by its headers, 0 where it is read."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()) or len(length) > _DIGITS_MAX:
        return _UNREADABLE
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        return _NO_LENGTH
    kind = str(request.META.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()
    if kind not in _FORMS:
        return _OTHER_TYPE
    most = face.form_max
    if kind == _FORMS[1]:
        uploads = (most for end, most in face.uploads.items() if request.path_info.endswith(end))
        most = next(uploads, most)
    return _TOO_LARGE if int(length) > most else 0


def _place(face: Face, request: HttpRequest) -> None:
    """Let the pages know where they are served and by which scheme they were asked for."""
    prefix = face.prefix()
    request.face = face  # type: ignore[attr-defined]
    request.urlconf = face.urls
    set_urlconf(face.urls)  # What is refused before the framework resolves it is a page too.
    request.path_info = request.path_info.removeprefix(prefix) or "/"
    set_script_prefix(f"{prefix}/")
    if request.META.get("REMOTE_ADDR", "") in present().proxies:
        told = request.headers.get("X-Forwarded-Proto", "")
        if told == "https":
            request.META["wsgi.url_scheme"] = told


def _host(request: HttpRequest) -> str:
    return str(request.META.get("HTTP_HOST", "")).partition(":")[0].lower()
