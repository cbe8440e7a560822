"""Take one message back while nothing of it can have been sent."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction

from duly.delivery.states import OPEN
from duly.service.operations.recording import record

REASON = "by_request"


@dataclass(frozen=True, kw_only=True)
class Cancelled:
    """How a message stands after a cancellation; `done` where it will not be sent."""

    state: str
    done: bool


def cancel(message_id: str, *, by: str) -> Cancelled | None:
    """Cancel a message in somebody's name; None where there is no such message.

    What was submitted cannot be taken back: it stays as it is, and `done` is false. The person is
    locked first, so that no worker claims it meanwhile.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM store_borrower WHERE borrower_id ="
            " (SELECT borrower_id FROM store_message WHERE message_id = %s)"
            " FOR NO KEY UPDATE",
            [message_id],
        )
        cursor.execute(
            "SELECT state FROM store_message WHERE message_id = %s FOR UPDATE", [message_id]
        )
        row = cursor.fetchone()
        if row is None:
            return None
        if row[0] not in OPEN:
            return Cancelled(state=row[0], done=row[0] in ("cancelled", "expired", "blocked"))
        cursor.execute(
            "UPDATE store_message SET state = 'cancelled', reason = %s, state_at = now(),"
            " worker = NULL WHERE message_id = %s",
            [REASON, message_id],
        )
        cursor.execute("DELETE FROM store_reservation WHERE message_id = %s", [message_id])
        record("message.cancelled", [(message_id, {"by": by, "was": row[0]})])
    return Cancelled(state="cancelled", done=True)
