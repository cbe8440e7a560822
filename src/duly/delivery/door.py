"""The door: the rules asked once more about one message, with the facts of that second.

The plan asked the same rules by the same trees; what may have changed since is what was said to the
person meanwhile, what is reserved, what the person told us, and the hour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from duly.rules import Remembered, Rule, decide

Contacts = Sequence[Mapping[str, object]]

#: Which fact a signal makes true while it is open.
FACT_OF: Mapping[str, str] = MappingProxyType(
    {
        "dispute": "open_dispute",
        "complaint": "open_complaint",
        "fraud_claim": "open_fraud_claim",
        "promise": "open_promise",
        "plan": "open_plan",
        "hardship": "open_hardship",
        "payment_pending": "payment_pending",
        "deceased": "deceased",
        "incapacity": "incapacity",
        "bankruptcy": "bankruptcy",
        "legal_representation": "legal_representation",
        "cease_contact": "cease_contact",
        "opt_out": "opted_out",
        "identity_dispute": "identity_dispute",
        "moratorium": "moratorium",
        "disaster": "disaster",
        "statute_barred": "statute_barred",
    }
)
#: What binds the person, whatever loan it names (contract, section 3).
BINDS_PERSON = frozenset(
    {
        "deceased", "incapacity", "bankruptcy", "legal_representation", "cease_contact", "opt_out",
        "identity_dispute",
    }
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Told:
    """One signal that reached us after the plan was made; `channel` of an opt-out, else None."""

    kind: str
    loan_id: str | None
    starts_at: datetime
    ends_at: datetime | None
    channel: str | None = None


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """One message before the door: what the plan's rules were asked, and the person's own facts."""

    facts: Mapping[str, object]
    loan_ids: frozenset[str]
    channel: str
    address: str
    not_before: datetime
    not_after: datetime
    time_zone: str
    region: str | None
    quiet_from: int | None
    quiet_until: int | None


@dataclass(frozen=True, kw_only=True)
class Passage:
    """What the door answers: out with it, not before `until`, never again, or too late."""

    effect: Literal["allow", "delay", "block", "expire"]
    until: datetime | None = None
    rules: tuple[str, ...] = ()
    reason: str = ""


def ask_door(
    rules: Sequence[Rule] | Remembered,
    message: Waiting,
    *,
    at: datetime,
    contacts: Contacts,
    told: Sequence[Told],
) -> Passage:
    """Return whether a message may leave at an instant.

    `contacts` are the person's contacts and reservations before it. A delay past the message's last
    second is no delay: it expires.
    """
    if at > message.not_after:
        return Passage(effect="expire", reason="window")
    if at < message.not_before:
        return Passage(effect="delay", until=message.not_before)
    answer = decide(rules, facts_at(message, at=at, contacts=contacts, told=told))
    spoke = tuple(verdict.rule_id for verdict in answer.verdicts)
    reason = next((verdict.reason for verdict in answer.verdicts if verdict.reason), "")
    if answer.effect == "allow":
        return Passage(effect="allow")
    if answer.effect == "delay" and answer.until is not None:
        if answer.until > message.not_after:
            return Passage(effect="expire", rules=spoke, reason="cap_or_window")
        return Passage(effect="delay", until=answer.until, rules=spoke)
    return Passage(effect="block", rules=spoke, reason=reason or "rule")


def facts_at(
    message: Waiting, *, at: datetime, contacts: Contacts, told: Sequence[Told]
) -> dict[str, object]:
    """Return what the rules are asked: the plan's facts, and over them what is known now."""
    found = dict(message.facts)
    found |= {
        "at": at,
        "contacts": contacts,
        "address": message.address,
        "time_zone": message.time_zone,
        "region": message.region,
        "quiet_from": message.quiet_from,
        "quiet_until": message.quiet_until,
    }
    for one in told:
        if one.kind in FACT_OF and _open(one, message, at):
            found[FACT_OF[one.kind]] = True
    return found


def binds(one: Told, loan_ids: frozenset[str], channel: str) -> bool:
    """Return whether a signal is about these loans and this channel."""
    if one.kind not in FACT_OF or one.channel not in (None, channel):
        return False
    return one.kind in BINDS_PERSON or one.loan_id is None or one.loan_id in loan_ids


def _open(one: Told, message: Waiting, at: datetime) -> bool:
    return (
        binds(one, message.loan_ids, message.channel)
        and one.starts_at <= at
        and (one.ends_at is None or at < one.ends_at)
    )
