"""Which requests are for a borrower's page, how large they may be, what such a page may load."""

from __future__ import annotations

from types import MappingProxyType

from django.http import HttpRequest

from duly.service.api.serving import present
from duly.service.faces.face import Face
from duly.service.faces.guarding import owned
from duly.service.portal import pages

#: Bytes of a form, and of the one that takes a picture or a PDF.
FORM_MAX, UPLOAD_MAX = 64 << 10, (5 << 20) + (64 << 10)


FACE = Face(
    area="portal",
    urls="duly.service.portal.urls",
    prefix=lambda: present().lender.portal.prefix,
    page=pages.page,
    csp="default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
    form_max=FORM_MAX,
    uploads=MappingProxyType({"/paid": UPLOAD_MAX}),
    about=("loan", "offer", "token", "payment", "amount", "receipt", "order"),
)


def owns(request: HttpRequest) -> bool:
    """Return whether a request is for a borrower's page, not for a program."""
    portal = present().lender.portal
    return portal.serve and owned(FACE, request, host=portal.host)
