"""What `duly check` says of a book: every broken row, with its place and its sentence."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from duly.book.lender import Lender
from duly.book.snapshot import take_snapshot
from duly.core.diagnostic import Diagnostic


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """The quarantined rows as `table`, `file`, `row`, `column`, `code`, `message`; what was odd."""

    rows: tuple[dict[str, object], ...]
    warnings: tuple[Diagnostic, ...]
    alerts: tuple[Diagnostic, ...]


def check(book: Path, lender: Lender, locale: str) -> CheckResult:
    """Check every row of a book; refuse one that is broken as a whole."""
    with tempfile.TemporaryDirectory(prefix="duly-check-") as folder:
        out = Path(folder) / "snapshot"
        snapshot = take_snapshot(book, out, lender=lender, needs="check", locale=locale)
        columns = ["table", "row", "column", "code", "message"]
        rows = pq.read_table(out / "quarantine.parquet", columns=columns).to_pylist()
    rows = [{**row, "file": snapshot.sources[row["table"]]} for row in rows]
    return CheckResult(rows=tuple(rows), warnings=snapshot.warnings, alerts=snapshot.alerts)
