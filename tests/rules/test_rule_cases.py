"""Every case that a pack holds runs, and each rule has cases on both sides of its line."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from duly import rules
from duly.core.reasons import REASONS
from duly.core.words import catalogue

PACKS = rules.pack_names()
RULES = rules.load_packs(PACKS)
CASES = [
    pytest.param(rule, case, id=f"{rule.id}-{case.line}") for rule in RULES for case in rule.cases
]


@pytest.mark.parametrize(("rule", "case"), CASES)
def test_a_rule_answers_what_its_case_says(rule: rules.Rule, case: rules.Case) -> None:
    (result,) = rules.run_cases([replace(rule, cases=(case,))])
    assert result.got == result.expected
    assert result.passed


def test_a_case_that_does_not_hold_is_reported_and_not_passed() -> None:
    rule = next(rule for rule in RULES if rule.id == "CN-HOLD-1")
    wrong = replace(rule.cases[0], effect="block", reason="plan")
    (result,) = rules.run_cases([replace(rule, cases=(wrong,))])
    assert (result.rule_id, result.expected, result.got) == ("CN-HOLD-1", "block plan", "allow")
    assert not result.passed


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_has_cases_on_both_sides(rule: rules.Rule) -> None:
    effects = {case.effect for case in rule.cases}
    assert "allow" in effects
    assert effects & {"block", "require", "delay"}


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.in_force_from > date(1990, 1, 1)], ids=lambda r: r.id
)
def test_a_rule_does_not_speak_before_its_date(rule: rules.Rule) -> None:
    assert rules.active([rule], rule.in_force_from - timedelta(days=1)) == ()
    assert rules.active([rule], rule.in_force_from) == (rule,)


def test_an_end_of_force_is_the_first_day_without_the_rule() -> None:
    rule = replace(RULES[0], in_force_from=date(2020, 1, 1), in_force_to=date(2021, 1, 1))
    days = (date(2019, 12, 31), date(2020, 1, 1), date(2020, 12, 31), date(2021, 1, 1))
    assert [len(rules.active([rule], day)) for day in days] == [0, 1, 1, 0]


def test_decency_is_in_force_on_every_date_and_china_is_dated() -> None:
    decency = rules.load_packs(["decency"])
    assert rules.active(decency, date(1990, 1, 1)) == decency
    on_day = {
        rule.id
        for rule in rules.active(RULES, date(2020, 2, 20))
        if rule.pack == "cn" and rule.about == "contact"
    }
    assert on_day == {"CN-COND-4", "CN-COND-5", "CN-CRED-1", "CN-HOLD-1", "CN-HOLD-2", "CN-RATE-3"}


def test_every_reason_of_a_rule_is_a_known_reason_code() -> None:
    known = {code for codes in REASONS.values() for code in codes}
    for rule in RULES:
        if isinstance(rule.primitive, rules.Bar):
            assert {check.reason for check in rule.primitive.checks} <= known
        if isinstance(rule.primitive, rules.Require):
            assert rule.primitive.check.reason in known


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_every_fact_has_a_sentence(locale: str) -> None:
    words = catalogue("rules", locale)
    assert {field.doc_key for field in rules.FACTS.values()} == {
        key for key in words if key.startswith("fact.")
    }


def test_both_catalogues_hold_the_same_keys() -> None:
    assert set(catalogue("rules", "en")) == set(catalogue("rules", "zh-CN"))


def test_the_neutral_contact_fills_every_fact_and_input() -> None:
    assert set(rules.NEUTRAL) == {*rules.FACTS, *rules.INPUTS}


def test_the_cost_cap_has_its_own_column_name() -> None:
    assert next(rule.name for rule in RULES if rule.id == "CN-RATE-3") == "cost_cap"
