"""What other programs may read: runs, loans, decisions, messages; few questions each."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from duly.service.rows import Row, as_dicts

_RUN = (
    "plan_sha256, business_date, state, approvals_needed, loaded_at, messages_count,"
    " (SELECT count(*) FROM store_approval AS a WHERE a.run_id = r.plan_sha256) AS approvals_given"
)
_DECISION = (
    "d.loan_id, d.run_id, d.borrower_id, d.business_date, d.decision, d.reason, d.rule,"
    " d.legal::text AS legal, d.channel, d.template, d.tone, d.not_before, d.not_after,"
    " d.next_review_on, d.message_id, d.task_kind, d.figures::text AS figures"
)
_MESSAGE = (
    "message_id, run_id, borrower_id, business_date, loan_ids::text AS loan_ids, channel, address,"
    " locale, message_class, template, tone, text, segments, not_before, not_after, state, reason,"
    " state_at, route, attempts"
)


def runs(*, after: Sequence[str], limit: int) -> list[Row]:
    """Return runs, the newest business date first, after (date, SHA-256) of the page before."""
    return _rows(
        f"SELECT {_RUN} FROM store_run AS r"
        " WHERE %(first)s OR (business_date, plan_sha256) < (%(day)s::date, %(sha)s)"
        " ORDER BY business_date DESC, plan_sha256 DESC LIMIT %(limit)s",
        first=not after, day=after[0] if after else None, sha=after[1] if after else None,
        limit=limit,
    )  # fmt: skip


def run(sha: str) -> Row | None:
    """Return one run with its messages by state and what was said of it when it was made."""
    found = _rows(
        f"SELECT {_RUN}, summary::text AS summary, (SELECT jsonb_object_agg(state, count)::text"
        " FROM (SELECT state, count(*) FROM store_message WHERE run_id = r.plan_sha256"
        " GROUP BY state) AS m) AS states FROM store_run AS r WHERE plan_sha256 = %(sha)s",
        sha=sha,
    )  # fmt: skip
    return found[0] if found else None


def decisions(loan_id: str, *, after: Sequence[str], limit: int) -> list[Row]:
    """Return the decisions about a loan, the newest first."""
    return _rows(
        f"SELECT {_DECISION}, r.state AS run_state FROM store_decision AS d"
        " JOIN store_run AS r ON r.plan_sha256 = d.run_id WHERE d.loan_id = %(loan)s AND"
        " (%(first)s OR (d.business_date, d.run_id) < (%(day)s::date, %(sha)s))"
        " ORDER BY d.business_date DESC, d.run_id DESC LIMIT %(limit)s",
        loan=loan_id, first=not after, day=after[0] if after else None,
        sha=after[1] if after else None, limit=limit,
    )  # fmt: skip


def messages_of(loan_id: str, borrower_id: str, *, limit: int) -> list[Row]:
    """Return the newest messages about a loan."""
    return _rows(
        f"SELECT {_MESSAGE} FROM store_message WHERE borrower_id = %(borrower)s"
        " AND loan_ids @> jsonb_build_array(%(loan)s::text)"
        " ORDER BY business_date DESC, message_id LIMIT %(limit)s",
        borrower=borrower_id, loan=loan_id, limit=limit,
    )  # fmt: skip


def signals_of(loan_id: str, borrower_id: str, *, limit: int) -> list[Row]:
    """Return the newest signals about a loan or its borrower as a person."""
    return _rows(
        "SELECT signal_id, kind, loan_id, starts_at, ends_at, source FROM store_signal"
        " WHERE borrower_id = %(borrower)s AND (loan_id IS NULL OR loan_id = %(loan)s)"
        " ORDER BY starts_at DESC, signal_id LIMIT %(limit)s",
        borrower=borrower_id, loan=loan_id, limit=limit,
    )  # fmt: skip


def message(message_id: str) -> Row | None:
    """Return one message."""
    found = _rows(f"SELECT {_MESSAGE} FROM store_message WHERE message_id = %(id)s", id=message_id)
    return found[0] if found else None


def attempts(message_id: str) -> list[Row]:
    """Return the submissions of a message and what was answered."""
    return _rows(
        "SELECT number, route, at, outcome, code FROM store_attempt"
        " WHERE message_id = %(id)s ORDER BY number",
        id=message_id,
    )


def receipts(message_id: str, *, limit: int) -> list[Row]:
    """Return the receipts that moved a message, in the order in which they came."""
    return _rows(
        "SELECT route, provider_id, state, code, received_at FROM store_report"
        " WHERE message_id = %(id)s AND kind = 'receipt' ORDER BY id LIMIT %(limit)s",
        id=message_id, limit=limit,
    )  # fmt: skip


def _rows(question: str, **values: str | int | bool | None) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        return as_dicts(cursor)
