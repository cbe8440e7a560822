"""Which rows of the store are personal, and what a deletion makes of each.

Every table that can name a borrower stands in one of the lists: a test holds them against the
store. What is kept says that something was done, when and with which end; never to which address,
in which words, with which figures, for what illness.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from duly.plan.addresses import key_of

_NUMBER_MIN = 6  #: what is shorter stands in texts that have nothing to do with it
LOANS = """
SELECT loan_id FROM store_book_loans WHERE borrower_id = ANY(%(people)s)
UNION SELECT key FROM store_word WHERE kind = 'loan' AND borrower_id = ANY(%(people)s)
UNION SELECT loan_id FROM store_decision WHERE borrower_id = ANY(%(people)s)
"""
PAYMENTS = """
SELECT payment_id FROM store_book_payments
WHERE borrower_id = ANY(%(people)s) OR loan_id = ANY(%(loans)s)
UNION SELECT key FROM store_word
WHERE kind = 'payment' AND (borrower_id = ANY(%(people)s) OR loan_id = ANY(%(loans)s))
"""
SIGNALS = """
SELECT signal_id FROM store_book_signals WHERE borrower_id = ANY(%(people)s)
UNION SELECT signal_id FROM store_signal WHERE borrower_id = ANY(%(people)s)
UNION SELECT key FROM store_word WHERE kind = 'signal' AND borrower_id = ANY(%(people)s)
"""
_ADDRESSES = """
SELECT address FROM store_message WHERE borrower_id = ANY(%(people)s) AND address <> ''
UNION SELECT address FROM store_contact
WHERE borrower_id = ANY(%(people)s) AND address IS NOT NULL
UNION SELECT address FROM store_book_contact_points WHERE borrower_id = ANY(%(people)s)
UNION SELECT data->>'address' FROM store_word
WHERE kind = 'contact_point' AND borrower_id = ANY(%(people)s)
"""
_MINE = "borrower_id = ANY(%(people)s)"
_OF_LOANS = "loan_id = ANY(%(loans)s)"
#: An unguessable text in place of a hash over what was erased.
_NOTHING = "encode(sha256(uuid_send(gen_random_uuid())), 'hex')"

#: Table → what is left of a row of the person's.
EMPTIED: Mapping[str, str] = MappingProxyType(
    {
        "store_message": "address = '', text = '', params = '{}', facts = '{}', code = '',"
        " reason = NULL"
        f" WHERE {_MINE}",
        # A mail server's refusal quotes whom it refuses; a bare code says nothing about anybody.
        "store_attempt": "code = '' WHERE code ~ '@|[0-9]{7}' AND message_id IN"
        f" (SELECT message_id FROM store_message WHERE {_MINE})",
        "store_contact": f"address = NULL WHERE {_MINE} AND address IS NOT NULL",
        "store_deadletter": "code = '', ended_why = CASE WHEN ended IS NOT NULL THEN 'deleted' END,"
        " ended_by = CASE WHEN ended IS NOT NULL THEN 'deleted' END WHERE message_id IN"
        f" (SELECT message_id FROM store_message WHERE {_MINE})",
        "store_decision": "facts = NULL, figures = NULL, by_channel = NULL, reason = 'deleted',"
        f" rule = NULL, legal = '[]', tone = NULL, task_kind = NULL WHERE {_MINE}",
        "store_borrower": f"region = NULL, quiet_from = NULL, quiet_until = NULL WHERE {_MINE}",
        # Of his messages; and what found no message and names a number of his: an answer.
        "store_report": f"raw = '', raw_sha256 = {_NOTHING} WHERE message_id IN"
        f" (SELECT message_id FROM store_message WHERE {_MINE}) OR message_id IS NULL AND EXISTS"
        " (SELECT 1 FROM unnest(%(numbers)s::text[]) AS n(key) WHERE strpos(raw, n.key) > 0)",
        # What he answered, whoever it was taken for, and what people wrote about him.
        "store_reply": "text = '', address = '', address_key = '', sent_to = '', error = '',"
        f" reading = NULL, signals = NULL, fingerprint = {_NOTHING},"
        " state = CASE state WHEN 'new' THEN 'person' ELSE state END,"
        " acted_at = coalesce(acted_at, now())"
        f" WHERE {_MINE} OR address_key = ANY(%(numbers)s)",
        "store_task": "outcome = 'deleted', closed_by = 'deleted',"
        f" closed_at = coalesce(closed_at, now()) WHERE {_MINE}",
        "store_borrowerkey": f"wrapped = NULL, destroyed_at = now() WHERE {_MINE}"
        " AND wrapped IS NOT NULL",
    }
)
#: Table → which of its rows are deleted.
DELETED: Mapping[str, str] = MappingProxyType(
    {
        "store_event": "data->>'borrower_id' = ANY(%(people)s) OR data->>'loan_id' = ANY(%(loans)s)"
        " OR type = 'payment.reversed' AND data->>'payment_id' = ANY(%(payments)s)"
        " OR type = 'signal.cleared' AND data->>'signal_id' = ANY(%(signals)s)",
        "store_word": f"{_MINE} OR {_OF_LOANS}"
        " OR kind = 'reversal' AND key = ANY(%(payments)s)"
        " OR kind IN ('signal', 'clearing') AND key = ANY(%(signals)s)",
        "store_signal": _MINE,
        "store_aside": _MINE,
        # What was told goes before what it was told of.
        "store_paymentcallback": "reference IN (SELECT reference FROM store_paymentintent"
        f" WHERE {_MINE})",
        "store_paymentintent": _MINE,
        "store_policymove": _OF_LOANS,
        "store_portalcode": _MINE,
        "store_portaldraft": _MINE,
        "store_portalpaper": _MINE,
        "store_portalsession": _MINE,
        "store_tasknote": _MINE,
        "store_book_agreed": "signal_id = ANY(%(signals)s)",
        "store_book_borrowers": _MINE,
        "store_book_consents": _MINE,
        "store_book_contact_points": _MINE,
        "store_book_contacts": _MINE,
        "store_book_debits": _OF_LOANS,
        "store_book_installments": _OF_LOANS,
        "store_book_loans": _MINE,
        "store_book_payments": f"{_MINE} OR {_OF_LOANS}",
        "store_book_quotes": _OF_LOANS,
        "store_book_relations": f"{_MINE} OR related_borrower_id = ANY(%(people)s)",
        "store_book_signals": _MINE,
        "store_book_stated": _OF_LOANS,
    }
)
#: Table → why it is left as it is.
KEPT: Mapping[str, str] = MappingProxyType(
    {
        "store_reservation": "a day and a slot: that a cap was kept",
        "store_hold": "from when to when somebody was left in peace",
        "store_deletion": "that the data were deleted",
        "store_legalhold": "that they had to be kept",
        "store_messageloan": "which message named which loan, by ids",
        "store_counted": "which payment a run knew, by ids",
        "store_outgoingevent": "ids alone, swept after 30 days",
    }
)


def erase(cursor: Any, people: Sequence[str]) -> dict[str, int]:
    """Erase what is personal of these people; return table → rows, without those of none.

    Within the caller's transaction, which holds the people's locks and has written the deletions.
    """
    given: dict[str, Any] = {"people": list(people)}
    for name, question in (("loans", LOANS), ("payments", PAYMENTS), ("signals", SIGNALS)):
        cursor.execute(question, given)
        given[name] = [row[0] for row in cursor.fetchall()]
    cursor.execute(_ADDRESSES, given)
    keys = {key_of(row[0]) for row in cursor.fetchall() if row[0]}
    given["numbers"] = sorted(key for key in keys if len(key) >= _NUMBER_MIN)
    counts = {}
    for table, what in EMPTIED.items():
        cursor.execute(f"UPDATE {table} SET {what}", given)
        counts[table] = cursor.rowcount
    for table, which in DELETED.items():
        cursor.execute(f"DELETE FROM {table} WHERE {which}", given)
        counts[table] = cursor.rowcount
    return {table: count for table, count in counts.items() if count}


def erase_reports(cursor: Any, *, before: object) -> int:
    """Empty reports that found no message and came before an instant; return how many."""
    cursor.execute(
        f"UPDATE store_report SET raw = '', raw_sha256 = {_NOTHING}"
        " WHERE message_id IS NULL AND raw <> '' AND received_at < %s",
        [before],
    )
    emptied = int(cursor.rowcount)
    cursor.execute(
        "UPDATE store_reply SET text = '', address = '', address_key = '', sent_to = '',"
        f" reading = NULL, signals = NULL, fingerprint = {_NOTHING}"
        " WHERE borrower_id IS NULL AND state <> 'new' AND text <> '' AND heard_at < %s",
        [before],
    )
    return emptied
