"""Goal: a promise holds as the contract says, and the page counts as the stages of a plan do.

Method: cases by hand; and the rows of `04_promises.sql` itself, run on generated promises.
"""

from __future__ import annotations

from datetime import date, timedelta
from importlib import resources

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duly.care.promising import Promise, holding, last_day, may_promise, outcome

AS_OF = date(2026, 3, 10)
SINCE = date(2026, 1, 2)


def promise(since: int, on: int, amount: int = 100, name: str = "p1") -> Promise:
    """Return a promise by days from today."""
    day = timedelta(days=1)
    return Promise(name=name, since=AS_OF + since * day, on=AS_OF + on * day, amount=amount)


def paid(*rows: tuple[int, int]) -> list[tuple[date, int]]:
    return [(AS_OF + timedelta(days=on), amount) for on, amount in rows]


@pytest.mark.parametrize(
    ("one", "came", "expected"),
    [
        (promise(-5, 0), (), "open"), (promise(-5, -1), (), "open"),
        (promise(-5, -2), (), "broken"),
        (promise(-9, -5), ((-4, 95),), "kept"), (promise(-9, -5), ((-4, 94),), "partly_kept"),
        (promise(-9, -5), ((-9, 50),), "partly_kept"), (promise(-9, -5), ((-9, 49),), "broken"),
        (promise(-9, -5), ((-10, 100),), "broken"), (promise(-9, -5), ((-3, 100),), "broken"),
    ],
)  # fmt: skip
def test_it_is_judged_by_what_came_through_the_day_after(one, came, expected):
    assert outcome(one, paid(*came), AS_OF) == expected


def test_it_holds_through_the_day_after_and_never_longer_than_a_month():
    assert last_day(AS_OF, since=AS_OF) == AS_OF + timedelta(days=1)
    assert last_day(AS_OF + timedelta(days=30), since=AS_OF) == AS_OF + timedelta(days=30)


def test_after_two_that_were_not_kept_no_other_holds():
    first, second = promise(-20, -15), promise(-10, -5, name="p2")
    third = promise(-1, 4, name="p3")
    told = {"arrears_since": SINCE, "as_of": AS_OF}
    assert may_promise([first], [], **told) == 1
    assert may_promise([first, second], [], **told) == 0
    assert holding([first, second, third], [], **told) == {}
    # One of them was kept: a new row begins.
    assert may_promise([first, second], paid((-6, 100)), **told) == 2
    assert list(holding([first, second, third], paid((-6, 100)), **told)) == ["p3"]
    # They were of an arrears that is over.
    assert may_promise([first, second], [], arrears_since=AS_OF, as_of=AS_OF) == 2


@st.composite
def rows(draw):
    days = st.integers(-45, 0)
    made = []
    for n in range(draw(st.integers(0, 5))):
        since = draw(days)
        made.append(promise(since, since + draw(st.integers(0, 40)), draw(st.integers(1, 200)),
                            name=f"p{n}"))  # fmt: skip
    came = paid(*draw(st.lists(st.tuples(days, st.integers(1, 200)), max_size=4)))
    since = draw(st.none() | days.map(lambda n: AS_OF + timedelta(days=n)))
    return made, came, since


def by_sql(made, came, arrears_since):
    """Return what the stage says of these promises: until when contact is held."""
    sql = resources.files("duly.plan").joinpath("sql/04_promises.sql").read_text("utf-8")
    for name, value in (("business_date", f"date '{AS_OF}'"),
                        ("instant", f"timestamp '{AS_OF} 12:00:00'")):  # fmt: skip
        sql = sql.replace(f"${name}", value)
    ours = duckdb.connect()
    ours.execute("create table loans (loan int, borrower int)")
    ours.execute("create table candidates (loan int, arrears_since date, decimals int)")
    ours.execute("insert into loans values (0, 0)")
    ours.execute("insert into candidates values (0, ?, 2)", [arrears_since])
    ours.execute("create table payments (loan int, kind int, paid_on date, reversed_on date,"
                 " amount bigint)")  # fmt: skip
    ours.execute("create table signal_rows (loan int, borrower int, of_all_loans boolean,"
                 " signal_id text, kind text, detail text, starts_at timestamp, starts_on date,"
                 " ends_at timestamp, open boolean)")  # fmt: skip
    for on, amount in came:
        ours.execute("insert into payments values (0, 0, ?, null, ?)", [on, amount])
    for one in made:
        detail = f'{{"on": "{one.on}", "amount": "{one.amount / 100:.2f}"}}'
        ours.execute(
            "insert into signal_rows values (0, 0, false, ?, 'promise', ?, ?, ?,"
            " timestamp '9999-01-01', true)",
            [one.name, detail, f"{one.since} 00:00:00", one.since],
        )
    ours.execute(sql.replace("$$", "$"))
    return ours.execute("select promise_holds_through from promises").fetchone()


@settings(max_examples=60, deadline=None)
@given(case=rows())
def test_the_page_counts_as_the_stage_does(case):
    made, came, since = case
    found = by_sql(made, came, since)
    mine = holding(made, came, arrears_since=since, as_of=AS_OF)
    assert (found[0] if found else None) == max(mine.values(), default=None)
    # One more would hold exactly where the stage says so of it.
    another = Promise(name="z", since=AS_OF, on=AS_OF + timedelta(days=3), amount=1)
    can = may_promise(made, came, arrears_since=since, as_of=AS_OF) > 0
    expected = [*mine.values(), *([another.last_day] if can else [])]
    assert by_sql([*made, another], came, since)[0] == max(expected, default=None)
