"""The small model: shipped as trained, the same again when trained again, good on unseen lines."""

from __future__ import annotations

import subprocess
import sys

import pytest

from duly.replies import INTENTS
from duly.replies.evidence import gathered
from duly.replies.model import FEARS, built_in, dumped, loaded
from duly.replies.training import RECEIVED_AT, care_corpus, corpus, corpus_sha256, seen


def test_the_shipped_model_is_of_this_corpus():
    assert built_in().corpus_sha256 == corpus_sha256()
    assert built_in().intents == INTENTS


def test_a_model_is_the_same_after_its_file():
    data = dumped(built_in())
    assert dumped(loaded(data)) == data
    assert len(data) < 400_000


def test_the_corpus_has_enough_of_every_intent_in_both_languages():
    rows = corpus()
    lines = {(row.lang, row.group) for row in rows}
    assert len(lines) >= 1500
    for lang in ("zh", "en"):
        told = {row.intent for row in rows if row.lang == lang}
        assert told == set(INTENTS)
    assert len({row.text for row in rows}) > 2000


def test_what_is_feared_is_taught_in_both_languages_beside_what_only_sounds_so():
    rows = care_corpus()
    for lang in ("zh", "en"):
        for fear in (*FEARS, ""):
            assert len({one.text for one in rows if (one.lang, one.fear) == (lang, fear)}) > 300
    assert {one.fear for one in rows} == {*FEARS, ""}


def test_a_fear_names_the_clause_that_speaks_of_it():
    text = gathered("周五把最后一笔还上，以后没有我了", RECEIVED_AT, "zh").text
    assert built_in().clause(text, "self_harm") == "以后没有我了"


def test_chances_add_up_to_one():
    for row in corpus()[::300]:
        evidence = seen(row)
        chances = built_in().chances(evidence.text, evidence.named).intents
        assert sum(chances.values()) == pytest.approx(1)


@pytest.mark.slow
def test_training_again_gives_the_same_readings(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-m", "duly.cli.main", "replies", "train", "--out", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    again, shipped = loaded((tmp_path / "model.bin").read_bytes()), built_in()
    for row in corpus()[::10]:
        evidence = seen(row)
        ours = shipped.chances(evidence.text, evidence.named)
        theirs = again.chances(evidence.text, evidence.named)
        # Another processor may round otherwise; the readings stay.
        assert max(abs(ours.intents[intent] - theirs.intents[intent]) for intent in INTENTS) < 0.02
        for one, other in zip(ours.feared, theirs.feared, strict=True):
            assert abs(one.chance - other.chance) < 0.02
