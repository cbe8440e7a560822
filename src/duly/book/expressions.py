"""One SQL expression per column: what the cell means, and which code it breaks.

`c` is the cell's SQL, `family` how its file holds it. Checks are (code, condition) in order; the
first that is true names the fault. Nothing here raises on a broken cell: every cast is a try.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from duly.book import schema
from duly.core.money import CURRENCIES

Family = Literal[
    "text", "decimal", "double", "integer", "date", "timestamp", "timestamptz", "time", "uuid"
]

#: Which file types may hold a kind (contract 1); everything else is refused as `wrong_type`.
FAMILIES: dict[schema.Kind, frozenset[Family]] = {
    "id": frozenset({"text", "integer", "uuid"}),
    "text": frozenset({"text", "integer", "uuid"}),
    "money": frozenset({"text", "decimal", "double", "integer"}),
    "rate": frozenset({"text", "decimal", "double", "integer"}),
    "integer": frozenset({"text", "decimal", "double", "integer"}),
    "date": frozenset({"text", "date", "timestamp"}),
    "instant": frozenset({"text", "timestamptz"}),
    "clock": frozenset({"text", "time"}),
    "choice": frozenset({"text"}),
    "currency": frozenset({"text"}),
    "zone": frozenset({"text"}),
    "json": frozenset({"text"}),
}

SQL_TYPES: dict[schema.Kind, str] = {
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
_NO_OFFSET = "(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"
_PLAIN = "-?[0-9]+(\\.[0-9]+)?"
_ENDLESS = "[+-]?(nan|inf|infinity)"
_RATE_SCALE = 100_000_000

Check = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Expression:
    """The typed value of a column, and the checks on its cell in the order they speak."""

    value: str
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Where a cell stands (`sql`), how its file holds it, and its currency's scale.

    `decimals` and `scale` (10^decimals) are SQL of integers, constants where all loans agree.
    """

    sql: str
    family: Family
    precision: int = 0  #: digits of a DECIMAL
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


def typed(column: schema.Column, cell: Cell) -> Expression:
    """Return the value and the checks of a column whose file holds it as `cell`."""
    made = _MAKERS[column.kind](column, cell)
    missing: tuple[Check, ...] = (("missing_value", f"{cell.sql} IS NULL"),)
    value = made.value
    if column.default is not None:
        value = f"coalesce({value}, {literal(column, column.default)})"
    return Expression(value=value, checks=(missing if column.filled else ()) + made.checks)


def absent(column: schema.Column) -> Expression:
    """Return the value of a column that the file does not have."""
    if column.default is None:
        return Expression(value=f"NULL::{SQL_TYPES.get(column.kind, 'VARCHAR')}")
    return Expression(value=literal(column, column.default))


def literal(column: schema.Column, default: str) -> str:
    """Return a column's default as SQL (numeric defaults are zero, in any unit)."""
    if column.kind in ("money", "rate", "integer"):
        return f"{int(default)}::{SQL_TYPES[column.kind]}"
    return quoted(default)


def _identifier(column: schema.Column, cell: Cell) -> Expression:
    if cell.family != "text":
        return Expression(value=f"{cell.sql}::VARCHAR")
    c = cell.sql
    checks: tuple[Check, ...] = ()
    # A reference needs no look at its letters: a name with a fault matches no good key.
    if not column.references:
        checks = (
            ("control_character", f"regexp_matches({c}, '[\\x00-\\x1f\\x7f]')"),
            ("bad_id", f"strlen({c}) > 200 OR {c}[1] = ' ' OR {c}[-1] = ' '"),
        )
    return Expression(value=c, checks=checks)


def _text(column: schema.Column, cell: Cell) -> Expression:
    del column
    if cell.family != "text":
        return Expression(value=f"{cell.sql}::VARCHAR")
    nul = f"contains({cell.sql}, chr(0))"
    return Expression(value=cell.sql, checks=(("control_character", nul),))


def _money(column: schema.Column, cell: Cell) -> Expression:
    amount = _scaled(cell, cell.scale, cell.decimals, ("bad_money", "too_many_decimals"))
    most = f"{schema.MONEY_MAX_MAJOR}::HUGEINT * ({cell.scale})"
    return Expression(value=amount.value, checks=amount.checks + _bounds(column, amount, most))


def _rate(column: schema.Column, cell: Cell) -> Expression:
    rate = _scaled(cell, str(_RATE_SCALE), "8", ("bad_number", "out_of_range"))
    return Expression(
        value=rate.value, checks=rate.checks + _bounds(column, rate, str(column.most))
    )


def _bounds(column: schema.Column, amount: Expression, most: str) -> tuple[Check, ...]:
    value = amount.value
    signs: dict[schema.Sign, tuple[Check, ...]] = {
        "any": (),
        "not_negative": (("negative", f"{value} < 0"),),
        "positive": (("not_positive", f"{value} <= 0"),),
    }
    return (*signs[column.sign], ("out_of_range", f"{value} > {most}"))


def _scaled(cell: Cell, scale: str, decimals: str, codes: tuple[str, str]) -> Expression:
    """Return `cell` times `scale` as BIGINT, exact or refused by a check (syntax, decimals)."""
    c, (bad, too_fine) = cell.sql, codes
    if cell.family == "integer":
        value = f"try_cast({c}::HUGEINT * {scale} AS BIGINT)"
        return Expression(value=value, checks=(_too_large(c, value),))
    if cell.family == "double":
        return _from_double(c, scale, too_fine)
    if cell.family == "decimal" and cell.precision <= 18:
        product = f"({c} * {scale})"
        value = f"try_cast({product} AS BIGINT)"
        fine = f"{value} <> {product}"
        return Expression(value=value, checks=((too_fine, fine), _too_large(c, value)))
    text = c
    checks: tuple[Check, ...] = ()
    if cell.family == "decimal":
        bare = f"regexp_replace({c}::VARCHAR, '\\.?0+$', '')"
        text = f"CASE WHEN contains({c}::VARCHAR, '.') THEN {bare} ELSE {c}::VARCHAR END"
    else:
        checks = (
            ("not_finite", f"regexp_full_match(lower({c}), '{_ENDLESS}')"),
            (bad, f"NOT regexp_full_match({c}, '{_PLAIN}')"),
        )
    value = f"try_cast(try_cast({text} AS DECIMAL(24,8)) * {scale} AS BIGINT)"
    finer = (too_fine, f"strlen(split_part({text}, '.', 2)) > {decimals}")
    return Expression(value=value, checks=(*checks, finer, _too_large(c, value)))


def _from_double(c: str, scale: str, too_fine: str) -> Expression:
    product = f"({c} * {scale}::DOUBLE)"
    value = f"try_cast(round({product}) AS BIGINT)"
    # A large amount's double is further than 1e-6 from its minor unit, yet exactly the nearest
    # double of that amount.
    near = f"(abs({product} - round({product})) <= 1e-6 OR round({product}) / {scale} = {c})"
    return Expression(
        value=value,
        checks=(
            ("not_finite", f"NOT isfinite({c})"),
            (too_fine, f"NOT {near}"),
            _too_large(c, value),
        ),
    )


def _too_large(c: str, value: str) -> Check:
    return "out_of_range", f"{c} IS NOT NULL AND {value} IS NULL"


def _integer(column: schema.Column, cell: Cell) -> Expression:
    c = cell.sql
    value = f"try_cast({c} AS INTEGER)"
    checks: list[Check] = []
    if cell.family == "text":
        checks.append(("not_finite", f"regexp_full_match(lower({c}), '{_ENDLESS}')"))
        checks.append(("bad_number", f"NOT regexp_full_match({c}, '-?[0-9]+')"))
    elif cell.family == "double":
        checks.append(("not_finite", f"NOT isfinite({c})"))
    if cell.family in ("double", "decimal"):
        checks.append(("bad_number", f"{c} <> trunc({c})"))
    if column.sign == "not_negative":
        checks.append(("negative", f"{value} < 0 OR starts_with({c}::VARCHAR, '-')"))
    bounds = f"{value} NOT BETWEEN {column.least or 0} AND {column.most}"
    checks.append(("out_of_range", f"{c} IS NOT NULL AND ({value} IS NULL OR {bounds})"))
    return Expression(value=value, checks=tuple(checks))


def _date(column: schema.Column, cell: Cell) -> Expression:
    del column
    c = cell.sql
    value = f"try_cast({c} AS DATE)"
    outside = (
        "out_of_range",
        f"{value} NOT BETWEEN DATE '{schema.DATE_MIN}' AND DATE '{schema.DATE_MAX}'",
    )
    if cell.family == "date":
        return Expression(value=c, checks=((outside[0], outside[1].replace(value, c)),))
    if cell.family == "timestamp":
        not_midnight = f"{value} IS NULL OR {value}::TIMESTAMP <> {c}::TIMESTAMP"
        bad = ("bad_date", f"{c} IS NOT NULL AND isfinite({c}::TIMESTAMP) AND ({not_midnight})")
        return Expression(value=value, checks=(outside, bad))
    form = f"NOT regexp_full_match({c}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}')"
    bad = ("bad_date", f"{c} IS NOT NULL AND ({form} OR {value} IS NULL)")
    return Expression(value=value, checks=(bad, outside))


def _instant(column: schema.Column, cell: Cell) -> Expression:
    del column
    c = cell.sql
    limits = f"TIMESTAMP '{schema.DATE_MIN}' AND TIMESTAMP '{schema.DATE_MAX} 23:59:59.999999'"
    if cell.family == "timestamptz":
        value = f"make_timestamp(epoch_us({c}::TIMESTAMPTZ))"
        outside = f"{c} IS NOT NULL AND ({value} IS NULL OR {value} NOT BETWEEN {limits})"
        return Expression(value=value, checks=(("out_of_range", outside),))
    value = _utc(c)
    bad = f"NOT regexp_full_match({c}, '{_INSTANT}') OR {value} IS NULL"
    return Expression(
        value=value,
        checks=(
            ("bad_instant", f"{c} IS NOT NULL AND ({bad})"),
            ("out_of_range", f"{value} NOT BETWEEN {limits}"),
        ),
    )


def _utc(c: str) -> str:
    """Return SQL of an ISO 8601 text's naive UTC: local time less the offset, in integers."""
    tail = f"regexp_extract({c}, '{_NO_OFFSET}')"
    local = f"try_cast(replace({c}[:strlen({c}) - strlen({tail})], 'T', ' ') AS TIMESTAMP)"
    digits = f"replace({tail}[2:], ':', '')"
    minutes = (
        f"coalesce(try_cast({digits}[1:2] AS BIGINT), 0) * 60"
        f" + coalesce(try_cast({digits}[3:4] AS BIGINT), 0)"
    )
    sign = f"CASE WHEN {tail}[1] = '-' THEN 1 ELSE -1 END"
    return f"make_timestamp(epoch_us({local}) + ({sign}) * ({minutes}) * 60000000)"


def _clock(column: schema.Column, cell: Cell) -> Expression:
    del column
    c = f"{cell.sql}::VARCHAR"
    value = f"try_cast({c}[1:2] AS INTEGER) * 60 + try_cast({c}[4:5] AS INTEGER)"
    if cell.family == "time":
        return Expression(value=value)
    form = "([01][0-9]|2[0-3]):[0-5][0-9]"
    return Expression(value=value, checks=(("bad_time", f"NOT regexp_full_match({c}, '{form}')"),))


def _choice(column: schema.Column, cell: Cell) -> Expression:
    outside = f"{cell.sql} NOT IN {one_of(column.values)}"
    return Expression(value=cell.sql, checks=(("bad_choice", outside),))


def _currency(column: schema.Column, cell: Cell) -> Expression:
    del column
    outside = f"{cell.sql} NOT IN {one_of(tuple(CURRENCIES))}"
    return Expression(value=cell.sql, checks=(("bad_currency", outside),))


def _zone(column: schema.Column, cell: Cell) -> Expression:
    del column
    outside = f"{cell.sql} NOT IN {one_of(zones())}"
    return Expression(value=cell.sql, checks=(("bad_time_zone", outside),))


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

_TYPE_FAMILIES: tuple[tuple[str, Family], ...] = (
    (r"VARCHAR|ENUM.*", "text"),
    (r"DECIMAL.*", "decimal"),
    (r"DOUBLE", "double"),
    (r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?", "integer"),
    (r"DATE", "date"),
    (r"TIMESTAMP(_S|_MS|_NS)?", "timestamp"),
    (r"TIMESTAMP WITH TIME ZONE|TIMESTAMPTZ_NS", "timestamptz"),
    (r"TIME(_NS)?", "time"),
    (r"UUID", "uuid"),
)


def family_of(sql_type: str) -> Family | None:
    """Return how a DuckDB type holds values, or None where no column of a book may have it."""
    for pattern, family in _TYPE_FAMILIES:
        if re.fullmatch(pattern, sql_type):
            return family
    return None
