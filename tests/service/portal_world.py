"""A borrower with one late loan, who was written to, before the running server's pages."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psycopg
from browsing import Browser, shown
from known_books import cut, load
from outgoing import fill
from serving import HANDOVER_SECRET, Served

from duly.service import setting_up
from duly.service.portal import handing_over
from duly.service.store.models import Borrower, Decision, Message

WHO, NAME, NUMBER = "B1", "Zhang Wei 张伟", "+8613800000001"
LOAN = "L-2025-0001"
CODE, LAST4 = "3P773SGS", "0001"
DAY = date(2026, 3, 11)
_NAMES = itertools.count(1)
#: Left as they are: keys that programs use, and the record, which is only added to.
_LEFT = ("store_apikey", "store_audit", "store_sealed", "store_node", "store_root",
         "store_unsealed")  # fmt: skip

BOOK: dict[str, list[dict[str, Any]]] = {
    "borrowers": [{"borrower_id": WHO, "name": NAME}],
    "contact_points": [
        {"borrower_id": WHO, "channel": "sms", "address": NUMBER, "verified_on": "2025-11-01"},
        {"borrower_id": WHO, "channel": "voice", "address": NUMBER, "verified_on": "2025-11-01"},
    ],
    "loans": [{"loan_id": LOAN, "borrower_id": WHO, "principal": "1800.00",
               "late_rate_daily": "0.0005", "grace_days": "3"}],
    "installments": [
        {"loan_id": LOAN, "number": "1", "due_on": "2026-01-15", "principal": "600.00",
         "interest": "27.00"},
        {"loan_id": LOAN, "number": "2", "due_on": "2026-02-15", "principal": "600.00",
         "interest": "18.00", "fee": "2.00"},
        {"loan_id": LOAN, "number": "3", "due_on": "2026-03-15", "principal": "600.00",
         "interest": "9.00"},
    ],
    "payments": [
        {"payment_id": "P-1", "loan_id": LOAN, "paid_on": "2026-01-20", "amount": "500.00"},
        {"payment_id": "P-2", "loan_id": LOAN, "paid_on": "2026-02-01", "amount": "130.00"},
    ],
}  # fmt: skip


#: What a book told; loaded once a module, since tests do not change it.
_OF_BOOKS = "store\\_book%"


def emptied(url: str, *, books: bool) -> None:
    """Take away what other tests left in the database of the running server."""
    with psycopg.connect(url, autocommit=True) as ours:
        rows = ours.execute(
            "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables"
            " WHERE tablename LIKE 'store\\_%%' AND NOT tablename = ANY(%s)"
            " AND (%s OR tablename NOT LIKE %s)",
            (list(_LEFT), books, _OF_BOOKS),
        ).fetchone()
        _truncate(ours, rows[0])


def _truncate(ours: psycopg.Connection[Any], tables: str, tries: int = 5) -> None:
    try:
        ours.execute(f"TRUNCATE {tables} CASCADE")
    except psycopg.errors.DeadlockDetected:  # A code of the test before is being written.
        assert tries
        _truncate(ours, tables, tries - 1)


def tell(served: Served, write_book: Any, folder: Path, **tables: Any) -> Served:
    """Let the service know the book alone."""
    with setting_up.using(served.url):
        emptied(served.url, books=True)
        load(cut(write_book(folder, {**BOOK, **tables})))
    return served


def beside(loan_id: str, **terms: str) -> dict[str, Any]:
    """Give the tables of the book with B2, who has a number and another loan of his own."""
    return {
        "borrowers": [*BOOK["borrowers"], {"borrower_id": "B2"}],
        "contact_points": [*BOOK["contact_points"],
                           {"borrower_id": "B2", "address": "+8613800000002"}],
        "loans": [*BOOK["loans"], {"loan_id": loan_id, "borrower_id": "B2", **terms}],
        "installments": [*BOOK["installments"],
                         {"loan_id": loan_id, "number": "1", "due_on": "2026-03-01"}],
    }  # fmt: skip


def begin(served: Served, *people: str) -> Served:
    """Write to the borrower of the book: one text left this morning, one waits for tomorrow."""
    emptied(served.url, books=False)
    for person in people or (WHO,):
        Borrower.objects.create(borrower_id=person, time_zone="Asia/Shanghai", locale="zh-CN")
    (sent,) = fill(1, state="accepted", route="gateway", loan_ids=[LOAN], address=NUMBER)
    Message.objects.filter(message_id=sent).update(borrower_id=WHO)
    Borrower.objects.filter(borrower_id__startswith="b0").delete()
    waits = Message.objects.get(message_id=sent)
    waits.message_id, waits.state, waits.business_date = "m-waits", "planned", DAY
    waits.code, waits.route = "ABCD2345", None
    waits.save(force_insert=True)
    Decision.objects.create(
        loan_id=LOAN, run_id="a" * 64, borrower_id=WHO, business_date="2026-03-10",
        decision="contact", reason="overdue", rule="d08", legal=[], channel="sms",
        template="overdue", tone="plain", message_id=sent, facts=waits.facts,
        by_channel={"sms": {}},
        figures={"currency": "CNY", "days_past_due": 23, "bucket": "M1", "overdue_total": 62700,
                 "late_charge": 0, "outstanding_total": 123630, "next_due_on": None,
                 "next_due_amount": 0, "last_paid_on": None},
    )  # fmt: skip
    return served


def handed(at: datetime | None = None, who: str = WHO, secret: str = HANDOVER_SECRET,
           name: str = "") -> str:  # fmt: skip
    """Return a token as the lender's app makes it."""
    from datetime import UTC

    return handing_over.token(who, secret=secret.encode(), name=name or f"hand-{next(_NAMES):06}",
                              at=at or datetime.now(UTC))  # fmt: skip


def signed_in(served: Served, who: str = WHO, *, language: str = "en") -> Browser:
    """Return a browser whose owner was handed over by the app."""
    from urllib.parse import quote

    browser = shown(served, f"/hand-over?token={quote(handed(who=who))}", language=language)
    found = browser.submit("/hand-over", follow=False)
    assert found.status == 303, browser.text
    return browser


def text_of_code() -> Message:
    """Return the text with a code that was written last; it is written beside the answer."""
    for _ in range(200):
        found = Message.objects.filter(template="sign_in_code").order_by("-not_before", "-state_at")
        if found:
            return found[0]
        time.sleep(0.05)
    raise AssertionError("no code was written")


def recorded(kind: str) -> Iterator[dict[str, Any]]:
    """Give what the record holds under a kind, opened with the keys of the people."""
    from django.db import connection

    from duly.service.operations.proving import ROWS, proven

    with connection.cursor() as cursor:
        cursor.execute(ROWS + "WHERE a.kind = %s ORDER BY a.id DESC", [kind])
        for row in proven(cursor.fetchall(), 0):
            if row.payload is not None:
                yield json.loads(row.payload.text)
