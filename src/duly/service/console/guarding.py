"""Which requests are for a page of the staff's, and what such a page may load."""

from __future__ import annotations

from types import MappingProxyType

from django.db import DatabaseError
from django.http import HttpRequest

from duly.service.api.serving import present
from duly.service.console import pages, proposals
from duly.service.faces.face import Face
from duly.service.faces.guarding import owned
from duly.service.operations.staff import anybody

FORM_MAX = 64 << 10
#: Once somebody may sign in, the pages stay: nobody asks again.
_someone: list[bool] = []


FACE = Face(
    area="console",
    urls="duly.service.console.urls",
    prefix=lambda: present().lender.console.prefix,
    page=pages.page,
    csp="default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    form_max=FORM_MAX,
    uploads=MappingProxyType({"/strategy/propose": proposals.FORM_MAX}),
    about=("kind", "reason", "state", "rule", "after", "force", "pack", "dated", "text", "spoke",
           "from", "since", "until", "was", "became", "how", "currency", "outcome",
           "comparison"),
)  # fmt: skip


def owns(request: HttpRequest) -> bool:
    """Return whether a request is for a page of the staff's, where such pages are served."""
    console = present().lender.console
    if console.serve is False or not owned(FACE, request, host=console.host):
        return False
    return console.serve is True or _is_somebody_there()


def _is_somebody_there() -> bool:
    if not _someone:
        try:
            if not anybody():
                return False
        except DatabaseError:
            return True  # The page says that the database is away.
        _someone.append(True)
    return True
