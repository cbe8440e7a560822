"""The coverage list names every rule of the rulebook, and rules that exist."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from duly import rules
from duly.core.errors import Refused

RULES = {rule.id: rule for rule in rules.load_packs(["decency", "cn"])}
FORCE = {
    "LAW": "law",
    "REGULATOR": "regulator",
    "STANDARD": "standard",
    "SELF-REG": "self_regulation",
    "POLICY": "policy",
}


def rulebook(shared: Path) -> dict[str, dict[str, object]]:
    path = shared / "compliance" / "rules.json"
    if not path.is_file():
        pytest.skip("skipped: no shared data")
    return {row["id"]: row for row in json.loads(path.read_text(encoding="utf-8"))}


def test_the_list_names_every_rule_of_china_and_of_all_places(shared: Path) -> None:
    expected = [
        rule_id for rule_id, row in rulebook(shared).items() if row["jurisdiction"] in ("ALL", "CN")
    ]
    assert [item.id for item in rules.coverage()] == expected


def test_every_rule_that_answers_exists_in_a_pack() -> None:
    assert {rule_id for item in rules.coverage() for rule_id in item.by} <= set(RULES)


def test_every_rule_of_the_china_pack_stands_in_the_list() -> None:
    named = {rule_id for item in rules.coverage() for rule_id in item.by}
    assert {rule_id for rule_id, rule in RULES.items() if rule.pack == "cn"} <= named


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


def test_every_tier_a_rule_is_answered_somewhere(shared: Path) -> None:
    answered = {item.id: item.answer for item in rules.coverage()}
    tier_a = [
        rule_id
        for rule_id, row in rulebook(shared).items()
        if row["jurisdiction"] in ("ALL", "CN") and row["tier"] == "A"
    ]
    not_here = {rule_id for rule_id in tier_a if answered[rule_id].startswith("not_")}
    assert not_here == {"CN-RATE-1", "CN-RATE-2", "CN-ALLOC-2", "CN-ASSIGN-1"}


def test_an_implemented_entry_names_its_rules_and_no_other_does() -> None:
    with pytest.raises(Refused) as refused:
        rules.parse_coverage(
            "A-1: {as: implemented, why: x}\nA-2: {as: servce, by: [A-1], why: x}\n", file="c.yaml"
        )
    found = [(item.code, item.line, item.column) for item in refused.value.diagnostics]
    assert found == [("absent", 1, "6"), ("unknown", 2, "11"), ("absent", 2, "6")]
