"""One serving process: what the command line and the environment said becomes the application."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from duly import book as books
from duly.cli import arguments, settings
from duly.cli.opening import legal_now, watched
from duly.rules import kept_rules

if TYPE_CHECKING:
    from duly.service.api.serving import Serving

#: How the serving processes are told what the command line said.
URL, AT, LENDER = "DULY_SERVED_URL", "DULY_SERVED_AT", "DULY_SERVED_LENDER"


def application() -> Any:
    """Return the WSGI application; the server calls it once in each process."""
    from duly.service.api.application import make_application

    watched("serve")
    lender = os.environ.get(LENDER, "")
    at = os.environ.get(AT, "")
    return make_application(os.environ[URL], told(Path(lender) if lender else None, at or None))


def told(lender: Path | None, at: str | None) -> Serving:
    """Return what a serving process knows; refuse a lender file or routes with mistakes."""
    from duly.service import setting_up

    setting_up.prepare()
    from duly.service import borrower_keys
    from duly.service.api.serving import Serving
    from duly.service.api.signing import Signer
    from duly.service.operations.intake import intakes_of
    from duly.service.operations.providers import providers_of
    from duly.service.portal import handing_over

    borrower_keys.use(lambda: settings.keys(make=True).keys)
    file = books.load_lender(lender)
    kept_rules(file)  # What no pack or rule is called is refused here, not on the first page.
    return Serving(
        lender=file,
        now=legal_now(at),
        clock=lambda: datetime.now(UTC),
        signer=Signer([key.secret for key in settings.keys(make=True).keys]),
        plans=settings.plans(),
        intakes=intakes_of(file.routes),
        ways=providers_of(file),
        handover=handing_over.secret_of(file),
        proxies=frozenset(arguments.by_commas(os.environ.get("DULY_PROXIES", ""))),
    )
