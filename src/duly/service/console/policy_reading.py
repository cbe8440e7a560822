"""A policy as pages show it: its text line by line, with what check and proof found at each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.policy import Places, Policy
from duly.service.api.serving import present
from duly.service.console.policies import Question, read_policy
from duly.service.console.proofs import Finding, Proof
from duly.service.operations.publishing import base_of

#: The hour of the lender's day at which the borrowers of a proof are decided: one proof a day.
_HOUR = 10


@dataclass(frozen=True, kw_only=True)
class Used:
    """One version of a policy; `text` None: what decided is not kept here."""

    name: str
    version: str
    sha256: str
    text: str | None
    file: str
    on: date | None = None  #: the day of the latest plan, which it decided
    by: tuple[str, ...] = ()  #: who published it; of the lender file nobody


@dataclass(frozen=True, kw_only=True)
class TextLine:
    """One line of the policy's text with what was found at it."""

    number: int
    text: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class Read:
    """What a policy's text says, or why no plan would take it now."""

    policy: Policy | None
    places: Places | None
    wrong: tuple[Diagnostic, ...] = ()


def question_of(used: Used) -> Question:
    """Return a policy as it is asked about on the lender's day."""
    serving = present()
    local = ZoneInfo(serving.lender.time_zone)
    at = datetime.combine(serving.today, time(_HOUR), local)
    return Question(
        file=used.file, data=(used.text or "").encode(), lender=serving.lender, at=at
    )  # fmt: skip


def read_of(used: Used | None) -> Read:
    """Return what a policy says as a plan of the lender takes it now, or all its mistakes."""
    if used is None or used.text is None:
        return Read(policy=None, places=None)
    question = question_of(used)
    try:
        policy = read_policy(question)
    except Refused as refused:
        return Read(policy=None, places=None, wrong=refused.diagnostics)
    return Read(policy=policy, places=Places(question.file, question.data))


def next_used() -> Used | None:
    """Return the policy that the next plan takes; None: the lender file's, and it is unreadable."""
    try:
        base = base_of(present().lender, present().now())
        text = base.data.decode()
    except (OSError, UnicodeDecodeError):
        return None
    found = base.published
    used = Used(name=base.file, version="", sha256=base.sha256, text=text, file=base.file,
                by=() if found is None else (found.first_by, found.second_by))  # fmt: skip
    read = read_of(used).policy
    return used if read is None else replace(used, name=read.name, version=str(read.version))


def _findings(proof: Proof | None, read: Read) -> tuple[Finding, ...]:
    found = () if proof is None else proof.findings
    return (*(Finding(diagnostic=one) for one in read.wrong), *found)


def shown(proof: Proof | None, read: Read, locale: str) -> list[Mapping[str, object]]:
    """Return what was found, the mistakes first, each with its line and its borrowers."""
    found = sorted(_findings(proof, read), key=lambda one: one.diagnostic.severity != "error")
    return [
        {
            "line": one.diagnostic.line, "severity": one.diagnostic.severity,
            "code": one.diagnostic.code, "says": one.diagnostic.sentence(locale),
            "hint": one.diagnostic.hint(locale), "told": one.told.get(locale, []),
        }
        for one in found
    ]  # fmt: skip


def lines_of(used: Used | None, proof: Proof | None, read: Read) -> list[TextLine]:
    """Return the lines of a text, each with what was found at it."""
    if used is None or used.text is None:
        return []
    at: dict[int, tuple[Finding, ...]] = {}
    for one in _findings(proof, read):
        at[one.diagnostic.line] = (*at.get(one.diagnostic.line, ()), one)
    text = used.text.removeprefix("\ufeff").replace("\r\n", "\n")
    return [
        TextLine(number=number, text=line, findings=at.get(number, ()))
        for number, line in enumerate(text.rstrip("\n").split("\n"), start=1)
    ]
