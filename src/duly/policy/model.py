"""A policy as values: what the lender wants, read once, never edited."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from duly.conditions import Condition
from duly.policy.experiments import (
    WITHHELD_TASKS,
    WITHHELD_TEMPLATES,
    Experiment,
    Holdout,
)

Tone: TypeAlias = Literal["gentle", "plain", "serious"]
Priority: TypeAlias = Literal["first", "normal", "last"]
TONES: tuple[Tone, ...] = ("gentle", "plain", "serious")
PRIORITIES: tuple[Priority, ...] = ("first", "normal", "last")
#: Templates that name an overdue amount as a demand; none of them may go out inside the grace.
DEMANDS = frozenset(
    [
        *("first_late", "overdue", "plan_offer", "credit_notice", "standard_notice", "itemized"),
        *("help_first", "servicer", "options", "pre_legal", "legal", "visit"),
    ]
)
_TONE_RANK = MappingProxyType({tone: rank for rank, tone in enumerate(TONES)})


def lower_tone(tone: Tone, ceiling: Tone) -> Tone:
    """Return the tone, or the ceiling where the tone is above it.

    >>> lower_tone("serious", "plain")
    'plain'
    """
    return min(tone, ceiling, key=lambda one: _TONE_RANK[one])


@dataclass(frozen=True, kw_only=True)
class Offset:
    """A day before which no overdue text goes out.

    With `after_grace`: `plus_days` after the first day past the grace, at the latest the day with
    `at_most_days` past due. Without: the day with `plus_days` past due. Never inside the grace.
    """

    after_grace: bool
    plus_days: int
    at_most_days: int | None = None

    def days_left(
        self, *, days_delinquent: int, days_past_due: int, in_grace: bool | None = None
    ) -> int:
        """Return in how many days it is reached if both counts grow by one a day; 0 = reached.

        Inside the grace it is a lower bound: the grace may last longer. Where a pause (moratorium,
        disaster, plan) and not the grace keeps `days_delinquent` at 0, `in_grace` is false; None
        tells neither, and 0 counts as grace.
        """
        if in_grace is None:
            in_grace = days_delinquent < 1
        wait = (
            1 + self.plus_days - days_delinquent
            if self.after_grace
            else self.plus_days - days_past_due
        )
        if self.at_most_days is not None:
            wait = min(wait, self.at_most_days - days_past_due)
        return max(wait, 1 if in_grace else 0)

    def reached(
        self, *, days_delinquent: int, days_past_due: int, in_grace: bool | None = None
    ) -> bool:
        """Return whether an overdue text may go out."""
        left = self.days_left(
            days_delinquent=days_delinquent, days_past_due=days_past_due, in_grace=in_grace
        )
        return left == 0

    def days_left_sql(self, prefix: str = "", in_grace: str = "") -> str:
        """Return `days_left` as SQL over days_delinquent and days_past_due."""
        delinquent, past_due = f"{prefix}days_delinquent", f"{prefix}days_past_due"
        wait = (
            f"{1 + self.plus_days} - {delinquent}"
            if self.after_grace
            else f"{self.plus_days} - {past_due}"
        )
        if self.at_most_days is not None:
            wait = f"least({wait}, {self.at_most_days} - {past_due})"
        return f"greatest({wait}, case when {in_grace or f'{delinquent} < 1'} then 1 else 0 end)"

    def reached_sql(self, prefix: str = "", in_grace: str = "") -> str:
        """Return `reached` as SQL over days_delinquent and days_past_due."""
        return f"({self.days_left_sql(prefix, in_grace)} = 0)"

    def __str__(self) -> str:
        if not self.after_grace:
            text = _days(self.plus_days)
        else:
            text = "after_grace" + (f" + {_days(self.plus_days)}" if self.plus_days else "")
        return text if self.at_most_days is None else f"{text}, at most {_days(self.at_most_days)}"


def _days(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"


@dataclass(frozen=True, kw_only=True)
class FirstContactCase:
    """The offset of the loans for which a condition holds."""

    condition: Condition
    offset: Offset


@dataclass(frozen=True, kw_only=True)
class FirstContact:
    """When the first overdue text may go out: the first case that holds, else the default."""

    default: Offset
    cases: tuple[FirstContactCase, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Send:
    """A message: its template, tone and the channels to try in order (`preferred` may lead)."""

    template: str
    tone: Tone
    channels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Task:
    """Work for a person: its kind, the script to follow, days until it lapses, its priority."""

    kind: str
    script: str
    expires_days: int
    priority: Priority


@dataclass(frozen=True, kw_only=True)
class Wait:
    """Nothing today, with a reason code; the loan is looked at again after `days`."""

    reason: str
    days: int


@dataclass(frozen=True, kw_only=True)
class Leave:
    """Nobody is contacted, with a reason code."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """One step: for whom, from which day, what, how often. The first match wins.

    `from_day` counts days since the due date (negative: before it). `every_days` None: once in one
    arrears. `within_grace`: it may act before the first contact of FirstContact.
    """

    id: str
    condition: Condition
    from_day: int
    send: Send | None = None
    task: Task | None = None
    wait: Wait | None = None
    leave: Leave | None = None
    every_days: int | None = None
    within_grace: bool = False

    @property
    def reason(self) -> str:
        """Return the reason code of the decision: the wait's or leave's, template, or script."""
        for quiet in (self.wait, self.leave):
            if quiet is not None:
                return quiet.reason
        if self.send is not None:
            return self.send.template
        assert self.task is not None
        return self.task.script or self.task.kind


def is_withheld(treatment: Treatment) -> bool:
    """Return whether a holdout goes without a step: a reminder or a call that asks for money.

    Notices, offers of relief, questions about an address, and all that helps go to everybody.
    """
    if treatment.send is None and treatment.task is None:
        return False
    reminds = treatment.send is None or treatment.send.template in WITHHELD_TEMPLATES
    return reminds and (treatment.task is None or treatment.task.kind in WITHHELD_TASKS)


@dataclass(frozen=True, kw_only=True)
class ToneCeiling:
    """The highest tone for the loans for which a condition holds; the lowest ceiling counts."""

    condition: Condition
    tone: Tone


@dataclass(frozen=True, kw_only=True)
class PolicyLimits:
    """The lender's own limits, tighter than the law."""

    texts_per_7_days: int
    cooldown_days: int  #: least days between any two texts to one borrower


@dataclass(frozen=True, kw_only=True)
class Response:
    """What an event leads to: a task, a hold, or both. `reply` is set where `on` is `reply`."""

    on: Literal["promise_broken", "plan_broken", "reply"]
    reply: str = ""
    task: Task | None = None
    hold: str | None = None


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One version of what a lender wants; `fingerprint` is the SHA-256 of the file's bytes."""

    name: str
    version: int
    applies_to: Condition | None
    floor_minor: int
    first_contact: FirstContact
    treatments: tuple[Treatment, ...]
    tone_ceilings: tuple[ToneCeiling, ...]
    limits: PolicyLimits
    responses: tuple[Response, ...]
    experiments: tuple[Experiment, ...]
    holdout: Holdout | None
    file: str
    fingerprint: str

    @property
    def is_experimental(self) -> bool:
        """Return whether a plan records what was drawn for each borrower."""
        return bool(self.experiments) or self.holdout is not None
