"""Goal: what `duly learn report` says of plans and a book is what is true of these people."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import date, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import experiment_book
import pyarrow as pa
import pytest
from experiment_book import KNOWN_UNTIL, World, policy_text

from duly.cli import learn
from duly.core.errors import Refused
from duly.learn import page
from duly.learn.exposing import Planned, declared, entries
from duly.plan.replay import read_table, replay
from duly.policy import Policy, Stop, add_stops, load

Found = dict[str, Any]
EXAMPLE_LENDER = (
    resources.files("duly.book").joinpath("lender.example.yaml").read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, write_book) -> World:
    return experiment_book.build(tmp_path_factory.mktemp("learn"), write_book)


#: Reports that several tests read: a plan directory and a book never change here.
_SAID: dict[str, tuple[int, str]] = {}


def _report(world: World, capsys: pytest.CaptureFixture[str], **given: Any) -> tuple[int, Found]:
    plans = given.pop("plans", list(world.plans))
    key = repr((plans, given))
    if key not in _SAID or "stops" in given:
        code = learn.report(plans, book=world.book, json=True, **given)
        _SAID[key] = code, capsys.readouterr().out
    code, text = _SAID[key]
    return code, json.loads(text)


def _refused(world: World, plans: list[Path] | None = None, **given: Any) -> str:
    with pytest.raises(Refused) as refused:
        learn.report(plans or list(world.plans), book=world.book, **given)
    (one,) = refused.value.diagnostics
    return one.code


def test_everybody_is_counted_in_the_arm_that_was_drawn(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = _report(world, capsys)
    assert (code, found["as_of"]) == (1, "2026-04-10")
    one, held = found["experiments"]
    assert (one["id"], held["id"]) == ("call-first", "holdout")
    late = KNOWN_UNTIL - timedelta(days=15)
    for arm in ("text", "call"):
        mine = world.entered(arm)
        assert one["people"][arm] == len(mine)
        assert one["known"][arm] == sum(person.entered_on <= late for person in mine)
    assert one["pending"] == sum(
        person.entered_on > late for arm in ("text", "call") for person in world.entered(arm)
    )
    assert (one["lost"], one["listed_twice"]) == ({"text": 0, "call": 0}, 0)
    assert one["mismatched"] == []
    assert sum(held["people"].values()) == len(world.people)
    assert held["people"]["held"] == sum(person.held_out for person in world.people)


def test_the_effect_is_by_intention_to_treat_to_the_day(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    _, found = _report(world, capsys)
    (arm,) = found["experiments"][0]["arms"]
    for name, told in (("text", arm["one_look"]["control"]), ("call", arm["one_look"]["treated"])):
        mine = [one for one in world.entered(name) if one.entered_on <= date(2026, 3, 26)]
        cured = [one.paid_after is not None and one.paid_after <= 15 for one in mine]
        assert told == pytest.approx(sum(cured) / len(mine))
    always = arm["at_any_look"]
    assert always["low"] < arm["one_look"]["low"] < 0.2 < always["high"]
    assert arm["verdict"] == ("better" if always["low"] > 0 else "open")


def test_an_arm_that_people_complain_of_ends_by_itself(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    _, found = _report(world, capsys)
    complaints, promises = found["experiments"][0]["harms"]
    assert (complaints["arm"], complaints["stops"]) == ("call", True)
    assert complaints["harmed_arm"] == sum(
        one.complained_after is not None for one in world.entered("call")
    )
    assert complaints["harmed_control"] == sum(
        one.complained_after is not None for one in world.entered("text")
    )
    assert (promises["harmed_arm"], promises["stops"], promises["e_value"]) == (0, False, 1.0)


def test_an_ended_arm_gives_the_control_and_is_compared_no_more(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stops = tmp_path / "stops.json"
    _, found = _report(world, capsys, stops=stops)
    (ended,) = found["ended"]
    assert (ended["arm"], ended["harm"]) == ("call", "complaints")
    kept = stops.read_bytes()
    assert _report(world, capsys, stops=stops)[1]["ended"] == []
    assert stops.read_bytes() == kept
    lender = tmp_path / "lender.yaml"
    lender.write_text(EXAMPLE_LENDER + "stops: stops.json\n", encoding="utf-8")
    policy = world.book.parent / "policy.yaml"
    made = experiment_book.plan(
        tmp_path, world.book, date(2026, 4, 1), policy, "ended", lender=lender, form="csv"
    )
    rows = {row["borrower_id"]: row for row in read_table(made, "decisions").to_pylist()}
    newest = [one for one in world.people if one.entered_on == date(2026, 4, 1)]
    for one in newest:
        row = rows[one.borrower_id]
        assert row["rule"] != "call-first"
        listed = [f"call-first={one.arm}"] if one.arm == "text" and not one.held_out else []
        assert [arm for arm in json.loads(row["arms"]) if arm.startswith("call")] == listed
    assert {one.arm for one in newest} == {"text", "call"}
    _, after = _report(world, capsys, plans=[*world.plans[:2], made])
    was, one = found["experiments"][0], after["experiments"][0]
    gone = sum(person.arm == "call" and not person.held_out for person in newest)
    assert one["people"]["call"] == was["people"]["call"] - gone
    assert (one["mismatched"], one["arms"]) == ([], was["arms"])
    assert one["harms"][0]["n_control"] == sum(
        person.entered_on < date(2026, 4, 1) for person in world.entered("text")
    )
    stops.unlink()
    found_again = replay(made, key=None, loan_id=None, clock=time.perf_counter)
    assert found_again.differences == ()
    with pytest.raises(Refused, match="no_stops"):
        experiment_book.plan(tmp_path, world.book, date(2026, 4, 1), policy, "lost", lender=lender)
    assert not (tmp_path / "lost-2026-04-01").exists()


@pytest.mark.parametrize("text", ["", "{}", '{"stops": [{"arm": "a"}]}', '{"stops": 1}'])
def test_a_file_that_names_no_ended_arms_is_refused_and_left_alone(
    text: str, tmp_path: Path
) -> None:
    path = tmp_path / "stops.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Refused, match="no_stops"):
        add_stops(path, [Stop(experiment="x", arm="a", harm="hardship", on="2026-04-01")])
    assert path.read_text(encoding="utf-8") == text


def test_an_earlier_look_knows_only_what_was_known(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    _, found = _report(world, capsys, as_of="2026-03-25", experiment="call-first")
    one = found["experiments"][0]
    first = [person for person in world.entered("call") if person.entered_on == date(2026, 3, 10)]
    assert one["known"]["call"] == len(first)
    assert one["people"]["call"] == sum(
        person.entered_on <= date(2026, 3, 25) for person in world.entered("call")
    )
    cured = sum(one.paid_after is not None and one.paid_after <= 15 for one in first)
    assert one["arms"][0]["one_look"]["treated"] == pytest.approx(cured / len(first))


def test_the_page_speaks_both_languages(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    assert learn.report(list(world.plans), book=world.book) == 1
    english = capsys.readouterr().out
    _, found = _report(world, capsys)
    chinese = page.joined([page.report_lines(one, "zh-CN") for one in found["experiments"]])
    for told, stop in ((english, "STOP call: complaints"), (chinese, "停止 call：投诉")):
        assert stop in told
        assert "Qini" in told
        assert "{" not in told


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_every_verdict_has_its_words(
    locale: str, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    _, found = _report(world, capsys)
    one = found["experiments"][0]
    (arm,) = one["arms"]
    group = {"people": 400, "effect": 0.001, "low": -0.01, "high": 0.012}
    pages = {}
    for verdict in ("better", "worse", "no_difference", "open", "too_early"):
        for told in ("contact", "leave_alone", "not_known"):
            whom = {**arm["whom"], "score_bands": {"low_risk": {**group, "verdict": told}}}
            changed = {**one, "arms": [{**arm, "verdict": verdict, "whom": whom}]}
            pages[verdict, told] = "\n".join(page.report_lines(changed, locale))
    assert len(set(pages.values())) == len(pages)
    for text in pages.values():
        assert "{" not in text
        assert "+0.10" in text


def test_a_policy_never_run_is_worth_what_its_arm_was_worth(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """All people are of one band, so the policy that calls them is the arm that called."""
    plans = list(world.plans)
    given = {"book": world.book, "experiment": "call-first"}
    assert learn.value(plans, give="medium_risk=call", json=True, **given) == 0
    found = json.loads(capsys.readouterr().out)
    _, report = _report(world, capsys)
    (arm,) = report["experiments"][0]["arms"]
    assert found["snips"]["value"] == pytest.approx(arm["one_look"]["treated"])
    assert found["gain"]["value"] == pytest.approx(arm["one_look"]["effect"], abs=0.02)
    assert found["effective_people"] == report["experiments"][0]["known"]["call"]
    for give, code in (("low_risk=call", "give_missing"), ("medium_risk=visit", "give_unknown"),
                       ("medium_risk", "give_unknown")):  # fmt: skip
        with pytest.raises(Refused, match=code):
            learn.value(plans, give=give, **given)
    assert capsys.readouterr().out == ""


def test_what_cannot_be_said_is_refused(world: World, tmp_path: Path) -> None:
    assert _refused(world, as_of="2026-04-11") == "book_ends_earlier"
    assert _refused(world, experiment="cal-first") == "unknown_experiment"
    assert _refused(world, as_of="2026-03-09") == "nobody_entered"
    assert _refused(world, plans=[tmp_path]) == "not_a_plan"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("cured_15d", "paid_15d", "experiment_changed"),
        ("detect: 5 %", "detect: 4 %", "experiment_changed"),
        ("{text: 50 %, call: 50 %}", "{text: 40 %, call: 60 %}", "experiment_moved"),
    ],
)
def test_an_experiment_changed_on_the_way_is_refused(
    old: str, new: str, code: str, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(policy_text(lambda text: text.replace(old, new)), encoding="utf-8")
    later = replace(_planned(load(str(policy))), business_date=date(2026, 3, 21))
    policy.write_text(policy_text(), encoding="utf-8")
    with pytest.raises(Refused, match=code):
        declared([later, _planned(load(str(policy)))])


def _planned(policy: Policy) -> Planned:
    empty = pa.table({})
    return Planned(business_date=date(2026, 3, 10), policy=policy, decisions=empty, positions=empty)


def test_plans_without_arms_are_refused() -> None:
    with pytest.raises(Refused, match="no_exposure"):
        entries([_planned(load("cn-installment"))])


def test_a_plan_asks_for_people_before_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(policy_text(), encoding="utf-8")
    assert learn.plan(str(path), baseline="62%", json=True) == 0
    one = json.loads(capsys.readouterr().out)["experiments"]["call-first"]
    assert (one["effect"], one["people"]) == (0.05, 2_874)
    assert one["people_at_any_look"] > one["people"]
    with pytest.raises(Refused, match="under_powered"):
        learn.plan(str(path), baseline="62%", people=1_000)
    assert capsys.readouterr().out == ""
    assert learn.plan(str(path), baseline="62%", people=1_000, accept_under_powered=True) == 0
    for given, code in (
        ({"baseline": "0.62"}, "not_a_share"),
        ({"baseline": "100%"}, "baseline"),
        ({"baseline": "62%", "effect": "40%"}, "effect"),
        ({"baseline": "62%", "experiment": "x"}, "unknown_experiment"),
    ):
        with pytest.raises(Refused, match=code):
            learn.plan(str(path), **given)
    with pytest.raises(Refused, match="no_experiments"):
        learn.plan("cn-installment", baseline="62%")
