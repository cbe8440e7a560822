"""What is a rule? One legal or decency requirement as a value, and what it may answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeAlias

from duly.conditions import Condition

Force: TypeAlias = Literal["law", "regulator", "standard", "self_regulation", "policy"]
Effect: TypeAlias = Literal["block", "require", "delay", "allow"]
#: What a case expects: an effect, or silence (the rule is not in force on that date).
Outcome: TypeAlias = Literal["block", "require", "delay", "allow", "silent"]
Confidence: TypeAlias = Literal["seen_primary", "seen_secondary", "memory", "policy"]

#: Strongest first: the order in which the rules that spoke are listed.
FORCES: tuple[Force, ...] = ("law", "regulator", "standard", "self_regulation", "policy")
EFFECTS: tuple[Effect, ...] = ("block", "require", "delay", "allow")
CONFIDENCES: tuple[Confidence, ...] = ("seen_primary", "seen_secondary", "memory", "policy")
CLASSES = ("dunning", "statutory", "receipt", "answer", "correction")
TEXT_CHANNELS = ("sms", "email", "push", "im")
VOICE_CHANNELS = ("voice",)
CHANNELS = TEXT_CHANNELS + VOICE_CHANNELS
OUTCOMES = (
    "sent", "delivered", "undelivered", "connected", "unanswered", "replied", "unknown",
)  # fmt: skip
MINUTES_A_DAY = 1440

Ranges: TypeAlias = tuple[tuple[int, int], ...]  #: minutes of the local day, half-open


@dataclass(frozen=True, kw_only=True)
class Window:
    """Hours in which contact may leave; for a quiet window, all but the borrower's own."""

    ranges: Ranges
    zone: str  #: an IANA name, or `local`: the borrower's own
    channels: tuple[str, ...]
    regions: tuple[str, ...] = ()  #: speaks only for these; empty: everywhere
    unless: Condition | None = None  #: allows at any hour where TRUE, asked at the door only
    quiet: bool = False


@dataclass(frozen=True, kw_only=True)
class CapCount:
    """At most `count` contacts in a calendar day (`hours` None) or in the last `hours`."""

    count: int
    hours: int | None


@dataclass(frozen=True, kw_only=True)
class Cap:
    """How many contacts one person, or one address, may get."""

    classes: tuple[str, ...]  #: which contacts count, and which are held to the count
    channels: tuple[str, ...]
    per: Literal["borrower", "address"]
    outcomes: tuple[str, ...] | None  #: only these count; None: every attempt
    limits: tuple[CapCount, ...]
    zone: str
    min_gap_hours: int | None = None


@dataclass(frozen=True, kw_only=True)
class Check:
    """One condition of a bar with the reason code that it gives."""

    reason: str
    condition: Condition


@dataclass(frozen=True, kw_only=True)
class Bar:
    """No contact while any of the checks is TRUE."""

    checks: tuple[Check, ...]
    condition: Condition  #: the checks joined by `or`
    classes: tuple[str, ...]
    channels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Require:
    """No contact unless the condition is TRUE."""

    check: Check
    classes: tuple[str, ...]
    channels: tuple[str, ...]


Primitive: TypeAlias = Window | Cap | Bar | Require


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a rule comes from and how well that was checked."""

    text: str
    clause: str
    confidence: tuple[Confidence, ...]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One executable example: what is given over a neutral contact, and what must follow."""

    line: int
    given: Mapping[str, object]
    effect: Outcome
    until: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One requirement; `in_force_to` is exclusive, None means still in force."""

    id: str
    pack: str
    name: str  #: safe as a column name
    force: Force
    source: Source
    in_force_from: date
    in_force_to: date | None
    says: Mapping[str, str]
    requires: tuple[str, ...]
    primitive: Primitive
    cases: tuple[Case, ...]
    line: int

    @property
    def effect(self) -> Effect:
        """Return what the rule answers when it does not allow."""
        if isinstance(self.primitive, Window | Cap):
            return "delay"
        return "require" if isinstance(self.primitive, Require) else "block"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one rule answers about one contact; `reason` is empty where it allows."""

    rule_id: str
    effect: Effect
    until: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class CapLimit:
    """One countable limit of a cap, as the plan counts it.

    Counted: contacts with direction `out` of `channels` and `classes`, with one of `outcomes`
    (None: any), of this borrower, or (`per` address) to this address or to none that is known.
    Speaks when the count is at least `count`, or when the last of them is younger than
    `min_gap_hours`. `window` is `calendar_day` in `zone`, or a number of hours h: at > now - h.
    """

    rule_id: str
    name: str
    classes: tuple[str, ...]
    channels: tuple[str, ...]
    direction: Literal["out"] = "out"
    outcomes: tuple[str, ...] | None
    per: Literal["borrower", "address"]
    count: int
    window: Literal["calendar_day"] | int
    zone: str
    min_gap_hours: int | None


def legal_key(rule: Rule, effect: Effect) -> tuple[int, int, str]:
    """Return the sort key of a verdict: force, effect, id (contract, section 3)."""
    return (FORCES.index(rule.force), EFFECTS.index(effect), rule.id)
