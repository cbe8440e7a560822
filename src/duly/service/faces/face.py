"""One face of the service: its addresses, its words, what its pages may load, how it refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from django.http import HttpRequest, HttpResponse

View = Callable[..., HttpResponse]
Request = Callable[[HttpRequest], HttpResponse]


@dataclass(frozen=True, kw_only=True)
class Face:
    """Pages that belong together."""

    area: str  #: the catalogue of their words
    urls: str  #: the module with their addresses
    prefix: Callable[[], str]  #: what stands before each address
    page: View  #: makes a page by the name of its template, with `status` and values
    csp: str
    form_max: int  #: bytes of a form
    #: Ends of addresses that take a file → bytes.
    uploads: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    #: What a page is about, beside its address: a switch of the language keeps it.
    about: tuple[str, ...] = ()


def face_of(request: HttpRequest) -> Face:
    """Return the face that a request came in by."""
    face: Face = request.face  # type: ignore[attr-defined]
    return face
