"""Broken rows: whom they touch, and the sentence that says what is wrong and what to do."""

from __future__ import annotations

from decimal import Decimal

from duly.book import schema
from duly.book.expressions import one_of, quoted
from duly.book.findings import finding
from duly.book.writing import Writer
from duly.core import visible
from duly.core.diagnostic import Diagnostic
from duly.core.words import catalogue, known_locale

_ALERTS_MAX = 100

#: Every code that a row can have: the catalogue has a sentence and a hint for each.
ROW_CODES = (
    "missing_value",
    "bad_money",
    "bad_number",
    "not_finite",
    "too_many_decimals",
    "not_positive",
    "negative",
    "bad_date",
    "bad_instant",
    "bad_time",
    "bad_id",
    "control_character",
    "bad_choice",
    "bad_time_zone",
    "bad_currency",
    "bad_json",
    "bad_detail",
    "out_of_range",
    "duplicate_key",
    "names_nobody",
    "unknown_loan",
    "unknown_borrower",
    "unknown_signal",
    "signal_is_no_plan",
    "waiver_of_no_loan",
    "other_borrowers_loan",
    "number_out_of_order",
    "ends_before_start",
    "grace_before_due",
    "component_of_payment",
)


def finish(writer: Writer, locale: str) -> int:
    """Mark whom the broken rows touch, write their sentences; return how many rows they are."""
    (rows,) = writer.one('SELECT count(DISTINCT ("table", row)) FROM quarantine')
    assert isinstance(rows, int)
    if rows:
        _mark_touched(writer)
    _write_sentences(writer, locale)
    return rows


def _mark_touched(writer: Writer) -> None:
    con = writer.con
    con.execute(
        "CREATE TEMP TABLE touched_borrowers AS SELECT DISTINCT borrower FROM ("
        " SELECT borrower FROM quarantine UNION ALL SELECT loan_borrower FROM quarantine"
        " UNION ALL SELECT l.borrower FROM quarantine AS q JOIN loan_ids AS l ON l.loan = q.loan)"
        " WHERE borrower IS NOT NULL"
    )
    con.execute(
        "CREATE TEMP TABLE touched_loans AS SELECT DISTINCT loan FROM quarantine"
        " WHERE loan IS NOT NULL UNION SELECT l.loan FROM loan_ids AS l"
        " JOIN touched_borrowers AS t ON t.borrower = l.borrower"
    )
    for table, index in (("loans", "loan"), ("borrowers", "borrower")):
        writer.copy(
            f"SELECT t.* REPLACE (t.quarantined OR t.{index} IN"
            f" (SELECT {index} FROM touched_{table}) AS quarantined)"
            f" FROM {writer.read(table)} AS t ORDER BY t.{index}",
            table,
        )
    for table in ("installments", "payments"):
        writer.copy(
            f"SELECT t.* FROM {writer.read(table)} AS t"
            " WHERE t.loan IS NULL OR t.loan NOT IN (SELECT loan FROM touched_loans)",
            table,
        )


def _write_sentences(writer: Writer, locale: str) -> None:
    words = catalogue("book", known_locale(locale))
    rows = ", ".join(
        f"({quoted(code)}, {quoted(words[code] + '; ' + words[code + '_hint'])})"
        for code in ROW_CODES
    )
    writer.con.execute(f"CREATE TEMP TABLE words AS SELECT * FROM (VALUES {rows}) AS w(code, text)")
    choices = [
        f"({quoted(table.name)}, {quoted(column.name)}, [{one_of(column.values)[1:-1]}])"
        for table in schema.TABLES.values()
        for column in table.columns
        if column.kind == "choice"
    ]
    writer.con.execute(
        "CREATE TEMP TABLE choices AS SELECT * FROM"
        f' (VALUES {", ".join(choices)}) AS c("table", "column", allowed)'
    )
    near = (
        "list_sort(list_transform(c.allowed, lambda one:"
        " {'far': damerau_levenshtein(one, lower(q.value)), 'one': one}))[1]"
    )
    asked = quoted(words["did_you_mean"])
    # One letter in three may differ: of a short word, one.
    most = "greatest(1, least(3, length(q.value) // 3))"
    slip = f"length(q.value) > 1 AND {near}.far <= {most}"
    meant = f"CASE WHEN {slip} THEN replace({asked}, '{{near}}', {near}.one) ELSE '' END"
    filled = "w.text"
    for hole, sql in (
        ("{table}", 'q."table"'),
        ("{column}", 'q."column"'),
        ("{choices}", "coalesce(array_to_string(c.allowed, ', '), '')"),
        ("{near}", f"coalesce({meant}, '')"),
        ("{value}", f"coalesce({_visible('q.value')}, '')"),
    ):
        filled = f"replace({filled}, '{hole}', {sql})"
    writer.copy(
        f'SELECT q."table", q.row, q."column", q.code, {filled} AS message, q.value,'
        " q.loan, coalesce(q.loan_borrower, q.borrower) AS borrower"
        " FROM quarantine AS q JOIN words AS w ON w.code = q.code"
        ' LEFT JOIN choices AS c ON c."table" = q."table" AND c."column" = q."column"'
        ' ORDER BY q."table", q.row, q."column", q.code',
        "quarantine",
    )


#: The letters of visible.py, as RE2 writes them.
_ACTING = "".join(one if one == "-" else f"\\x{{{ord(one):x}}}" for one in visible.ACTING)


def _visible(text: str) -> str:
    """Return SQL of a text with each acting character written out, as visible.py does."""
    acting = quoted(f"[{_ACTING}]")
    written = (
        "CASE WHEN unicode(c) = 9 THEN '\\t' WHEN unicode(c) = 10 THEN '\\n'"
        " WHEN unicode(c) = 13 THEN '\\r'"
        " WHEN unicode(c) < 256 THEN format('\\x{:02x}', unicode(c))"
        " ELSE format('\\u{:04x}', unicode(c)) END"
    )
    letters = (
        f"list_transform(string_split({text}, ''), lambda c:"
        f" CASE WHEN regexp_matches(c, {acting}) THEN {written} ELSE c END)"
    )
    shown = f"array_to_string({letters}, '')"
    return f"CASE WHEN regexp_matches({text}, {acting}) THEN {shown} ELSE {text} END"


def warnings(writer: Writer) -> list[Diagnostic]:
    """Return what is odd but decided all the same: one finding a kind, with a count."""
    found = []
    for code, table, select in (
        ("paid_before_disbursement", "payments", _PAID_EARLY),
        ("principal_differs", "installments", _PRINCIPAL_DIFFERS),
    ):
        source = writer.source(table)
        if source is None:
            continue
        sql = select.format(rows=writer.read(table), loans=writer.read("loans"))
        count, example = writer.one(f"SELECT count(*), min(loan) FROM ({sql})")
        if count:
            (loan_id,) = writer.one(f"SELECT loan_id FROM loan_ids WHERE loan = {example}")
            found.append(
                finding(
                    code,
                    source.name,
                    "warning",
                    column=_COLUMNS[code],
                    count=count,
                    loan_id=loan_id,
                )
            )
    return found


_COLUMNS = {"paid_before_disbursement": "paid_on", "principal_differs": "principal"}
_PAID_EARLY = (
    "SELECT p.loan FROM {rows} AS p JOIN loan_ids AS l ON l.loan = p.loan"
    " WHERE p.paid_on < l.disbursed_on"
)
#: A loan set aside has lost its installments here; without any, an ended one may have none.
_PRINCIPAL_DIFFERS = (
    "SELECT l.loan FROM {loans} AS l LEFT JOIN"
    " (SELECT loan, sum(principal)::BIGINT AS principal FROM {rows} GROUP BY loan) AS i"
    " ON i.loan = l.loan WHERE NOT l.quarantined AND l.principal <> coalesce(i.principal, 0)"
    " AND (i.loan IS NOT NULL OR l.status = 'active')"
)


def alerts(writer: Writer) -> list[Diagnostic]:
    """Return the payments that name neither a known loan nor a known borrower, with amounts.

    One alert each; where they are more than a hundred, one for all of them with the sum.
    """
    source = writer.source("payments")
    if source is None:
        return []
    amount = f"{source.columns['amount'].sql}::VARCHAR"
    key = source.columns["payment_id"].sql
    lost = (
        "SELECT DISTINCT row FROM quarantine WHERE \"table\" = 'payments'"
        " AND code IN ('names_nobody', 'unknown_loan', 'unknown_borrower')"
        " AND loan IS NULL AND loan_borrower IS NULL AND borrower IS NULL"
    )
    (count,) = writer.one(f"SELECT count(*) FROM ({lost})")
    if not count:
        return []
    file = source.name
    rows = f"{source.numbered} AS s JOIN ({lost}) AS q ON q.row = s.__row"
    assert isinstance(count, int)
    if count > _ALERTS_MAX:
        (total,) = writer.one(
            f"SELECT coalesce(sum(try_cast({amount} AS DECIMAL(38, 8))), 0) FROM {rows}"
        )
        said = _in_currency(writer, Decimal(str(total)))
        return [finding("unknown_payments", file, column="loan_id", count=count, total=said)]
    found = writer.con.execute(
        f"SELECT s.__row, {key}::VARCHAR, {amount} FROM {rows} ORDER BY s.__row"
    ).fetchall()
    return [
        finding("unknown_payment", file, line=row, column="loan_id", payment_id=one, amount=sum_)
        for row, one, sum_ in found
    ]


def _in_currency(writer: Writer, total: Decimal) -> str:
    """Return a sum with the currency of all loans; where they differ, no one can say which."""
    currency, others = writer.one(
        f"SELECT min(currency::VARCHAR), count(DISTINCT currency) FROM {writer.read('loans')}"
    )
    if others != 1 or writer.context.decimals is None:
        return f"{total.normalize():f}"
    return f"{currency} {total:.{writer.context.decimals}f}"
