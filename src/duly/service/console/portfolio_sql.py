"""The questions about a portfolio: one relation of loans at two runs, and what happened between."""

from __future__ import annotations

from duly.service.console.listing import Listing
from duly.service.untaken import CAME_BACK, MESSAGE

BUCKETS = ("M0", "M1", "M2", "M3", "M4", "M5", "M6", "M7+")
#: From good to bad: what is written off has gone the last step.
RANKS = (*BUCKETS, "written_off")
#: Where a loan can be that is in none of them: paid whole, closed otherwise (sold, for one), of no
#: known figures, in no plan of that day.
APART = ("settled", "closed", "unknown", "absent")
PLACES = (*RANKS, *APART)

_PLACE = """CASE WHEN d.figures->>'outstanding_total' IS NULL THEN 'unknown'
    WHEN (d.figures->>'outstanding_total')::bigint = 0 THEN 'settled'
    WHEN d.reason IN ('closed', 'written_off') THEN d.reason
    ELSE coalesce(d.figures->>'bucket', 'unknown') END"""


def _at(run: str) -> str:
    return f"""SELECT d.loan_id, d.borrower_id, {_PLACE} AS place,
    coalesce((d.figures->>'days_past_due')::int, 0) AS days,
    coalesce((d.figures->>'overdue_total')::bigint, 0) AS overdue,
    coalesce((d.figures->>'outstanding_total')::bigint, 0) AS outstanding,
    d.figures->>'currency' AS currency
FROM store_decision AS d WHERE d.run_id = %({run})s"""


#: Whom we reached out to, whoever did it: answers and receipts are not what chases anybody. Ours
#: and those of agencies, where no book has them yet.
_REACHED = f"""
SELECT x.borrower_id, x.at FROM store_book_contacts AS x
WHERE x.direction = 'out' AND x.class NOT IN ('answer', 'receipt') AND x.at < %(end)s
UNION ALL
SELECT x.borrower_id, x.at FROM store_contact AS x
LEFT JOIN store_message AS m ON m.message_id = {MESSAGE}
WHERE x.direction = 'out' AND x.contact_class NOT IN ('answer', 'receipt') AND x.at < %(end)s
    AND (m.message_id IS NOT NULL AND NOT {CAME_BACK} OR x.agency IS NOT NULL)
    AND NOT EXISTS (SELECT FROM store_book_contacts AS k WHERE k.contact_id = x.contact_id)
"""
#: A loan is cured that was past due then and is in nobody's debt or not past due now; by itself
#: where nobody was reached from the first day past due on.
LOANS = f"""
WITH reached AS MATERIALIZED ({_REACHED}),
by_person AS (SELECT borrower_id, max(at) AS last, count(*) FILTER (WHERE at >= %(after)s) AS count
    FROM reached GROUP BY borrower_id),
was AS ({_at("then")}), became AS ({_at("now")}),
pair AS (SELECT coalesce(b.loan_id, a.loan_id) AS loan_id,
    coalesce(b.borrower_id, a.borrower_id) AS borrower_id,
    coalesce(a.place, 'absent') AS was, coalesce(b.place, 'absent') AS became,
    coalesce(a.days, 0) AS days_then, coalesce(b.days, 0) AS days,
    coalesce(b.overdue, 0) AS overdue, coalesce(a.outstanding, 0) AS outstanding_then,
    coalesce(b.outstanding, 0) AS outstanding,
    coalesce(b.currency, a.currency, '') AS currency
    FROM was AS a FULL JOIN became AS b ON b.loan_id = a.loan_id),
loans AS (SELECT p.*, coalesce(r.count, 0) AS contacts,
    p.days_then > 0 AND (p.became = 'settled' OR p.became = 'M0') AS is_cured,
    p.days_then > 0 AND (p.became = 'settled' OR p.became = 'M0') AND (r.last IS NULL OR r.last <
        (%(then_on)s::date - p.days_then + 1)::timestamp AT TIME ZONE %(zone)s) AS is_self_cured,
    array_position(%(ranks)s::text[], p.became)
        > array_position(%(ranks)s::text[], p.was) AS is_worse
    FROM pair AS p LEFT JOIN by_person AS r ON r.borrower_id = p.borrower_id)
"""
#: One row for each currency and each way from one place to another.
ROLLED = f"""{LOANS}
SELECT currency, was, became, count(*) AS loans, sum(outstanding_then)::bigint AS outstanding_then,
    sum(outstanding)::bigint AS outstanding, sum(overdue)::bigint AS overdue,
    count(*) FILTER (WHERE days_then > 0) AS late, count(*) FILTER (WHERE is_cured) AS cured,
    count(*) FILTER (WHERE is_self_cured) AS self_cured
FROM loans GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
#: The share of money that got worse in each month, by the bucket that it was in.
MONTHLY = """
SELECT m.place AS month, a.currency, a.bucket, sum(a.outstanding)::bigint AS money,
    sum(a.outstanding) FILTER (WHERE array_position(%(ranks)s::text[], b.bucket)
        > array_position(%(ranks)s::text[], a.bucket))::bigint AS worse
FROM unnest(%(thens)s::text[], %(nows)s::text[]) WITH ORDINALITY AS m(then_run, now_run, place)
JOIN LATERAL (SELECT d.loan_id, d.figures->>'currency' AS currency,
    d.figures->>'bucket' AS bucket, (d.figures->>'outstanding_total')::bigint AS outstanding
    FROM store_decision AS d WHERE d.run_id = m.then_run
        AND (d.figures->>'outstanding_total')::bigint > 0
        AND d.reason NOT IN ('closed', 'written_off')) AS a ON a.bucket IS NOT NULL
LEFT JOIN LATERAL (SELECT CASE WHEN d.reason = 'written_off' THEN d.reason
        ELSE d.figures->>'bucket' END AS bucket FROM store_decision AS d
    WHERE d.loan_id = a.loan_id AND d.run_id = m.now_run AND d.reason <> 'closed'
        AND (d.figures->>'outstanding_total')::bigint > 0) AS b ON true
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_SIGNALS = """
SELECT s.signal_id, s.borrower_id, s.loan_id, s.kind, s.starts_at, s.detail
FROM store_book_signals AS s WHERE s.kind IN ('promise', 'complaint', 'opt_out')
UNION ALL
SELECT w.key, w.borrower_id, w.loan_id, w.data->>'kind', (w.data->>'starts_at')::timestamptz,
    w.data->>'detail'
FROM store_word AS w
WHERE w.kind = 'signal' AND w.data->>'kind' IN ('promise', 'complaint', 'opt_out')
    AND NOT EXISTS (SELECT FROM store_book_signals AS k WHERE k.signal_id = w.key)
"""
#: Of one loan `n`: looked up by its index, not held against all payments of the book.
_PAYMENTS = """
SELECT p.payment_id, p.loan_id, p.paid_on, p.amount / power(10, p.decimals)::numeric AS amount,
    coalesce(p.reversed_on, (r.data->>'reversed_on')::date) AS reversed_on
FROM store_book_payments AS p
LEFT JOIN store_word AS r ON r.kind = 'reversal' AND r.key = p.payment_id
WHERE p.kind = 'payment' AND p.loan_id = n.loan_id
UNION ALL
SELECT w.key, w.loan_id, (w.data->>'paid_on')::date, (w.data->>'amount')::numeric,
    coalesce((w.data->>'reversed_on')::date, (r.data->>'reversed_on')::date)
FROM store_word AS w LEFT JOIN store_word AS r ON r.kind = 'reversal' AND r.key = w.key
WHERE w.kind = 'payment' AND w.loan_id = n.loan_id
    AND coalesce(w.data->>'kind', 'payment') = 'payment'
    AND NOT EXISTS (SELECT FROM store_book_payments AS k WHERE k.payment_id = w.key)
"""
#: Promises for a day of the period, judged by what had come by the day after it (contract, section
#: 3; `duly.care.promising` says it of one). One that names no loan is kept by any of the person's.
_PROMISES = f"""
WITH promises AS MATERIALIZED (SELECT s.signal_id, s.borrower_id, s.loan_id,
    (s.starts_at AT TIME ZONE %(zone)s)::date AS since,
    (s.detail::jsonb->>'on')::date AS promised_on,
    (s.detail::jsonb->>'amount')::numeric AS promised FROM ({_SIGNALS}) AS s
    WHERE s.kind = 'promise' AND (s.detail::jsonb->>'on')::date > %(then_on)s
        AND (s.detail::jsonb->>'on')::date <= %(now_on)s),
named AS (SELECT p.signal_id, p.since, p.promised_on, l.loan_id FROM promises AS p
    CROSS JOIN LATERAL (SELECT p.loan_id WHERE p.loan_id IS NOT NULL
        UNION SELECT k.loan_id FROM store_book_loans AS k
        WHERE p.loan_id IS NULL AND k.borrower_id = p.borrower_id) AS l),
paid AS (SELECT n.signal_id, sum(p.amount) AS paid FROM named AS n
    JOIN LATERAL ({_PAYMENTS}) AS p
        ON p.paid_on BETWEEN n.since AND n.promised_on + 1 AND p.paid_on <= %(now_on)s
        AND (p.reversed_on IS NULL OR p.reversed_on > %(now_on)s)
    GROUP BY n.signal_id),
judged AS (SELECT p.signal_id, p.borrower_id, p.loan_id, p.promised_on, p.promised,
    coalesce(a.paid, 0) AS paid,
    CASE WHEN p.promised_on + 1 >= %(now_on)s THEN 'open'
        WHEN coalesce(a.paid, 0) * 100 >= p.promised * 95 THEN 'kept'
        WHEN coalesce(a.paid, 0) * 100 >= p.promised * 50 THEN 'partly_kept'
        ELSE 'broken' END AS outcome
    FROM promises AS p LEFT JOIN paid AS a ON a.signal_id = p.signal_id)
"""
PROMISED = f"{_PROMISES} SELECT outcome, count(*) AS count FROM judged GROUP BY 1"
#: What people said against us, and how often we reached out, in the period.
HEARD = f"""
SELECT s.kind, count(*) AS count FROM ({_SIGNALS}) AS s
WHERE s.kind IN ('complaint', 'opt_out') AND s.starts_at >= %(after)s AND s.starts_at < %(end)s
GROUP BY 1
UNION ALL SELECT 'contacts', count(*) FROM ({_REACHED}) AS r WHERE r.at >= %(after)s
"""
_LOANS_LIST = f"""{LOANS}
SELECT loan_id, borrower_id, was, days_then, became, days, outstanding, overdue, contacts, currency
FROM loans WHERE loan_id > %(cursor)s AND (%(currency)s = '' OR currency = %(currency)s)
    AND (%(was)s = '' OR was = %(was)s) AND (%(became)s = '' OR became = %(became)s)
    AND CASE %(how)s WHEN '' THEN true WHEN 'late' THEN days_then > 0 WHEN 'cured' THEN is_cured
        WHEN 'self_cured' THEN is_self_cured WHEN 'worse' THEN coalesce(is_worse, false)
        WHEN 'contacted' THEN contacts > 0 ELSE false END
ORDER BY loan_id LIMIT %(limit)s
"""
_PROMISES_LIST = f"""{_PROMISES}
SELECT signal_id, loan_id, borrower_id, promised_on, promised::text, paid::text, outcome FROM judged
WHERE signal_id > %(cursor)s AND (%(outcome)s = '' OR outcome = %(outcome)s)
ORDER BY signal_id LIMIT %(limit)s
"""
_HEARD_LIST = f"""
SELECT s.signal_id, s.kind AS said, s.loan_id, s.borrower_id, s.starts_at FROM ({_SIGNALS}) AS s
WHERE s.kind IN ('complaint', 'opt_out') AND s.starts_at >= %(after)s AND s.starts_at < %(end)s
    AND s.signal_id > %(cursor)s AND (%(kind)s = '' OR s.kind = %(kind)s)
ORDER BY s.signal_id LIMIT %(limit)s
"""

LISTS = {
    "loans": Listing(
        sql=_LOANS_LIST, key="loan_id", narrows=("was", "became", "how", "currency"), dated=True,
        columns=(("loan_id", "text"), ("borrower_id", "borrower"), ("was", "place"),
                 ("days_then", "text"), ("became", "place"), ("days", "text"),
                 ("overdue", "money"), ("outstanding", "money"), ("contacts", "text")),
    ),
    "promises": Listing(
        sql=_PROMISES_LIST, key="signal_id", narrows=("outcome",), dated=True,
        columns=(("signal_id", "text"), ("loan_id", "text"), ("borrower_id", "borrower"),
                 ("promised_on", "day"), ("promised", "text"), ("paid", "text"),
                 ("outcome", "outcome")),
    ),
    "heard": Listing(
        sql=_HEARD_LIST, key="signal_id", narrows=("kind",), dated=True,
        columns=(("signal_id", "text"), ("said", "signal"), ("loan_id", "text"),
                 ("borrower_id", "borrower"), ("starts_at", "hour")),
    ),
}  # fmt: skip
