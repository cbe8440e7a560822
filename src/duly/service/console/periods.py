"""From one run to another: the two plans between which a portfolio is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest

from duly.service.api.serving import present
from duly.service.console.today import asked

#: The newest so many runs can be chosen, and so many month ends are compared.
_RUNS_MAX, _MONTHS_MAX = 400, 13
#: One run counts for a day; that of a missed day decided as of its day, too.
_RUNS = """
SELECT plan_sha256 AS run, business_date AS day FROM store_run
WHERE kind = 'plan' AND state <> 'superseded' ORDER BY business_date DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, kw_only=True)
class Dated:
    """One run and the business date that it is of."""

    run: str
    day: date


@dataclass(frozen=True, kw_only=True)
class Period:
    """Two runs, the earlier first; `then` None: there is only one, and nothing to compare."""

    then: Dated | None
    now: Dated

    @property
    def days(self) -> int:
        """Return how many days lie between the two."""
        return 0 if self.then is None else (self.now.day - self.then.day).days

    @property
    def given(self) -> dict[str, Any]:
        """Return what questions about the period are asked with.

        What happened counts from the day after the first run to the end of the day of the second,
        by the lender's own days.
        """
        local = ZoneInfo(present().lender.time_zone)
        first = self.now.day if self.then is None else self.then.day
        after, end = (
            datetime.combine(day + timedelta(days=1), time(), local)
            for day in (first, self.now.day)
        )
        return {
            "then": "" if self.then is None else self.then.run, "now": self.now.run,
            "then_on": first, "now_on": self.now.day, "after": after, "end": end,
            "zone": present().lender.time_zone,
        }  # fmt: skip


def runs() -> tuple[Dated, ...]:
    """Return the runs that can be chosen, the newest first."""
    return tuple(Dated(**row) for row in asked(_RUNS, {"limit": _RUNS_MAX}))


def month_ends(found: Sequence[Dated]) -> tuple[Dated, ...]:
    """Return the last run of each month that is over, the oldest first."""
    last: dict[tuple[int, int], Dated] = {}
    for one in found:
        last.setdefault((one.day.year, one.day.month), one)
    this = present().today
    over = [one for month, one in last.items() if month < (this.year, this.month)]
    return tuple(sorted(over, key=lambda one: one.day)[-_MONTHS_MAX:])


def months(found: Sequence[Dated]) -> tuple[Period, ...]:
    """Return each month of which both ends are there, the oldest first."""
    return tuple(
        Period(then=one, now=two)
        for one, two in pairwise(month_ends(found))
        if (one.day.year * 12 + one.day.month + 1) == two.day.year * 12 + two.day.month
    )


def chosen(request: HttpRequest, found: Sequence[Dated]) -> Period | None:
    """Return the period that an address names; else the last whole month, or the last two runs.

    None before the first run. A day without a run is as if it were not named.
    """
    if not found:
        return None
    by_day = {one.day.isoformat(): one for one in found}
    then, now = (by_day.get(request.GET.get(name, "")) for name in ("since", "until"))
    if now is not None:
        earlier = next((one for one in found if one.day < now.day), None)
        return Period(then=then if then and then.day < now.day else earlier, now=now)
    whole = months(found)
    if whole:
        return whole[-1]
    return Period(then=found[1] if len(found) > 1 else None, now=found[0])
