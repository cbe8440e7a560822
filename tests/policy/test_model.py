"""Goal: offsets, arms and tones mean the same in Python and in SQL, and what the file says."""

from __future__ import annotations

import itertools
from pathlib import Path

import duckdb
import pytest
from test_bad_policies import RIGHT

from duly.conditions import evaluate
from duly.core import digest
from duly.policy import (
    Experiment,
    Holdout,
    Offset,
    draw,
    draw_sql,
    is_withheld,
    load,
    lower_tone,
    moved_basis_points,
    places_of,
)
from duly.policy.grammar import basis_points, days, minor_units, offset

_OFFSETS = (
    "after_grace",
    "after_grace + 1 day",
    "after_grace + 4 days, at most 8 days",
    "5 days",
    "1 day",
    "10 days, at most 3 days",
)


@pytest.mark.parametrize("text", _OFFSETS)
def test_an_offset_reads_back_as_it_was_written(text: str) -> None:
    assert str(offset(text)) == text


@pytest.mark.parametrize(
    "text", ["", "after grace", "after_grace + 1", "-1 days", "+ 1 day", "99999 days", "1 days 2"]
)
def test_what_is_no_offset_is_none(text: str) -> None:
    assert offset(text) is None


@pytest.mark.parametrize(
    ("text", "delinquent", "past_due", "left"),
    [
        ("after_grace", 0, 0, 1),
        ("after_grace", 0, 3, 1),
        ("after_grace", 1, 4, 0),
        ("after_grace + 1 day", 1, 4, 1),
        ("after_grace + 1 day", 2, 5, 0),
        ("after_grace + 4 days, at most 8 days", 1, 4, 4),
        ("after_grace + 4 days, at most 8 days", 1, 7, 1),
        ("after_grace + 4 days, at most 8 days", 1, 8, 0),
        ("after_grace + 4 days, at most 8 days", 5, 5, 0),
        ("after_grace + 4 days, at most 8 days", 0, 30, 1),
        ("5 days", 1, 4, 1),
        ("5 days", 2, 5, 0),
        ("5 days", 0, 9, 1),
    ],
)
def test_the_first_contact_comes_after_the_grace_and_by_the_latest_day(
    text: str, delinquent: int, past_due: int, left: int
) -> None:
    one = offset(text)
    assert one is not None
    assert one.days_left(days_delinquent=delinquent, days_past_due=past_due) == left
    assert one.reached(days_delinquent=delinquent, days_past_due=past_due) is (left == 0)


def test_offsets_agree_with_their_sql() -> None:
    offsets = [one for one in map(offset, _OFFSETS) if isinstance(one, Offset)]
    columns = ", ".join(
        part for one in offsets for part in (one.days_left_sql("f."), one.reached_sql("f."))
    )
    for delinquent, past_due in itertools.product(range(7), range(12)):
        source = f"(SELECT {delinquent} AS days_delinquent, {past_due} AS days_past_due) AS f"
        found = duckdb.sql(f"SELECT {columns} FROM {source}").fetchall()[0]
        expected: list[object] = []
        for one in offsets:
            left = one.days_left(days_delinquent=delinquent, days_past_due=past_due)
            expected += [left, left == 0]
        assert list(found) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("45 %", 4500),
        ("33.34%", 3334),
        ("0.5 %", 50),
        ("100 %", 10_000),
        ("45", None),
        ("-1 %", None),
    ],
)
def test_a_share_is_read_in_basis_points(text: str, expected: int | None) -> None:
    assert basis_points(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("20", 2000), ("20.00", 2000), ("0.05", 5), ("20.5", None), ("1e3", None)],
)
def test_an_amount_is_read_in_minor_units(text: str, expected: int | None) -> None:
    assert minor_units(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("1 day", 1), ("10 days", 10), ("10", None), ("4000 days", None)]
)
def test_days_are_read_with_their_unit(text: str, expected: int | None) -> None:
    assert days(text) == expected


def test_a_tone_is_lowered_and_never_raised() -> None:
    assert lower_tone("serious", "plain") == "plain"
    assert lower_tone("gentle", "serious") == "gentle"
    assert lower_tone("plain", "plain") == "plain"


def test_a_policy_says_what_its_file_says(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(RIGHT, encoding="utf-8")
    policy = load(path)
    assert (policy.name, policy.version, policy.floor_minor) == ("mine", 3, 2000)
    assert policy.fingerprint == digest.of_file(path)
    assert policy.applies_to is not None
    assert policy.applies_to.text == "product = 'installment'"
    assert [one.id for one in policy.treatments] == ["soon", "overdue", "call"]
    assert [places_of(path).at("treatments", n)[0] for n in range(3)] == [7, 12, 17]
    assert [one.reason for one in policy.treatments] == ["due_soon", "overdue", "no_answer"]
    soon, overdue, call = policy.treatments
    assert (soon.from_day, soon.within_grace, soon.every_days) == (-3, True, None)
    assert soon.send is not None
    assert soon.send.channels == ("preferred", "sms")
    assert (overdue.every_days, overdue.within_grace) == (10, False)
    assert call.task is not None
    assert (call.task.kind, call.task.expires_days, call.task.priority) == ("call", 2, "first")
    (response,) = policy.responses
    assert (response.on, response.reply, response.hold) == ("reply", "hardship", "hardship")
    assert response.task is not None
    assert (response.task.kind, response.task.expires_days, response.task.priority) == (
        "care",
        3,
        "normal",
    )


def test_an_experiment_gives_every_draw_an_arm(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(RIGHT.replace("{one: 50 %, two: 50 %}", "{one: 33.33 %, two: 66.67 %}"))
    (experiment,) = load(path).experiments
    assert (experiment.id, experiment.field, experiment.salt) == (
        "two-steps",
        "arm_two_steps",
        "two-steps",
    )
    draws = (0, 3332, 3333, 9999)
    assert [experiment.arm_at(draw) for draw in draws] == ["one", "one", "two", "two"]
    asked = ", ".join(experiment.arm_sql(str(draw)) for draw in draws)
    assert duckdb.sql(f"SELECT {asked}").fetchall() == [("one", "one", "two", "two")]


def _arms(text: str, tmp_path: Path, salt: str = "s") -> Experiment:
    path = tmp_path / "policy.yaml"
    told = f"arms: {{{text}}}\n    salt: {salt}"
    path.write_text(RIGHT.replace("arms: {one: 50 %, two: 50 %}", told))
    return load(path).experiments[0]


@pytest.mark.parametrize(
    ("after", "salt", "moved"),
    [
        ("one: 50 %, two: 50 %", "s", 0),
        ("one: 50 %, two: 30 %, new: 20 %", "s", 0),
        ("one: 40 %, two: 60 %", "s", 1_000),
        ("one: 33 %, two: 33 %, new: 34 %", "s", 1_700),
        ("new: 20 %, one: 40 %, two: 40 %", "s", 1_000),
        ("one: 50 %, two: 50 %", "t", 5_000),
    ],
)
def test_an_arm_added_at_the_end_moves_nobody_between_the_others(
    after: str, salt: str, moved: int, tmp_path: Path
) -> None:
    before = _arms("one: 50 %, two: 50 %", tmp_path)
    assert moved_basis_points(before, _arms(after, tmp_path, salt)) == moved


def test_draws_of_two_salts_know_nothing_of_each_other() -> None:
    """Chi-square of a 10 x 10 table of 20,000 ids; 148.2 is the upper 0.1 % of 99 degrees."""
    count, cells = 20_000, [0] * 100
    for number in range(count):
        name = f"B{number}"
        cells[draw(name, "spring") // 1000 * 10 + draw(name, "autumn") // 1000] += 1
    expected = count / 100
    assert sum((seen - expected) ** 2 / expected for seen in cells) < 148.2


def test_a_draw_is_the_same_in_sql_whatever_the_id() -> None:
    for name, salt in (("B1", "spring"), ("借款人-7", "it's"), ("", "")):
        sql = draw_sql(salt).replace("borrower_id", "$1")
        assert duckdb.execute(f"SELECT {sql}", [name]).fetchall() == [(draw(name, salt),)]
        held = Holdout(basis_points=draw(name, salt) + 1, salt=salt)
        assert held.holds(name)
        assert not Holdout(basis_points=draw(name, salt), salt=salt).holds(name)


def test_an_experiment_spares_who_was_in_hardship(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(RIGHT)
    (one,) = load(path).experiments
    assert one.enters.fields == {"days_delinquent", "days_since_hardship_ended"}
    for ended, inside in ((None, True), (400, False)):
        row = {"days_delinquent": 3, "days_since_hardship_ended": ended}
        assert (evaluate(one.enters, row) is True) is inside


def test_a_holdout_goes_without_reminders_only() -> None:
    withheld = {one.id for one in load("cn-installment").treatments if is_withheld(one)}
    assert withheld == {
        "due-soon", "due-today", "no-answer", "high-risk-call", "serious", "patient-first-late",
        "patient", "first-late-early", "repeated", "first-late", "overdue",
    }  # fmt: skip


def test_a_treatment_may_ask_for_an_arm(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(RIGHT.replace("texts_since_arrears >= 2", "arm_two_steps = 'one'"))
    assert load(path).treatments[2].condition.fields == frozenset({"arm_two_steps"})
    path.write_text(RIGHT.replace("texts_since_arrears >= 2", "arm_two_steps = 'three'"))
    with pytest.raises(Exception, match="18:25 unknown_value"):
        load(path)
