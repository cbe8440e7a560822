"""The calculators of the help pages: their fields, and what they say; nothing typed is kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from duly.care import planning
from duly.service.portal.forms import amount_of

_E6 = 10**6
_PERCENT = re.compile(r"([0-9]{1,3})(?:[.]([0-9]{1,6}))?%?")
_DAYS_MAX = 3_650
TYPED_MAX = 40
Given = Mapping[str, int | None]


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field: an amount, a rate in percent, or a number of months or days."""

    name: str
    kind: str = "amount"  #: amount | yearly | daily (rates in percent) | months | days
    needed: bool = True


@dataclass(frozen=True, kw_only=True)
class Said:
    """One sentence of a result: its entry of `calc_says`, its amounts and its numbers."""

    key: str
    amounts: Mapping[str, int] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Calculator:
    """Some fields and what is worked out of them; `None` stands for a field left empty."""

    fields: tuple[Field, ...]
    work: Callable[[Given], list[Said]]


def read(
    calculator: Calculator, typed: Mapping[str, str], currency: str
) -> tuple[Given, list[str]]:
    """Return the fields as numbers, and the names of those that cannot be."""
    given: dict[str, int | None] = {}
    wrong = []
    for one in calculator.fields:
        text = typed.get(one.name, "").strip()
        given[one.name] = None if not text else _number(one.kind, text, currency)
        if (text and given[one.name] is None) or (one.needed and not text):
            wrong.append(one.name)
    return given, wrong


def _number(kind: str, text: str, currency: str) -> int | None:
    if kind == "amount":
        return amount_of(text, currency)
    if kind in ("yearly", "daily"):
        found = _PERCENT.fullmatch(text.replace("％", "%"))
        if found is None:
            return None
        return int(found[1]) * _E6 + int((found[2] or "").ljust(6, "0"))
    most = planning.MONTHS_MAX if kind == "months" else _DAYS_MAX
    fits = text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= most
    return int(text) if fits else None


def _budget(given: Given) -> list[Said]:
    incomes = [given[one] or 0 for one in ("income", "other_income")]
    costs = [given[one.name] or 0 for one in BUDGET.fields
             if one.name not in ("income", "other_income")]  # fmt: skip
    found = planning.balance(incomes, costs)
    amounts = {"income": found.income, "outgoing": found.outgoing, "left": abs(found.left)}
    key = "left" if found.left > 0 else "even" if found.left == 0 else "short"
    return [Said(key="in_out", amounts=amounts), Said(key=key, amounts=amounts)]


def _savings(given: Given) -> list[Said]:
    goal, have = given["goal"] or 0, given["have"] or 0
    monthly, months = given["monthly"], given["months"]
    if goal <= have:
        return [Said(key="have_it")]
    said = []
    if monthly is not None:
        try:
            count = planning.months_to_save(goal, have, monthly)
            said.append(Said(key="months", amounts={"monthly": monthly}, counts={"months": count}))
        except planning.NeverDoneError:
            said.append(Said(key="never_saved"))
    if months is not None:
        least = planning.monthly_to_save(goal, have, months)
        said.append(Said(key="monthly", amounts={"monthly": least}, counts={"months": months}))
    return said or [Said(key="say_one")]


def _payoff(given: Given) -> list[Said]:
    owed, rate, monthly = given["owed"] or 0, given["rate"] or 0, given["monthly"] or 0
    try:
        found = planning.pay_off(owed, rate, monthly)
    except planning.NeverDoneError:
        return [Said(key="never_paid")]
    said = [Said(key="paid_off", counts={"months": found.months},
                 amounts={"interest": found.interest, "total": owed + found.interest,
                          "last": found.last})]  # fmt: skip
    extra = given["extra"]
    if extra:
        more = planning.pay_off(owed, rate, monthly + extra)
        said.append(Said(key="with_extra", counts={"months": more.months},
                         amounts={"extra": extra, "interest": more.interest,
                                  "saved": found.interest - more.interest}))  # fmt: skip
    return said


def _late(given: Given) -> list[Said]:
    base, rate = given["base"] or 0, given["rate"] or 0
    spans = dict.fromkeys((given["days"] or 1, 7, 30, 90))
    return [Said(key="late", counts={"days": days},
                 amounts={"charge": planning.late_charge(base, rate, days)})
            for days in sorted(spans)]  # fmt: skip


_COSTS = ("housing", "food", "utilities", "transport", "family", "health", "other_loans",
          "this_loan", "other_costs")  # fmt: skip
BUDGET = Calculator(
    fields=(Field(name="income"),
            *(Field(name=one, needed=False) for one in ("other_income", *_COSTS))),
    work=_budget,
)  # fmt: skip
CALCULATORS: Mapping[str, Calculator] = MappingProxyType({
    "budget": BUDGET,
    "savings": Calculator(
        fields=(Field(name="goal"), Field(name="have", needed=False),
                Field(name="monthly", needed=False),
                Field(name="months", kind="months", needed=False)),
        work=_savings,
    ),
    "payoff": Calculator(
        fields=(Field(name="owed"), Field(name="rate", kind="yearly"), Field(name="monthly"),
                Field(name="extra", needed=False)),
        work=_payoff,
    ),
    "late": Calculator(
        fields=(Field(name="base"), Field(name="rate", kind="daily"),
                Field(name="days", kind="days")),
        work=_late,
    ),
})  # fmt: skip
