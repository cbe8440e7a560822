"""Hold a person's data for a court or an authority, and let them go again."""

from __future__ import annotations

from django.db import connection, transaction

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.service.operations.recording import record
from duly.service.operations.releasing import person
from duly.service.privacy.deleting import reason
from duly.service.privacy.forbidding import known


def hold(borrower_id: str, *, by: str, because: str) -> None:
    """Hold a person's data; a hold that stands already is enough. Refused: nobody known."""
    by, because = person(by), reason(because)
    with transaction.atomic(), connection.cursor() as cursor:
        if not known(cursor, borrower_id):
            raise _refused("unknown_borrower", borrower_id)
        cursor.execute(
            'INSERT INTO store_legalhold (borrower_id, "by", because) VALUES (%s, %s, %s)'
            " ON CONFLICT (borrower_id) WHERE lifted_at IS NULL DO NOTHING",
            [borrower_id, by, because],
        )
        if cursor.rowcount:
            record("person.held", [(borrower_id, {"by": by, "because": because})])


def release(borrower_id: str, *, by: str) -> None:
    """Lift the hold of a person; refused where none stands."""
    by = person(by)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE store_legalhold SET lifted_by = %s, lifted_at = now()"
            " WHERE borrower_id = %s AND lifted_at IS NULL",
            [by, borrower_id],
        )
        if not cursor.rowcount:
            raise _refused("not_held", borrower_id)
        record("person.released", [(borrower_id, {"by": by})])


def _refused(code: str, borrower_id: str) -> Refused:
    return Refused(Diagnostic(area="privacy", code=code, values={"borrower": borrower_id}))
