"""Cases of classes that the lint once took wrongly: lawful texts, and texts that hide."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from duly.messages.lint import LABELS, NONE, Message, labels_of, lint
from duly.messages.lint.placing import rule_at

FOLDER = Path(__file__).parent / "lint_cases"
ROWS = [
    (file.stem, row)
    for file in sorted(FOLDER.glob("*.yaml"))
    for row in yaml.safe_load(file.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("file", "row"), ROWS, ids=lambda one: str(one)[:40])
def test_a_text_earns_its_labels(file, row):
    message = Message(
        text=row["text"],
        stage=row.get("stage", ""),
        lang=row.get("lang", ""),
        facts=row.get("facts", {}),
    )
    found = lint(message)
    labels = set(labels_of(found)) - {NONE}
    wanted = set(row.get("labels", ()))
    assert labels >= wanted, file
    assert labels == wanted or row.get("any"), [(one.label, one.words) for one in found]
    assert all(one.words == row["text"][one.start : one.end] for one in found)


@pytest.mark.parametrize(
    ("text", "facts", "rule"),
    [
        ("【青石分期】860元逾期12天。", {}, "CN-SMS-2"),
        ("【青石分期】860元逾期12天。", {"jurisdiction": "us"}, "US-OPTOUT-1"),
        ("Elm Loans: $95 is 12 days late.", {}, "US-OPTOUT-1"),
        ("Elm Loans: $95 is 12 days late.", {"jurisdiction": "CN"}, "CN-SMS-2"),
        ("Elm Loans: £95 is 12 days late.", {"country": "uk"}, "DEC-STOP-1"),
    ],
)
def test_a_missing_way_to_stop_breaks_the_rule_of_the_place(text, facts, rule):
    (found,) = lint(Message(text=text, stage="d8_30", facts=facts))
    assert (found.label, found.rule) == ("missing_optout", rule)


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({}, "US-COND-1"),  # Without a place the language decides.
        ({"jurisdiction": "us-ny"}, "US-COND-1"),
        ({"country": "GB"}, "UK-COND-1"),
        ({"country": "fr"}, "EU-SERV-1-TEXT"),
        ({"licence": "in"}, "IN-COND-1-TEXT"),
        ({"jurisdiction": "cn"}, "CN-COND-1"),
        ({"country": "India"}, "IN-COND-1-TEXT"),
        ({"country": "Germany"}, "EU-SERV-1-TEXT"),
        ({"country": "DEU"}, "EU-SERV-1-TEXT"),
        ({"country": "United Kingdom"}, "UK-COND-1"),
        ({"country": "中国"}, "CN-COND-1"),
        ({"country": "台湾"}, "DEC-TEXT-1"),
        ({"country": "Atlantis"}, "DEC-TEXT-1"),
        ({"country": ""}, "US-COND-1"),
        ({"licence": "No. 1234 of 2020"}, "US-COND-1"),
        ({"country": "my"}, "DEC-TEXT-1"),  # No pack of ours: our own floor.
    ],
)
def test_a_threat_breaks_the_rule_of_the_place(facts, rule):
    message = Message(text="Elm Loans: you will regret this.", lang="en", facts=facts)
    assert {(one.label, one.rule) for one in lint(message)} == {("threat", rule)}


@pytest.mark.parametrize("place", ["cn", "us", "uk", "eu", "in", "my"])
def test_every_label_has_a_rule_of_its_place_or_of_our_floor(place):
    for label in LABELS:
        rule = rule_at(place, label, "CN-COND-8")
        assert rule.split("-")[0].casefold() in {place, "dec"}, label
