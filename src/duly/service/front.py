"""At the door of the server: the borrowers' pages or the API, each with limits of its own."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from duly.service.api.limits import limits
from duly.service.faces.guarding import guarded
from duly.service.portal.guarding import FACE, owns

View = Callable[[HttpRequest], HttpResponse]


def split(view: View) -> View:
    """Return a view that leads a request to the face which its address belongs to."""
    api, portal = limits(view), guarded(FACE, view)

    def leading(request: HttpRequest) -> HttpResponse:
        return portal(request) if owns(request) else api(request)

    return leading
