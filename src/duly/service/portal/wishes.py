"""What a person wishes of how he is contacted, and what he has stopped: read, and said anew.

All of it is said in the words that the rest of the service knows: `borrower.preferred`, `opt_out`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from duly.core import digest
from duly.service.operations.events import Accepted
from duly.service.operations.locking import lock_people
from duly.service.portal import asking
from duly.service.rows import as_dicts

CHANNELS = ("sms", "voice", "email")
ALL = "all"  #: every way, the ones to come too
_ROW = """
SELECT locale, preferred_channel, quiet_from, quiet_until FROM (
    SELECT data->>'locale' AS locale, data->>'preferred_channel' AS preferred_channel,
        data->>'quiet_from' AS quiet_from, data->>'quiet_until' AS quiet_until, time AS since,
        CASE kind WHEN 'preference' THEN 2 ELSE 1 END AS place
    FROM store_word WHERE kind IN ('preference', 'borrower') AND key = %(who)s
    UNION ALL
    SELECT locale, preferred_channel, to_char(quiet_from * interval '1 minute', 'HH24:MI'),
        to_char(quiet_until * interval '1 minute', 'HH24:MI'), cut_at, 0
    FROM store_book_borrowers WHERE borrower_id = %(who)s
) AS n ORDER BY place = 2 DESC, since DESC, place DESC LIMIT 1
"""
_STOPS = """
SELECT signal_id, coalesce(detail->>'channel', 'all') AS channel FROM (
    SELECT signal_id, nullif(detail, '')::jsonb AS detail, starts_at, ends_at
    FROM store_book_signals AS x
    WHERE borrower_id = %(who)s AND kind = 'opt_out' AND NOT EXISTS (SELECT 1 FROM store_word AS w
        WHERE w.kind = 'signal' AND w.key = x.signal_id AND w.time >= x.cut_at)
    UNION ALL
    SELECT key, nullif(data->>'detail', '')::jsonb, (data->>'starts_at')::timestamptz,
        (data->>'ends_at')::timestamptz
    FROM store_word WHERE kind = 'signal' AND borrower_id = %(who)s AND data->>'kind' = 'opt_out'
) AS s
WHERE starts_at <= %(at)s AND (ends_at IS NULL OR ends_at > %(at)s) AND NOT EXISTS (
    SELECT 1 FROM store_word AS e WHERE e.kind = 'clearing' AND e.key = s.signal_id
        AND (e.data->>'ends_at')::timestamptz <= %(at)s)
ORDER BY signal_id
"""

_SAID = "SELECT time FROM store_word WHERE kind = 'preference' AND key = %s"
_STOPPED = """
SELECT count(*) FROM store_word WHERE source = %s AND borrower_id = %s AND kind = 'signal'
    AND data->>'kind' = 'opt_out'
"""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """In which language, by which way, and in which hours not; empty: nothing was said."""

    locale: str = ""
    channel: str = ""
    quiet_from: str = ""  #: HH:MM
    quiet_until: str = ""


@dataclass(frozen=True, kw_only=True)
class Stop:
    """One open opt-out."""

    signal_id: str
    channel: str  #: one of CHANNELS, or ALL


def wish_of(borrower_id: str) -> Wish:
    """Return what is known of a person's wishes, his own word first."""
    with connection.cursor() as cursor:
        cursor.execute(_ROW, {"who": borrower_id})
        row = (as_dicts(cursor) or [{}])[0]
    return Wish(
        locale=row.get("locale") or "", channel=row.get("preferred_channel") or "",
        quiet_from=row.get("quiet_from") or "", quiet_until=row.get("quiet_until") or "",
    )  # fmt: skip


def stops_of(borrower_id: str, *, at: datetime) -> tuple[Stop, ...]:
    """Return the opt-outs of a person that are open at an instant, whoever told them."""
    with connection.cursor() as cursor:
        cursor.execute(_STOPS, {"who": borrower_id, "at": at})
        return tuple(Stop(signal_id=row["signal_id"], channel=row["channel"])
                     for row in as_dicts(cursor))  # fmt: skip


def say_wish(borrower_id: str, wish: Wish, *, at: datetime) -> None:
    """Say a whole wish anew; the same as before says nothing."""
    data: dict[str, object] = {
        "borrower_id": borrower_id, "locale": wish.locale, "preferred_channel": wish.channel,
        "quiet_from": wish.quiet_from, "quiet_until": wish.quiet_until,
    }  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        lock_people(cursor, [borrower_id])
        if wish_of(borrower_id) == wish:
            return
        cursor.execute(_SAID, [borrower_id])
        said = cursor.fetchone()
        # Two taps of one instant are said one after the other: the last is what counts.
        at = max(at, said[0] + timedelta(microseconds=1)) if said else at
        name = f"portal-{digest.of_value([*map(str, data.values()), at.isoformat()])[:16]}"
        asking.accept_new([asking.event("borrower.preferred", name, at, data)], at=at)


def stop(borrower_id: str, channel: str, *, at: datetime) -> Accepted | None:
    """Stop one way, or every one; None where that is stopped already."""
    with transaction.atomic(), connection.cursor() as cursor:
        lock_people(cursor, [borrower_id])
        if any(one.channel == channel for one in stops_of(borrower_id, at=at)):
            return None
        cursor.execute(_STOPPED, [asking.SOURCE, borrower_id])
        told = [borrower_id, "opt_out", channel, cursor.fetchone()[0]]
        name = f"portal-{digest.of_value(told)[:16]}"
        data: dict[str, object] = {
            "signal_id": name, "borrower_id": borrower_id, "kind": "opt_out",
            "starts_at": at.isoformat(),
            "detail": {"by": "portal"} | ({} if channel == ALL else {"channel": channel}),
        }  # fmt: skip
        return asking.accept_new([asking.event("signal.raised", name, at, data)], at=at)


def allow(borrower_id: str, channel: str, *, at: datetime) -> Sequence[str]:
    """End a person's opt-outs of one way, or of every one; return those that ended."""
    with transaction.atomic(), connection.cursor() as cursor:
        lock_people(cursor, [borrower_id])
        mine = [one.signal_id for one in stops_of(borrower_id, at=at) if one.channel == channel]
        asking.accept_new([
            asking.event("signal.cleared", f"{one[:150]}-back-{at:%Y%m%d%H%M%S%f}", at,
                         {"signal_id": one, "ends_at": at.isoformat()})
            for one in mine
        ], at=at)  # fmt: skip
    return mine
