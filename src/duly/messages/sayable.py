"""Whether the facts carry what a template says: figures that add up, dates that are there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from duly.book.lender import Lender
from duly.core.money import CURRENCIES
from duly.messages.catalog import Body, Template
from duly.messages.facts import CannotSay
from duly.messages.rows import Columns
from duly.messages.stages import STAGES
from duly.messages.variables import FACT_OF, GUARDS, OF_LENDER, TYPED, VARIABLES, is_typed

#: A check returns the places of the rows that fail it.
Check = Callable[[Columns], list[int]]

PLAN_PAYMENTS_MAX = 360
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_PARTS = ("overdue_principal", "overdue_interest", "overdue_fee", "late_charge")
_AMOUNTS = ("overdue_total", *_PARTS, "next_due_amount")


def check_facts(template: Template, body: Body, columns: Columns, lender: Lender) -> None:
    """Raise CannotSay for the first row whose facts do not carry the template."""
    failed: dict[int, list[str]] = {}
    for problem, check in (*_checks(template.stage, lender), *_own(template, body, lender)):
        for place in check(columns):
            failed.setdefault(place, []).append(problem)
    if failed:
        place = min(failed)
        raise CannotSay(columns["message_id"][place], template.name, *failed[place])


def check_there(template: Template, variables: Iterable[str], columns: Columns) -> None:
    """Raise CannotSay for the first row that names a fact which may be absent, and is."""
    for name in variables:
        if name in GUARDS and name not in OF_LENDER:
            missing = [at for at, value in enumerate(columns[name]) if value is None]
            if missing:
                message_id = columns["message_id"][missing[0]]
                raise CannotSay(message_id, template.name, f"no {name}")


def _checks(stage: str, lender: Lender) -> list[tuple[str, Check]]:
    checks = [*_ALWAYS.items()]
    needed = STAGES[stage].facts
    if "overdue_total" in needed:
        checks += _WHEN_LATE.items()
    if "next_due_amount" in needed:
        checks += _WHEN_NEXT.items()
    if stage == "refused":
        checks += _WHEN_REFUSED.items()
    if stage == "receipt":
        checks += _WHEN_PAID.items()
    if stage == "credit_notice":
        checks.append(("report_on is not after as_of", _behind("report_on")))
        if not lender.bureau_reports:
            checks.append(("the lender does not report to the bureau", lambda _: [0]))
    checks += [
        (f"{name} is not after as_of", _behind(name))
        for name in ("answer_by", "visit_on")
        if name in needed
    ]
    if "promise_on" in needed:
        checks.append(("promise_on is before as_of", _before("promise_on")))
    checks += _OF_STAGE.get(stage, ())
    return checks


def _own(template: Template, body: Body, lender: Lender) -> list[tuple[str, Check]]:
    """Return the checks that this very text asks for: its values, its days, its lender's words."""
    checks: list[tuple[str, Check]] = []
    needed = (*STAGES[template.stage].facts, *body.requires)
    for name in dict.fromkeys((*needed, *sorted(body.variables))):
        kind = VARIABLES.get(name)
        fact = FACT_OF.get(name, name)
        if kind in TYPED:
            checks.append((f"{name} is not a {kind}", _not(fact, partial(is_typed, kind))))
        elif kind == "agency":
            known = {one for agency in lender.agencies for one in (agency.name, agency.name_en)}
            checks.append((f"{name} is not on the lender's list", _not(fact, known.__contains__)))
        elif name in needed and not (name in _SAID_ABOVE and name in STAGES[template.stage].facts):
            checks.append((f"no {name}", _not(fact, _given)))
    if body.from_days is not None:
        least = body.from_days
        problem = f"not before {least} days past due"
        checks.append((problem, _not("days_past_due", lambda days: days >= least)))
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


def _behind(name: str) -> Check:
    """Return the check that finds the places where a day does not lie after as_of."""

    def places(columns: Columns) -> list[int]:
        pairs = zip(columns[name], columns["as_of"], strict=True)
        return [place for place, (day, as_of) in enumerate(pairs) if day is None or day <= as_of]

    return places


def _before(name: str) -> Check:
    """Return the check that finds the places where a day is absent or lies before as_of."""

    def places(columns: Columns) -> list[int]:
        pairs = zip(columns[name], columns["as_of"], strict=True)
        return [place for place, (day, as_of) in enumerate(pairs) if day is None or day < as_of]

    return places


def _future(columns: Columns) -> list[int]:
    pairs = zip(columns["filed_on"], columns["as_of"], strict=True)
    return [place for place, (day, as_of) in enumerate(pairs) if day is not None and day > as_of]


def _same_people(columns: Columns) -> list[int]:
    pairs = zip(columns["staff_one"], columns["staff_two"], strict=True)
    return [place for place, (one, other) in enumerate(pairs) if one == other]


def _off_plan(columns: Columns) -> list[int]:
    """Return the plans whose first payment or count does not fit their total."""
    names = ("plan_total", "plan_amount", "plan_count")
    rows = zip(*(columns[name] for name in names), strict=True)
    return [
        place
        for place, (total, first, count) in enumerate(rows)
        if not (total and first and count)
        or not 1 <= count <= PLAN_PAYMENTS_MAX
        or (first != total if count == 1 else not 0 < first < total)
    ]


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


def _given(value: object) -> bool:
    """Say whether a fact is there: a number may be zero only where zero is told apart from none."""
    return value is not None and value is not False


def _is_time(value: str) -> bool:
    return _TIME.fullmatch(value) is not None


def _is_sha256(value: str | None) -> bool:
    return value is not None and _SHA256.fullmatch(value) is not None


_ALWAYS: Mapping[str, Check] = {
    "no loan": _not("loan_ids", bool),
    "unknown currency": _not("currency", CURRENCIES.__contains__),
    "negative amount": _negative,
    "as_of_time is not HH:MM": _not("as_of_time", _is_time),
    "debit_time is not HH:MM": _not("debit_time", lambda time: time is None or _is_time(time)),
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
    "outstanding_principal is negative": _not(
        "outstanding_principal", lambda left: left is None or left >= 0
    ),
}
_OF_STAGE: Mapping[str, tuple[tuple[str, Check], ...]] = {
    "legal": (
        ("document_sha256 is no SHA-256", _not("document_sha256", _is_sha256)),
        ("filed_on lies after as_of", _future),
    ),
    "visit": (("the two staff are one person", _same_people),),
    "plan": (
        ("the plan does not add up", _off_plan),
        ("plan_cost is negative", _not("plan_cost", lambda cost: cost is None or cost >= 0)),
    ),
    "promise": (("no promise_amount", _not("promise_amount", _positive)),),
}
#: Facts that the checks above look at themselves.
_SAID_ABOVE = frozenset(
    [
        *("overdue_total", "days_past_due", "overdue_since", "next_due_amount", "next_due_on"),
        *("report_on", "paid_amount", "paid_on", "answer_by", "visit_on", "promise_on"),
        *("plan_total", "plan_count", "plan_amount", "promise_amount"),
    ]
)
