"""At the door of the server: the staff's pages, the borrowers' or the API, each with its limits."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from duly.service.api.limits import limits
from duly.service.console import guarding as console
from duly.service.faces.guarding import guarded
from duly.service.portal import guarding as portal

View = Callable[[HttpRequest], HttpResponse]


def split(view: View) -> View:
    """Return a view that leads a request to the face which its address belongs to."""
    api, ours, theirs = limits(view), guarded(console.FACE, view), guarded(portal.FACE, view)

    def leading(request: HttpRequest) -> HttpResponse:
        if console.owns(request):
            return ours(request)
        return theirs(request) if portal.owns(request) else api(request)

    return leading
