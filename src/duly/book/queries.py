"""One relation per table: the typed columns of the snapshot, and every check beside its column.

Aliases: `s` the source, `l` the loan the row names, `b` the borrower it names, `g` the signal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from duly.book import expressions, schema
from duly.book.columns import Checked, Columns
from duly.book.expressions import Check, name
from duly.book.reading import Source

#: A row of these tables is broken if this output (never null of itself, cheap) is null.
WITNESS: Mapping[str, str] = {
    "installments": "loan",
    "payments": "amount",
    "debits": "amount",
    "contact_points": "borrower",
    "consents": "borrower",
    "contacts": "at",
    "signals": "starts_at",
    "agreed": "amount",
    "quotes": "amount",
    "relations": "borrower",
    "stated": "loan",
}


@dataclass(frozen=True, kw_only=True)
class Context:
    """What the queries may take as known of the book as a whole."""

    decimals: int | None = 2  #: the decimals of every loan's currency, or None where they differ
    borrowers_known: bool = True  #: the book has a table of borrowers
    waivers: bool = False  #: some payment is a waiver
    creditor: str = ""
    jurisdiction: str = ""


@dataclass(frozen=True, kw_only=True)
class Query:
    """A table's relation: where it reads, what it gives, what it checks, whom it touches."""

    table: schema.Table
    scan: str
    numbered: str
    joins: str
    outputs: Mapping[str, str]
    checked: tuple[Checked, ...]
    touches: Mapping[str, str]  #: `loan`, `loan_borrower`, `borrower` → SQL of an index or NULL

    @property
    def bad(self) -> str:
        """SQL that is TRUE for a row that breaks a rule (false or NULL otherwise)."""
        conditions = [f"({when})" for one in self.checked for _, when in one.checks]
        return "(" + " OR ".join(conditions or ["false"]) + ")"

    def select(self, outputs: Mapping[str, str], where: str = "") -> str:
        """Return the SELECT of `outputs` over the table's rows."""
        columns = ", ".join(f"{sql} AS {name(key)}" for key, sql in outputs.items())
        return f"SELECT {columns} FROM {self.scan} AS s {self.joins} {where}"


def build(table: schema.Table, source: Source | None, context: Context) -> Query:
    """Return the relation of a table that is neither loans nor borrowers."""
    loan, borrower = (_has(source, one) for one in ("loan_id", "borrower_id"))
    decimals = _decimals(table, context, loan=loan)
    columns = Columns(table, source, decimals, late=not decimals.isdigit())
    joins, more, touches = "", dict(_own_checks(table.name, columns, decimals)), dict(_NOBODY)
    if loan:
        joins += f" LEFT JOIN loan_ids AS l ON l.loan_id = {columns['loan_id']}"
        unknown = f"{columns['loan_id']} IS NOT NULL AND l.loan IS NULL"
        more["loan_id"] = (*more.get("loan_id", ()), ("unknown_loan", unknown))
        touches |= {"loan": "l.loan", "loan_borrower": "l.borrower"}
    if borrower:
        joins += f" LEFT JOIN borrower_ids AS b ON b.borrower_id = {columns['borrower_id']}"
        if context.borrowers_known:
            more["borrower_id"] = (("unknown_borrower", _unknown(columns["borrower_id"])),)
        touches |= {"borrower": "b.borrower"}
    if loan and borrower and table.name != "loans":
        others = "l.borrower <> b.borrower"
        more["loan_id"] = (*more.get("loan_id", ()), ("other_borrowers_loan", others))
    if table.name == "agreed" and source:
        joins += f" LEFT JOIN signal_ids AS g ON g.signal_id = {columns['signal_id']}"
        more["signal_id"] = (
            ("unknown_signal", "g.signal_id IS NULL"),
            ("signal_is_no_plan", "NOT g.plan"),
        )
        touches |= {"borrower": "g.borrower", "loan": "g.loan"}
    if table.name == "payments" and context.waivers:
        joins += f" LEFT JOIN waivers AS w ON w.payment_id = {columns['payment_id']}"
    return Query(
        table=table,
        scan=columns.scan,
        numbered=columns.numbered,
        joins=joins,
        outputs=_outputs(table.name, columns, touches, context),
        checked=columns.checked(more),
        touches=touches,
    )


_NOBODY = {
    "loan": "NULL::INTEGER",
    "loan_borrower": "NULL::INTEGER",
    "borrower": "NULL::INTEGER",
}


def _unknown(borrower_id: str) -> str:
    # An unknown borrower of a loan has an index too (every loan is decided): `known` tells.
    return f"{borrower_id} IS NOT NULL AND b.known IS NOT TRUE"


def _has(source: Source | None, column: str) -> bool:
    return source is not None and column in source.columns


def _decimals(table: schema.Table, context: Context, *, loan: bool) -> str:
    if context.decimals is not None:
        return str(context.decimals)
    if table.name == "agreed":
        return "coalesce(g.decimals, 2)"
    return "coalesce(l.decimals, 2)" if loan else "2"


def _outputs(
    table: str, columns: Columns, touches: Mapping[str, str], context: Context
) -> Mapping[str, str]:
    plain = {one: columns[one] for one in columns.table.names if not one.endswith("_id")}
    loan = {"loan": touches["loan"]}
    borrower = {"borrower": touches["borrower"]}
    if table == "installments":
        grace = f"coalesce({plain.pop('grace_until')}, {plain['due_on']} + l.grace_days)"
        if columns.source is None:
            grace = "NULL::DATE"
        return {
            **loan,
            "number": plain.pop("number"),
            "due_on": plain.pop("due_on"),
            "grace_ends_on": grace,
            **plain,
        }
    if table == "payments":
        return _payment_outputs(columns, touches, context)
    if table == "contacts":
        dunning = f"'dunning'::{expressions.sql_type(columns.table.column('class'))}"
        said = f"CASE WHEN {plain['class']} = 'notice' THEN {dunning} ELSE {plain['class']} END"
        key = {"contact_id": columns["contact_id"]}
        return {**key, **borrower, **loan, **plain, "class": said}
    if table == "signals":
        return {"signal_id": columns["signal_id"], **borrower, **loan, **plain}
    if table == "agreed":
        return {"signal_id": columns["signal_id"], **plain}
    if table == "relations":
        related = {"related_borrower_id": columns["related_borrower_id"]}
        return {**borrower, **related, **plain}
    if table == "debits":
        return {**loan, "debit_id": columns["debit_id"], **plain}
    if table in ("contact_points", "consents"):
        return {**borrower, **plain}
    return {**loan, **plain}


def _payment_outputs(
    columns: Columns, touches: Mapping[str, str], context: Context
) -> Mapping[str, str]:
    waiver = f"{columns['kind']} = 'waiver'"
    ranks = {"late_charge": 1, "interest": 2, "fee": 3, "principal": 4}
    whens = "".join(f" WHEN '{part}' THEN {rank}" for part, rank in ranks.items())
    owner = touches["borrower"]
    if touches["loan_borrower"].startswith("l."):
        owner = f"coalesce({touches['loan_borrower']}, {touches['borrower']})"
    return {
        "loan": touches["loan"],
        "borrower": owner,
        "payment_id": columns["payment_id"],
        "paid_on": columns["paid_on"],
        "amount": columns["amount"],
        "kind": f"(CASE WHEN {waiver} THEN 1 ELSE 0 END)::TINYINT",
        "component": f"(CASE {columns['component']}{whens} ELSE 0 END)::TINYINT",
        "reversed_on": columns["reversed_on"],
        "waiver_rank": "coalesce(w.rank, 0)::INTEGER" if context.waivers else "0::INTEGER",
    }


def _own_checks(table: str, columns: Columns, decimals: str) -> Mapping[str, tuple[Check, ...]]:
    """Return the checks that need a second column of the same row."""
    c = columns
    if table == "installments":
        return {"grace_until": (("grace_before_due", f"{c['grace_until']} < {c['due_on']}"),)}
    if table == "payments":
        nobody = f"{c['loan_id']} IS NULL AND {c['borrower_id']} IS NULL"
        waived = f"{c['loan_id']} IS NULL AND {c['kind']} = 'waiver'"
        of_payment = f"{c['component']} IS NOT NULL AND {c['kind']} IS DISTINCT FROM 'waiver'"
        return {
            "loan_id": (("names_nobody", nobody), ("waiver_of_no_loan", waived)),
            "component": (("component_of_payment", of_payment),),
            "reversed_on": (("ends_before_start", f"{c['reversed_on']} < {c['paid_on']}"),),
        }
    if table == "consents":
        early = f"{c['withdrawn_at']} < {c['granted_at']}"
        return {"withdrawn_at": (("ends_before_start", early),)}
    if table == "signals":
        return {
            "ends_at": (("ends_before_start", f"{c['ends_at']} < {c['starts_at']}"),),
            "detail": (("bad_detail", _bad_detail(c, decimals)),),
        }
    if table == "quotes":
        return {"valid_until": (("ends_before_start", f"{c['valid_until']} < {c['as_of']}"),)}
    return {}


def _bad_detail(columns: Columns, decimals: str) -> str:
    detail, kind = columns["detail"], columns["kind"]

    def entry(key: str) -> str:
        return f"TRY(json_extract_string({detail}, '$.{key}'))"

    def is_date(key: str) -> str:
        form = f"regexp_full_match({entry(key)}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}')"
        return f"({form} AND try_cast({entry(key)} AS DATE) IS NOT NULL)"

    amount = entry("amount")
    fine = f"strlen(split_part({amount}, '.', 2)) <= {decimals}"
    sum_named = (
        f"(regexp_full_match({amount}, '[0-9]{{1,12}}(\\.[0-9]+)?') AND {fine}"
        f" AND try_cast({amount} AS DECIMAL(24, 8)) > 0)"
    )
    late = " OR ".join(
        f"({entry(key)} IS NOT NULL AND NOT {is_date(key)})" for key in ("report_on", "notified_on")
    )
    channels = expressions.one_of(schema.CHANNELS)
    return (
        f"CASE {kind}"
        f" WHEN 'promise' THEN NOT coalesce({sum_named} AND {is_date('on')}, false)"
        f" WHEN 'opt_out' THEN {entry('channel')} NOT IN {channels}"
        f" WHEN 'abnormal_transaction' THEN {entry('kind')} NOT IN ('account_security', 'other')"
        f" WHEN 'plan' THEN {entry('accrual')} NOT IN ('stops', 'runs')"
        f" WHEN 'dispute' THEN {entry('accrual')} NOT IN ('stops', 'runs')"
        f" WHEN 'bureau_reporting' THEN {late} ELSE false END"
    )


def loans(source: Source, context: Context) -> Query:
    """Return the relation of the loans, without their own index."""
    table = schema.TABLES["loans"]
    decimals = currency_decimals(source) if context.decimals is None else str(context.decimals)
    columns = Columns(table, source, decimals)
    outputs = {
        "loan_id": columns["loan_id"],
        "borrower": "b.borrower",
        "borrower_id": columns["borrower_id"],
        "product": columns["product"],
        "creditor": f"coalesce({columns['creditor']}, {expressions.quoted(context.creditor)})",
        "currency": columns["currency"],
        "decimals": f"({decimals})::TINYINT",
        "principal": columns["principal"],
        "disbursed_on": columns["disbursed_on"],
        "annual_rate_e8": columns["annual_rate"],
        "late_rate_e8": columns["late_rate_daily"],
        "late_base": columns["late_base"],
        "grace_days": columns["grace_days"],
        "allocation": columns["allocation"],
        "tolerance": columns["tolerance"],
        "status": columns["status"],
        "status_on": columns["status_on"],
        "jurisdiction": (
            f"coalesce({columns['jurisdiction']}, {expressions.quoted(context.jurisdiction)})"
        ),
    }
    unknown: dict[str, tuple[Check, ...]] = {}
    if context.borrowers_known:
        unknown["borrower_id"] = (("unknown_borrower", _unknown(columns["borrower_id"])),)
    itself = f"SELECT x.loan FROM loan_ids AS x WHERE x.loan_id = {columns['loan_id']}"
    query = Query(
        table=table,
        scan=columns.scan,
        numbered=columns.numbered,
        joins=f" LEFT JOIN borrower_ids AS b ON b.borrower_id = {columns['borrower_id']}",
        outputs=outputs,
        checked=columns.checked(unknown),
        touches={**_NOBODY, "borrower": "b.borrower", "loan": f"({itself})"},
    )
    return _with_flag(query)


def currency_decimals(source: Source) -> str:
    """Return SQL of a loan's decimals, over the prepared cell of its currency."""
    column = schema.TABLES["loans"].column("currency")
    if column.name not in source.columns:
        return expressions.decimals_of(expressions.absent(column))
    assert column.default is not None
    return expressions.decimals_of(
        f"coalesce(s.c_{column.name}, {expressions.literal(column, column.default)})"
    )


def borrowers(source: Source | None, loans_source: Source) -> Query:
    """Return the relation of the borrowers; where the book lists none, those its loans name."""
    table = schema.TABLES["borrowers"]
    columns = Columns(table, source, "2")
    outputs = {one: columns[one] for one in table.names}
    if source is None:
        outputs["borrower_id"] = "s.borrower_id"
    itself = (
        f"SELECT x.borrower FROM borrower_ids AS x WHERE x.borrower_id = {columns['borrower_id']}"
    )
    query = Query(
        table=table,
        scan=columns.scan if source else named_by_loans(loans_source),
        numbered=columns.numbered,
        joins="",
        outputs=outputs,
        checked=columns.checked({}),
        touches={**_NOBODY, "borrower": f"({itself})"},
    )
    return _with_flag(query)


def named_by_loans(source: Source) -> str:
    """Return a relation of the distinct borrower ids that the loans name."""
    columns = Columns(source.table, source, "2")
    borrower_id = columns["borrower_id"]
    return (
        f"(SELECT DISTINCT {borrower_id} AS borrower_id FROM {columns.scan} AS s"
        f" WHERE {borrower_id} IS NOT NULL)"
    )


def _with_flag(query: Query) -> Query:
    flag = f"coalesce({query.bad}, false)"
    return Query(**{**vars(query), "outputs": {**query.outputs, "quarantined": flag}})
