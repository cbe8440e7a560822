"""Retention by rule: what the packs let go, and nothing else forbids, is destroyed and recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from duly.book import Lender
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.service.operations.locking import lock_people
from duly.service.operations.recording import record
from duly.service.privacy.deleting import destroy
from duly.service.privacy.erasing import erase_reports
from duly.service.privacy.forbidding import NEWEST, forbids, kept_until, record_rules
from duly.service.privacy.letters import Letters, SpooledLetters

BY = "duly privacy retain"
_AT_ONCE = 200
_DAYS_BACK_MAX = 20_000  #: beyond any term of a rule
#: People of whom something personal is left and whose newest record is old enough.
_OVER = f"""
SELECT b.borrower_id FROM store_borrower AS b
WHERE b.borrower_id > %(after)s AND ({NEWEST}) < %(before)s AND (
    EXISTS (SELECT 1 FROM store_borrowerkey AS k
        WHERE k.borrower_id = b.borrower_id AND k.wrapped IS NOT NULL)
    OR EXISTS (SELECT 1 FROM store_message AS m
        WHERE m.borrower_id = b.borrower_id AND m.address <> '')
    OR EXISTS (SELECT 1 FROM store_contact AS c
        WHERE c.borrower_id = b.borrower_id AND c.address IS NOT NULL))
ORDER BY b.borrower_id LIMIT %(limit)s
"""


@dataclass(frozen=True, kw_only=True)
class Retained:
    """What a round found: whose term is over, how many of them something else still forbids.

    `before` is the first day whose records are kept; `held` counts by code, `letters` those that
    waited for a print house by what became of them.
    """

    before: date
    rules: tuple[str, ...]
    people: int
    reports: int
    held: dict[str, int] = field(default_factory=dict)
    letters: dict[str, int] = field(default_factory=dict)


def retain(*, lender: Lender, at: datetime, dry: bool = False) -> Retained:
    """Destroy what is past its term at a legal instant, some hundreds of people a transaction.

    A person's term begins with the newest record of a contact, and the longest rule counts. Whoever
    owes, disputes, or is held for a court is left for the next round. Refused: packs without a rule
    about records, since then nobody says how long. With `dry` nothing is destroyed or recorded.
    """
    rules = record_rules(lender)
    if not rules:
        raise Refused(Diagnostic(area="privacy", code="no_record_rule"))
    zone = ZoneInfo(lender.time_zone)
    before = _first_kept(at.astimezone(zone).date(), lender)
    begins = datetime.combine(before, time(), zone)
    names = tuple(sorted({rule.id for rule in rules}))
    count, held, after = 0, dict[str, int](), ""
    letters = Letters()
    while True:
        spooled = SpooledLetters(lender)
        with spooled, transaction.atomic(), connection.cursor() as cursor:
            given: dict[str, Any] = {"after": after, "before": begins, "limit": _AT_ONCE}
            cursor.execute(_OVER, given)
            people = [row[0] for row in cursor.fetchall()]
            if not people:
                break
            after = people[-1]
            free = _free(lock_people(cursor, people), held, lender=lender, at=at)
            if free and not dry:
                destroy(free, by=BY, because="term over", under=", ".join(names), at=at,
                        spooled=spooled)  # fmt: skip
        count += len(free)
        letters = sum(spooled.of.values(), letters)
    with transaction.atomic(), connection.cursor() as cursor:
        reports = _reports(begins) if dry else erase_reports(cursor, before=begins)
        told = {"before": before, "rules": names, "people": count, "reports": reports, "held": held,
                "letters": letters.counts}  # fmt: skip
        if not dry:
            record("retention.applied", [(before.isoformat(), told)])
    return Retained(before=before, rules=names, people=count, reports=reports, held=held,
                    letters=letters.counts)  # fmt: skip


def _free(
    people: Sequence[str], held: dict[str, int], *, lender: Lender, at: datetime
) -> list[str]:
    """Return whom nothing forbids to destroy, and count what forbids it for the others."""
    free = []
    with connection.cursor() as cursor:
        for one in people:
            against = {found.code for found in forbids(cursor, one, lender=lender, at=at)}
            for code in sorted(against):
                held[code] = held.get(code, 0) + 1
            if not against:
                free.append(one)
    return free


def _first_kept(today: date, lender: Lender) -> date:
    """Return the first day whose records some rule still keeps today."""
    day = today
    for _ in range(_DAYS_BACK_MAX):
        if all(until <= today for _, until in kept_until(day, lender=lender)):
            return day + timedelta(days=1)
        day -= timedelta(days=1)
    raise AssertionError("no rule keeps a record for half a century")


def _reports(before: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM store_report"
            " WHERE message_id IS NULL AND raw <> '' AND received_at < %s",
            [before],
        )
        return int(cursor.fetchone()[0])
