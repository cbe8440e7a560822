"""`duly db`: the database, ours under DULY_HOME or another by URL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from duly.cli import arguments, output, settings
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.words import say

if TYPE_CHECKING:
    from duly.service.postgres import Place, Status


def start(*, json: arguments.Json = False) -> int:
    """Start the server under DULY_HOME."""
    from duly.service import postgres

    found = postgres.start(_place())
    if json:
        output.as_json(_row(found))
    else:
        output.line(
            say("service", "db_started", settings.locale(), version=found.version, path=found.data)
        )
    return output.DONE


def stop() -> int:
    """Stop the server under DULY_HOME."""
    from duly.service import postgres

    place = _place()
    stopped = postgres.stop(place)
    key = "db_stopped" if stopped else "db_down"
    output.line(say("service", key, settings.locale(), path=place.root))
    return output.DONE


def status(*, json: arguments.Json = False) -> int:
    """Say whether the database answers; 1 where it does not."""
    from duly.service import postgres

    url = settings.database_url()
    found = postgres.status_of_url(url) if url else postgres.status(_place())
    if json:
        output.as_json(_row(found))
        return output.DONE if found.running else output.FOUND_WRONG
    locale = settings.locale()
    if not found.running:
        output.line(say("service", "db_down", locale, path=found.data or "DULY_DATABASE_URL"))
        return output.FOUND_WRONG
    output.line(say("service", "db_running", locale, version=found.version, clients=found.clients))
    if found.data is not None:
        output.line(say("service", "db_at", locale, path=found.data))
    return output.DONE


def backup(*, out: arguments.Out) -> int:
    """Write the whole database to one file."""
    from duly.service import postgres

    with postgres.opened(settings.home(), settings.database_url()) as url:
        size = postgres.back_up(url, out)
    output.line(say("service", "backed_up", settings.locale(), bytes=size, out=out))
    return output.DONE


def restore(
    file: Annotated[Path, arguments.worded("option.backup_file")],
    /,
    *,
    replace: Annotated[bool, arguments.named("--replace", "option.replace")] = False,
) -> int:
    """Bring a backup back, whole or not at all."""
    from duly.service import postgres

    locale = settings.locale()
    url = settings.database_url()
    url = url or postgres.start(_place()).url
    former = postgres.restore(url, file, replace=replace)
    output.line(say("service", "restored", locale, file=file))
    if former is not None:
        output.line(say("service", "kept_as", locale, name=former))
    return output.DONE


def migrate() -> int:
    """Bring the tables to those of this release."""
    from duly.service import migrating, postgres, setting_up

    with postgres.opened(settings.home(), settings.database_url()) as url:
        setting_up.set_up(url)
        applied = migrating.migrate()
        setting_up.close()
    locale = settings.locale()
    for name in applied:
        output.line(name)
    output.line(say("service", "migrated", locale, count=len(applied)))
    return output.DONE


def _place() -> Place:
    from duly.service import postgres

    if settings.database_url():
        raise Refused(Diagnostic(area="service", code="not_embedded"))
    return postgres.place_of(settings.home())


def _row(found: Status) -> dict[str, object]:
    return {
        "running": found.running,
        "version": found.version,
        "clients": found.clients,
        "data": None if found.data is None else str(found.data),
    }
