"""The coverage list names every rule of the rulebook, and rules that exist."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from duly import rules
from duly.core.errors import Refused

EVERY = rules.load_packs(rules.pack_names())
RULES = {rule.id: rule for rule in EVERY}
FORCE = {
    "LAW": "law",
    "REGULATOR": "regulator",
    "STANDARD": "standard",
    "SELF-REG": "self_regulation",
    "VENDOR": "vendor",
    "POLICY": "policy",
}


def rulebook(shared: Path) -> dict[str, dict[str, object]]:
    path = shared / "compliance" / "rules.json"
    if not path.is_file():
        pytest.skip("skipped: no shared data")
    return {row["id"]: row for row in json.loads(path.read_text(encoding="utf-8"))}


def test_the_list_names_every_rule_of_the_rulebook_in_its_order(shared: Path) -> None:
    assert [item.id for item in rules.coverage()] == list(rulebook(shared))


def test_no_rule_of_tier_a_or_b_is_left_out_but_what_agencies_and_installations_do(
    shared: Path,
) -> None:
    answered = {item.id: item.answer for item in rules.coverage()}
    open_ones = {
        rule_id
        for rule_id, row in rulebook(shared).items()
        if row["tier"] != "C" and answered[rule_id] != "implemented"
    }
    assert open_ones == {
        "CN-REC-3", "CN-OUTS-1", "CN-OUTS-2", "CN-OUTS-3", "CN-OUTS-5", "CN-STAFF-1",
    }  # fmt: skip


def test_an_implemented_entry_has_its_passing_and_its_failing_case() -> None:
    sides: dict[str, set[str]] = {}
    for rule in EVERY:
        for case in rule.cases:
            if case.of:
                entry, side = case.of.split()
                sides.setdefault(entry, set()).add(side)
    for item in rules.coverage():
        expected = {"pass", "fail"} if item.answer == "implemented" else set()
        assert sides.get(item.id, set()) == expected, item.id


def test_a_passing_case_allows_and_a_failing_one_does_not() -> None:
    for rule in EVERY:
        for case in rule.cases:
            if case.of:
                allows = case.effect in ("allow", "silent")
                assert allows == case.of.endswith("pass"), (rule.id, case.line)


def test_every_rule_that_answers_exists_in_a_pack() -> None:
    assert {rule_id for item in rules.coverage() for rule_id in item.by} <= set(RULES)


def test_every_rule_of_a_place_stands_in_the_list() -> None:
    named = {rule_id for item in rules.coverage() for rule_id in item.by}
    assert {rule_id for rule_id, rule in RULES.items() if rule.pack != "decency"} <= named


def test_a_rule_with_a_rulebook_id_has_a_force_that_the_rulebook_gives(shared: Path) -> None:
    book = rulebook(shared)
    for rule_id in RULES.keys() & book.keys():
        forces = book[rule_id]["force"]
        assert isinstance(forces, list)
        assert RULES[rule_id].force in {FORCE[force] for force in forces}, rule_id


def test_a_rule_whose_rulebook_entry_is_from_memory_or_policy_says_so(shared: Path) -> None:
    book = rulebook(shared)
    for rule_id in RULES.keys() & book.keys():
        text = str(book[rule_id]["confidence"])
        levels = RULES[rule_id].source.confidence
        assert "MEM" not in text or "memory" in levels, rule_id
        assert "POLICY" not in text or "policy" in levels, rule_id
        assert "SEEN-P" in text or "seen_primary" not in levels, rule_id


def test_an_implemented_entry_names_its_rules_and_no_other_does() -> None:
    with pytest.raises(Refused) as refused:
        rules.parse_coverage(
            "A-1: {as: implemented, why: {en: x, zh-CN: y}}\n"
            "A-2: {as: servce, by: [A-1]}\n"
            "A-3: {as: configuration}\n"
            "A-4: {as: configuration, why: {en: x}}\n",
            file="c.yaml",
        )
    found = [(item.code, item.line, item.column) for item in refused.value.diagnostics]
    assert found == [
        ("absent", 1, "6"), ("unknown", 2, "11"), ("absent", 2, "6"), ("absent", 3, "6"),
        ("absent", 4, "31"),
    ]  # fmt: skip
