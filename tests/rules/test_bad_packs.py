"""No text that a stranger writes as a pack breaks its reader: each mistake has its place."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duly import rules
from duly.core.errors import Refused

GOOD = """\
pack: test
rules:
  - id: T-BAR-1
    force: law
    source: {text: a text, clause: none, confidence: [memory]}
    in_force: always
    says: {en: Bar., zh-CN: 禁止。}
    bar: {if: open_dispute, reason: dispute, classes: [dunning]}
    cases:
      - {given: {open_dispute: false}, then: allow}
      - {given: {open_dispute: true}, then: {block: dispute}}
"""
CASE = "{open_dispute: false}"
SECONDS_MAX = 20.0


def mistakes(text: str) -> list[tuple[str, int, str]]:
    begin = time.thread_time()  # What it asks of a processor: the machine may be busy.
    with pytest.raises(Refused) as refused:
        rules.parse_pack(text, file="test.yaml")
    assert time.thread_time() - begin < SECONDS_MAX
    for item in refused.value.diagnostics:
        assert item.file == "test.yaml"
        assert item.line >= 1
        for locale in ("en", "zh-CN"):
            assert "Located(" not in item.render(locale)
            assert "Node(" not in item.render(locale)
    return [(item.code, item.line, item.column) for item in refused.value.diagnostics]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("(select 1) = 1", ("not_allowed", 8, "17")),
        ("open_dispute or exists (select 1)", ("function", 8, "32")),
        ("open_dispute -- or open_complaint", ("comment", 8, "29")),
        ("open_dispute /* or */ or open_complaint", ("comment", 8, "29")),
        ("lower(channel) = 'sms'", ("function", 8, "16")),
        ("open_dispute; drop table loans", ("not_allowed", 8, "28")),
        ("open_dispute or " * 70_000 + "open_dispute", ("too_long", 8, "16")),
        ("channel = '" + "a" * 1_000_000 + "'", ("too_long", 8, "16")),
        ("(" * 2_000 + "open_dispute" + ")" * 2_000, ("too_deep", 8, "66")),
        ("not " * 1_000 + "open_dispute", ("too_deep", 8, "216")),
    ],
    ids=["select", "exists", "remark", "block remark", "function", "two", "long", "long text",
         "deep", "many not"],
)  # fmt: skip
def test_a_condition_of_a_pack_does_nothing_but_compare(
    condition: str, found: tuple[str, int, str]
) -> None:
    text = GOOD.replace("if: open_dispute", "if: " + json.dumps(condition))
    assert mistakes(text)[0] == found


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("if: open_dispute", "if: null", ("not_a_text", 8, "15")),
        ("if: open_dispute", "if: [open_dispute]", ("not_a_text", 8, "15")),
        ("if: open_dispute", "if: {a: b}", ("not_a_text", 8, "15")),
        ("bar:", "reserve:", ("unknown", 8, "5")),
        ("[memory]", "[]", ("absent", 5, "54")),
        ("pack: test", "pack: ../etc", ("bad_pack", 1, "7")),
        ("in_force: always", "in_force: {from: 20260101}", ("not_a_date", 6, "22")),
        ("in_force: always", "in_force: {from: 2026-W01-1}", ("not_a_date", 6, "22")),
        ("a text", "a \u202e text", ("turned", 5, "22")),
        ("a text", "a \x07 text", ("yaml", 5, "22")),
        ("a text", "!!python/object/apply:os.system [ls]", ("not_a_text", 5, "20")),
        (CASE, "{open_dispute: 3}", ("not_a_boolean", 10, "32")),
        (CASE, "{open_dispute: maybe}", ("not_a_boolean", 10, "32")),
        (CASE, "{overdue_total: abc}", ("not_a_number", 10, "33")),
        (CASE, "{overdue_total: 10000000000000000000}", ("not_a_number", 10, "33")),
        (CASE, "{about: [nothing]}", ("unknown", 10, "26")),
        (CASE, "{debts: [{id: A, due_on: soon}]}", ("not_a_date", 10, "42")),
        (CASE, "{contacts: [{at: noon, channel: sms}]}", ("not_an_instant", 10, "34")),
        (CASE, "{at: [1]}", ("not_an_instant", 10, "22")),
        ("{block: dispute}", "{block: disputed}", ("unknown", 11, "53")),
        ("{block: dispute}", '{block: "missing:dispute"}', ("unknown", 11, "53")),
        ("{block: dispute}", "{}", ("one_outcome", 11, "45")),
        ("{block: dispute}", "{block: dispute, require: dispute}", ("one_outcome", 11, "45")),
    ],
)
def test_a_wrong_value_is_refused_where_it_stands(
    old: str, new: str, found: tuple[str, int, str]
) -> None:
    assert old in GOOD
    assert found in mistakes(GOOD.replace(old, new, 1))


def test_a_case_that_contradicts_another_is_refused() -> None:
    other = "      - {given: {open_dispute: true}, then: allow}\n"
    assert mistakes(GOOD + other) == [("contradicts", 12, "9")]
    assert mistakes(GOOD + other.replace("allow}", "{require: dispute}}"))[0][0] == "contradicts"


def test_a_case_beside_a_rule_that_nobody_knows_fails() -> None:
    text = GOOD.replace("then: allow}", "then: allow, beside: [NOPE-1]}")
    first, second = rules.run_cases(rules.parse_pack(text, file="a.yaml"))
    assert (first.expected, first.got, first.passed) == ("allow", "no rule NOPE-1", False)
    assert second.passed


def bomb(levels: int) -> str:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefghij", "bcdefghijk", strict=True):
        lines.append(f"{name}: &{name} [{', '.join(['*' + before] * 9)}]")
    return "\n".join(lines[:levels]) + "\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (bomb(11) + "pack: t\nrules: *k\n", ("yaml", 6, "4")),
        ("pack: t\nrules: &a [*a]\n", ("yaml", 2, "8")),
        ("pack: " + "[" * 100_000, ("yaml", 1, "57")),
        ("".join(" " * level + "a:\n" for level in range(500)), ("yaml", 51, "51")),
        ("? " * 5_000, ("yaml", 1, "102")),
        (GOOD + " " * 10_000_000, ("too_big", 1, "1")),
        ("pack: t\nrules:\n" + "  - id: A-1\n" * 900_000, ("too_big", 1, "1")),
        ("? [a, b]\n: c\n", ("not_a_text", 1, "3")),
        ("{{a: b}: c}\n", ("not_a_text", 1, "2")),
        ("pack: t\nrules: []\n", ("absent", 2, "8")),
        ("pack: t\nrules: [1, null]\n", ("not_a_mapping", 2, "9")),
        (GOOD + "---\npack: b\n", ("yaml", 12, "1")),
        (GOOD.replace("    force", "\tforce"), ("yaml", 4, "1")),
        (GOOD.replace("force: law", "<<: {force: law}"), ("unknown", 4, "5")),
    ],
    ids=["aliases", "alias of itself", "brackets", "indents", "keys", "10 MB", "10 MB of rules",
         "list as key", "mapping as key", "no rule", "no mappings", "two documents", "tab",
         "merge key"],
)  # fmt: skip
def test_a_file_that_is_a_trap_is_refused_at_once(text: str, found: tuple[str, int, str]) -> None:
    assert mistakes(text)[0] == found


def many(count: int, one: str = GOOD) -> str:
    entry = one[one.index("  - id") :]
    return "pack: test\nrules:\n" + "".join(
        entry.replace("T-BAR-1", f"T-BAR-{number}") for number in range(count)
    )


def test_a_pack_of_a_thousand_rules_is_read_and_one_more_is_refused() -> None:
    assert len(rules.parse_pack(many(1_000), file="many.yaml")) == 1_000
    assert mistakes(many(1_001)) == [("too_many", 9003, "5")]


def test_of_very_many_mistakes_the_first_five_hundred_are_told() -> None:
    wrong = GOOD.replace("if: open_dispute", "if: open_disputed").replace("[memory]", "[memry]")
    found = mistakes(many(900, wrong))
    assert len(found) == 500
    assert {code for code, _, _ in found} == {"unknown", "unknown_name", "more"}
    assert found[-1][0] == "more"


#: Pieces of a pack, and what may stand where they stand.
PIECES = st.sampled_from(
    [*GOOD.split(), "[", "]", "{", "}", ":", "- ", "&a", "*a", "!!int", "|", ">", "'", '"', "\n",
     "\t", "window", "cap", "text", "term", "parts", "null", "~", "2026-02-30", "1e3", "\u202e",
     "禁止", "<<", "%", "@", "#"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, len(GOOD)), length=st.integers(0, 40), pieces=st.lists(PIECES, max_size=6))
def test_a_pack_with_anything_in_it_is_read_or_refused(
    at: int, length: int, pieces: list[str]
) -> None:
    text = GOOD[:at] + " ".join(pieces) + GOOD[at + length :]
    try:
        read = rules.parse_pack(text, file="test.yaml")
    except Refused as refused:
        assert refused.diagnostics
        assert all(item.line >= 1 for item in refused.diagnostics)
        return
    assert all(result.got for result in rules.run_cases(read))
