"""The state as relations: the newest book's rows, and over them the words that are in force.

Every cell is text as a book has it. `%(since)s` is 72 hours before the legal instant; aliases: `x`
a book's row, `w` the word that takes its place, `e` the word that ends it, `l` the loan of today.
"""

from __future__ import annotations

from collections.abc import Mapping

from duly.book import TABLES
from duly.core.money import CURRENCIES
from duly.service.facts.told import LASTING_SQL
from duly.service.untaken import CAME_BACK, MESSAGE


def _decimals(currency: str) -> str:
    by_decimals: dict[int, list[str]] = {}
    for code, decimals in CURRENCIES.items():
        if decimals != 2:
            by_decimals.setdefault(decimals, []).append(f"'{code}'")
    whens = "".join(
        f" WHEN {currency} IN ({', '.join(codes)}) THEN {decimals}"
        for decimals, codes in sorted(by_decimals.items())
    )
    return f"CASE{whens} ELSE 2 END"


def _money(column: str, decimals: str = "x.decimals") -> str:
    return (
        f"CASE {decimals} WHEN 2 THEN round({column} / 100.0, 2) WHEN 0 THEN {column}::numeric"
        f" WHEN 3 THEN round({column} / 1000.0, 3) ELSE round({column} / 10000.0, 4) END::text"
    )


def _instant(column: str) -> str:
    return f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"


def _clock(column: str) -> str:
    return f"to_char({column} * interval '1 minute', 'HH24:MI')"


def _rate(column: str) -> str:
    return f"round({column} / 100000000.0, 8)::text"


def _cells(table: str) -> str:
    """Return SQL of a book's row `x` as cells."""
    found = []
    for column in TABLES[table].columns:
        cell = f'x."{column.name}"'
        made = {"money": _money, "instant": _instant, "clock": _clock, "rate": _rate}
        sql = made[column.kind](cell) if column.kind in made else f"{cell}::text"
        found.append(f'{sql} AS "{column.name}"')
    return ", ".join(found)


def _said(table: str, word: str = "w") -> str:
    """Return SQL of a word's cells."""
    return ", ".join(f"{word}.data->>'{name}' AS \"{name}\"" for name in TABLES[table].names)


#: The newest book's row with the key of a word; a consent and a contact point have longer keys.
_OF_BOOK = """
LEFT JOIN store_book_payments AS p ON w.kind IN ('payment', 'reversal') AND p.payment_id = w.key
LEFT JOIN store_book_loans AS l ON w.kind IN ('loan', 'schedule') AND l.loan_id = w.key
LEFT JOIN store_book_borrowers AS b ON w.kind = 'borrower' AND b.borrower_id = w.key
LEFT JOIN store_book_signals AS s ON w.kind IN ('signal', 'clearing') AND s.signal_id = w.key
"""
#: The words in force: no later book has their key, and they are not older than 72 hours, or they
#: tell to leave somebody alone, or they end what only events told.
LIVE = f"""
CREATE TEMPORARY TABLE live ON COMMIT DROP AS
SELECT w.kind, w.key, w.time, w.borrower_id, w.loan_id, w.address_key, w.data,
    w.time <= %(since)s AS overdue
FROM store_word AS w
{_OF_BOOK}
LEFT JOIN LATERAL (
    SELECT max(cut_at) AS cut_at FROM store_book_consents AS k
    WHERE w.kind = 'consent' AND k.borrower_id = w.borrower_id
        AND k.purpose = w.data->>'purpose'
        AND k.channel IS NOT DISTINCT FROM w.data->>'channel') AS c ON true
LEFT JOIN LATERAL (
    SELECT max(cut_at) AS cut_at FROM store_book_contact_points AS k
    WHERE w.kind = 'contact_point' AND k.borrower_id = w.borrower_id
        AND k.channel = w.data->>'channel' AND k.address = w.data->>'address') AS a ON true
CROSS JOIN LATERAL (SELECT coalesce(p.cut_at, l.cut_at, b.cut_at, s.cut_at, c.cut_at, a.cut_at)
    AS cut_at) AS of_book
WHERE (of_book.cut_at IS NULL OR of_book.cut_at <= w.time)
    AND (w.time > %(since)s OR {LASTING_SQL}
        OR w.kind IN ('reversal', 'clearing') AND of_book.cut_at IS NULL
        -- A number that its owner confirmed by a code on our pages, until a book has it.
        OR w.kind = 'contact_point' AND w.source = 'duly:portal')
"""
#: Words that no book confirmed in 72 hours, and that count no more.
LAPSED = f"""
SELECT count(*), min(w.key) FROM store_word AS w
LEFT JOIN live AS n ON n.kind = w.kind AND n.key = w.key
{_OF_BOOK}
WHERE n.key IS NULL AND w.time <= %(since)s
    AND w.kind IN ('payment', 'reversal', 'loan', 'schedule', 'borrower', 'signal', 'clearing')
    AND coalesce(p.cut_at, l.cut_at, b.cut_at, s.cut_at, '-infinity') <= w.time
"""
#: A person's own wish waits for no book.
OVERDUE = f"""
SELECT count(*), min(w.key) FROM live AS w
WHERE w.overdue AND w.kind <> 'preference' AND {LASTING_SQL}
"""


def _wished() -> str:
    """Return SQL of a borrower's cells: his own wish `p` before what books and events say."""
    cells = []
    for name in TABLES["borrowers"].names:
        wish = f"p.data->>'{name}'"
        if name in ("quiet_from", "quiet_until"):
            cell = f"CASE WHEN p.key IS NULL THEN n.{name} ELSE {wish} END"
        elif name in ("locale", "preferred_channel"):
            cell = f"coalesce({wish}, n.{name})"
        else:
            cell = f"n.{name}"
        cells.append(f'{cell} AS "{name}"')
    return ", ".join(cells)


PEOPLE = f"""
CREATE TEMPORARY TABLE people_now ON COMMIT DROP AS
SELECT {_wished()}, n.cut_at FROM (
    SELECT {_cells("borrowers")}, x.cut_at FROM store_book_borrowers AS x
    WHERE NOT EXISTS (SELECT 1 FROM live AS w WHERE w.kind = 'borrower' AND w.key = x.borrower_id)
    UNION ALL
    SELECT {_said("borrowers")}, x.cut_at FROM live AS w
    LEFT JOIN store_book_borrowers AS x ON x.borrower_id = w.key WHERE w.kind = 'borrower'
) AS n LEFT JOIN live AS p ON p.kind = 'preference' AND p.key = n.borrower_id
WHERE NOT EXISTS (SELECT 1 FROM store_aside AS a WHERE a.borrower_id = n.borrower_id
    AND a.cut_at >= coalesce(n.cut_at, '-infinity'))
"""
LOANS = f"""
CREATE TEMPORARY TABLE loans_now ON COMMIT DROP AS
SELECT n.*, {_decimals("coalesce(n.currency, 'CNY')")} AS decimals FROM (
    SELECT {_cells("loans")}, x.cut_at, false AS told FROM store_book_loans AS x
    WHERE NOT EXISTS (SELECT 1 FROM live AS w WHERE w.kind = 'loan' AND w.key = x.loan_id)
    UNION ALL
    SELECT {_said("loans")}, x.cut_at, true FROM live AS w
    LEFT JOIN store_book_loans AS x ON x.loan_id = w.key WHERE w.kind = 'loan'
) AS n
WHERE EXISTS (SELECT 1 FROM people_now AS b WHERE b.borrower_id = n.borrower_id)
    AND (n.told OR n.cut_at >= %(fresh)s)
"""
SIGNALS = f"""
CREATE TEMPORARY TABLE signals_now ON COMMIT DROP AS
SELECT n.signal_id, n.borrower_id, l.loan_id, n.kind, n.starts_at,
    CASE WHEN e.key IS NULL THEN n.ends_at ELSE greatest(n.starts_at,
        least(n.ends_at, e.data->>'ends_at')) END AS ends_at, n.detail
FROM (
    SELECT {_cells("signals")} FROM store_book_signals AS x
    WHERE NOT EXISTS (SELECT 1 FROM live AS w WHERE w.kind = 'signal' AND w.key = x.signal_id)
    UNION ALL SELECT w.data->>'signal_id', w.data->>'borrower_id', w.data->>'loan_id',
        w.data->>'kind', {_instant("(w.data->>'starts_at')::timestamptz")},
        {_instant("(w.data->>'ends_at')::timestamptz")}, w.data->>'detail'
    FROM live AS w WHERE w.kind = 'signal'
) AS n
JOIN people_now AS b ON b.borrower_id = n.borrower_id
LEFT JOIN loans_now AS l ON l.loan_id = n.loan_id AND l.borrower_id = n.borrower_id
LEFT JOIN (SELECT key, jsonb_build_object('ends_at',
    {_instant("(data->>'ends_at')::timestamptz")}) AS data FROM live WHERE kind = 'clearing') AS e
    ON e.key = n.signal_id
"""
_FITS = "length(split_part({0}, '.', 2)) <= {1}"
_PAYMENTS = f"""
SELECT n.payment_id, l.loan_id, CASE WHEN l.loan_id IS NULL THEN n.borrower_id END AS borrower_id,
    n.paid_on, n.amount, n.kind, n.component,
    CASE WHEN e.key IS NULL THEN n.reversed_on
        ELSE greatest(n.paid_on, e.data->>'reversed_on') END AS reversed_on
FROM (
    SELECT {_cells("payments")} FROM store_book_payments AS x
    WHERE NOT EXISTS (SELECT 1 FROM live AS w WHERE w.kind = 'payment' AND w.key = x.payment_id)
    UNION ALL SELECT {_said("payments")} FROM live AS w WHERE w.kind = 'payment'
) AS n
LEFT JOIN loans_now AS l ON l.loan_id = n.loan_id
LEFT JOIN live AS e ON e.kind = 'reversal' AND e.key = n.payment_id
WHERE {_FITS.format("n.amount", "coalesce(l.decimals, 2)")} AND (l.loan_id IS NOT NULL
    -- Money of a known person on a loan that we do not know is money we hold.
    OR coalesce(n.kind, 'payment') = 'payment'
        AND n.borrower_id IN (SELECT borrower_id FROM people_now))
"""
_INSTALLMENTS = f"""
SELECT {_cells("installments")} FROM store_book_installments AS x
WHERE x.loan_id IN (SELECT loan_id FROM loans_now)
    AND NOT EXISTS (SELECT 1 FROM live AS w WHERE w.kind = 'schedule' AND w.key = x.loan_id)
UNION ALL
SELECT {_said("installments").replace("w.data", "i.data")}
FROM live AS w CROSS JOIN LATERAL jsonb_array_elements(w.data->'installments') AS i(data)
WHERE w.kind = 'schedule' AND w.key IN (SELECT loan_id FROM loans_now)
"""
_POINTS = f"""
SELECT n.borrower_id, n.channel, n.address,
    CASE WHEN s.key IS NULL THEN n.status ELSE 'wrong_person' END AS status,
    n.use, n.verified_on, n.changed_on
FROM (
    SELECT {_cells("contact_points")}, x.address_key FROM store_book_contact_points AS x
    WHERE NOT EXISTS (SELECT 1 FROM live AS w WHERE w.kind = 'contact_point'
        AND w.borrower_id = x.borrower_id AND w.data->>'channel' = x.channel
        AND w.data->>'address' = x.address)
    UNION ALL SELECT {_said("contact_points")}, w.address_key
    FROM live AS w WHERE w.kind = 'contact_point'
) AS n
JOIN people_now AS b ON b.borrower_id = n.borrower_id
-- A number that was told to be a stranger's is nobody's, whoever else has it.
LEFT JOIN (SELECT DISTINCT address_key AS key FROM live WHERE kind = 'contact_point'
    AND data->>'status' = 'wrong_person') AS s ON s.key = n.address_key
"""
_SAME_CONSENT = (
    "w.kind = 'consent' AND w.borrower_id = x.borrower_id AND w.data->>'purpose' = x.purpose"
    " AND w.data->>'channel' IS NOT DISTINCT FROM x.channel"
)
_CONSENTS = f"""
SELECT n.* FROM (
    SELECT x.borrower_id, x.purpose, x.channel, {_instant("x.granted_at")} AS granted_at,
        CASE WHEN x.withdrawn_at IS NULL AND w.key IS NOT NULL
            THEN {_instant("greatest(x.granted_at, (w.data->>'withdrawn_at')::timestamptz)")}
            ELSE {_instant("x.withdrawn_at")} END AS withdrawn_at, x.detail
    FROM store_book_consents AS x
    LEFT JOIN live AS w ON {_SAME_CONSENT} AND w.data->>'granted' = 'withdrawn'
    UNION ALL SELECT w.borrower_id, w.data->>'purpose', w.data->>'channel',
        {_instant("(w.data->>'granted_at')::timestamptz")},
        {_instant("(w.data->>'withdrawn_at')::timestamptz")}, w.data->>'detail'
    FROM live AS w WHERE w.kind = 'consent' AND (w.data->>'granted' = 'granted'
        OR NOT EXISTS (SELECT 1 FROM store_book_consents AS x
            WHERE x.withdrawn_at IS NULL AND {_SAME_CONSENT}))
) AS n JOIN people_now AS b ON b.borrower_id = n.borrower_id
"""
_CONTACTS = f"""
SELECT n.contact_id, n.borrower_id, l.loan_id, n.channel, n.address, n.at, n.direction, n.outcome,
    n.step, n.by, n.actor, n.class
FROM (
    SELECT {_cells("contacts")} FROM store_book_contacts AS x
    UNION ALL
    -- What we sent ourselves, and what an agency reserved, where no book has it yet.
    SELECT x.contact_id, x.borrower_id, x.loan_id, x.channel, x.address, {_instant("x.at")},
        x.direction, CASE WHEN m.state IN ('delivered', 'undelivered', 'unknown') THEN m.state
            ELSE x.outcome END, NULL, coalesce(x.agency, 'lender'), NULL, x.contact_class
    FROM store_contact AS x
    LEFT JOIN store_message AS m ON m.message_id = {MESSAGE}
    WHERE (m.message_id IS NOT NULL AND NOT {CAME_BACK} OR x.agency IS NOT NULL)
        AND NOT EXISTS (SELECT 1 FROM store_book_contacts AS k WHERE k.contact_id = x.contact_id)
) AS n
JOIN people_now AS b ON b.borrower_id = n.borrower_id
LEFT JOIN loans_now AS l ON l.loan_id = n.loan_id AND l.borrower_id = n.borrower_id
"""


def _of(owners: str, table: str, column: str, more: str = "") -> str:
    return (
        f"SELECT {_cells(table)} FROM store_book_{table} AS x"
        f" WHERE x.{column} IN (SELECT {column} FROM {owners} {more})"
    )


#: The amounts of a plan: those that its last word told, else those of the newest book.
_AGREED = f"""
SELECT {_cells("agreed")} FROM store_book_agreed AS x
WHERE x.signal_id IN (SELECT signal_id FROM signals_now WHERE kind = 'plan')
    AND NOT EXISTS (SELECT 1 FROM live AS w WHERE w.kind = 'signal' AND w.key = x.signal_id
        AND w.data->'agreed' IS NOT NULL)
UNION ALL
SELECT {_said("agreed").replace("w.data", "a.data")}
FROM live AS w CROSS JOIN LATERAL jsonb_array_elements(w.data->'agreed') AS a(data)
WHERE w.kind = 'signal' AND w.key IN (SELECT signal_id FROM signals_now WHERE kind = 'plan')
"""
#: Each table of a book as it is now, and what its rows are sorted by.
STATE: Mapping[str, tuple[str, str]] = {
    "loans": ("SELECT * FROM loans_now", "loan_id"),
    "installments": (_INSTALLMENTS, "loan_id, number::int"),
    "payments": (_PAYMENTS, "payment_id"),
    "debits": (_of("loans_now", "debits", "loan_id"), "debit_id"),
    "borrowers": ("SELECT * FROM people_now", "borrower_id"),
    "contact_points": (_POINTS, "borrower_id, channel, address"),
    "consents": (_CONSENTS, "borrower_id, purpose, channel, granted_at, withdrawn_at, detail"),
    "contacts": (_CONTACTS, "contact_id"),
    "signals": ("SELECT * FROM signals_now", "signal_id"),
    "agreed": (_AGREED, "signal_id, number::int"),
    "quotes": (_of("loans_now", "quotes", "loan_id"), "loan_id, as_of, valid_until, amount"),
    "relations": (_of("people_now", "relations", "borrower_id"),
                  "borrower_id, related_borrower_id, kind"),
    "stated": (_of("loans_now", "stated", "loan_id"),
               "loan_id, as_of, overdue_total, outstanding_total"),
}  # fmt: skip
#: Alerts: code → a count and an example of what is told and in no exported row.
WAITING: Mapping[str, str] = {
    "waiting_payments": (
        "SELECT count(*), min(w.key) FROM live AS w LEFT JOIN loans_now AS l"
        " ON l.loan_id = w.loan_id WHERE w.kind = 'payment' AND l.loan_id IS NULL"
        " AND (w.borrower_id IS NULL OR w.data->>'kind' = 'waiver'"
        " OR w.borrower_id NOT IN (SELECT borrower_id FROM people_now))"
    ),
    "waiting_reversals": (
        "SELECT count(*), min(w.key) FROM live AS w WHERE w.kind = 'reversal' AND NOT EXISTS"
        " (SELECT 1 FROM live AS k WHERE k.kind = 'payment' AND k.key = w.key) AND NOT EXISTS"
        " (SELECT 1 FROM store_book_payments AS k WHERE k.payment_id = w.key)"
    ),
    "waiting_people": (
        "SELECT count(*), min(w.key) FROM live AS w WHERE w.borrower_id IS NOT NULL"
        " AND w.kind <> 'payment'"
        " AND w.borrower_id NOT IN (SELECT borrower_id FROM people_now)"
    ),
    "set_aside": (
        "SELECT count(DISTINCT a.borrower_id), min(a.borrower_id) FROM store_aside AS a"
        " WHERE a.borrower_id IS NOT NULL"
        " AND a.borrower_id NOT IN (SELECT borrower_id FROM people_now)"
    ),
    "unseen_loans": (
        "SELECT count(*), min(x.loan_id) FROM store_book_loans AS x"
        " WHERE x.cut_at < %(fresh)s AND x.loan_id NOT IN (SELECT loan_id FROM loans_now)"
    ),
}
