"""Whether the facts carry what a template says: figures that add up, dates that are there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from duly.book.lender import Lender
from duly.core.money import CURRENCIES
from duly.messages.catalog import Template
from duly.messages.facts import CannotSay

Columns = Mapping[str, Sequence[Any]]
Row = Mapping[str, Any]

_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_PARTS = ("overdue_principal", "overdue_interest", "overdue_fee", "late_charge")
_AMOUNTS = ("overdue_total", *_PARTS, "next_due_amount")
_LATE = frozenset({"late", "offer", "credit_notice"})
_NEXT = frozenset({"before_due", "due_day"})


def check_facts(template: Template, columns: Columns, lender: Lender) -> None:
    """Raise CannotSay for the first row whose facts do not carry the template."""
    checks = [*_ALWAYS.items()]
    if template.stage in _LATE:
        checks += _WHEN_LATE.items()
    if template.stage in _NEXT:
        checks += _WHEN_NEXT.items()
    if template.stage == "refused":
        checks.append(("neither late nor due", _late_or_next))
    if template.stage == "receipt":
        checks += _WHEN_PAID.items()
    if template.stage == "credit_notice":
        checks.append(("report_on is not after as_of", _report_ahead))
        if not lender.bureau_reports:
            checks.append(("the lender does not report to the bureau", lambda _: [False]))
    failed: dict[int, list[str]] = {}
    for problem, check in checks:
        for place, held in enumerate(check(columns)):
            if not held:
                failed.setdefault(place, []).append(problem)
    if failed:
        place = min(failed)
        raise CannotSay(columns["message_id"][place], template.name, *failed[place])


def _report_ahead(columns: Columns) -> Iterable[bool]:
    pairs = zip(columns["report_on"], columns["as_of"], strict=True)
    return [day is not None and day > as_of for day, as_of in pairs]


def _adds_up(columns: Columns) -> Iterable[bool]:
    rows = zip(*(columns[name] for name in ("overdue_total", *_PARTS)), strict=True)
    return [total == p + i + f + charge for total, p, i, f, charge in rows]


def _positive(name: str) -> Callable[[Columns], Iterable[bool]]:
    return lambda columns: [value > 0 for value in columns[name]]


def _present(name: str) -> Callable[[Columns], Iterable[bool]]:
    return lambda columns: [value is not None for value in columns[name]]


def _late_or_next(columns: Columns) -> Iterable[bool]:
    names = ("overdue_total", "overdue_since", "next_due_amount", "next_due_on")
    rows = zip(*(columns[name] for name in names), strict=True)
    return [
        since is not None if total > 0 else amount > 0 and due is not None
        for total, since, amount, due in rows
    ]


def _no_negative(columns: Columns) -> Iterable[bool]:
    return [min(row) >= 0 for row in zip(*(columns[name] for name in _AMOUNTS), strict=True)]


_ALWAYS: Mapping[str, Callable[[Columns], Iterable[bool]]] = {
    "no loan": lambda columns: [bool(ids) for ids in columns["loan_ids"]],
    "unknown currency": lambda columns: [one in CURRENCIES for one in columns["currency"]],
    "negative amount": _no_negative,
    "as_of_time is not HH:MM": lambda columns: [
        len(one) == 5 and _TIME.fullmatch(one) is not None for one in columns["as_of_time"]
    ],
}
_WHEN_LATE: Mapping[str, Callable[[Columns], Iterable[bool]]] = {
    "nothing overdue": _positive("overdue_total"),
    "not a day late": _positive("days_past_due"),
    "no overdue_since": _present("overdue_since"),
    "the parts do not add up to overdue_total": _adds_up,
}
_WHEN_NEXT: Mapping[str, Callable[[Columns], Iterable[bool]]] = {
    "no amount next due": _positive("next_due_amount"),
    "no next_due_on": _present("next_due_on"),
}
_WHEN_PAID: Mapping[str, Callable[[Columns], Iterable[bool]]] = {
    "no paid_amount": lambda columns: [bool(one) and one > 0 for one in columns["paid_amount"]],
    "no paid_on": _present("paid_on"),
}
