"""Goal: only a plan that its inputs give leaves the house, with the facts that its rules saw.

Method: the sample plan; its rows altered; the rules asked again of the facts that were kept.
"""

from __future__ import annotations

import json
import shutil
import time
from datetime import UTC
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from plan_made import AT, Made

from duly.core.errors import Refused
from duly.plan.proven import Proven, prove
from duly.rules import Bar, Require, ask, load_packs
from duly.rules.load import active


@pytest.fixture(scope="module")
def proven(sample_plan: Made) -> Proven:
    return prove(sample_plan.path, clock=time.perf_counter)


def test_the_messages_are_those_of_the_plan(sample_plan: Made, proven: Proven) -> None:
    found = {row["message_id"]: row for row in proven.messages.to_pylist()}
    for row in found.values():
        row |= {name: row[name].replace(tzinfo=UTC) for name in ("not_before", "not_after")}
    assert found == sample_plan.messages


def test_a_plan_in_csv_is_proven_alike(sample_plan_csv: Made, proven: Proven) -> None:
    again = prove(sample_plan_csv.path, clock=time.perf_counter)
    assert again.messages.equals(proven.messages)
    assert again.facts.equals(proven.facts)


def test_every_message_has_its_person_and_its_facts(sample_plan: Made, proven: Proven) -> None:
    facts = dict(zip(*(proven.facts.column(n).to_pylist() for n in ("message_id", "facts")),
                     strict=True))  # fmt: skip
    people = set(proven.people.column("borrower_id").to_pylist())
    assert set(facts) == set(sample_plan.messages)
    # Others whom an agency may ask about are told too: tasks, waits, holds and blocks.
    asked = {"contact", "task", "wait", "hold", "blocked"}
    assert people == {
        row["borrower_id"] for row in sample_plan.decisions.values() if row["decision"] in asked
    }
    assert people > {row["borrower_id"] for row in sample_plan.messages.values()}
    for name, row in sample_plan.messages.items():
        told = json.loads(facts[name])
        assert (told["channel"], told["class"], told["template"]) == (
            row["channel"], row["class"], row["template"],
        )  # fmt: skip


def test_the_rules_allow_what_the_facts_say(proven: Proven) -> None:
    rules = active(load_packs(proven.lender.packs), AT.date())
    asked = [one for one in rules if isinstance(one.primitive, Bar | Require)]
    contacts = [one for one in asked if one.about == "contact"]
    for text in proven.facts.column("facts").to_pylist():
        for rule in contacts:
            assert ask(rule, json.loads(text) | {"at": AT}).effect == "allow", rule.id


def test_contacts_and_signals_are_of_those_people(proven: Proven) -> None:
    people = set(proven.people.column("borrower_id").to_pylist())
    assert set(proven.contacts.column("borrower_id").to_pylist()) <= people
    assert set(proven.signals.column("borrower_id").to_pylist()) <= people
    assert proven.contacts.num_rows > 0


@pytest.mark.parametrize("name", ["run.json", "messages.parquet"])
def test_a_plan_that_was_altered_is_refused(sample_plan: Made, tmp_path: Path, name: str) -> None:
    altered = tmp_path / "plan"
    shutil.copytree(sample_plan.path, altered)
    if name == "run.json":
        run = json.loads((altered / name).read_text())
        run["plan_sha256"] = "0" * 64
        (altered / name).write_text(json.dumps(run))
    else:
        table = pq.read_table(altered / name)
        pq.write_table(table.slice(1), altered / name)

    with pytest.raises(Refused) as refused:
        prove(altered, clock=time.perf_counter)

    assert refused.value.diagnostics[0].code == "not_proven"
