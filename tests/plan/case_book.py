"""Cases that a lawyer can read, turned into one book per file and one plan per book.

A case is one borrower. `late: 10` is a loan of six monthly installments of 500.00, of which the
fourth fell due ten days ago and the three before it were paid on their days (`paid_late` says how
many days after; `weekly` says the same of a loan by the week); `late: -2` falls due in two days.
Dates are `-3d`, instants `-3d 10:00`, both counted from the business date in the lender's zone;
everything else is a column of the book.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML

Row = dict[str, Any]
CASES = Path(__file__).parent / "cases"
EXAMPLE_LENDER = Path(__file__).parents[2] / "src/duly/book/lender.example.yaml"

_DAY = re.compile(r"([+-]?\d+)d(?: (\d\d:\d\d(?::\d\d)?))?")
_CHILDREN = ("signals", "contacts", "payments", "debits", "consents", "stated", "agreed")
_LOAN_KEYS = frozenset({"late", "amount", "paid_late", "installments", "left", "stated", "name"})


@dataclass(frozen=True, kw_only=True)
class Group:
    """The cases of one file: one lender, one instant, one book."""

    name: str
    instant: datetime
    today: date
    zone: ZoneInfo
    lender: Mapping[str, Any]
    book: Mapping[str, Any] | None
    policy: str | None
    cases: tuple[Mapping[str, Any], ...]
    alerts: tuple[str, ...] | None
    tables: dict[str, list[Row]] = field(default_factory=dict)


def read_groups() -> Iterator[Group]:
    """Give the groups of every file: each document of a file is one group."""
    for path in sorted(CASES.glob("*.yaml")):
        documents = list(YAML(typ="safe").load_all(path))
        for number, document in enumerate(documents, start=1):
            suffix = f"-{number}" if len(documents) > 1 else ""
            yield group(f"{path.stem}{suffix}", document)


def group(name: str, document: Mapping[str, Any]) -> Group:
    """Return a group with the tables of its book."""
    changes = document.get("lender", {})
    lender = _merged(YAML(typ="safe").load(EXAMPLE_LENDER), changes)
    zone = ZoneInfo(lender["time_zone"])
    instant = datetime.fromisoformat(document["at"])
    made = Group(
        name=name,
        instant=instant,
        today=instant.astimezone(zone).date(),
        zone=zone,
        lender=lender,
        book=document.get("book", {"contract": 1, "cut_at": "0d 00:00"}),
        policy=document.get("policy"),
        cases=tuple(document["cases"]),
        alerts=None if "alerts" not in document else tuple(document["alerts"]),
    )
    for number, case in enumerate(made.cases, start=1):
        _add_case(made, f"B{number}", case)
    return made


def _merged(base: Any, changes: Any) -> Any:
    if isinstance(base, dict) and isinstance(changes, dict):
        return base | {key: _merged(base.get(key), value) for key, value in changes.items()}
    return changes


def dated(made: Group, value: Any) -> Any:
    """Return `-3d` as a date and `-3d 10:00` as an instant; anything else as it is."""
    if isinstance(value, str) and (found := _DAY.fullmatch(value)):
        day = made.today + timedelta(days=int(found[1]))
        if not found[2]:
            return day.isoformat()
        return datetime.combine(day, time.fromisoformat(found[2]), tzinfo=made.zone).isoformat()
    if isinstance(value, dict):
        return {key: dated(made, item) for key, item in value.items()}
    return value


def loan_id(borrower_id: str, name: str) -> str:
    return f"{borrower_id}-{name}"


def _add_case(made: Group, borrower: str, case: Mapping[str, Any]) -> None:
    tables = made.tables
    loans = case.get("loans") or {"a": case.get("loan", {})}
    person = {"borrower_id": borrower, **dated(made, case.get("borrower", {}))}
    tables.setdefault("borrowers", []).append(person)
    points = case.get("points", [{"channel": "sms"}])
    for n, point in enumerate(points):
        row = {"borrower_id": borrower, "address": f"+86138{borrower[1:]:0>6}{n:02d}"}
        tables.setdefault("contact_points", []).append(row | dated(made, point))
    for name, terms in loans.items():
        _add_loan(made, borrower, loan_id(borrower, name), {**case, **terms})
    for table in _CHILDREN:
        for n, given in enumerate(case.get(table, []), start=1):
            _add_child(made, borrower, table, n, dict(given), next(iter(loans)))


def _add_loan(made: Group, borrower: str, name: str, terms: Mapping[str, Any]) -> None:
    amount = terms.get("amount", "500.00")
    late = int(terms.get("late", 10))
    weekly = terms.get("weekly")
    every = 30 if weekly is None else 7
    paid_late = terms.get("paid_late", [0, 0, 0]) if weekly is None else weekly
    count = len(paid_late) + 1 + int(terms.get("left", 2))
    own = {key: value for key, value in terms.get("terms", {}).items() if key not in _LOAN_KEYS}
    loan = {"loan_id": name, "borrower_id": borrower, "principal": _times(amount, count)}
    made.tables.setdefault("loans", []).append(
        loan | {"disbursed_on": "2024-01-01", "late_rate_daily": "0"} | dated(made, own)
    )
    first = made.today - timedelta(days=late) - timedelta(days=every * len(paid_late))
    for n in range(count):
        due = first + timedelta(days=every * n)
        row: Row = {"loan_id": name, "number": n + 1, "due_on": due.isoformat()}
        interest = terms.get("interest", "0") if n == len(paid_late) else "0"
        row |= {"principal": amount, "interest": interest, "fee": "0"}
        if terms.get("fixed_due"):
            row |= {"grace_until": dated(made, terms["fixed_due"])}
        made.tables.setdefault("installments", []).append(row)
        if n < len(paid_late):
            paid = {"payment_id": f"{name}-p{n + 1}", "loan_id": name, "amount": amount}
            paid["paid_on"] = (due + timedelta(days=paid_late[n])).isoformat()
            made.tables.setdefault("payments", []).append(paid)


def _times(amount: str, count: int) -> str:
    return str(Decimal(amount) * count)


def _add_child(made: Group, borrower: str, table: str, n: int, given: Row, first_loan: str) -> None:
    row = dated(made, given)
    named = row.pop("loan", None)
    if named is None and table in ("debits", "stated", "payments"):
        named = first_loan if "borrower_id" not in row else ""
    if named:
        row["loan_id"] = loan_id(borrower, named)
    elif table == "payments":
        row |= {"loan_id": "", "borrower_id": borrower}
    keys = {"signals": "signal_id", "contacts": "contact_id", "payments": "payment_id",
            "debits": "debit_id"}  # fmt: skip
    if table in keys:
        row.setdefault(keys[table], f"{borrower}-{table}-{n}")
    if table in ("signals", "contacts", "consents"):
        row["borrower_id"] = borrower
    if table == "agreed":
        row["signal_id"] = f"{borrower}-signals-{row.pop('of', 1)}"
    if isinstance(row.get("detail"), dict):
        row["detail"] = json.dumps(row["detail"])
    made.tables.setdefault(table, []).append(row)
