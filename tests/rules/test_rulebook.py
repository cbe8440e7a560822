"""The packs against the rulebook itself: marks, forces, days and outcomes, entry by entry."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path

import pytest

from duly import rules

EVERY = rules.load_packs(rules.pack_names())
BY_ID = {item.id: item for item in rules.coverage()}
MARKS = {
    "SEEN-P": "seen_primary",
    "SEEN-S": "seen_secondary",
    "MEM": "memory",
    "POLICY": "policy",
}
FORCES = {
    "LAW": "law",
    "REGULATOR": "regulator",
    "STANDARD": "standard",
    "SELF-REG": "self_regulation",
    "VENDOR": "vendor",
    "POLICY": "policy",
}
#: Entries that rules of another name keep, with marks of their own.
KEPT_BY_OTHERS = {"G-TZ-1", "G-STRICT-1", "CN-HOURS-3", "US-SCOPE-1", "US-FREQ-3"}
#: Days of the rulebook's cases that a case gives as a fact and not as a date: the notice that was
#: delivered, the consent that was given, the petition that was filed before the day of the case.
TOLD_AS_FACTS = {
    "CN-TP-3 fail", "CN-TP-5 pass", "CN-HOLD-1 pass", "CN-LETTER-1 pass", "CN-ADM-2 pass",
    "CN-PI-3 pass", "CN-PI-7 pass", "CN-ASSIGN-1 pass", "CN-CRED-3 pass", "US-TCPA-1 pass",
    "US-CEASE-1 pass", "US-VAL-1 pass", "US-ESIGN-1 pass", "US-BK-1 fail", "UK-SB-1 fail",
    "EU-FORB-1 pass", "EU-SERV-1 pass", "IN-AGENT-1 pass",
}  # fmt: skip
_DAY = re.compile(r"(?<![\d/])(20\d\d)-(\d\d)-(\d\d)(?!\d)|(?<![\d-])(\d\d)-(\d\d)(?![\d-])")
_UNTIL = re.compile(r"DELAY_UNTIL (?:Mon )?(20\d\d-\d\d-\d\d)(?:T(\d\d:\d\d)Z| (\d\d:\d\d))?")


@pytest.fixture(scope="module")
def book(shared: Path) -> list[dict[str, object]]:
    path = shared / "compliance" / "rules.json"
    if not path.is_file():
        pytest.skip("skipped: no shared data")
    rows: list[dict[str, object]] = json.loads(path.read_text(encoding="utf-8"))
    return [row for row in rows if BY_ID[str(row["id"])].answer == "implemented"]


def own(entry: str) -> list[rules.Rule]:
    """Return the rules of an entry's own name, else all that answer it."""
    found = [rule for rule in EVERY if rule.id == entry or rule.id.startswith(entry + "-")]
    return found or [rule for rule in EVERY if rule.id in BY_ID[entry].by]


def cases_of(entry: str, side: str) -> list[rules.Case]:
    return [case for rule in EVERY for case in rule.cases if case.of == f"{entry} {side}"]


def days_of(text: str) -> set[str]:
    """Return the days that a text names; `03-10` has the year of the day before it."""
    found, year = set(), ""
    for match in _DAY.finditer(text):
        year = match[1] or year
        month, day = (match[2], match[3]) if match[1] else (match[4], match[5])
        if year and 1 <= int(month) <= 12:
            found.add(f"{year}-{month}-{day}")
    return found


def values_of(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for part in value.values():
            yield from values_of(part)
    elif isinstance(value, tuple):
        for part in value:
            yield from values_of(part)
    elif isinstance(value, datetime):
        yield value.date().isoformat()
    else:
        yield str(value)


def test_every_mark_of_an_entry_stands_in_its_rules(book: list[dict[str, object]]) -> None:
    for row in book:
        entry, text = str(row["id"]), str(row["confidence"])
        wanted = {level for mark, level in MARKS.items() if mark in text}
        wanted |= {"memory"} if "(MEM)" in str(row["source"]) else set()
        if "SEEN-P/S" in text:
            wanted |= {"seen_primary", "seen_secondary"}
        found = {level for rule in own(entry) for level in rule.source.confidence}
        assert wanted <= found, entry
        if entry not in KEPT_BY_OTHERS:
            # A clause is read only where the rulebook says so.
            assert "seen_primary" not in found - wanted, entry


def test_the_rules_of_an_entry_have_a_force_of_the_entry(book: list[dict[str, object]]) -> None:
    for row in book:
        entry, forces = str(row["id"]), row["force"]
        assert isinstance(forces, list)
        wanted = {FORCES[force] for force in forces}
        found = {rule.force for rule in own(entry)}
        assert found & wanted, entry
        assert found <= wanted | {"policy"} or entry in KEPT_BY_OTHERS | {"CN-SMS-2"}, entry


@pytest.mark.parametrize("side", ["pass", "fail"])
def test_a_case_names_the_days_that_the_rulebook_names(
    book: list[dict[str, object]], side: str
) -> None:
    for row in book:
        entry = str(row["id"])
        given = {
            text
            for case in cases_of(entry, side)
            for text in values_of((*case.given.values(), case.until))
        }
        missing = days_of(str(row["test_" + side])) - given
        assert (not missing) != (f"{entry} {side}" in TOLD_AS_FACTS), (entry, missing)


def test_a_failing_case_has_the_outcome_of_the_rulebook(book: list[dict[str, object]]) -> None:
    for row in book:
        entry, text = str(row["id"]), str(row["test_fail"])
        effects = {case.effect for case in cases_of(entry, "fail")}
        if any(word in text for word in ("DELAY", "CANCEL", "-> counted")):
            assert "delay" in effects, entry
        else:
            assert effects <= {"block", "require"}, entry


def test_a_delay_ends_at_the_instant_of_the_rulebook(book: list[dict[str, object]]) -> None:
    seen = 0
    for row in book:
        entry = str(row["id"])
        ends = [case.until for case in cases_of(entry, "fail") if case.until is not None]
        for match in _UNTIL.finditer(str(row["test_fail"])):
            clock = match[2] or match[3]
            told = [
                end
                for end in ends
                if end.date().isoformat() == match[1] and clock in (None, end.strftime("%H:%M"))
            ]
            assert told, (entry, match[0], ends)
            seen += 1
    assert seen >= 12


def test_a_passing_case_allows(book: list[dict[str, object]]) -> None:
    for row in book:
        effects = {case.effect for case in cases_of(str(row["id"]), "pass")}
        assert effects and effects <= {"allow", "silent"}, row["id"]


@pytest.mark.parametrize(
    "rule", [rule for rule in EVERY if rule.in_force_from.year > 1], ids=lambda rule: rule.id
)
def test_a_dated_rule_has_a_case_of_silence_before_it_begins(rule: rules.Rule) -> None:
    silent = [case for case in rule.cases if case.effect == "silent"]
    assert silent
    for case in silent:
        at = case.given["at"]
        assert isinstance(at, datetime)
        before = at.date() < rule.in_force_from
        after = rule.in_force_to is not None and at.date() >= rule.in_force_to
        assert before or after


#: The register of dates (rulebook, section 0.2), as far as a rule rests on a single event of it.
REGISTER = {
    "CN-PRIV-1": date(2021, 1, 1),
    "CN-ALLOC-1": date(2021, 1, 1),
    "CN-PI-2": date(2021, 11, 1),
    "CN-FRAUD-1": date(2022, 12, 1),
    "CN-TP-1": date(2024, 4, 18),
    "CN-REC-1": date(2024, 4, 18),
    "CN-PLAN-2": date(2024, 7, 1),
    "CN-PI-2-ASK": date(2025, 1, 1),
    "CN-HOURS-1": date(2025, 2, 28),
    "CN-FREQ-1": date(2025, 2, 28),
    "US-TCPA-1": date(2025, 4, 11),
    "CN-AI-1": date(2025, 9, 1),
    "CN-RATE-2": date(2025, 10, 1),
    "CN-RATE-1": date(2025, 12, 26),
    "CN-FREQ-2": date(2026, 1, 30),
    "CN-CRED-4": date(2026, 4, 1),
    "CN-SMS-1-CONSENT": date(2026, 5, 1),
    "CN-DISC-1": date(2026, 8, 1),
    "CN-MKT-1": date(2026, 9, 30),
    "IN-AGENT-1": date(2026, 10, 1),
    "IN-HOURS-1-DAYS": date(2026, 10, 1),
    "EU-FORB-1": date(2026, 11, 20),
}


@pytest.mark.parametrize(("rule_id", "since"), REGISTER.items())
def test_a_rule_begins_on_the_day_of_the_register(rule_id: str, since: date) -> None:
    (rule,) = [rule for rule in EVERY if rule.id == rule_id]
    assert rule.in_force_from == since


def test_the_versions_of_the_message_provisions_meet_on_the_day_of_the_new_order() -> None:
    old, new = (rule for rule in EVERY if rule.id == "CN-SMS-1")
    assert (old.in_force_to, new.in_force_from) == (date(2026, 5, 1), date(2026, 5, 1))


def test_what_rests_on_a_draft_of_india_says_so_and_speaks_from_its_start() -> None:
    drafts = [rule for rule in EVERY if rule.pack == "in" and "draft" in rule.source.text]
    for rule in drafts:
        if "circular" not in rule.source.text:
            assert rule.in_force_from == date(2026, 10, 1), rule.id
            assert "policy" in rule.source.confidence, rule.id
            assert "draft" in rule.source.note, rule.id
    assert len(drafts) >= 5
