"""What is a rule? One legal or decency requirement as a value, and what it may answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeAlias

from duly.conditions import Condition

Force: TypeAlias = Literal["law", "regulator", "standard", "self_regulation", "vendor", "policy"]
Effect: TypeAlias = Literal["block", "require", "delay", "allow"]
#: What a case expects: an effect, or silence (the rule is not in force on that date).
Outcome: TypeAlias = Literal["block", "require", "delay", "allow", "silent"]
Confidence: TypeAlias = Literal["seen_primary", "seen_secondary", "memory", "policy"]

#: Strongest first: the order in which the rules that spoke are listed.
FORCES: tuple[Force, ...] = (
    "law", "regulator", "standard", "self_regulation", "vendor", "policy",
)  # fmt: skip
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

#: What a rule decides about. A plan asks `contact` only; the others are asked where their facts
#: are: a contact at its release, a text, a talk, a borrower's request, an agreement, a demand for
#: money, a report to a bureau, a record, a decision about a person, the giving of data.
ABOUTS = (
    "contact", "release", "text", "talk", "request", "agreement", "demand", "report", "record",
    "decision", "data",
)  # fmt: skip
#: Reasons of rules that no plan gives: too late, too early, a text or a part that is wrong.
CASE_REASONS = ("late", "early", "text", "parts")

Ranges: TypeAlias = tuple[tuple[int, int], ...]  #: minutes of the local day, half-open


@dataclass(frozen=True, kw_only=True)
class Window:
    """Hours in which contact may leave; for a quiet window, all but the borrower's own."""

    ranges: Ranges  #: of every day, or of Monday to Friday where `saturday` is given
    zone: str  #: an IANA name, or `local`: the borrower's own, each of several
    channels: tuple[str, ...]
    regions: tuple[str, ...] = ()  #: speaks only for these; empty: everywhere
    unless: Condition | None = None  #: allows at any hour where TRUE, asked at the door only
    quiet: bool = False
    saturday: Ranges | None = None  #: hours of Saturday; then Sunday is closed
    holidays: Ranges | None = None  #: hours of public holidays, empty: closed; None: no others
    regional: bool = True  #: holidays of a part of the country count, of any where it is not known
    spring_festival: bool = True  #: open on the first three days of the Spring Festival
    unknown_zones: tuple[str, ...] = ()  #: all must hold where no zone of the borrower is known
    agreed_days: int | None = None  #: hours agreed with the borrower at most so long ago are open
    when: Condition | None = None  #: speaks only where TRUE; a plan takes it as always TRUE


@dataclass(frozen=True, kw_only=True)
class CapCount:
    """At most `count` contacts in `days` calendar dates, or in the last `hours` or `minutes`."""

    count: int
    hours: int | None
    days: int = 1  #: today and the dates before it; only where neither hours nor minutes are given
    minutes: int | None = None

    @property
    def seconds(self) -> int | None:
        """Return the length of a rolling window, None for one of calendar dates."""
        if self.minutes is not None:
            return self.minutes * 60
        return None if self.hours is None else self.hours * 3600


@dataclass(frozen=True, kw_only=True)
class Cap:
    """How many contacts one person, or one address, may get."""

    classes: tuple[str, ...]  #: which contacts count, and which are held to the count
    channels: tuple[str, ...]
    per: Literal["borrower", "address", "loan"]
    outcomes: tuple[str, ...] | None  #: only these count; None: every attempt
    limits: tuple[CapCount, ...]
    zone: str
    min_gap_hours: int | None = None
    directions: tuple[str, ...] = ("out",)
    templates: tuple[str, ...] = ()  #: only contacts with these texts count and are held
    excused: bool = False  #: leaves out what `excuse` of a contact excuses (see EXCUSES)


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


@dataclass(frozen=True, kw_only=True)
class Words:
    """Some phrases, any of which meets the demand or the ban (see `duly.rules.phrases`)."""

    phrases: tuple[str, ...]
    when: Condition | None = None  #: asked only where TRUE
    add: Mapping[str, str] | None = None  #: by locale, a sentence that meets a demand
    with_amount: bool = False  #: demanded only of a text that names an amount of money


@dataclass(frozen=True, kw_only=True)
class Text:
    """What a text must say, must not say, may only say, and how it begins and ends."""

    must: tuple[Words, ...]
    never: tuple[Words, ...]
    only: tuple[str, ...]  #: each sentence must be one of these; empty: any sentence
    signed: bool  #: begins with 【a registered signature】 and has no other such bracket
    named: bool  #: its first words name the lender, and the agency where one speaks
    link: Literal["any", "own", "none"]  #: none; or only to the lender's own hosts
    length_max: int | None
    amounts: bool  #: every amount of money in it is one of the ledger's
    when: Condition | None
    classes: tuple[str, ...]
    channels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Which parts (blocks of a letter, fields of a message or an export) must or may be there."""

    must: tuple[str, ...]
    only: tuple[str, ...]  #: no other part; empty: any
    never: tuple[str, ...]
    when: Condition | None


@dataclass(frozen=True, kw_only=True)
class Span:
    """A length of time by the calendar, such as 5 working days and then 30 days."""

    years: int = 0
    months: int = 0
    working_days: int = 0
    days: int = 0


@dataclass(frozen=True, kw_only=True)
class Term:
    """How long after one day another may, or must, come; the first day is not counted."""

    since: tuple[str, ...]  #: facts of kind date, the latest counts; all empty: the rule allows
    until: str  #: a fact of kind date; empty: not done yet, today is asked
    at_most: Span | None
    at_least: Span | None
    extended: Span | None  #: in place of `at_most` where `told` lies within `at_most`
    told: str | None
    calendar: str  #: the country whose rest days are no working days (ISO 3166)
    rolls: bool  #: an end on a rest day moves to the next working day
    when: Condition | None


Primitive: TypeAlias = Window | Cap | Bar | Require | Text | Parts | Term


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
    of: str = ""  #: which entry of the rulebook it makes executable, and which side: `X-1 pass`
    beside: tuple[str, ...] = ()  #: rules of any pack that are asked together with this one


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One requirement; `in_force_to` is exclusive, None means still in force.

    Versions of one rule share its id; their times in force do not overlap.
    """

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
    file: str = ""  #: where the rule stands, for whoever has to mend it
    about: str = "contact"
    binds: Literal["everyone", "collector"] = "everyone"  #: collector: not a lender of its own debt

    @property
    def effect(self) -> Effect:
        """Return what the rule answers when it does not allow."""
        if isinstance(self.primitive, Window | Cap):
            return "delay"
        return "require" if isinstance(self.primitive, Require) else "block"

    def force_for(self, *, first_party: bool) -> Force:
        """Return the force for a lender of its own debt, or for a collector of another's."""
        return "policy" if first_party and self.binds == "collector" else self.force


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one rule answers about one contact; `reason` is empty where it allows."""

    rule_id: str
    effect: Effect
    until: datetime | None = None
    reason: str = ""
    words: str = ""  #: what a text or its parts have too much, or lack


@dataclass(frozen=True, kw_only=True)
class CapLimit:
    """One countable limit of a cap, as the plan counts it.

    Counted: contacts with one of `directions`, of `channels` and `classes`, with one of
    `outcomes` (None: any), of this borrower, or (`per` address) to this address or to none that
    is known; (`per` loan) about this loan or about none that is known. Speaks when the count is
    at least `count`, or when the last of them is younger than `min_gap_hours`. `window` is
    `calendar_day` in `zone` (with `days` > 1 also the dates before it), or a number of hours h:
    at > now - h.
    """

    rule_id: str
    name: str
    classes: tuple[str, ...]
    channels: tuple[str, ...]
    direction: Literal["out"] = "out"
    outcomes: tuple[str, ...] | None
    per: Literal["borrower", "address", "loan"]
    count: int
    window: Literal["calendar_day"] | int
    zone: str
    min_gap_hours: int | None
    days: int = 1
    directions: tuple[str, ...] = ("out",)


def legal_key(rule: Rule, effect: Effect) -> tuple[int, int, str]:
    """Return the sort key of a verdict: force, effect, id (contract, section 3)."""
    return (FORCES.index(rule.force), EFFECTS.index(effect), rule.id)
