"""The policy in use: its text, what check and proof say of it, its ladder, its experiments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse

from duly.core import digest
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.money import major
from duly.core.words import say
from duly.plan.kept import policy_bytes
from duly.policy import Places, Policy, Treatment, is_withheld
from duly.service.api.serving import present
from duly.service.console.files import spreadsheet
from duly.service.console.pages import page, problem
from duly.service.console.policies import Question, read_policy
from duly.service.console.proofs import Finding, Proof, proof_of
from duly.service.console.reasons import reason_name
from duly.service.console.signing_in import allowed, who_of
from duly.service.console.today import asked
from duly.service.faces.looks import look_of
from duly.service.operations.recording import record

_NOWHERE = 404
#: The hour of the lender's day at which the borrowers of a proof are decided: one proof a day.
_HOUR = 10
_USED = """
SELECT r.business_date, r.summary->'policy'->>'name' AS name,
    r.summary->'policy'->>'version' AS version, r.summary->'versions'->>'policy' AS sha256, s.text
FROM store_run AS r LEFT JOIN store_source AS s
    ON s.kind = 'policy' AND s.sha256 = r.summary->'versions'->>'policy'
WHERE r.kind = 'plan' AND r.state <> 'superseded' ORDER BY r.business_date DESC LIMIT 1
"""
_COLUMNS = ("step", "line", "from_day", "grace", "if", "what", "channels", "tone", "every")


@dataclass(frozen=True, kw_only=True)
class Used:
    """One version of a policy; `text` None: what decided is not kept here."""

    name: str
    version: str
    sha256: str
    text: str | None
    file: str
    on: date | None = None  #: the day of the latest plan, which it decided


@dataclass(frozen=True, kw_only=True)
class Step:
    """One treatment as a row of the ladder."""

    number: int
    line: int  #: of the policy's text
    treatment: Treatment
    what: str
    channels: tuple[str, ...]
    withheld: bool  #: those of the holdout go without it

    @property
    def before(self) -> int:
        """Return how many days before the due date it begins, where it does."""
        return -self.treatment.from_day


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


@allowed("strategy.see", "GET")
def strategy(request: HttpRequest) -> HttpResponse:
    """Show the policy that decided the latest plan; before the first, that of the lender file."""
    filed, recorded = _filed(), _recorded()
    used = _of(recorded, filed)
    locale = look_of(request).locale
    read = _read(used)
    proof = _proved(used, read)
    return page(
        request, "strategy", open="strategy", used=used, recorded=recorded, filed=filed,
        changed=recorded is not None and filed is not None and filed.sha256 != recorded.sha256,
        policy=read.policy, refused=used is not None and bool(read.wrong), proof=proof,
        found=_shown(proof, read, locale), lines=_lines(used, proof, read),
        steps=_steps(read, locale), floor=_floor(read.policy),
        experiments=_experiments(read.policy), held_out=_held_out(read.policy),
    )  # fmt: skip


@allowed("strategy.see", "GET")
def export(request: HttpRequest) -> HttpResponse:
    """Give the ladder as a file; who took it is recorded."""
    locale = look_of(request).locale
    read = _read(_of(_recorded(), _filed()))
    steps = _steps(read, locale)
    if not steps:
        return problem(request, "nowhere", status=_NOWHERE)
    record("staff.exported", [(who_of(request).name, {"list": "strategy", "rows": len(steps)})])
    head = [say("console", f"strategy_column.{one}", locale) for one in _COLUMNS]
    return spreadsheet("strategy", head, (list(_cells(one, locale)) for one in steps))


def _of(recorded: Used | None, filed: Used | None) -> Used | None:
    """Return the policy that the page is about; its text may be that of the same file."""
    if recorded is None:
        return filed
    if recorded.text is None and filed is not None and filed.sha256 == recorded.sha256:
        return replace(recorded, text=filed.text)
    return recorded


def _recorded() -> Used | None:
    """Return the policy of the latest plan, as its run and the kept sources say; None before it."""
    row = next(iter(asked(_USED, {})), None)
    if row is None or row["sha256"] is None:
        return None
    return Used(name=row["name"] or "", version=row["version"] or "", sha256=row["sha256"],
                text=row["text"], file=f"{row['name']}.yaml", on=row["business_date"])  # fmt: skip


def _filed() -> Used | None:
    """Return the policy that the lender file names, which the next plan takes; None: unreadable."""
    named = present().lender.policy
    try:
        data = policy_bytes(named)
        text = data.decode()
    except (OSError, UnicodeDecodeError):
        return None
    file = Path(named).name
    used = Used(name=file, version="", sha256=digest.of_bytes(data), text=text, file=file)
    read = _read(used).policy
    if read is None:
        return used
    return Used(name=read.name, version=str(read.version), sha256=used.sha256, text=text,
                file=file)  # fmt: skip


def _question(used: Used) -> Question:
    serving = present()
    local = ZoneInfo(serving.lender.time_zone)
    at = datetime.combine(serving.today, time(_HOUR), local)
    return Question(
        file=used.file, data=(used.text or "").encode(), lender=serving.lender, at=at
    )  # fmt: skip


def _read(used: Used | None) -> Read:
    if used is None or used.text is None:
        return Read(policy=None, places=None)
    question = _question(used)
    try:
        policy = read_policy(question)
    except Refused as refused:
        return Read(policy=None, places=None, wrong=refused.diagnostics)
    return Read(policy=policy, places=Places(question.file, question.data))


def _proved(used: Used | None, read: Read) -> Proof | None:
    if used is None or read.policy is None:
        return None
    return proof_of(_question(used), read.policy)


def _findings(proof: Proof | None, read: Read) -> tuple[Finding, ...]:
    found = () if proof is None else proof.findings
    return (*(Finding(diagnostic=one) for one in read.wrong), *found)


def _shown(proof: Proof | None, read: Read, locale: str) -> list[Mapping[str, object]]:
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


def _lines(used: Used | None, proof: Proof | None, read: Read) -> list[TextLine]:
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


def _steps(read: Read, locale: str) -> Sequence[Step]:
    policy, places = read.policy, read.places
    if policy is None or places is None:
        return ()
    return tuple(
        Step(
            number=number + 1, line=places.at("treatments", number)[0], treatment=one,
            what=_what(one, locale), channels=one.send.channels if one.send else (),
            withheld=policy.holdout is not None and is_withheld(one),
        )
        for number, one in enumerate(policy.treatments)
    )  # fmt: skip


def _what(one: Treatment, locale: str) -> str:
    """Return what a step does, in words; a text by its name."""
    parts = []
    if one.send is not None:
        parts.append(say("console", "strategy.send", locale, template=one.send.template))
    if one.task is not None:
        parts.append(say("service", f"task.{one.task.kind}", locale))
    if one.wait is not None:
        reason = reason_name(one.wait.reason, locale)
        parts.append(say("console", "strategy.wait", locale, reason=reason, days=one.wait.days))
    if one.leave is not None:
        reason = reason_name(one.leave.reason, locale)
        parts.append(say("console", "strategy.leave", locale, reason=reason))
    return " + ".join(parts)


def _floor(policy: Policy | None) -> str:
    currency = present().lender.currency
    return "" if policy is None else f"{major(policy.floor_minor, currency)} {currency}"


def _experiments(policy: Policy | None) -> list[Mapping[str, object]]:
    """Return the experiments that a policy declares, with their arms and shares."""
    return [
        {
            "of": one,
            "arms": [
                {"name": arm.name, "share": _percent(arm.basis_points),
                 "control": arm.name == one.control, "ended": arm.name in one.ended}
                for arm in one.arms
            ],
            "detect": one.detect_basis_points and _percent(one.detect_basis_points),
        }
        for one in (policy.experiments if policy is not None else ())
    ]  # fmt: skip


def _held_out(policy: Policy | None) -> str:
    return "" if policy is None or policy.holdout is None else _percent(policy.holdout.basis_points)


def _percent(basis_points: int) -> str:
    """Return a share as a percentage.

    >>> _percent(5000), _percent(250)
    ('50 %', '2.5 %')
    """
    return f"{(Decimal(basis_points) / 100).normalize():f} %"


def _cells(step: Step, locale: str) -> Iterator[str]:
    one = step.treatment
    yield from (one.id, str(step.line), str(one.from_day))
    yield say("console", f"yes_no.{'yes' if one.within_grace else 'no'}", locale)
    yield one.condition.text
    yield step.what
    yield " > ".join(say("console", f"channel.{name}", locale) for name in step.channels)
    yield say("console", f"tone.{one.send.tone}", locale) if one.send else ""
    yield "" if one.every_days is None else str(one.every_days)
