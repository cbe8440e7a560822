"""One borrower as a book: dates, payments, contacts and signals that give the features asked for.

`family.buildable` says which borrowers come out exactly; the plan that is made of the book is
compared with what the solver chose, so a mistake here is found and never printed as true.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TypeAlias
from zoneinfo import ZoneInfo

from duly.policy import Policy
from duly.proofs import family
from duly.proofs.search import OTHER, Value, Values

Row: TypeAlias = dict[str, str]
Tables: TypeAlias = Mapping[str, list[Row]]
#: Arms are drawn by the borrower's id: so many ids are tried for the arms asked for.
IDS_MAX = 20_000
_PHONE, _MAIL = "+861380000", "example.com"


@dataclass(frozen=True, kw_only=True)
class Moment:
    """Where and when the book is: its business date in the lender's time zone."""

    instant: datetime
    zone: ZoneInfo
    lender_name: str
    jurisdiction: str

    @property
    def today(self) -> date:
        """The business date."""
        return self.instant.astimezone(self.zone).date()

    def day(self, ago: int) -> str:
        """Return the date so many days before the business date."""
        return (self.today - timedelta(days=ago)).isoformat()

    def at(self, ago: int, hour: int = 9, minute: int = 0) -> str:
        """Return an instant so many days before the business date."""
        moment = datetime.combine(
            self.today - timedelta(days=ago), time(hour, minute), tzinfo=self.zone
        )
        return moment.isoformat()


@dataclass(frozen=True, kw_only=True)
class Built:
    """A book of one borrower; `loan_id` is the loan that was asked about."""

    loan_id: str
    borrower_id: str
    values: Values
    tables: Tables


@dataclass
class _Draft:
    moment: Moment
    values: Values
    policy: Policy
    number: int
    borrower_id: str
    tables: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def loan_id(self) -> str:
        return f"L{self.number}"

    def number_of(self, name: str) -> int:
        value = self.values.features[name]
        return int(value) if value is not None else 0

    def known(self, name: str) -> int | None:
        value = self.values.features[name]
        return None if value is None else int(value)

    def truth(self, name: str) -> bool:
        return self.values.features[name] is True

    def add(self, table: str, **cells: str) -> None:
        self.tables.setdefault(table, []).append(cells)


def build(policy: Policy, values: Values, moment: Moment, *, number: int) -> Built | None:
    """Return the book of a borrower; None where no id draws the arms asked for."""
    borrower_id = _borrower_id(policy, values, number)
    if borrower_id is None:
        return None
    draft = _Draft(
        moment=moment, values=values, policy=policy, number=number, borrower_id=borrower_id
    )
    _person(draft)
    _schedule(draft)
    _contacts(draft)
    _signals(draft)
    return Built(
        loan_id=draft.loan_id, borrower_id=borrower_id, values=values, tables=draft.tables
    )


def _borrower_id(policy: Policy, values: Values, number: int) -> str | None:
    wanted = {
        one: arm for one in policy.experiments if (arm := values.features.get(one.field)) is not None
    }
    for attempt in range(IDS_MAX):
        name = f"B{number}" if attempt == 0 else f"B{number}-{attempt}"
        if all(one.arm_at(_draw(name, one.salt)) == arm for one, arm in wanted.items()):
            return name
    return None


def _draw(borrower_id: str, salt: str) -> int:
    text = f"{borrower_id}\x1f{salt}".encode()
    return int(hashlib.md5(text, usedforsecurity=False).hexdigest()[:8], 16) % 10_000


def _major(minor: int) -> str:
    return str(Decimal(minor).scaleb(-2).quantize(Decimal("0.01")))


def _text(draft: _Draft, name: str, usual: str) -> str:
    """Return a text feature; one that no condition names is the usual one, or some other."""
    value = draft.values.features[name]
    return usual if value is None else (f"{OTHER}-{name}" if value == OTHER else str(value))


def _person(draft: _Draft) -> None:
    person: Row = {
        "borrower_id": draft.borrower_id,
        "name": "示例借款人",
        "locale": _text(draft, "locale", "zh-CN"),
        "time_zone": str(draft.moment.zone),
        "region": _text(draft, "region", ""),
        "preferred_channel": _text(draft, "preferred_channel", ""),
    }
    income = draft.known("monthly_income")
    person["monthly_income"] = "" if income is None else _major(income)
    draft.add("borrowers", **person)
    number = f"{_PHONE}{draft.number:04d}"
    points = {
        "sms": number if draft.truth("has_sms") else "",
        "email": f"b{draft.number}@{_MAIL}" if draft.truth("has_email") else "",
        "voice": number if draft.truth("has_voice") and not draft.truth("has_sms") else "",
    }
    for channel, address in points.items():
        if address:
            draft.add(
                "contact_points", borrower_id=draft.borrower_id, channel=channel, address=address,
                verified_on=draft.moment.day(800),
            )  # fmt: skip
    if draft.truth("asked_for_reminders"):
        draft.add(
            "consents", borrower_id=draft.borrower_id, purpose="servicing",
            granted_at=draft.moment.at(800), detail=json.dumps({"reminders": True}),
        )  # fmt: skip


# --- The schedule ------------------------------------------------------------------------------


def _schedule(draft: _Draft) -> None:
    rows: list[tuple[int, int, Row]] = []  # (days ago of the due date, order, cells)
    part = _payments_before(draft, rows)
    _overdue(draft, rows, part)
    _future(draft, rows)
    rows.sort(key=lambda row: (-row[0], row[1]))
    for number, (ago, _, cells) in enumerate(rows, start=1):
        draft.add(
            "installments",
            **{"loan_id": draft.loan_id, "number": str(number), "due_on": draft.moment.day(ago),
               "interest": "0", "fee": "0"} | cells,
        )  # fmt: skip
    whole = sum((Decimal(cells["principal"]) for _, _, cells in rows), Decimal(0))
    _loan(draft, draft.loan_id, str(whole))
    for extra in range(1, draft.number_of("loans_of_borrower")):
        name = f"{draft.loan_id}-{extra}"
        _loan(draft, name, "100.00")
        draft.add(
            "installments", loan_id=name, number="1", due_on=draft.moment.day(-300),
            principal="100.00", interest="0", fee="0",
        )  # fmt: skip


def _loan(draft: _Draft, loan_id: str, principal: str) -> None:
    draft.add(
        "loans", loan_id=loan_id, borrower_id=draft.borrower_id, principal=principal,
        disbursed_on=draft.moment.day(8_000), late_rate_daily="0", grace_days="0",
        product=_text(draft, "product", "installment"),
        creditor=_text(draft, "creditor", draft.moment.lender_name),
        currency=_text(draft, "currency", "CNY"),
        jurisdiction=_text(draft, "jurisdiction", draft.moment.jurisdiction), status="active",
    )  # fmt: skip


def _pay(draft: _Draft, ago: int, minor: int, reversed_ago: int | None = None) -> None:
    place = len(draft.tables.get("payments", [])) + 1
    draft.add(
        "payments", payment_id=f"{draft.loan_id}-p{place}", loan_id=draft.loan_id,
        paid_on=draft.moment.day(ago), amount=_major(minor), kind="payment",
        reversed_on="" if reversed_ago is None else draft.moment.day(reversed_ago),
    )  # fmt: skip


def _payments_before(draft: _Draft, rows: list[tuple[int, int, Row]]) -> int:
    """Add what was paid before today; return the part that went to the oldest overdue one."""
    past, most = draft.number_of("days_past_due"), draft.number_of("days_past_due_max_12m")
    since, rest = draft.known("days_since_paid"), draft.number_of("paid_total")
    overdue = draft.number_of("installments_overdue") if past <= family.RECENT_DAYS else 0
    before = draft.number_of("late_count_12m") - overdue
    counted = 1 if draft.number_of("days_delinquent") >= 1 and overdue else 0
    after = min(before, draft.number_of("late_count_12m_after_grace") - counted)
    if since is None:
        return 0
    settled = since if since >= past else past + family.APART_DAYS
    for place in range(before):
        longest = most if most > past or past == 0 else 1
        days = longest if place == 0 else 1
        last = place == 0 and since >= past
        worth = rest - family.PAST_MINOR * (before - 1) if last else family.PAST_MINOR
        cells = {"principal": _major(worth)}
        if place >= after:
            cells["grace_until"] = draft.moment.day(settled)
        rows.append((settled + days, -1, cells))
        _pay(draft, settled, worth)
        settled += days + family.APART_DAYS
    if since < past:
        part = rest - family.PAST_MINOR * before
        _pay(draft, since, part)
        return part
    if before == 0:
        rows.append((since, -1, {"principal": _major(rest)}))
        _pay(draft, since, rest)
    return 0


def _overdue(draft: _Draft, rows: list[tuple[int, int, Row]], part: int) -> None:
    past, counted = draft.number_of("days_past_due"), draft.number_of("days_delinquent")
    count = draft.number_of("installments_overdue")
    if past == 0:
        return
    plan = draft.known("days_since_plan_broken")
    paused = family.PLAN_DAYS if plan is not None and plan + family.PLAN_DAYS < past else 0
    principal = draft.number_of("overdue_principal")
    share = max(1, principal // count)
    apart = 30 if past > 30 * (count - 1) else 1
    in_window = past <= family.RECENT_DAYS
    before = draft.number_of("late_count_12m") - (count if in_window else 0)
    own = 1 if counted >= 1 and in_window else 0
    others = max(0, draft.number_of("late_count_12m_after_grace") - own - before)
    for place in range(count):
        ago = past - place * apart
        first = place == 0
        cells = {"principal": _major(principal - share * (count - 1) if first else share)}
        if first:
            cells["interest"] = _major(draft.number_of("overdue_interest"))
            cells["fee"] = _major(draft.number_of("overdue_fee") + part)  # Fees are paid first.
            grace = counted + paused if counted >= 1 else 0
            cells["grace_until"] = draft.moment.day(grace if counted >= 1 else -1)
        elif place > others:
            cells["grace_until"] = draft.moment.day(-1)
        rows.append((ago, place, cells))


def _future(draft: _Draft, rows: list[tuple[int, int, Row]]) -> None:
    due, ahead = draft.number_of("next_due_amount"), draft.known("days_to_due")
    rest = draft.number_of("outstanding_total") - draft.number_of("overdue_total") - due
    if ahead is not None:
        rows.append((-ahead, 90, {"principal": _major(due)}))
        if rest > 0:
            rows.append((-ahead - 30, 91, {"principal": _major(rest)}))
    if not rows:  # A loan has a schedule, even one that is paid.
        rows.append((900, 0, {"principal": "0.01"}))
        _pay(draft, 900, 1)


# --- What was said -----------------------------------------------------------------------------


def _contacts(draft: _Draft) -> None:
    values, since = draft.values, draft.number_of("days_since_arrears")
    sends = {one.id for one in draft.policy.treatments if one.send is not None}
    known = {name: ago for name, ago in values.steps.items() if ago is not None}
    texts = [(ago, name) for name, ago in known.items() if name in sends]
    calls = [(ago, name) for name, ago in known.items() if name not in sends]
    text, contact = draft.known("days_since_text"), draft.known("days_since_contact")
    if text is not None and all(ago != text for ago, _ in texts):
        texts.append((text, ""))
    texts += [(since, "")] * (draft.number_of("texts_since_arrears") - len(texts))
    wanted = draft.number_of("calls_since_arrears")
    if contact is not None and contact != text and wanted > len(calls):
        if all(ago != contact for ago, _ in calls):
            calls.append((contact, ""))
    calls += [(since, "")] * (wanted - len(calls))
    last = min((ago for ago, _ in texts), default=None)
    for place, (ago, name) in enumerate(sorted(texts, reverse=True)):
        lost = draft.truth("undelivered_last") and ago == last and place == len(texts) - 1
        _contact(draft, ago, "sms", step=name, outcome="undelivered" if lost else "delivered")
    for place, (ago, name) in enumerate(sorted(calls, reverse=True)):
        reached = place == 0 and draft.truth("answered_since_arrears")
        _contact(draft, ago, "voice", step=name, outcome="connected" if reached else "unanswered")
    said = [ago for ago, _ in texts + calls]
    if contact is not None and contact not in said:
        _contact(draft, contact, "sms", kind="answer")
    if draft.truth("replied_since_arrears"):
        _contact(draft, since, "sms", direction="in", outcome="replied")


def _contact(
    draft: _Draft,
    ago: int,
    channel: str,
    *,
    step: str = "",
    outcome: str = "delivered",
    kind: str = "dunning",
    direction: str = "out",
) -> None:
    place = len(draft.tables.get("contacts", [])) + 1
    draft.add(
        "contacts", contact_id=f"{draft.borrower_id}-c{place:02d}", borrower_id=draft.borrower_id,
        channel=channel, at=draft.moment.at(ago, 8, place), direction=direction, outcome=outcome,
        step=step, by="lender", **{"class": kind},
    )  # fmt: skip


# --- What happened -----------------------------------------------------------------------------


def _signals(draft: _Draft) -> None:
    moment, since = draft.moment, draft.number_of("days_since_arrears")
    broken = draft.known("days_since_promise_broken")
    for _ in range(draft.number_of("promises_broken_since_arrears")):
        assert broken is not None, "a count of broken promises has a day"
        start = min(since, broken + 4)
        detail = {"amount": "99999.00", "on": moment.day(broken + 1)}
        signal(draft.tables, moment, draft.borrower_id, "promise", start, detail=detail)
    plan = draft.known("days_since_plan_broken")
    if plan is not None:
        name = signal(
            draft.tables, moment, draft.borrower_id, "plan", plan + family.PLAN_DAYS,
            loan_id=draft.loan_id,
        )  # fmt: skip
        draft.add(
            "agreed", signal_id=name, number="1", due_on=moment.day(plan + family.PLAN_DAYS),
            amount="99999.00",
        )  # fmt: skip
    changed = draft.known("days_since_contact_changed")
    if changed is not None:
        signal(draft.tables, moment, draft.borrower_id, "contact_changed", changed)
    ended = draft.known("days_since_hardship_ended")
    if ended is not None:
        signal(
            draft.tables, moment, draft.borrower_id, "hardship", ended + 10, until=ended,
            loan_id=draft.loan_id,
        )  # fmt: skip
    report = draft.known("days_to_bureau_report")
    if report is not None:
        detail = {"report_on": moment.day(-report)}
        signal(
            draft.tables, moment, draft.borrower_id, "bureau_reporting", 1, detail=detail,
            loan_id=draft.loan_id,
        )  # fmt: skip
    if draft.truth("security_signal"):
        detail = {"kind": "account_security"}
        signal(draft.tables, moment, draft.borrower_id, "abnormal_transaction", 0, detail=detail)
    returned = draft.known("days_since_returned_payment")
    if returned is not None:
        _pay(draft, returned + 1, 1, reversed_ago=returned)
    cause: Value = draft.values.features["debit_failed_cause"]
    if cause is not None:
        draft.add(
            "debits", debit_id=f"{draft.loan_id}-d1", loan_id=draft.loan_id, at=moment.at(0, 6),
            amount="1.00", status="failed", cause=str(cause),
        )  # fmt: skip


def signal(
    tables: dict[str, list[Row]],
    moment: Moment,
    borrower_id: str,
    kind: str,
    ago: int,
    *,
    until: int | None = None,
    detail: Mapping[str, str] | None = None,
    loan_id: str = "",
) -> str:
    """Add a signal that began so many days ago; return its id."""
    rows = tables.setdefault("signals", [])
    name = f"{borrower_id}-s{len(rows) + 1}"
    rows.append(
        {
            "signal_id": name,
            "borrower_id": borrower_id,
            "loan_id": loan_id,
            "kind": kind,
            "starts_at": moment.at(ago, 0),
            "ends_at": "" if until is None else moment.at(until, 0),
            "detail": json.dumps(dict(detail)) if detail else "",
        }
    )
    return name
