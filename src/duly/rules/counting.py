"""How many contacts were there? The limits of a cap, and when the next contact is free again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
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
        )
        for rule in rules
        if isinstance(rule.primitive, Cap) and not set(group).isdisjoint(rule.primitive.channels)
        for limit in rule.primitive.limits
    )


def limit_name(limit: CapCount) -> str:
    """Return the short name of a limit's window: `day`, or `168h`."""
    return "day" if limit.hours is None else f"{limit.hours}h"


def counted(
    cap: Cap, contacts: Sequence[Mapping[str, object]], address: object, at: int
) -> list[int]:
    """Return the instants, in order, of the contacts up to `at` that a cap counts.

    Empty class means dunning, empty direction out. A contact whose address is not known counts
    for every address: a dial that cannot be placed must not vanish.
    """
    found = []
    for contact in contacts:
        instant = contact.get("at")
        assert isinstance(instant, datetime), "a contact has its instant"
        epoch = zones.to_epoch(instant)
        if (
            epoch <= at
            and contact.get("direction", "out") == "out"
            and contact.get("channel") in cap.channels
            and contact.get("class", "dunning") in cap.classes
            and (cap.outcomes is None or contact.get("outcome") in cap.outcomes)
            and (cap.per == "borrower" or contact.get("address") in (None, "", address))
        ):
            found.append(epoch)
    return sorted(found)


def free_at(cap: Cap, times: Sequence[int], at: int, zone: str) -> int:
    """Return the first second, at or after `at`, at which none of the cap's limits holds.

    Counted are the given instants only; `zone` is the borrower's, for caps of the local day.
    """
    free = at
    if cap.min_gap_hours is not None and times:
        free = max(free, times[-1] + cap.min_gap_hours * zones.HOUR)
    for limit in cap.limits:
        if limit.hours is None:
            day = zones.local_date(zone if cap.zone == "local" else cap.zone, at)
            start, end = zones.day_bounds(zone if cap.zone == "local" else cap.zone, day)
            if sum(start <= time < end for time in times) >= limit.count:
                free = max(free, end)
            continue
        length = limit.hours * zones.HOUR
        recent = [time for time in times if time > at - length]
        if len(recent) >= limit.count:
            free = max(free, recent[len(recent) - limit.count] + length)
    return free
