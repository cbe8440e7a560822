"""Facts that follow from what is given: counted from contacts, worked out from money and debts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from functools import lru_cache
from types import MappingProxyType

from duly.rules import zones
from duly.rules.terms import as_date

#: Working digits and steps of the search for a rate; the answer is exact to 0.00000001 a year.
_DIGITS, _STEPS = 40, 80
_E8 = Decimal(10) ** 8


def local_day(facts: Mapping[str, object]) -> date | None:
    """Return the date of the contact in the borrower's time zone, in UTC where none is known."""
    at, zone = facts.get("at"), facts.get("time_zone")
    if not isinstance(at, datetime):
        return None
    return day_at(at, zone if isinstance(zone, str) and zone in zones.names() else "UTC")


@lru_cache(maxsize=4096)
def day_at(at: datetime, zone: str) -> date:
    """Return the date of an instant in a zone; every rule asks for the same few."""
    return zones.local_date(zone, zones.to_epoch(at))


def failed_call_days(facts: Mapping[str, object]) -> int | None:
    """Return on how many dates calls failed since the borrower was last reached."""
    contacts, zone = facts.get("contacts"), facts.get("time_zone")
    if not isinstance(contacts, Sequence) or not isinstance(zone, str):
        return None
    days: set[date] = set()
    for row in sorted(contacts, key=lambda one: one["at"]):
        if row.get("direction", "out") == "in" or row.get("outcome") in ("connected", "replied"):
            days.clear()
        elif row.get("channel") == "voice" and row.get("outcome") in ("unanswered", "undelivered"):
            days.add(zones.local_date(zone, zones.to_epoch(row["at"])))
    return len(days)


def yearly_cost_e8(facts: Mapping[str, object]) -> int | None:
    """Return the yearly cost of equal monthly payments: the internal rate of a month x 12."""
    paid_out, monthly = facts.get("paid_out"), facts.get("monthly_payment")
    months = facts.get("plan_months")
    if not isinstance(paid_out, int) or not isinstance(monthly, int):
        return None
    if not isinstance(months, int) or min(paid_out, monthly, months) <= 0:
        return None
    with localcontext() as context:
        context.prec = _DIGITS
        low, high = Decimal(0), Decimal(1)
        for _ in range(_STEPS):
            middle = (low + high) / 2
            worth = monthly * (1 - (1 + middle) ** -months) / middle
            low, high = (middle, high) if worth > paid_out else (low, middle)
        return int((high * 12 * _E8).to_integral_value(ROUND_HALF_EVEN))


def charge_limit(facts: Mapping[str, object]) -> int | None:
    """Return 24 % a year of the overdue principal over the days late, in whole minor units."""
    principal, days = facts.get("principal_overdue"), facts.get("days_past_due")
    if not isinstance(principal, int) or not isinstance(days, int):
        return None
    return principal * 24 * days // 36_500


def debt_first(facts: Mapping[str, object]) -> str | None:
    """Return which debt a payment goes to: the one designated, else by Civil Code art 560.

    Due ones first, then the least secured, the heaviest, the earliest due.
    """
    chosen, debts = facts.get("debt_designated"), facts.get("debts")
    if isinstance(chosen, str) and chosen:
        return chosen
    if not isinstance(debts, Sequence) or not debts:
        return None
    today = local_day(facts) or date.max

    def order(row: Mapping[str, object]) -> tuple[object, ...]:
        due = date.fromisoformat(str(row["due_on"]))
        burden = row.get("burden", 0)
        return (due > today, row.get("secured") is True, -int(str(burden)), due)

    return str(min(debts, key=order)["id"])


_DERIVED: Mapping[str, Callable[[Mapping[str, object]], object]] = MappingProxyType(
    {
        "failed_call_days": failed_call_days,
        "yearly_cost_e8": yearly_cost_e8,
        "charge_limit": charge_limit,
        "debt_first": debt_first,
    }
)
#: A fact `days_since_x` follows from the date `x_on`.
_DAYS_SINCE = "days_since_"


def with_derived(facts: Mapping[str, object], names: frozenset[str]) -> Mapping[str, object]:
    """Return the facts of these names, with those that follow from others and are not given."""
    wanted = [name for name in names if facts.get(name) is None]
    found: dict[str, object] = {}
    for name in wanted:
        if name in _DERIVED:
            found[name] = _DERIVED[name](facts)
        elif name.startswith(_DAYS_SINCE):
            found[name] = _days_since(facts, name.removeprefix(_DAYS_SINCE) + "_on")
    return {name: facts.get(name) for name in names} | found if found else facts


def _days_since(facts: Mapping[str, object], name: str) -> int | None:
    """Return the days from a date among the facts to the date of the contact."""
    then, today = as_date(facts.get(name)), local_day(facts)
    return None if then is None or today is None else (today - then).days
