"""Who asks: bearer keys with scopes."""

from __future__ import annotations

from django.http import HttpRequest

from duly.service.api.problems import Problem
from duly.service.operations.keys import Opened, open_with

_SCHEME = "bearer "


class Scope:
    """Ask for a valid key that has a scope; refuse everything else before anything is done."""

    #: So that the OpenAPI document names it once.
    openapi_security_schema = {"type": "http", "scheme": "bearer"}  # noqa: RUF012 Ninja reads it.

    def __init__(self, scope: str) -> None:
        self.scope = scope

    def __call__(self, request: HttpRequest) -> Opened:
        """Return who asks."""
        header = request.headers.get("Authorization", "")
        if not header:
            raise Problem("no_key")
        if not header.lower().startswith(_SCHEME):
            raise Problem("bad_key")
        opened = open_with(header[len(_SCHEME) :].strip())
        if opened is None:
            raise Problem("bad_key")
        if self.scope not in opened.scopes:
            raise Problem("unscoped", scope=self.scope)
        return opened


def owner_of(request: HttpRequest) -> str:
    """Return whose key a request came with; the view's scope was asked before."""
    opened = getattr(request, "auth", None)
    assert isinstance(opened, Opened), "the view asks for a key"
    return opened.name
