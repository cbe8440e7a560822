"""The key of an address is one key, whether SQL asks all of them or the door asks one."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from duly.book.engine import connect
from duly.plan.addresses import key_of, key_sql, spellings

_WRITTEN = st.text(alphabet="0123456789+-() \t@.aZé８a", max_size=24)


@given(st.lists(_WRITTEN, min_size=1, max_size=30))
@example(["+86 138-0000-0000", "008613800000000", "8613800000000", "86138", " A.B@X.example "])
@example(["\tme@x.example", "me@x.example\n", "１３８", "+86 8613800000000", ""])
def test_sql_and_python_have_one_key(addresses: list[str]) -> None:
    with connect() as asked:
        rows = asked.execute(
            f"select {key_sql('x.address')} from (select unnest($given) as address) as x",
            {"given": addresses},
        ).fetchall()
    assert [row[0] for row in rows] == [key_of(one) for one in addresses]


@given(st.integers(13_000_000_000, 19_999_999_999))
def test_every_usual_spelling_has_the_key_it_was_made_from(number: int) -> None:
    assert {key_of(one) for one in spellings(str(number))} == {str(number)}
