"""The proof of a policy, once for each policy and day of the law: begun beside, then remembered."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Any, Literal, TypeAlias

from duly.core.diagnostic import Diagnostic
from duly.policy import Policy
from duly.service import journal
from duly.service.console.policies import Question, key_of

#: Seconds for which a page waits for a proof that is under way.
WAITED = 1.5
#: A proof that takes longer is given up; the next look begins it anew.
_LONGEST_SECONDS = 600
_KEPT_MAX = 16
State: TypeAlias = Literal["under_way", "sound", "refuted", "broken"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was found at a line, with the borrowers that show it, by language."""

    diagnostic: Diagnostic
    told: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What is known of a proof by now."""

    state: State
    findings: tuple[Finding, ...] = ()
    questions: int = 0
    shown: int = 0
    limits: int = 0
    seconds: float = 0


@dataclass
class _Job:
    done: Event
    proof: Proof


_jobs: OrderedDict[tuple[str, ...], _Job] = OrderedDict()
_lock = Lock()


def proof_of(question: Question, policy: Policy, *, wait: float = WAITED) -> Proof:
    """Return the proof of a policy that was read; where it is not there yet, that it is under way.

    What the same policy was proved with on the same day is asked once a process; one that did not
    come to its end is begun anew.
    """
    key = key_of(question, policy)
    with _lock:
        job = _jobs.get(key)
        if job is None or (job.done.is_set() and job.proof.state == "broken"):
            job = _jobs[key] = _Job(Event(), Proof(state="under_way"))
            while len(_jobs) > _KEPT_MAX:
                _jobs.popitem(last=False)
            # A server that stops does not wait for it.
            Thread(target=_prove, args=(job, question), name="policy-proof", daemon=True).start()
    job.done.wait(wait)
    return job.proof


def _prove(job: _Job, question: Question) -> None:
    found = Proof(state="broken")
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "duly.service.console.proving"],
            input=pickle.dumps(question), capture_output=True, timeout=_LONGEST_SECONDS, check=True,
        )  # fmt: skip
        found = _read(json.loads(ran.stdout))
    except (subprocess.SubprocessError, OSError, ValueError) as error:
        journal.broken("policy.proof", error)
    finally:
        job.proof = found
        job.done.set()


def _read(answer: Mapping[str, Any]) -> Proof:
    return Proof(
        state="sound" if answer["sound"] else "refuted",
        findings=tuple(
            Finding(diagnostic=_diagnostic(one), told=one.get("told", {}))
            for one in (*answer["cases"], *answer["notes"])
        ),
        questions=answer["questions"], shown=answer["shown"], limits=answer["limits"],
        seconds=answer["seconds"],
    )  # fmt: skip


def _diagnostic(one: Mapping[str, Any]) -> Diagnostic:
    return Diagnostic(
        area=one["area"], code=one["code"], file=one["file"], line=one["line"],
        column=one["column"], values=one["values"], severity=one["severity"],
    )  # fmt: skip
