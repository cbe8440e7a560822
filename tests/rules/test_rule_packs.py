"""A pack with mistakes is refused whole, each mistake with its line and column."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date

import pytest

from duly import rules
from duly.book import load_lender
from duly.core.errors import Refused
from duly.core.words import catalogue

ALL = rules.load_packs(rules.pack_names())
RULE = """\
pack: test
rules:
  - id: T-HOURS-1
    force: policy
    source: {text: a text, clause: none, confidence: [policy]}
    in_force: {from: 2026-01-01}
    says: {en: Hours., zh-CN: 时段。}
    requires: [time_zone]
    window: {open: "08:30", close: "21:00", zone: local, channels: text}
    cases:
      - {given: {at: "2026-03-10T10:00:00+08:00"}, then: allow}
      - {given: {at: "2026-03-10T22:00:00+08:00"}, then: {delay_until: "2026-03-11T08:30:00+08:00"}}
"""
BAR = """\
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
CAP = """\
pack: test
rules:
  - id: T-CAP-1
    force: standard
    source: {text: a text, clause: none, confidence: [seen_primary]}
    in_force: {from: 2026-01-01, to: 2027-01-01}
    says: {en: Cap., zh-CN: 上限。}
    cap: {channels: voice, per: borrower, limits: [{count: 0, window: 24 hours}], zone: UTC,
          min_gap: 1 hour}
    cases:
      - {given: {channel: sms}, then: allow}
      - given: {channel: voice, contacts: [{at: "2026-03-10T00:00:00Z", channel: voice}]}
        then: {delay_until: "2026-03-10T00:00:00Z"}
"""


def mistakes(text: str) -> list[tuple[str, int, str]]:
    with pytest.raises(Refused) as refused:
        rules.parse_pack(text, file="test.yaml")
    assert {item.file for item in refused.value.diagnostics} == {"test.yaml"}
    return [(item.code, item.line, item.column) for item in refused.value.diagnostics]


def rendered(text: str, locale: str = "en") -> list[str]:
    with pytest.raises(Refused) as refused:
        rules.parse_pack(text, file="test.yaml")
    return [item.render(locale) for item in refused.value.diagnostics]


@pytest.mark.parametrize("text", [RULE, BAR])
def test_the_packs_of_these_tests_are_right(text: str) -> None:
    (rule,) = rules.parse_pack(text, file="test.yaml")
    assert [result.passed for result in rules.run_cases([rule])] == [True, True]


@pytest.mark.parametrize(
    ("text", "old", "new", "found"),
    [
        (RULE, "force: policy", "force: polcy", ("unknown", 4, "12")),
        (RULE, "    force: policy\n", "", ("absent", 3, "5")),
        (RULE, "id: T-HOURS-1", "id: t_hours", ("bad_id", 3, "9")),
        (RULE, "id: T-HOURS-1", "id: T-HOURS-1\n    name: 1st", ("bad_name", 4, "11")),
        (RULE, "2026-01-01", "2026-02-30", ("not_a_date", 6, "22")),
        (RULE, "2026-01-01}", "2026-01-01, to: 2026-01-01}", ("ends_before_start", 6, "15")),
        (RULE, "in_force:", "inforce:", ("unknown", 6, "5")),
        (RULE, ", zh-CN: 时段。", "", ("absent", 7, "11")),
        (RULE, "Hours.", "''", ("not_a_text", 7, "16")),
        (RULE, "[time_zone]", "[timezone]", ("unknown", 8, "16")),
        (RULE, "[time_zone]", "time_zone", ("not_a_list", 8, "15")),
        (RULE, "confidence: [policy]", "confidence: [seen]", ("unknown", 5, "55")),
        (RULE, '"08:30"', '"8:30"', ("not_a_time", 9, "20")),
        (RULE, '"21:00"', '"24:01"', ("not_a_time", 9, "36")),
        (RULE, '"21:00"', '"08:30"', ("closes_before_open", 9, "13")),
        (RULE, "zone: local", "zone: Asia/Shanghia", ("unknown", 9, "51")),
        (RULE, "channels: text", "channels: fax", ("unknown", 9, "68")),
        (RULE, "channels: text", "channels: [sms, vioce]", ("unknown", 9, "74")),
        (RULE, "channels: text", "channels: text, quiet: borrower", ("hours_or_quiet", 9, "13")),
        (RULE, "channels: text", "channels: text, unless: night", ("unknown_name", 9, "82")),
        (RULE, "channels: text", "channels: text, holidays: shut", ("unknown", 9, "84")),
        (
            RULE,
            "channels: text",
            "channels: text, saturday: closed_nationwide",
            ("unknown", 9, "84"),
        ),
        (
            RULE,
            "channels: text",
            'channels: text, holidays: {open: "20:00", close: "10:00"}',
            ("closes_before_open", 9, "84"),
        ),
        (RULE, "channels: text", "channels: text, spring_festival: open", ("unknown", 9, "91")),
        (RULE, "window:", "cap_:", ("one_primitive", 3, "5")),
        (RULE, "then: allow", "then: allowed", ("unknown", 11, "58")),
        (RULE, "{delay_until:", "{delayed_until:", ("unknown", 12, "59")),
        (RULE, '"2026-03-11T08:30:00+08:00"', '"2026-03-11"', ("not_an_instant", 12, "72")),
        (RULE, "given: {at:", "given: {att:", ("unknown", 11, "18")),
        (BAR, "if: open_dispute", "if: open_disputes", ("unknown_name", 8, "15")),
        (BAR, "if: open_dispute", "if: overdue_total", ("not_boolean", 8, "15")),
        (BAR, "reason: dispute", "reason: disputed", ("unknown", 8, "37")),
        (BAR, "if: open_dispute, ", "", ("if_or_any", 8, "10")),
        (BAR, "reason: dispute", "any: {dispute: open_dispute}", ("if_or_any", 8, "10")),
        (BAR, "[dunning]", "[duning]", ("unknown", 8, "56")),
        (BAR, "[dunning]", "5", ("not_a_list", 8, "55")),
        (BAR, "open_dispute: false}", "channel: fax}", ("unknown", 10, "27")),
        (BAR, "{open_dispute: false}, then", "[], then", ("not_a_mapping", 10, "17")),
        (CAP, "count: 0", "count: -1", ("out_of_range", 8, "60")),
        (CAP, "count: 0", "count: many", ("not_a_number", 8, "60")),
        (CAP, "24 hours", "1 day", ("not_hours", 8, "71")),
        (CAP, "1 hour}", "0 hours}", ("not_hours", 9, "20")),
        (CAP, "per: borrower", "per: lone", ("unknown", 8, "33")),
        (CAP, "channel: voice}]", "chanel: voice}]", ("unknown", 12, "73")),
    ],
)
def test_a_mistake_is_refused_where_it_stands(
    text: str, old: str, new: str, found: tuple[str, int, str]
) -> None:
    assert old in text
    assert found in mistakes(text.replace(old, new, 1))


def test_all_mistakes_are_gathered_in_one_refusal() -> None:
    text = RULE.replace("force: policy", "force: polcy").replace('"21:00"', '"21h"')
    assert mistakes(text) == [
        ("unknown", 4, "12"),
        ("not_a_time", 9, "36"),
        ("closes_before_open", 9, "13"),
    ]


def test_a_mistake_names_what_was_probably_meant() -> None:
    assert rendered(RULE.replace("force: policy", "force: polcy")) == [
        "test.yaml:4:12 unknown polcy is not a known force; did you mean policy?"
    ]
    assert rendered(BAR.replace("if: open_dispute", "if: open_disputes"), "zh-CN")[0].startswith(
        "test.yaml:8:15 unknown_name "
    )
    assert "did you mean Asia/Shanghai?" in rendered(RULE.replace("local", "Asia/Shanghia"))[0]


def test_a_rule_with_cases_on_one_side_only_is_refused() -> None:
    lines = RULE.splitlines(keepends=True)
    assert ("one_sided", 11, "7") in mistakes("".join(lines[:-1]))
    assert ("one_sided", 11, "7") in mistakes("".join(lines[:-2] + lines[-1:]))


def test_a_rule_without_cases_is_refused() -> None:
    assert ("absent", 3, "5") in mistakes(RULE[: RULE.index("    cases:")])


def test_a_rule_that_stands_twice_is_refused() -> None:
    again = BAR[BAR.index("  - id") :]
    assert mistakes(BAR + again) == [("rule_twice", 12, "5")]


def test_versions_of_a_rule_follow_each_other_and_never_overlap() -> None:
    again = RULE[RULE.index("  - id") :]
    assert mistakes(RULE + again) == [("versions_overlap", 16, "15")]
    ended = RULE.replace("{from: 2026-01-01}", "{from: 2026-01-01, to: 2026-07-01}")
    assert mistakes(ended + again.replace("2026-01-01", "2026-06-30")) == [
        ("versions_overlap", 16, "15")
    ]
    last = again.replace("2026-01-01", "2026-07-01").replace("2026-03", "2026-08")
    first, second = rules.parse_pack(ended + last, file="test.yaml")
    assert (first.id, first.in_force_to) == (second.id, second.in_force_from)
    assert rules.active((first, second), date(2026, 6, 30)) == (first,)
    assert rules.active((first, second), date(2026, 7, 1)) == (second,)
    assert [one.passed for one in rules.run_cases((first, second))] == [True] * 4


def test_a_key_that_stands_twice_is_refused() -> None:
    assert ("twice", 5, "5") in mistakes(
        RULE.replace("force: policy", "force: policy\n    force: law")
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [("empty", 1, "1")]),
        ("# nothing\n", [("empty", 1, "1")]),
        ("pack: [", [("yaml", 1, "8")]),
        ("pack: test\nrules: {a: 1}\n", [("not_a_list", 2, "8")]),
        ("- a\n", [("not_a_mapping", 1, "1")]),
        ("pack: test\nrules:\n  - text\n", [("not_a_mapping", 3, "5")]),
    ],
)
def test_a_file_that_is_no_pack_is_refused(text: str, found: list[tuple[str, int, str]]) -> None:
    got = mistakes(text)
    assert got[: len(found)] == found


def test_a_tab_in_the_indentation_is_named_with_its_place() -> None:
    assert mistakes("pack: test\nrules:\n\t- id: A-1\n")[0][:2] == ("yaml", 3)


def test_an_unknown_pack_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(Refused) as refused:
        rules.load_packs(["decensy", "cn", "xx"])
    assert [item.render("en") for item in refused.value.diagnostics] == [
        "unknown decensy is not a known pack; did you mean decency?",
        "unknown xx is not a known pack; docs/reference/rules.md and the built-in packs show"
        " what is known",
    ]


def test_a_pack_named_twice_is_loaded_once() -> None:
    assert rules.load_packs(["cn", "cn"]) == rules.load_packs(["cn"])
    assert rules.pack_names() == ("cn", "decency", "eu", "in", "uk", "us")


def test_two_packs_that_share_a_rule_are_refused() -> None:
    pack = rules.parse_pack(RULE, file="a.yaml")
    with pytest.raises(Refused, match="T-HOURS-1"):
        rules.join_packs(pack, pack)


def test_a_fingerprint_changes_with_the_packs_and_their_order_of_names() -> None:
    one = rules.packs_sha256(["decency", "cn"])
    assert len(one) == 64
    assert rules.packs_sha256(["decency", "cn"]) == one
    assert rules.packs_sha256(["decency"]) != one


def test_a_fingerprint_of_rules_ignores_order_and_cases_but_no_parameter() -> None:
    whole = rules.rules_sha256(ALL)
    assert rules.rules_sha256(reversed(ALL)) == whole
    assert rules.rules_sha256([replace(rule, cases=(), line=0) for rule in ALL]) == whole
    assert rules.rules_sha256(ALL[1:]) != whole
    changed = rules.parse_pack(RULE.replace("21:00", "20:59"), file="a.yaml")
    assert rules.rules_sha256(changed) != rules.rules_sha256(rules.parse_pack(RULE, file="a.yaml"))


def test_a_lender_switches_off_policy_and_nothing_else() -> None:
    left = rules.without(ALL, ["DEC-HOURS-2", "CN-FREQ-3"])
    assert {rule.id for rule in ALL} - {rule.id for rule in left} == {"DEC-HOURS-2", "CN-FREQ-3"}
    assert rules.without(ALL, []) == ALL


@pytest.mark.parametrize(
    "rule_id", [rule.id for rule in ALL if rule.force != "policy"], ids=lambda rule_id: rule_id
)
def test_what_is_not_policy_cannot_be_switched_off(rule_id: str) -> None:
    with pytest.raises(Refused) as refused:
        rules.without(ALL, [rule_id])
    force = next(rule.force for rule in ALL if rule.id == rule_id)
    assert [item.render("en") for item in refused.value.diagnostics] == [
        f"not_yours {rule_id} cannot be switched off; its force is {force}; "
        "only rules of force policy are the lender's to switch off"
    ]


def test_a_plan_and_a_door_do_without_the_same_rules() -> None:
    kept = rules.lenders_rules(["decency", "cn"], ["DEC-HOURS-1", "CN-TP-2-TWICE"])
    ids = {rule.id for rule in kept}
    assert {rule.id for rule in rules.load_packs(["decency", "cn"])} - ids == {
        "DEC-HOURS-1", "CN-TP-2-TWICE",
    }  # fmt: skip
    planned = rules.lenders_rules(["decency", "cn"], ["DEC-HOURS-1", "CN-TP-2-TWICE"], door=False)
    assert {rule.id for rule in planned} < ids
    with pytest.raises(Refused, match="CN-TP-2 cannot be switched off"):
        rules.lenders_rules(["cn"], ["CN-TP-2"], door=False)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("packs:\n  - decency\n  - cnn\n  - mine.yaml",
         [("unknown", "cnn", 4, "5"), ("unknown", "mine.yaml", 5, "5")]),
        ("packs: [decency, cn]\nswitched_off: [DEC-HOURS-1, CN-TP-2, CN-FREQ-33]",
         [("unknown", "CN-FREQ-33", 3, "38"), ("not_yours", "CN-TP-2", 3, "29")]),
    ],
)  # fmt: skip
def test_what_no_pack_or_rule_is_called_is_named_where_the_lender_file_says_it(
    tmp_path, lines, expected
) -> None:
    file = tmp_path / "lender.yaml"
    file.write_text(f"lender: {{name: A, signature: A, hotline: '1', app: A}}\n{lines}\n")
    lender = load_lender(file)
    for door in (True, False):
        with pytest.raises(Refused) as refused:
            rules.kept_rules(lender, door=door)
        assert sorted(
            (one.code, one.values.get("value", one.values.get("id")), one.line, one.column)
            for one in refused.value.diagnostics
        ) == sorted(expected)
        assert {one.file for one in refused.value.diagnostics} == {str(file)}


def test_an_unknown_rule_cannot_be_switched_off() -> None:
    with pytest.raises(Refused, match="did you mean DEC-HOURS-1"):
        rules.without(ALL, ["DEC-HOUR-1"])


def test_the_list_of_rules_is_ready_for_programs() -> None:
    rows = rules.list_rules(ALL)
    assert json.loads(json.dumps(rows)) == rows
    assert [row["id"] for row in rows] == [rule.id for rule in ALL]
    row = next(row for row in rows if row["id"] == "CN-HOURS-1")
    assert {name: row[name] for name in ("force", "effect", "primitive", "in_force_from")} == {
        "force": "standard",
        "effect": "delay",
        "primitive": "window",
        "in_force_from": "2025-02-28",
    }
    assert row["switchable"] is False
    assert next(row for row in rows if row["id"] == "DEC-HOURS-1")["in_force_from"] is None


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_a_page_names_source_clause_dates_confidence_and_every_case(
    rule: rules.Rule, locale: str
) -> None:
    page = rules.show(rule, locale)
    words = catalogue("rules", locale)
    assert page.startswith(f"{rule.id} · {words['force.' + rule.force]} · {rule.pack}\n")
    assert rule.says[locale] in page
    assert rule.source.text in page
    assert rule.source.clause in page
    assert rule.source.note in page
    assert all(words["confidence." + level] in page for level in rule.source.confidence)
    assert page.count("→") == len(rule.cases)
    assert not re.search(r"\{[a-z]", page)


def test_a_page_says_when_a_rule_is_from_memory_or_policy() -> None:
    by_id = {rule.id: rule for rule in ALL}
    assert "From memory: verify before relying on it." in rules.show(by_id["CN-RATE-3"], "en")
    assert "No lender can switch it off." in rules.show(by_id["CN-RATE-3"], "en")
    assert "is our own choice and no law" in rules.show(by_id["DEC-HOURS-1"], "en")
    assert "A lender may switch it off." in rules.show(by_id["DEC-HOURS-1"], "en")


def test_a_page_of_a_rule_with_an_end_names_its_last_day() -> None:
    ended = replace(ALL[0], in_force_from=date(2020, 1, 1), in_force_to=date(2021, 1, 1))
    assert "In force from 2020-01-01 until the day before 2021-01-01." in rules.show(ended, "en")


def test_every_name_that_is_public_exists_and_they_are_sorted() -> None:
    assert all(hasattr(rules, name) for name in rules.__all__)
    classes_first = sorted(rules.__all__, key=lambda name: (not name.isupper(), name))
    assert rules.__all__ == classes_first
