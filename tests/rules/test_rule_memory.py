"""Goal: rules that remember answer as rules that do not, whatever was asked before.

Method: the plain decision is the oracle. One memory lives through all rows of an example, and
through every case of every pack.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duly import rules
from duly.rules.cases import facts_of
from duly.rules.memory import Memory, Together, Watched

EVERY = rules.load_packs(rules.pack_names())
AT = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
ABSENT = object()


def facts(**changes: object) -> dict[str, object]:
    return {**rules.NEUTRAL, "address": "+8613800000001", "at": AT, "contacts": (), **changes}


def contact(hours: int) -> dict[str, object]:
    return {"at": AT - timedelta(hours=hours), "direction": "out", "channel": "sms",
            "class": "dunning", "outcome": "sent", "address": "+8613800000001"}  # fmt: skip


FLAGS = sorted(name for name, field in rules.FACTS.items() if field.kind == "boolean")
ROWS = st.fixed_dictionaries(
    {
        "at": st.sampled_from([AT, AT + timedelta(hours=13), AT + timedelta(days=200)]),
        "channel": st.sampled_from(["sms", "voice", "email", "letter"]),
        "class": st.sampled_from(["dunning", "statutory", "receipt", "answer"]),
        "time_zone": st.sampled_from(["Asia/Shanghai", "America/New_York", None, "nowhere"]),
        "time_zones": st.sampled_from([[], ["Asia/Tokyo"], None]),
        "region": st.sampled_from([None, "650100", "US-NY"]),
        "contacts": st.lists(st.sampled_from([1, 30, 80]).map(contact), max_size=4).map(tuple),
        "quiet_from": st.sampled_from([None, 0, 540]),
        "late_charge": st.sampled_from([None, 0, 1, 99_000]),
        "template": st.sampled_from(["overdue", "credit_notice", None]),
        "about": st.sampled_from([None, ("contact",), ("contact", "release")]),
    },
    optional={name: st.sampled_from([True, False, None]) for name in FLAGS},
)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(ROWS, min_size=2, max_size=8))
def test_a_memory_never_changes_an_answer(rows: list[dict[str, object]]) -> None:
    remembered = rules.Remembered(EVERY)
    for row in (*rows, *rows):
        asked = facts(**row)
        assert rules.decide(remembered, asked) == rules.decide(EVERY, asked)


def test_the_cases_of_every_pack_asked_of_one_memory() -> None:
    remembered, asked = rules.Remembered(EVERY), 0
    for rule in EVERY:
        for case in rule.cases:
            given_facts = {**facts_of(case), "about": (rule.about,)}
            asked += 1
            assert rules.decide(remembered, given_facts) == rules.decide(EVERY, given_facts)
    assert asked > 500


def test_what_read_the_same_is_worked_out_once() -> None:
    memory, asked = Memory[str](), []

    def work(given_facts: Any) -> str:
        asked.append(1)
        return "late" if given_facts["days"] > 3 and given_facts.get("amount") else "early"

    rows: list[dict[str, object]] = [
        {"days": 5, "amount": 1, "name": "a"}, {"days": 5, "amount": 1, "name": "b"},
        {"days": 2, "amount": 1}, {"days": 2, "amount": 9}, {"days": 5},
    ]  # fmt: skip
    said = [memory.answer("q", row, work) for row in rows]
    assert said == ["late", "late", "early", "early", "early"]
    assert len(asked) == 3


@pytest.mark.parametrize(("first", "second"), [(True, 1), (1, True), (0, False), ([1], (1,))])
def test_equal_values_of_other_types_are_other_facts(first: object, second: object) -> None:
    memory = Memory[str]()
    told = [memory.answer("q", {"x": one}, lambda row: repr(row["x"])) for one in (first, second)]
    assert told == [repr(first), repr(second)]


@pytest.mark.parametrize(
    ("first", "second"), [(True, 1), (0, False), ([1], (1,)), ([True], [1]), (None, ABSENT)]
)
def test_together_too_equal_values_of_other_types_are_other_facts(
    first: object, second: object
) -> None:
    asked = [("q", lambda row: repr(row.get("x", "absent"))), ("r", lambda row: str(row["y"]))]
    together = Together[str](Memory(), asked)
    rows = [{"y": 1} | ({} if one is ABSENT else {"x": one}) for one in (first, second)]
    for row in (*rows, *rows):
        assert together.answers(row) == [work(row) for _, work in asked]


def test_together_what_differs_for_everybody_or_reads_all_is_asked_by_itself() -> None:
    worked = []

    def alike(row: Any) -> bool:
        worked.append(row)
        # One way reads more than the other.
        return bool(row["kind"] and row["late"])

    asked = [("alike", alike), ("own", lambda row: row["amount"] * 2),
             ("listed", lambda row: row["list"]), ("all", lambda row: len(dict(row)))]  # fmt: skip
    together = Together[object](Memory(), asked)
    for n in range(100):
        row = {"kind": n % 2 == 0, "late": n % 3 == 0, "amount": n, "list": [{"n": n}]}
        expected = [n % 2 == 0 and n % 3 == 0, n * 2, [{"n": n}], 4]
        assert together.answers(row) == expected
    assert len(worked) == 3


def test_a_missing_fact_is_not_an_empty_one() -> None:
    memory = Memory[bool]()
    rows: list[dict[str, object]] = [{}, {"x": None}]
    assert [memory.answer("q", row, lambda given: "x" in given) for row in rows] == [False, True]


def test_what_has_no_hash_and_what_reads_all_is_asked_each_time() -> None:
    memory, asked = Memory[int](), []

    def count(row: Any) -> int:
        asked.append(row)
        return len(row["contacts"])

    rows: list[dict[str, object]] = [{"contacts": [{}]}, {"contacts": [{}, {}]}]
    assert [memory.answer("count", row, count) for row in rows] == [1, 2]
    assert [memory.answer("all", row, lambda given: len(dict(given))) for row in
            ({"a": 1}, {"a": 1, "b": 2})] == [1, 2]  # fmt: skip
    assert len(asked) == 2


def test_a_fact_that_differs_for_everybody_is_soon_asked_each_time_and_well() -> None:
    memory, watched = Memory[int](), []

    def amount(row: Any) -> int:
        watched.append(isinstance(row, Watched))
        return int(row["amount"]) * 2

    rows: list[dict[str, object]] = [{"amount": n} for n in range(100)]
    assert [memory.answer("q", row, amount) for row in (*rows, *rows)] == [*range(0, 200, 2)] * 2
    assert watched.count(True) == 64
    assert watched.count(False) == 36 * 2


def test_watched_facts_note_the_first_look_at_each() -> None:
    watched = Watched({"a": 1, "b": 2})
    assert watched.get("b") == 2
    assert watched.get("c", 7) == 7
    assert "a" in watched
    assert watched["b"] == 2
    assert list(watched.read) == ["b", "c", "a"]
    assert not watched.whole
