"""Dead letters as people see them: listed, sent again through the door, or closed; in a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.delivery.retrying import FOR_GOOD
from duly.service.operations.locking import lock_people
from duly.service.operations.recording import record
from duly.service.operations.releasing import person
from duly.service.rows import Row, as_dicts

_TEXT_MAX = 200
_SHOWN = (
    "d.id, d.message_id, d.reason, d.route, d.code, d.attempts, d.at, d.ended, d.ended_by,"
    " d.ended_why, d.ended_at, m.borrower_id, m.channel, m.message_class, m.template, m.state,"
    " m.not_after"
)
_FROM = "FROM store_deadletter AS d JOIN store_message AS m ON m.message_id = d.message_id"
_END = """
UPDATE store_deadletter SET ended = %s, ended_by = %s, ended_why = %s, ended_at = now()
WHERE id = %s
"""
#: Its submissions stay counted; the routes begin anew, and the door is asked as always.
_RELEASE = """
UPDATE store_message SET state = 'released', reason = NULL, worker = NULL, due_at = NULL,
    retry_at = NULL, passed_routes = '[]', state_at = now()
WHERE message_id = %s
"""


def listed(*, after: Sequence[str] = (), limit: int = 50) -> list[Row]:
    """Return open dead letters, the oldest first, after (instant, id) of the page before."""
    place = " AND (d.at, d.id) > (%s::timestamptz, %s::bigint)" if after else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_SHOWN} {_FROM} WHERE d.ended IS NULL{place} ORDER BY d.at, d.id LIMIT %s",
            [*after, limit],
        )
        return as_dicts(cursor)


def counts() -> Mapping[str, int]:
    """Return how many dead letters are open, by reason."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reason, count(*) FROM store_deadletter WHERE ended IS NULL"
            " GROUP BY 1 ORDER BY 1"
        )
        return dict(cursor.fetchall())


def retry(message_id: str, *, by: str, reason: str, at: datetime, key: str = "") -> Row:
    """Send a dead letter's message again through the door, in a name and for a reason.

    `key` is the API key by which a program said so, and stands in the record beside the name.

    Refused where it is no open dead letter, where it may have been sent, where the number itself
    was refused, where its window is over at that legal instant, and where its run is not released.
    """
    by, reason = _words(by, reason)
    with transaction.atomic(), connection.cursor() as cursor:
        found = _locked(cursor, message_id)
        why = _why_not(cursor, found, at=at)
        if why:
            raise _refused(why, message=message_id, state=found["state"])
        cursor.execute(_END, ["retried", by, reason, found["id"]])
        cursor.execute(_RELEASE, [message_id])
        record("message.dead_retried", [(message_id, _told(by, reason, key))])
        return _again(cursor, found["id"])


def close(message_id: str, *, by: str, reason: str, key: str = "") -> Row:
    """Close a dead letter in a name and for a reason: nothing more is done about it."""
    by, reason = _words(by, reason)
    with transaction.atomic(), connection.cursor() as cursor:
        found = _locked(cursor, message_id)
        cursor.execute(_END, ["closed", by, reason, found["id"]])
        record("message.dead_closed", [(message_id, _told(by, reason, key))])
        return _again(cursor, found["id"])


def _told(by: str, reason: str, key: str) -> dict[str, object]:
    return {"by": by, "why": reason, **({"key": key} if key else {})}


def _words(by: str, reason: str) -> tuple[str, str]:
    by, reason = person(by), " ".join(reason.split())
    if not (len(by) <= _TEXT_MAX and 0 < len(reason) <= _TEXT_MAX):
        raise _refused("dead_words", most=_TEXT_MAX)
    return by, reason


def _locked(cursor: Any, message_id: str) -> Row:
    """Return an open dead letter; its person and its message stay locked."""
    cursor.execute("SELECT borrower_id FROM store_message WHERE message_id = %s", [message_id])
    lock_people(cursor, [row[0] for row in cursor.fetchall()])
    cursor.execute(
        f"SELECT {_SHOWN}, m.address, r.state AS run_state {_FROM}"
        " JOIN store_run AS r ON r.plan_sha256 = m.run_id"
        " WHERE d.message_id = %s AND d.ended IS NULL FOR UPDATE OF d, m",
        [message_id],
    )
    found = as_dicts(cursor)
    if not found:
        raise _refused("no_dead_letter", message=message_id)
    return found[0]


def _why_not(cursor: Any, found: Row, *, at: datetime) -> str:
    """Return why a message may not be sent again, empty where it may."""
    cursor.execute("SELECT store_message_untaken(%s)", [found["message_id"]])
    (untaken,) = cursor.fetchone()
    if found["reason"] in FOR_GOOD or not untaken or not found["address"]:
        return "dead_for_good"
    if found["state"] != "undelivered" or found["not_after"] < at:
        return "dead_window_over"
    if found["run_state"] != "released":
        return "dead_run_over"
    return ""


def _again(cursor: Any, number: int) -> Row:
    cursor.execute(f"SELECT {_SHOWN} {_FROM} WHERE d.id = %s", [number])
    return as_dicts(cursor)[0]


def _refused(code: str, **values: object) -> Refused:
    return Refused(Diagnostic(area="service", code=code, values=values))
