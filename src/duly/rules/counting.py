"""How many contacts were there? The limits of a cap, and when the next contact is free again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from duly.rules import zones
from duly.rules.model import (
    CHANNELS,
    TEXT_CHANNELS,
    VOICE_CHANNELS,
    Cap,
    CapCount,
    CapLimit,
    Rule,
)

#: Why a call does not count: agreed to in the week before, an answer to the person's own request,
#: not connected to the number that was dialled, or made to an attorney, a bureau or the creditor.
EXCUSES = ("consent", "response", "not_connected", "professional")
CONSENT_DAYS = 7


def cap_limits(
    rules: Iterable[Rule], channel_group: Literal["text", "voice", "all"]
) -> tuple[CapLimit, ...]:
    """Return every limit that holds contacts of a channel group, in the order of the rules."""
    group = {"text": TEXT_CHANNELS, "voice": VOICE_CHANNELS, "all": CHANNELS}[channel_group]
    return tuple(
        CapLimit(
            rule_id=rule.id,
            name=f"{rule.name}_{limit_name(limit)}",
            classes=rule.primitive.classes,
            channels=rule.primitive.channels,
            outcomes=rule.primitive.outcomes,
            per=rule.primitive.per,
            count=limit.count,
            window="calendar_day" if limit.hours is None else limit.hours,
            zone=rule.primitive.zone,
            min_gap_hours=rule.primitive.min_gap_hours,
            days=limit.days,
            directions=rule.primitive.directions,
        )
        for rule in rules
        if rule.about == "contact"
        and isinstance(rule.primitive, Cap)
        and not set(group).isdisjoint(rule.primitive.channels)
        for limit in rule.primitive.limits
    )


def limit_name(limit: CapCount) -> str:
    """Return the short name of a limit's window: `day`, `7d` or `168h`."""
    if limit.minutes is not None:
        return f"{limit.minutes}m"
    if limit.hours is not None:
        return f"{limit.hours}h"
    return "day" if limit.days == 1 else f"{limit.days}d"


def counted(
    cap: Cap, contacts: Sequence[Mapping[str, object]], facts: Mapping[str, object], at: int
) -> list[int]:
    """Return the instants, in order, of the contacts up to `at` that a cap counts.

    Empty class means dunning, empty direction out. A contact whose address or loan is not known
    counts for every one: a dial that cannot be placed must not vanish.
    """
    found = []
    for contact in contacts:
        instant = contact.get("at")
        assert isinstance(instant, datetime), "a contact has its instant"
        epoch = zones.to_epoch(instant)
        if (
            epoch <= at
            and contact.get("direction", "out") in cap.directions
            and contact.get("channel") in cap.channels
            and contact.get("class", "dunning") in cap.classes
            and (cap.outcomes is None or contact.get("outcome") in cap.outcomes)
            and (
                cap.per == "borrower"
                or _same(contact, facts, "address" if cap.per == "address" else "loan")
            )
            and (not cap.templates or contact.get("template") in cap.templates)
            and not (cap.excused and _excused(contact, epoch))
        ):
            found.append(epoch)
    return sorted(found)


def _same(contact: Mapping[str, object], facts: Mapping[str, object], name: str) -> bool:
    return contact.get(name) in (None, "", facts.get(name))


def _excused(contact: Mapping[str, object], epoch: int) -> bool:
    """Return whether the law leaves a call out of the count; a consent does so for seven days."""
    excuse = contact.get("excuse")
    if excuse != "consent":
        return excuse in EXCUSES
    given = contact.get("consent_at")
    return isinstance(given, datetime) and epoch < zones.to_epoch(given) + CONSENT_DAYS * zones.DAY


def free_at(cap: Cap, times: Sequence[int], at: int, zone: str) -> int:
    """Return the first second, at or after `at`, at which none of the cap's limits holds.

    Counted are the given instants only; `zone` is the borrower's, for caps of the local day.
    """
    free = at
    if cap.min_gap_hours is not None and times:
        free = max(free, times[-1] + cap.min_gap_hours * zones.HOUR)
    for limit in cap.limits:
        length = limit.seconds
        if length is None:
            free = max(
                free, _date_free(limit, times, at, zone if cap.zone == "local" else cap.zone)
            )
            continue
        recent = [time for time in times if time > at - length]
        if len(recent) >= limit.count:
            free = max(free, recent[len(recent) - limit.count] + length)
    return free


def _date_free(limit: CapCount, times: Sequence[int], at: int, zone: str) -> int:
    """Return when the calendar dates up to today, `limit.days` of them, hold fewer contacts."""
    today = zones.local_date(zone, at)
    start, _ = zones.day_bounds(zone, today - timedelta(days=limit.days - 1))
    _, end = zones.day_bounds(zone, today)
    recent = [time for time in times if start <= time < end]
    if len(recent) < limit.count:
        return at
    if limit.count == 0:
        return end
    leaves = zones.local_date(zone, recent[len(recent) - limit.count])
    return zones.day_bounds(zone, leaves + timedelta(days=limit.days))[0]
