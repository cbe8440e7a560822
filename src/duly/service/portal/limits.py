"""How often and when we may write or call: the strictest of rules, lender and policy in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from duly import policy
from duly.book import Lender
from duly.core.errors import Refused
from duly.rules import Rule, lenders_rules, zones
from duly.rules.asking import in_force
from duly.rules.model import Cap, CapCount
from duly.rules.windows import meet, open_intervals, speaking
from duly.service import journal

_WEEK_DAYS, _WEEK_HOURS = 7, 168
_TEXT, _CALL = "sms", "voice"


@dataclass(frozen=True, kw_only=True)
class ContactLimits:
    """What holds of reminders to one person; None where nothing limits a count.

    Hours are of his own day, the widest of a week to come: (08:30, 21:00) is from, until.
    """

    texts_a_day: int
    texts_a_week: int
    text_hours: tuple[tuple[str, str], ...]
    reached_a_day: int | None  #: calls in which the person is reached
    call_hours: tuple[tuple[str, str], ...]


def limits_of(
    lender: Lender, *, zone: str, region: str | None, at: datetime, quiet_from: str = "",
    quiet_until: str = "",
) -> ContactLimits:  # fmt: skip
    """Return what limits reminders to a person at an instant; his quiet hours are HH:MM."""
    day = lender.day_of(at).isoformat()
    return _limits(
        lender.packs, lender.switched_off, _policys(lender.policy, day),
        lender.limits.texts_per_day, lender.limits.texts_per_7_days, zone, region, day,
        lender.time_zone, _minutes(quiet_from), _minutes(quiet_until),
    )  # fmt: skip


@lru_cache(maxsize=4)
def _policys(name: str, day: str) -> int | None:  # noqa: ARG001 It is read anew each day.
    """Return how many texts in 7 days the lender's policy wants at most.

    Of a policy with mistakes nothing is sent; the other limits are said all the same.
    """
    try:
        return policy.load(name).limits.texts_per_7_days
    except Refused as error:
        journal.broken("policy.unread", error)
        return None


@lru_cache(maxsize=64)
def _limits(
    packs: tuple[str, ...], switched_off: tuple[str, ...], of_policy: int | None, a_day: int,
    a_week: int, zone: str, region: str | None, day: str, lender_zone: str,
    quiet_from: int | None, quiet_until: int | None,
) -> ContactLimits:  # fmt: skip
    noon = datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=ZoneInfo(lender_zone))
    rules = tuple(
        rule for rule in lenders_rules(packs, switched_off)
        if rule.about == "contact"
        and in_force(rule, {"at": noon, "time_zone": zone, "region": region})
    )  # fmt: skip
    texts = [_count(rules, _TEXT, reached=False, week=week) for week in (False, True)]
    return ContactLimits(
        texts_a_day=min(one for one in (a_day, texts[0]) if one is not None),
        texts_a_week=min(one for one in (a_week, of_policy, texts[1]) if one is not None),
        text_hours=_hours(rules, _TEXT, zone, region, noon, (quiet_from, quiet_until)),
        reached_a_day=_count(rules, _CALL, reached=True, week=False),
        call_hours=_hours(rules, _CALL, zone, region, noon, (quiet_from, quiet_until)),
    )


def _count(rules: Sequence[Rule], channel: str, *, reached: bool, week: bool) -> int | None:
    """Return the least count of the caps on a channel, of a day or of a week."""
    counts = [
        limit.count
        for cap in (rule.primitive for rule in rules)
        if isinstance(cap, Cap) and channel in cap.channels and "dunning" in cap.classes
        and not cap.templates and cap.per != "loan"
        and (cap.outcomes == ("connected",) if reached else cap.outcomes is None)
        for limit in cap.limits
        if (_is_week(limit) if week else _is_day(limit))
    ]  # fmt: skip
    return min(counts, default=None)


def _is_day(limit: CapCount) -> bool:
    return limit.seconds is None and limit.days == 1


def _is_week(limit: CapCount) -> bool:
    if limit.seconds is None:
        return limit.days == _WEEK_DAYS
    return limit.hours == _WEEK_HOURS


def _hours(
    rules: Sequence[Rule], channel: str, zone: str, region: str | None, noon: datetime,
    quiet: tuple[int | None, int | None],
) -> tuple[tuple[str, str], ...]:  # fmt: skip
    """Return the lawful hours of the day of a week to come on which they are longest."""
    windows = [window for _, window in speaking(rules, channel, region)]
    best: tuple[int, tuple[tuple[str, str], ...]] = (0, ())
    first = noon.astimezone(ZoneInfo(zone)).date()
    for ahead in range(_WEEK_DAYS):
        low, high = zones.day_bounds(zone, first + timedelta(days=ahead))
        lawful = meet(
            ((low, high),),
            *(open_intervals(one, zone, *quiet, low, high, region=region) for one in windows),
        )
        length = sum(end - begin for begin, end in lawful)
        if length > best[0]:
            spans = tuple((_clock(begin, low), _clock(end, low)) for begin, end in lawful)
            best = (length, spans)
    return best[1]


def _minutes(clock: str) -> int | None:
    return int(clock[:2]) * 60 + int(clock[3:]) if clock else None


def _clock(second: int, midnight: int) -> str:
    """Return a second of a day of 24 hours as HH:MM."""
    minutes = (second - midnight) // 60
    return f"{minutes // 60:02}:{minutes % 60:02}"
