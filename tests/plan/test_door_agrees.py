"""The rules asked of one row, at the hours that a plan chose, answer what its columns say."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from plan_made import AT, Made

from duly.rules import NEUTRAL, Cap, Rule, Window, active, ask, decide, load_packs

Row = Mapping[str, Any]


@pytest.fixture(scope="module")
def rules() -> tuple[Rule, ...]:
    return active(load_packs(("decency", "cn")), AT.date())


@pytest.fixture(scope="module")
def people(sample_book: Path) -> Mapping[str, Row]:
    return {row["borrower_id"]: row for row in _read(sample_book, "borrowers")}


@pytest.fixture(scope="module")
def contacts(sample_book: Path) -> Mapping[str, Sequence[Row]]:
    found: dict[str, list[Row]] = {}
    for row in _read(sample_book, "contacts"):
        at = datetime.fromisoformat(row["at"])
        kind = {"notice": "dunning", "": "dunning"}.get(row.get("class", ""), row.get("class"))
        if at <= AT:
            found.setdefault(row["borrower_id"], []).append(row | {"at": at, "class": kind})
    return found


def _read(book: Path, name: str) -> list[dict[str, Any]]:
    with (book / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _minute(clock: str | None) -> int | None:
    return int(clock[:2]) * 60 + int(clock[3:5]) if clock else None


def facts(person: Row, contacts: Sequence[Row], *, at: datetime, **given: Any) -> dict[str, Any]:
    return {
        **NEUTRAL,
        "at": at,
        "contacts": contacts,
        "time_zone": person.get("time_zone") or "Asia/Shanghai",
        "region": person.get("region") or None,
        "quiet_from": _minute(person.get("quiet_from")),
        "quiet_until": _minute(person.get("quiet_until")),
        **given,
    }


def test_every_message_is_lawful_at_both_ends_of_its_time(
    sample_plan: Made, rules: Sequence[Rule], people: Mapping[str, Row], contacts: Any
) -> None:
    timed = [rule for rule in rules if isinstance(rule.primitive, Window | Cap)]
    windows = [rule for rule in rules if isinstance(rule.primitive, Window)]
    for one in sample_plan.messages.values():
        person = people[one["borrower_id"]]
        given = {name: one[name] for name in ("channel", "class", "template", "tone", "address")}
        before = contacts.get(one["borrower_id"], ())
        start = facts(person, before, at=one["not_before"], **given)
        assert decide(timed, start).effect == "allow", one
        end = facts(person, before, at=one["not_after"], **given)
        assert decide(windows, end).effect == "allow", one
        after = facts(person, before, at=one["not_after"] + timedelta(seconds=1), **given)
        assert decide(windows, after).effect == "delay", one
        assert one["not_before"] <= one["not_after"]
        assert one["not_before"].astimezone(AT.tzinfo).date() == AT.date()


def test_a_call_is_lawful_when_it_may_begin(
    sample_plan: Made, rules: Sequence[Rule], people: Mapping[str, Row], contacts: Any
) -> None:
    timed = [rule for rule in rules if isinstance(rule.primitive, Window | Cap)]
    calls = [row for row in sample_plan.decisions.values()
             if row["decision"] == "task" and row["channel"] == "voice"]  # fmt: skip
    assert calls
    for row in calls:
        person = people[row["borrower_id"]]
        before = contacts.get(row["borrower_id"], ())
        given = {"channel": "voice", "class": "dunning", "address": "any"}
        at = facts(person, before, at=row["not_before"], **given)
        assert decide(timed, at).effect == "allow", row


def test_the_windows_named_are_those_that_delay_at_the_instant(
    sample_plan: Made, rules: Sequence[Rule], people: Mapping[str, Row]
) -> None:
    windows = {rule.id: rule for rule in rules if isinstance(rule.primitive, Window)}
    for one in sample_plan.messages.values():
        person = people[one["borrower_id"]]
        at = facts(person, (), at=AT.astimezone(UTC), channel=one["channel"])
        answer = decide(list(windows.values()), at)
        spoke = {verdict.rule_id for verdict in answer.verdicts}
        for name in one["loan_ids"]:
            assert set(sample_plan.decisions[name]["legal"]) & set(windows) == spoke


def test_a_cap_that_is_named_delays_the_row_too(
    sample_plan: Made, rules: Sequence[Rule], people: Mapping[str, Row], contacts: Any
) -> None:
    caps = {rule.id: rule for rule in rules if isinstance(rule.primitive, Cap)}
    for row in sample_plan.decisions.values():
        for name in set(row["legal"] or ()) & set(caps):
            channels = caps[name].primitive.channels
            before = contacts.get(row["borrower_id"], ())
            channel = "sms" if "sms" in channels else "voice"
            at = facts(people[row["borrower_id"]], before, at=AT, channel=channel, address="any")
            assert ask(caps[name], at).effect == "delay", row
