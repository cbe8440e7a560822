"""Around each request: a span, and a line in the journal where we failed."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from duly.service import journal, tracing

_OURS = 500


def watched(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Return a view that tells how it ended: by the pattern of the address, never the address."""

    def watching(request: HttpRequest) -> HttpResponse:
        with tracing.span("request", kind=request.method or "") as told:
            response = view(request)
            match = request.resolver_match
            told |= {"route": match.route if match else "none", "status": response.status_code}
        if response.status_code >= _OURS:
            journal.warn("request.failed", route=told["route"], status=response.status_code)
        return response

    return watching
