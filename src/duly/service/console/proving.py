"""One policy proved in a process of its own: `python -m duly.service.console.proving`.

The solver takes a core for seconds and its memory is shared with no thread; the pages go on beside
it. What is asked comes on standard input from the server, the answer goes out as JSON.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import time
from typing import Any

from duly.core.diagnostic import Diagnostic
from duly.core.words import LOCALES
from duly.messages import load_templates
from duly.plan.inputs import rules_of
from duly.policy import Places
from duly.proofs.draft import Moment
from duly.proofs.prove import Case, prove
from duly.proofs.rerun import World
from duly.proofs.story import told
from duly.rules.zones import zone
from duly.service.console.policies import Question, read_policy

#: The pages come first.
_NICE = 10


def answer(question: Question) -> dict[str, Any]:
    """Return what the proof says, as JSON values, its stories in every language."""
    lender = question.lender
    local = zone(lender.time_zone)
    moment = Moment(
        instant=question.at.astimezone(local), zone=local, lender_name=lender.name,
        jurisdiction=lender.licence,
    )  # fmt: skip
    world = World(
        policy=read_policy(question), lender=lender, rules=rules_of(lender, moment.today),
        catalogue=load_templates(lender.templates), moment=moment, clock=time.perf_counter,
    )  # fmt: skip
    proof = prove(world, Places(question.file, question.data))
    return {
        "sound": proof.sound, "questions": proof.questions, "shown": proof.shown,
        "limits": len(proof.limits), "seconds": round(proof.seconds, 1),
        "notes": [_plain(one) for one in proof.notes],
        "cases": [_plain(one.diagnostic) | _story(one, moment) for one in proof.cases],
    }  # fmt: skip


def _story(case: Case, moment: Moment) -> dict[str, Any]:
    return {"told": {locale: told(case, moment, locale) for locale in LOCALES}}


def _plain(one: Diagnostic) -> dict[str, Any]:
    return {
        "area": one.area, "code": one.code, "file": one.file, "line": one.line,
        "column": one.column, "values": dict(one.values), "severity": one.severity,
    }  # fmt: skip


def main() -> None:
    """Answer the question on standard input."""
    os.nice(_NICE)
    question = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 Our own server wrote it.
    assert isinstance(question, Question)
    sys.stdout.write(json.dumps(answer(question), default=str))


if __name__ == "__main__":
    main()
