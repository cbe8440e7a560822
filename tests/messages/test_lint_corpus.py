"""The shipped corpora: every text gets the labels that a person gave it; every rule is real."""

from __future__ import annotations

import json

import pytest

from duly.messages.lint import LABELS, NONE, corpora, labelled, labels_of, lint, score
from duly.messages.lint.lexicon import lexicon
from duly.messages.lint.model import CONTENT, MISSING, PERSONAL, STAGES
from duly.messages.lint.placing import places
from duly.rules import load_packs, pack_names

ROWS = [row for rows in corpora().values() for row in rows]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_each_text_gets_the_labels_that_a_person_gave_it(row):
    found = lint(row.message)
    assert set(labels_of(found)) - {NONE} == row.labels, [
        (one.label, one.words, one.why) for one in found
    ]


def test_the_corpora_stand_on_both_sides_of_every_line():
    assert len(ROWS) >= 300
    assert len({row.id for row in ROWS}) == len(ROWS)
    for label in LABELS:
        tongues = {row.message.lang for row in ROWS if label in row.labels}
        assert tongues == {"zh", "en"}, label
    lawful = [row for row in ROWS if not row.labels]
    assert {row.message.lang for row in lawful} == {"zh", "en"}
    assert sum(row.hard == "hard_negative" for row in ROWS) >= 60
    assert sum(row.hard == "hard_positive" for row in ROWS) >= 40
    assert {row.message.stage for row in ROWS} <= {"", *STAGES}


def test_every_label_of_a_corpus_is_one_of_the_guide():
    assert {label for row in ROWS for label in row.labels} == set(LABELS)


def test_every_rule_that_a_finding_names_is_a_rule_of_a_pack():
    known = {rule.id for rule in load_packs(pack_names())}
    named = {entry.rule for entry in lexicon().entries} | places().every_rule()
    named |= {rule for entry in lexicon().entries for rule in entry.also.values()}
    named |= {found.rule for row in ROWS for found in lint(row.message)}
    assert named <= known


def test_labels_are_those_of_the_guide_in_its_order():
    assert (*CONTENT, PERSONAL, *MISSING) == LABELS
    assert labels_of(()) == (NONE,)


def test_the_open_set_is_read_as_the_guide_asks(shared):
    lines = (shared / "messages" / "messages.jsonl").read_text(encoding="utf-8").splitlines()
    rows = labelled(json.loads(line) for line in lines)
    scores = score((row, labels_of(lint(row.message))) for row in rows)
    assert scores.any_violation.f1 >= 0.95
    assert scores.content_f1 >= 0.95
    assert scores.false_alarms / scores.lawful_firm <= 0.1
