"""A lender's day for the tests of evidence: a real plan, loaded, sent through a sandbox, sealed."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from outgoing import lender
from plans import AT, proven

from duly.audit.signing import SigningKey
from duly.service.evidence.exporting import Exported, export
from duly.service.operations import loading
from duly.service.operations.events import accept
from duly.service.outbox.worker import Worker
from duly.service.sealing import seal

KEY = SigningKey(seed=b"e" * 32)
TEN = AT + timedelta(hours=1)
NOW = datetime(2026, 3, 11, 1, 0, tzinfo=UTC)
LENDER = replace(lender(), packs=("decency", "cn"))


def a_day(url: str, folder: Path) -> None:
    """Load a plan of 300 loans, take a payment for one of them, send what is due."""
    plan = proven(folder)
    loading.load(plan, at=AT)
    with psycopg.connect(url) as ours:
        (loan,) = ours.execute("SELECT max(loan_id) FROM store_messageloan").fetchone()
    accept([payment(loan)], at=AT)
    work(url)


def payment(loan: str) -> dict[str, object]:
    return {
        "specversion": "1.0", "id": "pay-1", "source": "/core", "type": "payment.posted",
        "time": AT.isoformat(),
        "data": {"payment_id": "P-1", "loan_id": loan, "paid_on": "2026-03-10", "amount": "12.34"},
    }  # fmt: skip


def work(url: str) -> None:
    asyncio.run(Worker(url, LENDER, now=lambda: TEN, signing=KEY).run(once=True))


def written(loan: str, out: Path, *, by: str = "Li Lei") -> Exported:
    return export(loan, out=out, by=by, lender=LENDER, key=KEY, now=NOW)


def an_old_day(url: str, days: int) -> None:
    """Seal a row that was written so many days ago: all were stopped for a while."""
    text, salt = '{"by":"Wang Wu"}', b"s" * 16
    digest = hashlib.sha256(salt + text.encode()).hexdigest()
    with psycopg.connect(url, autocommit=True) as ours:
        ours.execute(
            "INSERT INTO store_audit (at, kind, subject, payload, salt, payload_sha256)"
            " VALUES (now() - make_interval(days => %s), 'stopped', 'all:', %s, %s, %s)",
            (days, text, salt, digest),
        )
        seal(ours, key=KEY)
        ours.execute("UPDATE store_root SET at = now() - make_interval(days => %s) WHERE size ="
                     " (SELECT max(size) FROM store_root)", (days,))  # fmt: skip
