"""Around each page: which requests are ours, how large they may be, what every answer carries."""

from __future__ import annotations

import sys
from collections.abc import Callable

from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.urls import Resolver404, resolve, set_script_prefix, set_urlconf

from duly.service import journal
from duly.service.api.serving import present
from duly.service.portal import pages

URLS = "duly.service.portal.urls"
#: Bytes of a form, and of the one that takes a picture or a PDF.
FORM_MAX, UPLOAD_MAX = 64 << 10, (5 << 20) + (64 << 10)
_UPLOADS = "/paid"
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_API = ("/api/", "/healthz", "/readyz", "/metrics")
_CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _CSP,
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

View = Callable[[HttpRequest], HttpResponse]


def owns(request: HttpRequest) -> bool:
    """Return whether a request is for a borrower's page, not for a program."""
    portal = present().lender.portal
    if not portal.serve or (portal.host and _host(request) != portal.host):
        return False
    path, prefix = request.path_info, portal.prefix
    if not portal.host and path.startswith(_API):
        return False
    if not path.startswith(f"{prefix}/") and path != prefix:
        return False
    try:
        resolve(path.removeprefix(prefix) or "/", urlconf=URLS)
    except Resolver404:
        # Who reads pages is told so by a page; a program hears it as it always did.
        return "text/html" in request.headers.get("Accept", "")
    return True


def _noted(request: HttpRequest | None = None, **_: object) -> None:
    """Note in the journal what broke a page; the API notes its own."""
    error = sys.exc_info()[1]
    if error is not None and getattr(request, "urlconf", None) == URLS:
        journal.broken("request.broken", error)


def guarded(view: View) -> View:
    """Return a view of pages: refused before it is read where it is too large, headers on all."""
    got_request_exception.connect(_noted, dispatch_uid="duly.portal")

    def guarding(request: HttpRequest) -> HttpResponse:
        _place(request)
        response = _answer(request, view)
        for name, value in _HEADERS.items():
            response.setdefault(name, value)
        response.setdefault("Cache-Control", "no-store")
        if request.is_secure():
            response["Strict-Transport-Security"] = f"max-age={_YEAR}"
        return response

    return guarding


def _answer(request: HttpRequest, view: View) -> HttpResponse:
    if request.method == "POST":
        refused = _refused(request)
        if refused:
            pages.leave_unread(request)
            return pages.problem(request, "body", status=refused)
    try:
        return view(request)
    except UnreadablePostError:
        pages.leave_unread(request)
        return pages.problem(request, "body", status=_UNREADABLE)


def _refused(request: HttpRequest) -> int:
    """Return the status under which a body is refused by its headers, 0 where it is read."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()) or len(length) > _DIGITS_MAX:
        return _UNREADABLE
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        return _NO_LENGTH
    kind = str(request.META.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()
    if kind not in _FORMS:
        return _OTHER_TYPE
    upload = kind == _FORMS[1] and request.path_info.endswith(_UPLOADS)
    return _TOO_LARGE if int(length) > (UPLOAD_MAX if upload else FORM_MAX) else 0


def _place(request: HttpRequest) -> None:
    """Let the pages know where they are served and by which scheme they were asked for."""
    serving = present()
    prefix = serving.lender.portal.prefix
    request.urlconf = URLS
    set_urlconf(URLS)  # What is refused before the framework resolves it is a page too.
    request.path_info = request.path_info.removeprefix(prefix) or "/"
    set_script_prefix(f"{prefix}/")
    if request.META.get("REMOTE_ADDR", "") in serving.proxies:
        told = request.headers.get("X-Forwarded-Proto", "")
        if told == "https":
            request.META["wsgi.url_scheme"] = told


def _host(request: HttpRequest) -> str:
    return str(request.META.get("HTTP_HOST", "")).partition(":")[0].lower()
