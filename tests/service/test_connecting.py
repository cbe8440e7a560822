"""Goal: what a worker's connection writes and reads is what any other would, and it asks by keys.

Method: lists of every kind go to the server and back; an empty table that was counted is asked.
"""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest

from duly.service.outbox.connecting import connect

NASTY = ["a", "b\\c", 'd"e', "", "{x,y}", "NULL", "null", " é中 ", "a\nb", "a,b", "\\", '"', "\x1f"]


@pytest.fixture
def ours(store):
    with connect(store) as connection:
        yield connection


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text", NASTY), ("text", [one for one in NASTY for _ in range(40)]), ("text", []),
        ("text", ["a", None]), ("text", [None, "a"]), ("text", [None]), ("varchar", NASTY),
        ("int", [1, 2, None]), ("bigint", [1 << 40, -1]), ("bool", [True, False]),
        ("bytea", [b"\x00\xff", b""]), ("date", [datetime(2026, 3, 10, tzinfo=UTC).date()]),
    ],
)  # fmt: skip
def test_a_list_comes_back_as_it_went(ours, kind, values):
    for _ in range(2):
        assert ours.execute(f"SELECT %s::{kind}[]", (values,)).fetchone() == (values,)


@pytest.mark.parametrize("values", [[1, 2], [1 << 40], ["a", "b"], [b"a"], [True]])
def test_a_list_needs_no_cast_where_it_is_compared(ours, values):
    kind = {int: "bigint", str: "varchar", bytes: "bytea", bool: "bool"}[type(values[0])]
    question = f"SELECT count(*) FROM unnest(%s::{kind}[]) AS n(one) WHERE n.one = ANY(%s)"
    assert ours.execute(question, (values, values)).fetchone() == (len(values),)


def test_a_text_that_no_database_holds_is_refused_and_never_split(ours):
    with pytest.raises(psycopg.DataError):
        ours.execute("SELECT %s::text[]", (["a\x00b", "c"],))


def test_json_is_read_as_the_driver_reads_it(ours, store):
    text = '{"a": [1, 2.5, null, true], "b": {"c": "é中"}, "big": 9007199254740993123}'
    question = "SELECT %s::jsonb"
    with psycopg.connect(store) as other:
        expected = other.execute(question, (text,)).fetchone()
    assert ours.execute(question, (text,)).fetchone() == expected


def test_a_table_that_was_counted_while_it_was_empty_is_asked_by_its_key(ours):
    ours.execute("ANALYZE store_borrowerkey")
    plan = ours.execute("EXPLAIN SELECT 1 FROM store_borrowerkey WHERE id = 7").fetchall()
    assert "Seq Scan" not in str(plan)
