"""Load a book: what the lender tells us, merged by key with what is known."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from duly.book import Lender, Snapshot, is_snapshot, open_snapshot, take_snapshot
from duly.core.diagnostic import Diagnostic
from duly.plan.write import write_whole
from duly.service.facts.book_in import copy_in
from duly.service.facts.book_out import FILES, Exported, copy_out
from duly.service.operations.recording import record
from duly.service.rows import unpacked

#: Two books are never loaded at once: which rows count must not be a matter of luck.
_LOCK = 0x44554C61


@dataclass(frozen=True, kw_only=True)
class LoadedBook:
    """What a load did; `again` means that these files were loaded before and nothing was done."""

    book_sha256: str
    cut_at: datetime
    rows: dict[str, int]
    aside: int  #: broken rows; their borrowers are left out of every export until a later book
    warnings: tuple[Diagnostic, ...]
    again: bool = False


def load_book(
    book: Path, *, lender: Lender, at: datetime, locale: str, threads: int | None = None
) -> LoadedBook:
    """Check a book and upsert its rows in one transaction, in bulk.

    A row of an older book never takes the place of a newer one's. A book without a cut counts as
    cut at midnight of the lender's day of `at`. Refuses what `take_snapshot` refuses.
    """
    with tempfile.TemporaryDirectory(prefix="duly-load-") as folder:
        if is_snapshot(book):
            snapshot = open_snapshot(book)
        else:
            snapshot = take_snapshot(
                book, Path(folder) / "snapshot", lender=lender, needs="plan", locale=locale,
                threads=threads,
            )  # fmt: skip
        return _load(snapshot, _cut(snapshot, lender, at))


def _cut(snapshot: Snapshot, lender: Lender, at: datetime) -> datetime:
    if snapshot.cut_at is not None:
        return snapshot.cut_at.replace(tzinfo=UTC)
    day = at.astimezone(ZoneInfo(lender.time_zone))
    return day.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def _load(snapshot: Snapshot, cut_at: datetime) -> LoadedBook:
    warnings = (*snapshot.warnings, *snapshot.alerts)
    sha = snapshot.book_sha256
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute("SELECT rows FROM store_book WHERE book_sha256 = %s", [sha])
        known = cursor.fetchone()
        if known is not None:
            rows = unpacked(known[0])
            aside, _ = rows.pop("aside"), rows.pop("aside_loans", 0)
            return LoadedBook(
                book_sha256=sha, cut_at=cut_at, rows=rows, aside=aside, warnings=warnings,
                again=True,
            )  # fmt: skip
        rows = copy_in(snapshot, cut_at)
        cursor.execute(
            "INSERT INTO store_book (book_sha256, cut_at, rows) VALUES (%s, %s, %s::jsonb)",
            [sha, cut_at, json.dumps(rows)],
        )
        record("book.loaded", [(sha, {"cut_at": cut_at.isoformat(), "rows": rows})])
    aside, _ = rows.pop("aside"), rows.pop("aside_loans")
    return LoadedBook(book_sha256=sha, cut_at=cut_at, rows=rows, aside=aside, warnings=warnings)


def export_book(out: Path, *, lender: Lender, at: datetime) -> Exported:
    """Write the book that the service knows at a legal instant; whole, or not at all.

    Refused where nothing is known, and where `out` holds anything else than a book.
    """
    done: list[Exported] = []

    def fill(folder: Path) -> None:
        hours = lender.limits.book_age_hours
        done.append(copy_out(folder, lender=lender.name, at=at, age_hours=hours))

    write_whole(out, fill, ours=FILES)
    return done[0]
