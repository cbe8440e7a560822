"""The state of a few borrowers: the same questions, asked over their rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import sql

from duly.book import TABLES

#: Rows of a table that are not a borrower's by a column of their own.
_BY_LOAN = ("installments", "debits", "quotes", "stated")
_LOANS = """
SELECT loan_id FROM store_book_loans WHERE borrower_id = ANY(%(who)s)
UNION SELECT key FROM store_word WHERE kind = 'loan' AND borrower_id = ANY(%(who)s)
"""
_OWNER = """
SELECT coalesce((SELECT borrower_id FROM store_word WHERE kind = 'loan' AND key = %(loan)s),
    (SELECT borrower_id FROM store_book_loans WHERE loan_id = %(loan)s))
"""
_PAYMENTS = "borrower_id = ANY({who}) OR loan_id = ANY({loans})"
_WORDS = """
borrower_id = ANY({who}) OR loan_id = ANY({loans})
OR kind = 'reversal' AND key IN (
    SELECT payment_id FROM public.store_book_payments WHERE loan_id = ANY({loans})
    UNION SELECT key FROM public.store_word WHERE kind = 'payment' AND loan_id = ANY({loans}))
OR kind = 'clearing' AND key IN (
    SELECT signal_id FROM public.store_book_signals WHERE borrower_id = ANY({who})
    UNION SELECT key FROM public.store_word WHERE kind = 'signal' AND borrower_id = ANY({who}))
"""


def owner_of(cursor: Any, loan_id: str) -> str | None:
    """Return whose loan it is, None where nobody told it."""
    cursor.execute(_OWNER, {"loan": loan_id})
    found = cursor.fetchone()[0]
    return None if found is None else str(found)


def newest_of(cursor: Any, borrower_id: str) -> str:
    """Return what changes with every word and book that a borrower's state is made of."""
    cursor.execute(_LOANS, {"who": [borrower_id]})
    loans = [row[0] for row in cursor.fetchall()]
    cursor.execute(
        sql.SQL(
            "SELECT md5((SELECT concat(count(*), max(cut_at), max(loaded_at)) FROM store_book)"
            " || coalesce(("
            "SELECT string_agg(kind || key || time::text || event_id, ' ' ORDER BY kind, key)"
            " FROM public.store_word WHERE " + _WORDS + "), ''))"
        ).format(**_values([borrower_id], loans))
    )
    return str(cursor.fetchone()[0])


def narrow(cursor: Any, borrower_ids: Sequence[str]) -> tuple[str, ...]:
    """Let this session see these borrowers' facts only; return the views, for who drops them.

    A temporary view stands before the table of its name: the questions are those of an export.
    """
    cursor.execute(_LOANS, {"who": list(borrower_ids)})
    loans = [row[0] for row in cursor.fetchall()]
    wheres = {"store_word": _WORDS, "store_contact": "borrower_id = ANY({who})",
              "store_aside": "borrower_id = ANY({who})"}  # fmt: skip
    for name in TABLES:
        wheres[f"store_book_{name}"] = _where(name)
    for name, where in wheres.items():
        cursor.execute(
            sql.SQL("CREATE TEMPORARY VIEW {} AS SELECT * FROM {} WHERE " + where).format(
                sql.Identifier(name), sql.Identifier("public", name),
                **_values(borrower_ids, loans),
            )
        )  # fmt: skip
    return tuple(wheres)


def _where(table: str) -> str:
    if table in _BY_LOAN:
        return "loan_id = ANY({loans})"
    if table == "payments":
        return _PAYMENTS
    if table == "agreed":
        return (
            "signal_id IN (SELECT signal_id FROM public.store_book_signals"
            " WHERE borrower_id = ANY({who}))"
        )
    return "borrower_id = ANY({who})"


def _values(borrower_ids: Sequence[str], loans: Sequence[str]) -> dict[str, sql.Literal]:
    return {"who": sql.Literal(list(borrower_ids)), "loans": sql.Literal(list(loans))}
