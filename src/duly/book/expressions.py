"""One SQL expression per column: what the cell means, and which code it breaks.

A column `x` is prepared once, in nested projections: `s.c_x` its cell, `s.v_x` its typed value,
`s.o_x` whether a name has odd letters. The checks read those; each is (code, condition), in the
order they speak. Nothing here raises on a broken cell: every cast is a try.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from duly.book import schema
from duly.book.families import Family
from duly.core.money import CURRENCIES

_SQL_TYPES: dict[schema.Kind, str] = {
    "money": "BIGINT",
    "rate": "BIGINT",
    "integer": "INTEGER",
    "date": "DATE",
    "instant": "TIMESTAMP",
    "clock": "INTEGER",
}

_INSTANT = (
    "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,9})?)?"
    "(Z|[+-]([01][0-9])(:?[0-5][0-9])?)"
)
_OFFSET = "(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"
#: Every offset of whole quarter hours from -14:00 to +14:00, in rising order.
_QUARTERS = tuple(
    f"{'-' if quarter < 0 else '+'}{abs(quarter) // 4:02}:{abs(quarter) % 4 * 15:02}"
    for quarter in range(-56, 57)
)
_PLAIN = "-?[0-9]+(\\.[0-9]+)?"
_ENDLESS = "[+-]?(nan|inf|infinity)"
_RATE_SCALE = 100_000_000
_ID_BYTES_MAX = 200

Check = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Expression:
    """What `value` and `odd` compute from the cell, and the checks in the order they speak."""

    value: str
    checks: tuple[Check, ...] = ()
    odd: str = ""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """The names of a prepared cell, how its file holds it, and its currency's scale.

    `decimals` and `scale` (10^decimals) are SQL of integers, constants where all loans agree.
    """

    sql: str
    value: str
    odd: str
    family: Family
    width: int = 0  #: digits of a DECIMAL
    places: int = 0  #: of those, after the point
    decimals: str = "2"
    scale: str = "100"


def quoted(text: str) -> str:
    """Return a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def name(text: str) -> str:
    """Return a quoted SQL identifier."""
    return '"' + text.replace('"', '""') + '"'


def one_of(values: tuple[str, ...]) -> str:
    """Return a SQL list of string literals, for IN."""
    return "(" + ", ".join(quoted(value) for value in values) + ")"


def decimals_of(currency: str) -> str:
    """Return SQL for the decimals of a currency; 2 where the code is unknown."""
    by_decimals: dict[int, list[str]] = {}
    for code, decimals in CURRENCIES.items():
        by_decimals.setdefault(decimals, []).append(code)
    whens = "".join(
        f" WHEN {currency} IN {one_of(tuple(codes))} THEN {decimals}"
        for decimals, codes in sorted(by_decimals.items())
        if decimals != 2
    )
    return f"CASE{whens} ELSE 2 END"


def scale_of(decimals: str) -> str:
    """Return SQL for 10^decimals, decimals 0, 2, 3 or 4."""
    return f"CASE {decimals} WHEN 0 THEN 1 WHEN 3 THEN 1000 WHEN 4 THEN 10000 ELSE 100 END"


@cache
def zones() -> tuple[str, ...]:
    """Return the IANA zone names of the pinned tzdata, never those of the machine."""
    lines = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split("\n")
    return tuple(line for line in lines if line)


def sql_type(column: schema.Column) -> str:
    """Return the SQL type of a column's values; a choice is an ENUM: one byte, checked by cast."""
    if column.kind in ("choice", "currency", "zone"):
        allowed = {"currency": tuple(CURRENCIES), "zone": zones()}.get(column.kind, column.values)
        return f"ENUM{one_of(allowed)}"
    return _SQL_TYPES.get(column.kind, "VARCHAR")


def typed(column: schema.Column, cell: Cell) -> Expression:
    """Return what a column's value is computed from, and its checks."""
    made = _MAKERS[column.kind](column, cell)
    missing: tuple[Check, ...] = (("missing_value", f"{cell.sql} IS NULL"),)
    checks = (missing if column.filled else ()) + made.checks
    return Expression(value=made.value, checks=checks, odd=made.odd)


def absent(column: schema.Column) -> str:
    """Return the value of a column that the file does not have."""
    if column.default is None:
        return f"NULL::{sql_type(column)}"
    return literal(column, column.default)


def literal(column: schema.Column, default: str) -> str:
    """Return a column's default as SQL (numeric defaults are zero, in any unit)."""
    if column.kind in ("money", "rate", "integer"):
        return f"{int(default)}::{sql_type(column)}"
    return f"{quoted(default)}::{sql_type(column)}"


def _identifier(column: schema.Column, cell: Cell) -> Expression:
    if cell.family != "text":
        return Expression(value=f"{cell.sql}::VARCHAR")
    # A reference needs no look at its letters: a name with a fault matches no good key.
    if column.references:
        return Expression(value=cell.sql)
    control = f"regexp_matches({cell.sql}, '[\\x00-\\x1f\\x7f]')"
    spaced = f"starts_with({cell.sql}, ' ') OR ends_with({cell.sql}, ' ')"
    return Expression(
        value=cell.sql,
        checks=(
            ("control_character", f"CASE WHEN {cell.odd} THEN {control} ELSE false END"),
            ("bad_id", f"CASE WHEN {cell.odd} THEN {spaced} ELSE false END"),
            ("bad_id", f"strlen({cell.sql}) > {_ID_BYTES_MAX}"),
        ),
        odd=f"NOT regexp_full_match({cell.sql}, '[!-~]+')",
    )


def _text(column: schema.Column, cell: Cell) -> Expression:
    del column
    if cell.family != "text":
        return Expression(value=f"{cell.sql}::VARCHAR")
    nul = f"contains({cell.sql}, chr(0))"
    return Expression(value=cell.sql, checks=(("control_character", nul),))


def _money(column: schema.Column, cell: Cell) -> Expression:
    amount = _scaled(cell, cell.scale, cell.decimals, ("bad_money", "too_many_decimals"))
    most = f"{schema.MONEY_MAX_MAJOR}::BIGINT * ({cell.scale})"
    return _bounded(column, cell, amount, most)


def _rate(column: schema.Column, cell: Cell) -> Expression:
    rate = _scaled(cell, str(_RATE_SCALE), "8", ("bad_number", "out_of_range"))
    return _bounded(column, cell, rate, str(column.most))


def _bounded(column: schema.Column, cell: Cell, amount: Expression, most: str) -> Expression:
    signs: dict[schema.Sign, tuple[Check, ...]] = {
        "any": (),
        "not_negative": (("negative", f"{cell.value} < 0"),),
        "positive": (("not_positive", f"{cell.value} <= 0"),),
    }
    unread = f"{cell.sql} IS NOT NULL AND {cell.value} IS NULL"
    bounds = signs[column.sign] + (("out_of_range", f"{cell.value} > {most} OR ({unread})"),)
    return Expression(value=amount.value, checks=amount.checks + bounds)


def _scaled(cell: Cell, scale: str, decimals: str, codes: tuple[str, str]) -> Expression:
    """Return `cell` times `scale` as BIGINT, exact or refused by a check (syntax, decimals)."""
    if cell.family == "integer":
        return Expression(value=f"try_cast({cell.sql}::HUGEINT * {scale} AS BIGINT)")
    if cell.family == "double":
        return _from_double(cell, scale, codes[1])
    if cell.family == "decimal":
        return _from_decimal(cell, scale, decimals, codes[1])
    c, (bad, too_fine) = cell.sql, codes
    return Expression(
        value=f"try_cast(try_cast({c} AS DECIMAL(24,8)) * {scale} AS BIGINT)",
        checks=(
            ("not_finite", f"regexp_full_match(lower({c}), '{_ENDLESS}')"),
            (bad, f"NOT regexp_full_match({c}, '{_PLAIN}')"),
            (too_fine, f"strlen(split_part({c}, '.', 2)) > {decimals}"),
        ),
    )


def _from_decimal(cell: Cell, scale: str, decimals: str, too_fine: str) -> Expression:
    c = cell.sql
    if decimals == "2" and cell.places <= 20:
        # DECIMAL(18) is an int64 in the engine, and so is this product: no 128-bit arithmetic.
        exact = f"try_cast({c} AS DECIMAL(15,2))"
        fine: tuple[Check, ...] = ((too_fine, f"{exact} <> {c}"),) if cell.places > 2 else ()
        return Expression(value=f"({exact} * 100::DECIMAL(3,0))::BIGINT", checks=fine)
    if cell.width <= 28:
        product = f"({c} * {scale})"
        value = f"try_cast({product} AS BIGINT)"
        return Expression(value=value, checks=((too_fine, f"{cell.value} <> {product}"),))
    bare = f"regexp_replace({c}::VARCHAR, '\\.?0+$', '')"
    text = f"CASE WHEN contains({c}::VARCHAR, '.') THEN {bare} ELSE {c}::VARCHAR END"
    return Expression(
        value=f"try_cast(try_cast({text} AS DECIMAL(24,8)) * {scale} AS BIGINT)",
        checks=((too_fine, f"strlen(split_part({text}, '.', 2)) > {decimals}"),),
    )


def _from_double(cell: Cell, scale: str, too_fine: str) -> Expression:
    product, whole = f"({_some(cell.sql)} * {scale}::DOUBLE)", f"{cell.value}::DOUBLE"
    # A large amount's double is further than 1e-6 from its minor unit, yet exactly the nearest
    # double of that amount.
    near = f"(abs({product} - {whole}) <= 1e-6 OR {whole} / {scale} = {cell.sql})"
    return Expression(
        value=f"try_cast(round({product}) AS BIGINT)",
        checks=(("not_finite", f"NOT isfinite({cell.sql})"), (too_fine, f"NOT {near}")),
    )


def _some(double: str) -> str:
    """Return the double, or NULL where it is infinite: which the engine cannot foresee.

    Parquet's statistics leave NaN out. Where all other values are equal, DuckDB takes the column
    for a constant, and its writer fails on what a NaN becomes.
    """
    return f"nullif({double}, 'inf'::DOUBLE)"


def _integer(column: schema.Column, cell: Cell) -> Expression:
    c, value = cell.sql, cell.value
    checks: list[Check] = []
    if cell.family == "text":
        checks.append(("not_finite", f"regexp_full_match(lower({c}), '{_ENDLESS}')"))
        checks.append(("bad_number", f"NOT regexp_full_match({c}, '-?[0-9]+')"))
    elif cell.family == "double":
        checks.append(("not_finite", f"NOT isfinite({c})"))
    if cell.family in ("double", "decimal"):
        checks.append(("bad_number", f"{c} <> trunc({c})"))
    if column.sign == "not_negative":
        checks.append(("negative", f"{value} < 0"))
    bounds = f"{value} NOT BETWEEN {column.least or 0} AND {column.most}"
    checks.append(("out_of_range", f"{bounds} OR ({c} IS NOT NULL AND {value} IS NULL)"))
    # A cast would round 1.5 to a 2 that another row may rightly have, and read 1e3.
    whole = {
        "text": f"CASE WHEN regexp_matches({c}, '[.eE]') THEN NULL ELSE {c} END",
        "double": f"CASE WHEN {c} = trunc({c}) THEN {_some(c)} END",
        "decimal": f"CASE WHEN {c} = trunc({c}) THEN {c} END",
    }
    read = whole.get(cell.family, c)
    return Expression(value=f"try_cast({read} AS INTEGER)", checks=tuple(checks))


def _date(column: schema.Column, cell: Cell) -> Expression:
    del column
    c, value = cell.sql, cell.value
    limits = f"DATE '{schema.DATE_MIN}' AND DATE '{schema.DATE_MAX}'"
    outside = ("out_of_range", f"{value} NOT BETWEEN {limits}")
    if cell.family == "date":
        return Expression(value=c, checks=(outside,))
    if cell.family == "timestamp":
        not_midnight = f"{value} IS NULL OR {value}::TIMESTAMP <> {c}::TIMESTAMP"
        bad = ("bad_date", f"{c} IS NOT NULL AND ({not_midnight})")
        return Expression(value=f"try_cast({c} AS DATE)", checks=(outside, bad))
    form = f"NOT regexp_full_match({c}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}')"
    bad = ("bad_date", f"{c} IS NOT NULL AND ({form} OR {value} IS NULL)")
    return Expression(value=f"try_cast({c} AS DATE)", checks=(bad, outside))


def _instant(column: schema.Column, cell: Cell) -> Expression:
    del column
    c, value = cell.sql, cell.value
    limits = f"TIMESTAMP '{schema.DATE_MIN}' AND TIMESTAMP '{schema.DATE_MAX} 23:59:59.999999'"
    outside = ("out_of_range", f"{value} NOT BETWEEN {limits}")
    if cell.family == "timestamptz":
        unread = f"{c} IS NOT NULL AND {value} IS NULL"
        return Expression(
            value=f"make_timestamp(epoch_us({c}::TIMESTAMPTZ))",
            checks=(outside, ("out_of_range", unread)),
        )
    form = f"NOT regexp_full_match({c}, '{_INSTANT}')"
    bad = ("bad_instant", f"{c} IS NOT NULL AND ({form} OR {value} IS NULL)")
    return Expression(value=_utc(c), checks=(bad, outside))


def _utc(c: str) -> str:
    """Return SQL of an ISO 8601 text's naive UTC: local time less the offset, in integers."""
    # Nearly every instant reads 2026-02-02T10:00:00+08:00: its parts stand at known places, and
    # its offset is one of a few, whose rank tells the minutes.
    quarters = f"enum_code(try_cast(substr({c}, 20) AS ENUM{one_of(_QUARTERS)}))::BIGINT"
    usual = (
        f"make_timestamp(epoch_us(try_cast(left({c}, 19) AS TIMESTAMP))"
        f" - ({quarters} - {len(_QUARTERS) // 2}) * 900000000)"
    )
    tail = f"regexp_extract({c}, '{_OFFSET}')"
    other = _less_offset(f"left({c}, strlen({c}) - strlen({tail}))", tail)
    return f"CASE WHEN strlen({c}) = 25 THEN coalesce({usual}, {other}) ELSE {other} END"


def _less_offset(local: str, offset: str) -> str:
    """Return SQL of a local time less an offset written Z, +HH, +HHMM or +HH:MM."""
    hours = f"coalesce(try_cast(substr({offset}, 2, 2) AS BIGINT), 0)"
    minutes = f"coalesce(try_cast(right(substr({offset}, 4), 2) AS BIGINT), 0)"
    # ASCII has '+' at 43 and '-' at 45: minus one east of Greenwich, plus one west of it.
    sign = f"(ascii({offset}) - 44)"
    micros = f"{sign} * ({hours} * 60 + {minutes}) * 60000000"
    return f"make_timestamp(epoch_us(try_cast({local} AS TIMESTAMP)) + {micros})"


def _clock(column: schema.Column, cell: Cell) -> Expression:
    del column
    text = f"{cell.sql}::VARCHAR"
    hours, minutes = (f"try_cast(substr({text}, {at}, 2) AS INTEGER)" for at in (1, 4))
    form = "([01][0-9]|2[0-3]):[0-5][0-9]"
    bad = ("bad_time", f"NOT regexp_full_match({text}, '{form}')")
    return Expression(
        value=f"{hours} * 60 + {minutes}", checks=() if cell.family == "time" else (bad,)
    )


def _choice(column: schema.Column, cell: Cell) -> Expression:
    return _listed(column, cell, "bad_choice")


def _currency(column: schema.Column, cell: Cell) -> Expression:
    return _listed(column, cell, "bad_currency")


def _zone(column: schema.Column, cell: Cell) -> Expression:
    return _listed(column, cell, "bad_time_zone")


def _listed(column: schema.Column, cell: Cell, code: str) -> Expression:
    return Expression(
        value=f"try_cast({cell.sql} AS {sql_type(column)})",
        checks=((code, f"{cell.sql} IS NOT NULL AND {cell.value} IS NULL"),),
    )


def _json(column: schema.Column, cell: Cell) -> Expression:
    del column
    c = cell.sql
    shape = f"TRY(json_type({c})) IS DISTINCT FROM 'OBJECT'"
    bad = f"{c} IS NOT NULL AND (NOT json_valid({c}) OR {shape})"
    return Expression(value=c, checks=(("bad_json", bad),))


_MAKERS: dict[schema.Kind, Callable[[schema.Column, Cell], Expression]] = {
    "id": _identifier,
    "text": _text,
    "money": _money,
    "rate": _rate,
    "integer": _integer,
    "date": _date,
    "instant": _instant,
    "clock": _clock,
    "choice": _choice,
    "currency": _currency,
    "zone": _zone,
    "json": _json,
}
