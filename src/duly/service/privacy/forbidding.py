"""What forbids that a person's data are deleted: a rule with its date, a claim, a case, a court."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from duly.book import Lender
from duly.core.diagnostic import Diagnostic
from duly.rules import Rule, lenders_rules
from duly.rules.asking import decide
from duly.rules.model import Term
from duly.rules.terms import ends_on

#: Signals that are a case somebody has to bring to its end; a stop of contact alone is none.
CASES = (
    "bankruptcy", "complaint", "dispute", "fraud_claim", "hardship", "identity_dispute",
    "legal_representation", "payment_pending", "plan", "promise",
)  # fmt: skip
_KNOWN = """
SELECT EXISTS (SELECT 1 FROM store_borrower WHERE borrower_id = %(who)s)
    OR EXISTS (SELECT 1 FROM store_borrowerkey WHERE borrower_id = %(who)s)
    OR EXISTS (SELECT 1 FROM store_book_borrowers WHERE borrower_id = %(who)s)
    OR EXISTS (SELECT 1 FROM store_word WHERE borrower_id = %(who)s)
"""
_LEGAL_HOLD = """
SELECT "by", at, because FROM store_legalhold WHERE borrower_id = %(who)s AND lifted_at IS NULL
"""
_OPEN = """
SELECT s.kind, min(s.starts_at) FROM (
    SELECT signal_id, kind, starts_at, ends_at FROM store_signal WHERE borrower_id = %(who)s
    UNION ALL SELECT signal_id, kind, starts_at, ends_at FROM store_book_signals
    WHERE borrower_id = %(who)s
    UNION ALL SELECT key, data->>'kind', (data->>'starts_at')::timestamptz,
        (data->>'ends_at')::timestamptz
    FROM store_word WHERE kind = 'signal' AND borrower_id = %(who)s
) AS s
WHERE s.kind = ANY(%(cases)s) AND (s.ends_at IS NULL OR s.ends_at > %(at)s) AND NOT EXISTS (
    SELECT 1 FROM store_word AS w WHERE w.kind = 'clearing' AND w.key = s.signal_id
        AND (w.data->>'ends_at')::timestamptz <= %(at)s)
GROUP BY s.kind ORDER BY s.kind
"""
#: A loan is paid where it is closed, or where its newest decision found nothing outstanding.
_UNPAID = """
WITH loans AS (
    SELECT loan_id FROM store_book_loans WHERE borrower_id = %(who)s
    UNION SELECT key FROM store_word WHERE kind = 'loan' AND borrower_id = %(who)s
    UNION SELECT loan_id FROM store_decision WHERE borrower_id = %(who)s
)
SELECT l.loan_id FROM loans AS l
LEFT JOIN store_word AS w ON w.kind = 'loan' AND w.key = l.loan_id
LEFT JOIN store_book_loans AS b ON b.loan_id = l.loan_id
LEFT JOIN LATERAL (
    SELECT (figures->>'outstanding_total')::bigint AS owed FROM store_decision
    WHERE loan_id = l.loan_id AND figures IS NOT NULL
    ORDER BY business_date DESC, run_id DESC LIMIT 1
) AS d ON true
WHERE CASE WHEN b.cut_at >= w.time OR w.key IS NULL THEN b.status
        ELSE coalesce(w.data->>'status', 'active') END IS DISTINCT FROM 'closed'
    AND CASE WHEN b.loan_id IS NULL AND w.key IS NULL THEN coalesce(d.owed, 0)
        ELSE coalesce(d.owed, 1) END <> 0
ORDER BY l.loan_id
"""
_ON_ITS_WAY = """
SELECT message_id FROM store_message WHERE borrower_id = %(who)s
    AND state IN ('planned', 'released', 'claimed', 'submitted') ORDER BY message_id LIMIT 1
"""
#: When the newest record of a contact was made, whoever made the contact and whatever came of it.
NEWEST = """
SELECT max(at) FROM (
    SELECT at FROM store_contact WHERE borrower_id = b.borrower_id
    UNION ALL SELECT at FROM store_book_contacts WHERE borrower_id = b.borrower_id
    UNION ALL SELECT state_at FROM store_message WHERE borrower_id = b.borrower_id
    UNION ALL SELECT r.received_at FROM store_report AS r JOIN store_message AS m USING (message_id)
    WHERE m.borrower_id = b.borrower_id
    UNION ALL SELECT starts_at FROM store_signal WHERE borrower_id = b.borrower_id
) AS made
"""


@dataclass(frozen=True, kw_only=True)
class Forbidden:
    """One thing that forbids it: a code with its words, the rule and the date where there are."""

    code: str
    values: dict[str, object] = field(default_factory=dict)

    @property
    def diagnostic(self) -> Diagnostic:
        """The finding as a person reads it."""
        return Diagnostic(area="privacy", code=self.code, values=self.values)


def known(cursor: Any, borrower_id: str) -> bool:
    """Return whether anything is known of a person."""
    cursor.execute(_KNOWN, {"who": borrower_id})
    return bool(cursor.fetchone()[0])


def forbids(cursor: Any, borrower_id: str, *, lender: Lender, at: datetime) -> list[Forbidden]:
    """Return everything that forbids a deletion at a legal instant; the strictest are not chosen.

    Asked are standing legal holds, open cases, loans that are not paid, messages on their way, and
    every rule of the lender's packs about how long a record is kept.
    """
    given: dict[str, Any] = {"who": borrower_id, "at": at, "cases": list(CASES)}
    found = []
    cursor.execute(_LEGAL_HOLD, given)
    for by, since, because in cursor.fetchall():
        told = {"by": by, "since": lender.day_of(since), "because": because}
        found.append(Forbidden(code="legal_hold", values=told))
    cursor.execute(_OPEN, given)
    for kind, since in cursor.fetchall():
        told = {"kind": kind, "since": lender.day_of(since)}
        found.append(Forbidden(code="open_case", values=told))
    cursor.execute(_UNPAID, given)
    found += [Forbidden(code="unpaid_loan", values={"loan": row[0]}) for row in cursor.fetchall()]
    cursor.execute(_ON_ITS_WAY, given)
    found += [Forbidden(code="on_its_way", values={"message": row[0]}) for row in cursor.fetchall()]
    cursor.execute(f"SELECT ({NEWEST}) FROM (SELECT %(who)s::text AS borrower_id) AS b", given)
    made = cursor.fetchone()[0]
    if made is not None:
        found += _by_rule(lender.day_of(made), lender=lender, at=at)
    return found


def _by_rule(made_on: date, *, lender: Lender, at: datetime) -> list[Forbidden]:
    today = lender.day_of(at)
    found = []
    for rule, until in kept_until(made_on, lender=lender):
        facts = {
            "at": at, "time_zone": lender.time_zone, "about": ["record"], "record_made_on": made_on,
            "deleted_on": today,
        }  # fmt: skip
        if decide([rule], facts).effect != "allow":
            told = {
                "rule": rule.id, "source": f"{rule.source.text} {rule.source.clause}",
                "until": until, "made_on": made_on,
            }  # fmt: skip
            found.append(Forbidden(code="kept_by_rule", values=told))
    return found


def record_rules(lender: Lender) -> Sequence[Rule]:
    """Return the rules of the lender's packs that say how long a record is kept."""
    rules = lenders_rules(lender.packs, lender.switched_off)
    return tuple(
        rule
        for rule in rules
        if rule.about == "record"
        and isinstance(rule.primitive, Term)
        and rule.primitive.until == "deleted_on"
        and rule.primitive.at_least is not None
    )


def kept_until(made_on: date, *, lender: Lender) -> list[tuple[Rule, date]]:
    """Return each rule about records with the first day on which it lets one of a day go."""
    found = []
    for rule in record_rules(lender):
        term = rule.primitive
        assert isinstance(term, Term), "as `record_rules` chose"
        assert term.at_least is not None, "as `record_rules` chose"
        found.append((rule, ends_on(term, made_on, term.at_least)))
    return found
