"""When a person may be called today: every rule asked for each half hour that is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from duly.book import Lender
from duly.service.operations.reserving import Asked, Reserved

SLOTS, SLOT_MINUTES = 48, 30
_WEEK = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One half hour of the borrower's own day."""

    begins: str  #: HH:MM where the borrower is
    state: str  #: past | open | shut
    now: bool


@dataclass(frozen=True, kw_only=True)
class Hours:
    """What the rules say of a call: now, through the day, and how much was said already."""

    now: Reserved
    slots: tuple[Slot, ...]
    day: int  #: contacts with the person today, by whichever channel
    week: int  #: in the seven days up to now
    calls_day: int
    calls_week: int
    zone: str

    @property
    def spans(self) -> tuple[tuple[str, str], ...]:
        """Return the open hours that are left, as beginning and end."""
        found: list[list[str]] = []
        for place, slot in enumerate(self.slots):
            if slot.state != "open":
                continue
            end = self.slots[place + 1].begins if place + 1 < len(self.slots) else "24:00"
            if found and found[-1][1] == slot.begins:
                found[-1][1] = end
            else:
                found.append([slot.begins, end])
        return tuple((one, other) for one, other in found)


def hours_of(asked: Asked, *, lender: Lender, at: datetime) -> Hours:
    """Return a person's hours of the day of an instant; what is over is not asked about."""
    zone = ZoneInfo(asked.time_zone or lender.time_zone)
    now = asked.answer(lender, at)
    local = at.astimezone(zone)
    midnight = datetime.combine(local.date(), time(), zone)
    contacts = [one for one in asked.contacts if one["direction"] == "out"]
    today = [one for one in contacts if _at(one) >= midnight]
    week = [one for one in contacts if _at(one) > at - _WEEK]
    return Hours(
        now=now, slots=tuple(_slots(asked, lender, at, midnight)), day=len(today), week=len(week),
        calls_day=sum(_is_call(one) for one in today),
        calls_week=sum(_is_call(one) for one in week),
        zone=zone.key,
    )  # fmt: skip


def _slots(asked: Asked, lender: Lender, at: datetime, midnight: datetime) -> list[Slot]:
    found = []
    for place in range(SLOTS):
        hour, minute = divmod(place * SLOT_MINUTES, 60)
        # By the wall clock: a day of a change of the clocks has its own half hours.
        begins = midnight.replace(hour=hour, minute=minute).astimezone(UTC)
        ends = begins + timedelta(minutes=SLOT_MINUTES)
        state = "past"
        if ends > at:
            answer = asked.answer(lender, max(begins, at))
            state = "open" if answer.effect == "allow" else "shut"
        found.append(
            Slot(begins=f"{hour:02}:{minute:02}", state=state, now=begins <= at < ends)
        )  # fmt: skip
    return found


def _at(contact: Mapping[str, Any]) -> datetime:
    found: datetime = contact["at"]
    return found


def _is_call(contact: Mapping[str, Any]) -> bool:
    return contact["channel"] in ("voice", "call")
