"""Open the database for a command, and the clock of the law."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from duly.cli import arguments, settings
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused

#: Who sets one of these wants spans.
_COLLECTORS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def legal_now(at: str | None) -> Callable[[], datetime]:
    """Return the clock of the law: the machine's, or one that began at a given instant."""
    if at is None:
        return lambda: datetime.now(UTC)
    began, started = arguments.instant(at), time.monotonic()
    return lambda: began + timedelta(seconds=int(time.monotonic() - started))


def watched(program: str) -> None:
    """Begin the journal of a long-running process, and its spans where a collector is named."""
    from importlib.metadata import version

    from duly.service import journal, tracing

    form = os.environ.get("DULY_LOG") or "json"
    if form not in journal.FORMS:
        known = ", ".join(journal.FORMS)
        raise Refused(
            Diagnostic(area="service", code="log_form", values={"form": form, "known": known})
        )
    journal.begin(program, form=form)
    if any(os.environ.get(name) for name in _COLLECTORS):
        tracing.begin(program, version=version("duly"))


@contextmanager
def opened_store() -> Iterator[None]:
    """Open the database, its tables brought to this release's."""
    from duly.service import postgres

    with postgres.opened(settings.home(), settings.database_url()) as url, store(url):
        yield


@contextmanager
def store(url: str) -> Iterator[None]:
    """Let this process use the database of a URL, its tables brought to this release's."""
    from duly.service import borrower_keys, migrating, setting_up

    # Asked for when the first is needed: a command that only looks makes no key.
    borrower_keys.use(lambda: settings.keys(make=True).keys)
    setting_up.set_up(url)
    if migrating.pending():
        migrating.migrate()
    try:
        yield
    finally:
        setting_up.close()
