"""One borrower as a book: dates, payments, contacts and signals that give the features asked for.

`family.buildable` says which borrowers come out exactly; the plan that is made of the book is
compared with what the solver chose, so a mistake here is found and never printed as true.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from duly.policy import Policy, draw
from duly.proofs import family
from duly.proofs.draft import Draft, Moment, Row, Tables, major, signal, text
from duly.proofs.schedule import pay, schedule
from duly.proofs.search import Value, Values

#: Arms are drawn by the borrower's id: so many ids are tried for the arms asked for.
IDS_MAX = 20_000
_PHONE, _MAIL = "+861380000", "example.com"


@dataclass(frozen=True, kw_only=True)
class Built:
    """A book of one borrower; `loan_id` is the loan that was asked about."""

    loan_id: str
    borrower_id: str
    values: Values
    tables: Tables


def build(policy: Policy, values: Values, moment: Moment, *, number: int) -> Built | None:
    """Return the book of a borrower; None where no id draws the arms asked for."""
    borrower_id = _borrower_id(policy, values, number)
    if borrower_id is None:
        return None
    draft = Draft(
        moment=moment, values=values, policy=policy, number=number, borrower_id=borrower_id
    )
    _person(draft)
    schedule(draft)
    _contacts(draft)
    _signals(draft)
    return Built(loan_id=draft.loan_id, borrower_id=borrower_id, values=values, tables=draft.tables)


def _borrower_id(policy: Policy, values: Values, number: int) -> str | None:
    wanted = {
        one: arm
        for one in policy.experiments
        if (arm := values.features.get(one.field)) is not None
    }
    for attempt in range(IDS_MAX):
        name = f"B{number}" if attempt == 0 else f"B{number}-{attempt}"
        # Nobody of whom something is shown is held out: to a holdout less is said, never more.
        if policy.holdout is not None and policy.holdout.holds(name):
            continue
        if all(one.arm_at(draw(name, one.salt)) == arm for one, arm in wanted.items()):
            return name
    return None


def _person(draft: Draft) -> None:
    person: Row = {
        "borrower_id": draft.borrower_id,
        "name": "示例借款人",
        "locale": text(draft, "locale", "zh-CN"),
        "time_zone": str(draft.moment.zone),
        "region": text(draft, "region", ""),
        "preferred_channel": text(draft, "preferred_channel", ""),
    }
    income = draft.known("monthly_income")
    person["monthly_income"] = "" if income is None else major(income)
    draft.add("borrowers", **person)
    number = f"{_PHONE}{draft.number:04d}"
    points = {
        "sms": number if draft.truth("has_sms") else "",
        "email": f"b{draft.number}@{_MAIL}" if draft.truth("has_email") else "",
        "voice": number if draft.truth("has_voice") and not draft.truth("has_sms") else "",
    }
    for channel, address in points.items():
        if address:
            is_new = channel == "email" and draft.truth("email_in_doubt")
            ago = draft.number_of("days_since_contact_changed")
            draft.add(
                "contact_points", borrower_id=draft.borrower_id, channel=channel, address=address,
                verified_on=draft.moment.day(800),
                changed_on=draft.moment.day(ago) if is_new else "",
            )  # fmt: skip
    if draft.truth("asked_for_reminders"):
        draft.add(
            "consents", borrower_id=draft.borrower_id, purpose="servicing",
            granted_at=draft.moment.at(800), detail=json.dumps({"reminders": True}),
        )  # fmt: skip


# --- What was said -----------------------------------------------------------------------------


def _contacts(draft: Draft) -> None:
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
    is_call = contact is not None and contact != text and wanted > len(calls)
    if is_call and contact is not None and all(ago != contact for ago, _ in calls):
        calls.append((contact, ""))
    calls += [(since, "")] * (wanted - len(calls))
    last = min((ago for ago, _ in texts), default=None)
    early_lost = draft.number_of("undelivered_count") >= 1
    for place, (ago, name) in enumerate(sorted(texts, reverse=True)):
        is_last = ago == last and place == len(texts) - 1
        lost = is_last if draft.truth("undelivered_last") else early_lost and place == 0
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
    draft: Draft,
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


def _signals(draft: Draft) -> None:
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
    by_address = draft.truth("email_in_doubt") and draft.truth("has_email")
    if changed is not None and not by_address:
        signal(draft.tables, moment, draft.borrower_id, "contact_changed", changed)
    for channel in ("sms", "email", "voice"):
        if draft.truth(f"has_{channel}") and not draft.truth(f"can_{channel}"):
            detail = {"channel": channel}
            signal(draft.tables, moment, draft.borrower_id, "opt_out", 30, detail=detail)
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
        pay(draft, returned + 1, 1, reversed_ago=returned)
    cause: Value = draft.values.features["debit_failed_cause"]
    if cause is not None:
        draft.add(
            "debits", debit_id=f"{draft.loan_id}-d1", loan_id=draft.loan_id, at=moment.at(0, 6),
            amount="1.00", status="failed", cause=str(cause),
        )  # fmt: skip
