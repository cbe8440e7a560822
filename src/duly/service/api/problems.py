"""Every refusal as problem details (RFC 9457): a code for programs, a sentence for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from django.http import HttpRequest, HttpResponse

from duly.core.words import known_locale, say

CONTENT_TYPE = "application/problem+json"

#: Which status each problem has; its words stand in the catalogue `api`.
STATUS: Mapping[str, int] = {
    "bad_cursor": 400,
    "bad_idempotency_key": 400,
    "bad_length": 400,
    "not_json": 400,
    "no_key": 401,
    "bad_key": 401,
    "bad_signature": 401,
    "unscoped": 403,
    "not_found": 404,
    "method": 405,
    "not_cancellable": 409,
    "not_retriable": 409,
    "seen_before": 409,
    "still_running": 409,
    "contact_id_taken": 409,
    "length_needed": 411,
    "too_large": 413,
    "content_type": 415,
    "invalid": 422,
    "events_refused": 422,
    "other_body": 422,
    "refused": 422,
    "unreadable": 422,
    "too_often": 429,
    "broken": 500,
    "no_database": 503,
}


class Problem(Exception):
    """A request that is refused; nothing of it was done."""

    def __init__(
        self,
        code: str,
        *,
        errors: Sequence[Mapping[str, object]] = (),
        headers: Mapping[str, str] | None = None,
        detail: str = "",
        **values: object,
    ) -> None:
        self.code = code
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.detail = detail
        self.values = values
        super().__init__(code)


def locale_of(request: HttpRequest) -> str:
    """Return the language that the asking program prefers: the first it names, else English."""
    named = request.headers.get("Accept-Language", "").split(",")[0].split(";")[0].strip()
    return known_locale(named)


def respond(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Return the answer that tells of a problem; it names no value that was sent."""
    locale = locale_of(request)
    status = STATUS[problem.code]
    body: dict[str, object] = {
        "type": f"urn:duly:problem:{problem.code}",
        "title": say("api", f"title.{problem.code}", locale),
        "status": status,
        "detail": problem.detail or say("api", f"detail.{problem.code}", locale, **problem.values),
        "code": problem.code,
    }
    if problem.errors:
        body["errors"] = list(problem.errors)
    response = HttpResponse(
        json.dumps(body, ensure_ascii=False), status=status, content_type=CONTENT_TYPE
    )
    if status == STATUS["no_key"] and problem.code in ("no_key", "bad_key"):
        response["WWW-Authenticate"] = "Bearer"
    response["Content-Language"] = locale
    for name, value in problem.headers.items():
        response[name] = value
    return response
