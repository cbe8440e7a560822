"""Before a view: how large a body may be, and of which type; after it: headers of every answer."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError

from duly.service.api.problems import CONTENT_TYPE, Problem, respond
from duly.service.operations import intake

BODY_MAX = 1 << 20  #: bytes
_METHODS = frozenset({"POST", "PUT", "PATCH"})
_EVENTS = "/api/v1/events"
_WEBHOOKS = "/api/v1/webhooks/"
_JSON = frozenset({"application/json"})
_EVENT_TYPES = _JSON | {"application/cloudevents+json", "application/cloudevents-batch+json"}
_WEBHOOK_TYPES = _JSON | {"application/x-www-form-urlencoded"}
_NOT_FOUND, _METHOD = 404, 405

View = Callable[[HttpRequest], HttpResponse]


def limits(view: View) -> View:
    """Return a view that refuses a body before it is read where its headers say enough."""

    def limited(request: HttpRequest) -> HttpResponse:
        try:
            _check(request)
            response = view(request)
        except Problem as problem:
            response = respond(request, problem)
        except UnreadablePostError:
            response = respond(request, Problem("bad_length"))
        response = _as_problem(request, response)
        response["Cache-Control"] = "no-store"
        response["X-Content-Type-Options"] = "nosniff"
        return response

    return limited


def content_type(request: HttpRequest) -> str:
    """Return the type of a body without its parameters."""
    return str(request.META.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()


def _check(request: HttpRequest) -> None:
    if request.method not in _METHODS:
        return
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        raise Problem("length_needed")
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        raise Problem("bad_length")
    if int(length) > BODY_MAX:
        if request.path.startswith(_WEBHOOKS):
            intake.refuse(request.path.removeprefix(_WEBHOOKS), "too_large", size=int(length))
        raise Problem("too_large", most=BODY_MAX)
    if int(length) == 0 and not request.META.get("CONTENT_TYPE"):
        return
    wanted = _wanted(request.path)
    if content_type(request) not in wanted:
        if request.path.startswith(_WEBHOOKS):
            intake.refuse(request.path.removeprefix(_WEBHOOKS), "content_type", size=int(length))
        raise Problem("content_type", wanted=", ".join(sorted(wanted)))


def _wanted(path: str) -> frozenset[str]:
    if path == _EVENTS:
        return _EVENT_TYPES
    return _WEBHOOK_TYPES if path.startswith(_WEBHOOKS) else _JSON


def _as_problem(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Return what the framework refuses by itself in the words of every other refusal."""
    code = {_NOT_FOUND: "not_found", _METHOD: "method"}.get(response.status_code)
    if code is None or response.get("Content-Type", "") == CONTENT_TYPE:
        return response
    kept = {"Allow": response["Allow"]} if "Allow" in response else {}
    return respond(request, Problem(code, headers=kept))
