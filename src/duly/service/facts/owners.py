"""Whom is an event about? Who is named, or whose loan, payment or signal it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import connection

from duly.service.facts.cloud_events import ReadEvent

_OF_LOANS = """
SELECT k.key, d.borrower_id FROM unnest(%(keys)s::text[]) AS k(key) CROSS JOIN LATERAL
    (SELECT borrower_id FROM store_decision WHERE loan_id = k.key LIMIT 1) AS d
UNION ALL SELECT loan_id, borrower_id FROM store_book_loans WHERE loan_id = ANY(%(keys)s)
UNION ALL SELECT key, borrower_id FROM store_word
WHERE kind = 'loan' AND key = ANY(%(keys)s) AND borrower_id IS NOT NULL
"""
_OF_PAYMENTS = """
SELECT payment_id, loan_id, borrower_id FROM store_book_payments WHERE payment_id = ANY(%(keys)s)
UNION ALL SELECT key, loan_id, borrower_id FROM store_word
WHERE kind = 'payment' AND key = ANY(%(keys)s)
"""
_OF_SIGNALS = """
SELECT signal_id, borrower_id FROM store_book_signals WHERE signal_id = ANY(%(keys)s)
UNION ALL SELECT key, borrower_id FROM store_word
WHERE kind = 'signal' AND key = ANY(%(keys)s) AND borrower_id IS NOT NULL
"""


def whose(events: Sequence[ReadEvent]) -> list[str | None]:
    """Return the borrower of each event, None where nobody knows him yet; three questions at most.

    Asked within the transaction that stored the events: what they tell themselves counts too.
    """
    said = [_said(one) for one in events]
    payments = _asked(_OF_PAYMENTS, [key for kind, key in said if kind == "payment"])
    loans = [key for kind, key in said if kind == "loan"]
    loans += [str(row[1]) for row in payments.values() if row[1] is not None]
    known: dict[tuple[str, str], str] = {
        ("loan", row[0]): row[1] for row in _asked(_OF_LOANS, loans).values()
    }
    known |= {
        ("signal", row[0]): row[1]
        for row in _asked(_OF_SIGNALS, [key for kind, key in said if kind == "signal"]).values()
    }
    for key, (_, loan, borrower) in payments.items():
        owner = borrower or known.get(("loan", str(loan)))
        if owner is not None:
            known["payment", key] = owner
    return [key if kind == "borrower" else known.get((kind, key)) for kind, key in said]


def _said(event: ReadEvent) -> tuple[str, str]:
    """Return by what an event names its person."""
    for word in event.words:
        if word.borrower_id:
            return "borrower", word.borrower_id
    for word in event.words:
        if word.loan_id:
            return "loan", word.loan_id
    first = event.words[0]
    kind = {"reversal": "payment", "clearing": "signal", "schedule": "loan"}.get(first.kind)
    return (kind or first.kind), first.key


def _asked(question: str, keys: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    if not keys:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(question, {"keys": sorted(set(keys))})
        return {row[0]: row for row in cursor.fetchall()}
