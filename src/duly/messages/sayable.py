"""Whether the facts carry what a template says: figures that add up, dates that are there."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from duly.book.lender import Lender
from duly.core.money import CURRENCIES
from duly.messages.catalog import Template
from duly.messages.facts import CannotSay
from duly.messages.rows import Columns

#: A check returns the places of the rows that fail it.
Check = Callable[[Columns], list[int]]

_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_PARTS = ("overdue_principal", "overdue_interest", "overdue_fee", "late_charge")
_AMOUNTS = ("overdue_total", *_PARTS, "next_due_amount")
_LATE = frozenset({"late", "offer", "credit_notice"})
_NEXT = frozenset({"before_due", "due_day"})


def check_facts(template: Template, columns: Columns, lender: Lender) -> None:
    """Raise CannotSay for the first row whose facts do not carry the template."""
    failed: dict[int, list[str]] = {}
    for problem, check in _checks(template.stage, lender):
        for place in check(columns):
            failed.setdefault(place, []).append(problem)
    if failed:
        place = min(failed)
        raise CannotSay(columns["message_id"][place], template.name, *failed[place])


def _checks(stage: str, lender: Lender) -> list[tuple[str, Check]]:
    checks = [*_ALWAYS.items()]
    if stage in _LATE:
        checks += _WHEN_LATE.items()
    if stage in _NEXT:
        checks += _WHEN_NEXT.items()
    if stage == "refused":
        checks += _WHEN_REFUSED.items()
    if stage == "receipt":
        checks += _WHEN_PAID.items()
    if stage == "credit_notice":
        checks.append(("report_on is not after as_of", _report_behind))
        if not lender.bureau_reports:
            checks.append(("the lender does not report to the bureau", lambda _: [0]))
    return checks


def _not(name: str, good: Callable[[Any], bool]) -> Check:
    """Return the check that finds the places of a column whose value is not good."""

    def places(columns: Columns) -> list[int]:
        column = columns[name]
        wrong = {value for value in set(column) if not good(value)}
        if not wrong:
            return []
        return [place for place, value in enumerate(column) if value in wrong]

    return places


def _report_behind(columns: Columns) -> list[int]:
    pairs = zip(columns["report_on"], columns["as_of"], strict=True)
    return [place for place, (day, as_of) in enumerate(pairs) if day is None or day <= as_of]


def _off_sum(columns: Columns) -> list[int]:
    rows = zip(*(columns[name] for name in ("overdue_total", *_PARTS)), strict=True)
    return [
        place
        for place, (total, principal, interest, fee, charge) in enumerate(rows)
        if total != principal + interest + fee + charge
    ]


def _neither(columns: Columns) -> list[int]:
    names = ("overdue_total", "overdue_since", "days_past_due", "next_due_amount", "next_due_on")
    rows = zip(*(columns[name] for name in names), strict=True)
    return [
        place
        for place, (total, since, days, amount, due) in enumerate(rows)
        if not (since is not None and days > 0 if total > 0 else amount > 0 and due is not None)
    ]


def _negative(columns: Columns) -> list[int]:
    if all(min(columns[name], default=0) >= 0 for name in _AMOUNTS):
        return []
    rows = zip(*(columns[name] for name in _AMOUNTS), strict=True)
    return [place for place, row in enumerate(rows) if min(row) < 0]


def _positive(value: int | None) -> bool:
    return value is not None and value > 0


def _there(value: object) -> bool:
    return value is not None


def _is_time(value: str) -> bool:
    return _TIME.fullmatch(value) is not None


_ALWAYS: Mapping[str, Check] = {
    "no loan": _not("loan_ids", bool),
    "unknown currency": _not("currency", CURRENCIES.__contains__),
    "negative amount": _negative,
    "as_of_time is not HH:MM": _not("as_of_time", _is_time),
}
_WHEN_LATE: Mapping[str, Check] = {
    "nothing overdue": _not("overdue_total", _positive),
    "not a day late": _not("days_past_due", _positive),
    "no overdue_since": _not("overdue_since", _there),
    "the parts do not add up to overdue_total": _off_sum,
}
_WHEN_NEXT: Mapping[str, Check] = {
    "no amount next due": _not("next_due_amount", _positive),
    "no next_due_on": _not("next_due_on", _there),
}
_WHEN_REFUSED: Mapping[str, Check] = {
    "neither late nor due": _neither,
    "the parts do not add up to overdue_total": _off_sum,
}
_WHEN_PAID: Mapping[str, Check] = {
    "no paid_amount": _not("paid_amount", _positive),
    "no paid_on": _not("paid_on", _there),
}
