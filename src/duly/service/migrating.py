"""Bring the store to the tables of this release."""

from __future__ import annotations

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

#: Two services that start at once do not migrate at once.
_LOCK = 0x44554C59


def pending() -> tuple[str, ...]:
    """Return the migrations that are not applied yet, in their order."""
    executor = MigrationExecutor(connection)
    targets = executor.loader.graph.leaf_nodes()
    return tuple(f"{one.app_label}.{one.name}" for one, _ in executor.migration_plan(targets))


def migrate() -> tuple[str, ...]:
    """Apply what is pending, one process at a time, and return what was applied."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        try:
            found = pending()
            call_command("migrate", verbosity=0, interactive=False)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
    return found
