"""A copy of everything that is held about a person, for himself: as data, and as a document.

Every table that a deletion knows is either copied or stands here with the reason why not. A fact
about a security investigation is never in it, nor that there is none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.db import connection, transaction

from duly.book import Lender
from duly.core.words import say
from duly.service.operations.working import notes_of
from duly.service.portal import papers
from duly.service.portal.documents import printable, printed
from duly.service.privacy.erasing import LOANS, PAYMENTS, SIGNALS

#: Kinds of facts, reasons and tasks that no copy names.
RESTRICTED = ("abnormal_transaction", "fraud_claim", "restricted")
_ROWS_MAX, _NOTES_MAX = 5_000, 500
_MINE = "x.borrower_id = %(who)s"
_OF_LOANS = "x.loan_id = ANY(%(loans)s)"
_OF_MESSAGES = "x.message_id IN (SELECT message_id FROM store_message WHERE borrower_id = %(who)s)"
_OPEN_KINDS = "NOT x.kind = ANY(%(restricted)s)"
_NOT_HIDDEN = "NOT x.signal_id = ANY(%(hidden)s)"

#: Table → which rows, and which of their columns only serve the machine.
COPIED: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "store_book_borrowers": (_MINE, ()),
        "store_book_contact_points": (_MINE, ("id",)),
        "store_book_consents": (_MINE, ("id",)),
        "store_book_loans": (_MINE, ()),
        "store_book_installments": (_OF_LOANS, ("id",)),
        "store_book_payments": (f"({_MINE} OR {_OF_LOANS})", ()),
        "store_book_debits": (_OF_LOANS, ()),
        "store_book_quotes": (_OF_LOANS, ("id",)),
        "store_book_stated": (_OF_LOANS, ("id",)),
        "store_book_agreed": (f"x.signal_id = ANY(%(signals)s) AND {_NOT_HIDDEN}", ("id",)),
        "store_book_contacts": (_MINE, ()),
        "store_book_signals": (f"{_MINE} AND {_OPEN_KINDS}", ()),
        "store_word": (
            f"({_MINE} OR {_OF_LOANS} OR x.kind = 'reversal' AND x.key = ANY(%(payments)s)"
            " OR x.kind = 'clearing' AND x.key = ANY(%(signals)s)) AND NOT (x.kind IN"
            " ('signal', 'clearing') AND x.key = ANY(%(hidden)s))",
            ("address_key",),
        ),
        "store_borrower": (_MINE, ()),
        "store_message": (_MINE, ("facts", "worker", "key_id", "reason")),
        "store_attempt": (_OF_MESSAGES, ("id",)),
        "store_report": (_OF_MESSAGES, ("id", "raw_sha256")),
        "store_contact": (_MINE, ()),
        "store_reply": (_MINE, ("fingerprint", "address_key", "error", "signals", "reading")),
        "store_signal": (f"{_MINE} AND {_OPEN_KINDS}", ()),
        "store_decision": (
            f"{_MINE} AND NOT coalesce(x.reason, '') = ANY(%(restricted)s)"
            " AND coalesce(x.template, '') <> 'verify_security'"
            " AND coalesce(x.task_kind, '') <> ALL(%(restricted)s)",
            ("facts", "by_channel", "legal"),
        ),
        "store_task": (
            f"{_MINE} AND {_OPEN_KINDS} AND x.script <> ALL(%(restricted)s)"
            " AND coalesce(x.cause, '') <> ALL(%(hidden)s)",
            ("outcome", "closed_by"),
        ),
        "store_hold": (_MINE, ("id",)),
        "store_portalsession": (_MINE, ("id", "token_sha256", "former_sha256")),
        "store_paymentintent": (_MINE, ()),
    }
)  # fmt: skip
#: Table → why a copy leaves it out.
NOT_COPIED: Mapping[str, str] = MappingProxyType(
    {
        "store_event": "what its words say, as it came",
        "store_aside": "that a row of a book was broken",
        "store_book_relations": "about other people too: a person looks first",
        "store_borrowerkey": "the key under which it is sealed",
        "store_paymentcallback": "what a payment provider told, as the payments begun say",
        "store_policymove": "what a proposed policy would have decided, kept with its proof",
        "store_portalcode": "codes that were used or are over",
        "store_portaldraft": "opened on its own page, gone with one tap",
        "store_portalpaper": "copied opened, as `handed_in`",
        "store_tasknote": "copied opened, as `notes`",
        "store_deadletter": "why a message did not leave, as its attempts say",
        "store_reservation": "that a cap was kept, as the contacts say",
        "store_messageloan": "as the messages say",
        "store_counted": "which payment a run knew, by ids",
        "store_outgoingevent": "ids alone, swept after 30 days",
        "store_deletion": "there is none while anything is held",
        "store_legalhold": "of a court or an authority, who tells it themselves",
    }
)
_HIDDEN = """
SELECT signal_id FROM store_book_signals WHERE borrower_id = %(who)s AND kind = ANY(%(restricted)s)
UNION SELECT signal_id FROM store_signal WHERE borrower_id = %(who)s AND kind = ANY(%(restricted)s)
UNION SELECT key FROM store_word WHERE kind = 'signal' AND borrower_id = %(who)s
    AND data->>'kind' = ANY(%(restricted)s)
"""


@dataclass(frozen=True, kw_only=True)
class Copy:
    """What is held about a person at an instant: table → rows, by their own names."""

    borrower_id: str
    made_at: datetime
    lender: str
    tables: Mapping[str, Sequence[Mapping[str, Any]]]

    @property
    def data(self) -> bytes:
        """Return it as JSON, names in order."""
        told = {
            "made_at": self.made_at.isoformat(), "lender": self.lender,
            "borrower_id": self.borrower_id, "tables": self.tables,
            "left_out": dict(NOT_COPIED),
        }  # fmt: skip
        return json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True, default=str).encode()


def copy_of(borrower_id: str, *, lender: Lender, at: datetime) -> Copy:
    """Return a copy of what is held about a person, all of one moment of the store."""
    given: dict[str, Any] = {"who": borrower_id, "people": [borrower_id], "limit": _ROWS_MAX,
                             "restricted": list(RESTRICTED)}  # fmt: skip
    tables: dict[str, Sequence[Mapping[str, Any]]] = {}
    with transaction.atomic(), connection.cursor() as cursor:
        for name, question in (("loans", LOANS), ("payments", PAYMENTS), ("signals", SIGNALS),
                               ("hidden", _HIDDEN)):  # fmt: skip
            cursor.execute(question, given)
            given[name] = [row[0] for row in cursor.fetchall()]
        for table, (which, but) in COPIED.items():
            cursor.execute(
                f"SELECT (to_jsonb(x) - %(but)s::text[])::text FROM {table} AS x WHERE {which}"
                " ORDER BY 1 LIMIT %(limit)s",
                {**given, "but": list(but)},
            )
            rows = [json.loads(row[0]) for row in cursor.fetchall()]
            if rows:
                tables[table.removeprefix("store_")] = rows
        tables |= _sealed(cursor, borrower_id)
    return Copy(borrower_id=borrower_id, made_at=at, lender=lender.name, tables=tables)


def _sealed(cursor: Any, borrower_id: str) -> dict[str, Sequence[Mapping[str, Any]]]:
    """Return what is sealed under a person's key, opened: what he handed in, what was noted."""
    notes = [
        {"at": row["at"], "kind": row["kind"], "code": row["code"], "text": row["text"]}
        for row in notes_of(borrower_id, limit=_NOTES_MAX) if row["task"] not in RESTRICTED
    ]  # fmt: skip
    cursor.execute(
        "SELECT DISTINCT signal_id FROM store_portalpaper WHERE borrower_id = %s ORDER BY 1",
        [borrower_id],
    )
    handed = [
        {"with": name, "kind": one.kind, "bytes": len(one.data),
         **({"text": one.data.decode()} if one.kind == "text/plain" else {})}
        for (name,) in cursor.fetchall() for one in papers.handed_in(borrower_id, name)
    ]  # fmt: skip
    found = {"notes": notes, "handed_in": handed}
    return {name: rows for name, rows in found.items() if rows}


def as_document(copy: Copy, *, lender: Lender, name: str, locale: str) -> bytes:
    """Return a copy as PDF: each row of each table, its fields by their own names."""
    sender = (locale == "en" and lender.name_en) or lender.name
    heads = [say("portal", "statement.number", locale), say("portal", "copy.held", locale)]
    return printed(
        {
            "title": say("portal", "copy.title", locale), "sender": sender,
            "facts": [(say("portal", "statement.borrower", locale), printable(name)),
                      (say("portal", "copy.number", locale), printable(copy.borrower_id)),
                      (say("portal", "copy.made", locale),
                       copy.made_at.isoformat(timespec="seconds"))],
            "paragraphs": [say("portal", "copy.says", locale),
                           say("portal", "copy.without", locale)],
            "tables": [
                {"title": say("portal", f"copy_of.{table}", locale), "header": heads, "sum": [],
                 "rows": [[str(at), _line(row)] for at, row in enumerate(rows, start=1)]}
                for table, rows in copy.tables.items()
            ],
            "closing": [say("portal", "statement.wrong", locale, hotline=lender.hotline)],
            "footer": sender,
        },
        locale=locale, on=lender.day_of(copy.made_at),
    )  # fmt: skip


def _line(row: Mapping[str, Any]) -> str:
    told = [f"{name}: {one}" for name, one in row.items() if one not in (None, "", [], {})]
    return printable(" · ".join(told))
