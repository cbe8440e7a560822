"""Export the evidence about one loan: recorded first, then sealed, then written as a bundle."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.db import connection, transaction

from duly.audit.signing import SigningKey
from duly.book import Lender
from duly.core.diagnostic import Diagnostic
from duly.core.digest import of_bytes
from duly.core.errors import Refused
from duly.service.evidence import bundling, gathering
from duly.service.evidence.gathering import Gathered
from duly.service.evidence.page import page
from duly.service.operations.recording import record
from duly.service.sealing import seal

_SEALING_SECONDS = 30.0
_PAUSE_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What was written: how many rows, how many of them nobody can read, under which key."""

    rows: int
    forgotten: int
    size: int
    fingerprint: str


def export(
    loan_id: str, *, out: Path, by: str, lender: Lender, key: SigningKey, now: datetime
) -> Exported:
    """Write the bundle of a loan to a directory, or to a ZIP file where `out` ends so.

    That it was exported, by whom and when is a row of the record, and of the bundle. Refused: a
    loan about which nothing was ever done, an `out` that is taken, a log not sealed in time.
    """
    bundling.refuse_taken(out)
    borrower = gathering.borrower_of(loan_id)
    if borrower is None:
        raise _refused("nothing_about_loan", loan=loan_id)
    with transaction.atomic():
        numbers = gathering.numbers_of(loan_id, borrower)
        told = {
            "loan_id": loan_id, "borrower_id": borrower, "by": by, "rows": len(numbers),
            "numbers_sha256": of_bytes("\n".join(map(str, numbers)).encode()),
        }  # fmt: skip
        record("evidence.exported", [(loan_id, told)])
        with connection.cursor() as cursor:
            cursor.execute("SELECT max(id) FROM store_audit WHERE kind = 'evidence.exported'"
                           " AND subject = %s", [loan_id])  # fmt: skip
            numbers.append(int(cursor.fetchone()[0]))
    found = _sealed(numbers, key)
    files = _files(found, loan_id, lender=lender, key=key, now=now)
    bundling.write(files, out)
    return Exported(
        rows=len(found.rows), forgotten=sum(row.payload is None for row in found.rows),
        size=found.size, fingerprint=of_bytes(key.public),
    )  # fmt: skip


def _sealed(numbers: Sequence[int], key: SigningKey) -> Gathered:
    """Seal, or wait until somebody else has sealed, and return the rows with their proofs."""
    ends = time.monotonic() + _SEALING_SECONDS
    while time.monotonic() < ends:
        assert connection.connection is not None
        while seal(connection.connection, key=key):
            pass
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            found = gathering.gather(numbers, key_id=key.key_id)
        if found is not None:
            return found
        time.sleep(_PAUSE_SECONDS)
    raise _refused("not_sealed")


def _files(
    found: Gathered, loan_id: str, *, lender: Lender, key: SigningKey, now: datetime
) -> Mapping[str, bytes]:
    sources = _sources(found)
    made_at = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    files = bundling.rows_and_log(found) | bundling.standing()
    files |= bundling.sources(sources)
    for locale in ("zh-CN", "en"):
        text = page(
            found, loan_id=loan_id, lender=lender, made_at=now, key_id=key.key_id,
            fingerprint=of_bytes(key.public), sources=sources, locale=locale,
        )  # fmt: skip
        files[f"evidence.{locale}.html"] = text.encode()
    head = {"loan_id": loan_id, "lender": lender.name, "made_at": made_at}
    return bundling.signed(files, head=head, key=key)


def _sources(found: Gathered) -> list[dict[str, str]]:
    """Return the kept texts that the runs of these rows name, each once."""
    named: dict[tuple[str, str, str], None] = {}
    for row in found.rows:
        if row.kind == "run.sources" and row.payload is not None:
            for one in json.loads(row.payload.text)["sources"]:
                named[one["kind"], one["name"], one["sha256"]] = None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sha256, text FROM store_source WHERE sha256 = ANY(%s)",
            [sorted({sha for _, _, sha in named})],
        )
        texts = dict(cursor.fetchall())
    return [
        {"kind": kind, "name": name, "sha256": sha, "text": texts[sha]}
        for kind, name, sha in sorted(named)
    ]


def _refused(code: str, **values: object) -> Refused:
    return Refused(Diagnostic(area="evidence", code=code, values=values))
