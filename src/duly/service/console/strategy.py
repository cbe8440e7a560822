"""The policy in use: its text, what check and proof say of it, its ladder, its experiments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from django.http import HttpRequest, HttpResponse

from duly.core.money import major
from duly.core.words import say
from duly.policy import Policy, Treatment, is_withheld
from duly.service.api.serving import present
from duly.service.console.files import spreadsheet
from duly.service.console.pages import page, problem
from duly.service.console.policy_reading import (
    Read,
    Used,
    lines_of,
    next_used,
    question_of,
    read_of,
    shown,
)
from duly.service.console.proofs import Proof, proof_of
from duly.service.console.reasons import reason_name
from duly.service.console.signing_in import allowed, who_of
from duly.service.console.today import asked
from duly.service.faces.looks import look_of
from duly.service.operations.recording import record

_NOWHERE = 404
_USED = """
SELECT r.business_date, r.summary->'policy'->>'name' AS name,
    r.summary->'policy'->>'version' AS version, r.summary->'versions'->>'policy' AS sha256, s.text
FROM store_run AS r LEFT JOIN store_source AS s
    ON s.kind = 'policy' AND s.sha256 = r.summary->'versions'->>'policy'
WHERE r.kind = 'plan' AND r.state <> 'superseded' ORDER BY r.business_date DESC LIMIT 1
"""
_COLUMNS = ("step", "line", "from_day", "grace", "if", "what", "channels", "tone", "every")


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


@allowed("strategy.see", "GET")
def strategy(request: HttpRequest) -> HttpResponse:
    """Show the policy that decided the latest plan; before the first, that of the lender file."""
    following, recorded = next_used(), _recorded()
    used = _of(recorded, following)
    locale = look_of(request).locale
    read = read_of(used)
    proof = _proved(used, read)
    return page(
        request, "strategy", open="strategy", used=used, recorded=recorded, following=following,
        changed=_is_another(recorded, following),
        policy=read.policy, refused=used is not None and bool(read.wrong), proof=proof,
        found=shown(proof, read, locale), lines=lines_of(used, proof, read),
        steps=_steps(read, locale), floor=_floor(read.policy),
        experiments=_experiments(read.policy), held_out=_held_out(read.policy),
    )  # fmt: skip


@allowed("strategy.see", "GET")
def export(request: HttpRequest) -> HttpResponse:
    """Give the ladder as a file; who took it is recorded."""
    locale = look_of(request).locale
    read = read_of(_of(_recorded(), next_used()))
    steps = _steps(read, locale)
    if not steps:
        return problem(request, "nowhere", status=_NOWHERE)
    record("staff.exported", [(who_of(request).name, {"list": "strategy", "rows": len(steps)})])
    head = [say("console", f"strategy_column.{one}", locale) for one in _COLUMNS]
    return spreadsheet("strategy", head, (list(_cells(one, locale)) for one in steps))


def _is_another(recorded: Used | None, following: Used | None) -> bool:
    """Return whether the next plan takes another policy than the latest did."""
    return recorded is not None and following is not None and following.sha256 != recorded.sha256


def _of(recorded: Used | None, following: Used | None) -> Used | None:
    """Return the policy that the page is about; its text may be that of the same file."""
    if recorded is None:
        return following
    if recorded.text is None and following is not None and following.sha256 == recorded.sha256:
        return replace(recorded, text=following.text)
    return recorded


def _recorded() -> Used | None:
    """Return the policy of the latest plan, as its run and the kept sources say; None before it."""
    row = next(iter(asked(_USED, {})), None)
    if row is None or row["sha256"] is None:
        return None
    return Used(name=row["name"] or "", version=row["version"] or "", sha256=row["sha256"],
                text=row["text"], file=f"{row['name']}.yaml", on=row["business_date"])  # fmt: skip


def _proved(used: Used | None, read: Read) -> Proof | None:
    if used is None or read.policy is None:
        return None
    return proof_of(question_of(used), read.policy)


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
