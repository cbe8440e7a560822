"""Goal: one truth table. Method: random conditions as text over random rows with nulls; our Python,
our SQL, the solver's terms and DuckDB's own reading of the very text must agree, row by row."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from duly.conditions import Condition, Field, evaluate, parse, to_sql
from duly.conditions.solver import Symbols, UnprovableError, constant, to_terms, unknown

VOCABULARY = {
    field.name: field
    for field in (
        Field(name="i", kind="integer", doc_key="x", nullable=True),
        Field(name="j", kind="integer", doc_key="x", nullable=True),
        Field(name="m", kind="money", doc_key="x", nullable=True),
        Field(name="n", kind="money", doc_key="x", nullable=True),
        Field(name="t", kind="text", doc_key="x", nullable=True),
        Field(name="b", kind="text", doc_key="x", nullable=True, values=("M0", "M1", "M7+")),
        Field(name="p", kind="boolean", doc_key="x", nullable=True),
        Field(name="q", kind="boolean", doc_key="x", nullable=True),
        Field(name="d", kind="date", doc_key="x", nullable=True),
    )
}
_COMPARE = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
_EQUAL = st.sampled_from(["=", "<>"])


def _join(template: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda values: template.format(*values))


_INTEGER = st.integers(0, 4).map(str)
_MONEY = st.sampled_from(["0.00", "1", "2.5", "20.01", "3"])
_TEXT = st.sampled_from(["'x'", "'消费'", "'it''s'", "t"])
_DATE = st.sampled_from(["'2026-02-28'", "'2026-03-01'"])


def _numbers(leaf: st.SearchStrategy[str], names: list[str]) -> st.SearchStrategy[str]:
    base = st.sampled_from(names)
    one = leaf | base
    sums = _join("{} {} {}", base, st.sampled_from(["+", "-"]), one)
    products = _join("{} * {}", base, _INTEGER)
    signs = _join("- {}", base)
    cases = _join("case when p then {} when i > {} then {} end", base, _INTEGER, one)
    whole = _join("({} + {}) * {}", base, one, _INTEGER)
    return one | sums | products | signs | cases | whole


_INTEGERS, _MONEYS = _numbers(_INTEGER, ["i", "j"]), _numbers(_MONEY, ["m", "n"])
_ATOMS = (
    st.sampled_from(["p", "q", "true", "false", "b = 'M1'", "b in ('M0', 'M7+')", "t is null"])
    | _join("{} {} {}", st.sampled_from(["i", "j", "i - j"]), _COMPARE, _INTEGERS)
    | _join("{} {} {}", st.sampled_from(["m", "n", "m - n"]), _COMPARE, _MONEYS)
    | _join("{} {} {}", _INTEGER, _COMPARE, st.sampled_from(["i", "j"]))
    | _join("i between {} and {}", _INTEGERS, _INTEGERS)
    | _join("m not between {} and {}", _MONEYS, _MONEYS)
    | _join("i in ({}, {}, -1)", _INTEGER, _INTEGER)
    | _join("m not in ({}, {})", _MONEY, _MONEY)
    | _join("t {} {}", _EQUAL, _TEXT)
    | _join("d {} {}", _COMPARE, _DATE)
    | _join("p {} q", _EQUAL)
    | _join("{} is null", st.sampled_from(["i", "m", "(i + j)", "p", "d"]))
    | _join("{} is not null", st.sampled_from(["i", "m", "(m * 2)", "(p and q)", "d"]))
    | _join("case when i = {} then p when q then i > j else t = 'x' end", _INTEGER)
    | _join("case i when {} then p when j then q end", _INTEGER)
)
CONDITIONS = st.recursive(
    _ATOMS,
    lambda inner: (
        _join("{} and {}", inner, inner)
        | _join("{} or {}", inner, inner)
        | _join("not {}", inner)
        | _join("({})", inner)
        | _join("not ({})", inner)
        | _join("({}) is null", inner)
    ),
    max_leaves=6,
)


def _maybe(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | values


ROWS = st.fixed_dictionaries(
    {
        "i": _maybe(st.integers(-3, 5)),
        "j": _maybe(st.integers(-3, 5)),
        "m": _maybe(st.sampled_from([0, 100, 250, 251, 2001, -100])),
        "n": _maybe(st.sampled_from([0, 100, 250, 300])),
        "t": _maybe(st.sampled_from(["x", "消费", "it's", ""])),
        "b": _maybe(st.sampled_from(["M0", "M1", "M7+"])),
        "p": _maybe(st.booleans()),
        "q": _maybe(st.booleans()),
        "d": _maybe(st.sampled_from([date(2026, 2, 28), date(2026, 3, 1)])),
    }
)
_COLUMNS = (
    "i INTEGER, j INTEGER, m BIGINT, n BIGINT, t VARCHAR, b VARCHAR, p BOOLEAN, q BOOLEAN, d DATE"
)


@pytest.fixture(scope="module")
def database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def _fill(database: duckdb.DuckDBPyConnection, rows: list[dict[str, object]]) -> None:
    database.execute(f"CREATE OR REPLACE TABLE rows (place INTEGER, {_COLUMNS})")
    places = ", ".join(f"({place}{', ?' * len(VOCABULARY)})" for place in range(len(rows)))
    values = [row[name] for row in rows for name in VOCABULARY]
    database.execute(f"INSERT INTO rows VALUES {places}", values)


def _ask(database: duckdb.DuckDBPyConnection, expression: str, source: str) -> list[object]:
    query = f"SELECT {expression} FROM {source} ORDER BY place"
    return [answer for (answer,) in database.execute(query).fetchall()]


def _solved(condition: Condition, row: dict[str, object]) -> bool | None:
    """Give the solver's answer for one row."""
    symbols = Symbols()
    terms = {name: constant(field.kind, row[name], symbols) for name, field in VOCABULARY.items()}
    answer = to_terms(condition, terms, symbols)
    if z3.is_true(z3.simplify(answer.null)):
        return None
    value = z3.simplify(answer.value)
    assert z3.is_true(value) or z3.is_false(value)
    return z3.is_true(value)


@settings(max_examples=300, deadline=None)
@given(text=CONDITIONS, rows=st.lists(ROWS, min_size=1, max_size=4))
def test_python_our_sql_the_solver_and_duckdbs_own_reading_agree(
    database: duckdb.DuckDBPyConnection, text: str, rows: list[dict[str, object]]
) -> None:
    parsed = parse(text, VOCABULARY)
    assert parsed.condition is not None, [item.render("en") for item in parsed.diagnostics]
    expected = [evaluate(parsed.condition, row) for row in rows]
    assert [_solved(parsed.condition, row) for row in rows] == expected
    _fill(database, rows)
    assert _ask(database, to_sql(parsed.condition, "rows."), "rows") == expected
    major = (
        "(SELECT * REPLACE (CAST(m AS DECIMAL(12, 2)) * 0.01 AS m,"
        " CAST(n AS DECIMAL(12, 2)) * 0.01 AS n) FROM rows)"
    )
    assert _ask(database, text, major) == expected


LARGE = st.sampled_from([-(2**63), -(2**63) + 1, -1, 0, 1, 10**18, 2**63 - 1, None])


@settings(max_examples=200, deadline=None)
@given(
    text=st.sampled_from(
        [
            "i + j > 0",
            "i - j > 0",
            "i * j > 0",
            "- i > j",
            "i * j - i > j",
            "i * 9223372036854775807 >= j",
            "i + i + i + i < j * 4",
            "m + n >= 0.01",
            "m * 3 - n * 2 > 92233720368547758.07",
        ]
    ),
    row=st.fixed_dictionaries({"i": LARGE, "j": LARGE, "m": LARGE, "n": LARGE}),
)
def test_nothing_wraps_and_nothing_overflows_at_the_edge_of_bigint(
    database: duckdb.DuckDBPyConnection, text: str, row: dict[str, int | None]
) -> None:
    parsed = parse(text, VOCABULARY)
    assert parsed.condition is not None
    values = ", ".join(
        f"CAST({'NULL' if value is None else repr(str(value))} AS BIGINT) AS {name}"
        for name, value in row.items()
    )
    query = f"SELECT {to_sql(parsed.condition)} FROM (SELECT {values})"
    expected = evaluate(parsed.condition, row)
    assert database.execute(query).fetchall() == [(expected,)]
    if "i * j" not in text:
        full = {name: row.get(name) for name in VOCABULARY}
        assert _solved(parsed.condition, full) == expected


@settings(max_examples=100, deadline=None)
@given(text=CONDITIONS, wanted=st.sampled_from([True, False, None]))
def test_a_row_that_the_solver_finds_is_answered_as_it_says(text: str, wanted: bool | None) -> None:
    condition = parse(text, VOCABULARY).condition
    assert condition is not None
    symbols = Symbols()
    solver = z3.Solver()
    fields = {}
    for name, field in VOCABULARY.items():
        fields[name], keeps = unknown(field, symbols, name)
        solver.add(keeps)
    day = fields["d"].value
    solver.add(day >= date(1990, 1, 1).toordinal(), day <= date(2200, 1, 1).toordinal())
    answer = to_terms(condition, fields, symbols)
    solver.add(
        answer.null if wanted is None else z3.And(z3.Not(answer.null), answer.value == wanted)
    )
    if solver.check() != z3.sat:
        return
    model = solver.model()
    row: dict[str, object] = {}
    for name, field in VOCABULARY.items():
        value = model.eval(fields[name].value, model_completion=True)
        if z3.is_true(model.eval(fields[name].null, model_completion=True)):
            row[name] = None
        elif field.kind == "boolean":
            row[name] = z3.is_true(value)
        elif field.kind == "text":
            row[name] = symbols.text(value.as_long()) or f"another {value}"
        elif field.kind == "date":
            row[name] = date.fromordinal(value.as_long())
        else:
            row[name] = value.as_long()
    assert evaluate(condition, row) is wanted


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("i * j > 0", 2),
        ("i * 2 > 0 and (j + 1) * i > 3", 22),
        ("t = '*' and m * i > 3", 14),
        ("i between 2 * j and j * i", 22),
    ],
)
def test_the_solver_refuses_a_product_of_two_values_at_its_star(text: str, offset: int) -> None:
    condition = parse(text, VOCABULARY).condition
    assert condition is not None
    symbols = Symbols()
    fields = {name: unknown(field, symbols, name)[0] for name, field in VOCABULARY.items()}
    with pytest.raises(UnprovableError) as refused:
        to_terms(condition, fields, symbols)
    assert text[offset] == "*"
    assert refused.value.offset == offset


def test_a_product_with_a_sum_of_literals_is_none_of_two_values() -> None:
    condition = parse("i * (2 + 1) = 6", VOCABULARY).condition
    assert condition is not None
    row = dict.fromkeys(VOCABULARY) | {"i": 2}
    assert _solved(condition, row) is True


def test_a_field_that_the_row_lacks_is_unknown() -> None:
    condition = parse("i = 1 or p", VOCABULARY).condition
    assert condition is not None
    assert evaluate(condition, {}) is None
    assert evaluate(condition, {"p": True}) is True


def test_a_date_may_be_given_as_text() -> None:
    condition = parse("d <= '2026-02-28'", VOCABULARY).condition
    assert condition is not None
    assert evaluate(condition, {"d": "2026-02-28"}) is True
    assert evaluate(condition, {"d": date(2026, 3, 1)}) is False
