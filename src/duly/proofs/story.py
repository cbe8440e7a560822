"""A borrower of a refutation, told from the rows of a book: who, what happened, what follows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from duly.core.words import say
from duly.proofs.draft import Moment, Row
from duly.proofs.person import Built
from duly.proofs.prove import Case
from duly.proofs.rerun import Outcome

_AREA = "proofs"


def told(case: Case, moment: Moment, locale: str) -> list[str]:
    """Return the lines of a refutation's borrowers, and whether a plan does the same."""
    lines: list[str] = []
    if not case.people:
        return [say(_AREA, "story.nobody", locale)] if case.diagnostic.severity == "error" else []
    for place, (one, outcome) in enumerate(zip(case.people, case.outcomes, strict=True)):
        if len(case.people) > 1:
            key = "story.first" if place == 0 else "story.second"
            lines.append(say(_AREA, key, locale, borrower=one.borrower_id))
        lines += _one(one, outcome, moment, locale)
    key = "story.realized" if case.realized else "story.not_realized"
    return [*lines, say(_AREA, key, locale)]


def as_data(case: Case, moment: Moment, locale: str) -> list[Mapping[str, Any]]:
    """Return a refutation's borrowers for programs: features, book, decision, timeline."""
    return [
        {
            "borrower_id": one.borrower_id,
            "loan_id": one.loan_id,
            "business_date": moment.today.isoformat(),
            "features": dict(one.values.features),
            "book": dict(one.tables),
            "decision": dict(outcome.decision),
            "refused": outcome.refused,
            "timeline": _one(one, outcome, moment, locale),
        }
        for one, outcome in zip(case.people, case.outcomes, strict=True)
    ]


def _one(one: Built, outcome: Outcome, moment: Moment, locale: str) -> list[str]:
    features = one.values.features
    head = say(
        _AREA, "story.borrower", locale, borrower=one.borrower_id, loan=one.loan_id,
        past=features["days_past_due"], counted=features["days_delinquent"],
        overdue=_major(features["overdue_total"]), score=features["score"],
        band=features["score_band"], today=moment.today.isoformat(),
    )  # fmt: skip
    events = sorted(_events(one, locale), key=lambda event: event[0])
    today = moment.today
    lines = [_line(date.fromisoformat(at[:10]), today, what, locale) for at, what in events]
    past = [
        line for (at, _), line in zip(events, lines, strict=True) if at[:10] <= today.isoformat()
    ]
    ahead = lines[len(past) :]
    return [head, *past, _line(today, today, _decided(outcome, locale), locale), *ahead]


def _major(minor: object) -> str:
    return f"{int(str(minor)) // 100}.{int(str(minor)) % 100:02d}"


def _line(day: date, today: date, what: str, locale: str) -> str:
    days = (day - today).days
    key = "today" if days == 0 else "after" if days > 0 else "before"
    when = say(_AREA, f"story.{key}", locale, days=abs(days))
    return "  " + say(_AREA, "story.line", locale, when=when, date=day.isoformat(), what=what)


def _events(one: Built, locale: str) -> Iterator[tuple[str, str]]:
    """Give (instant or date as text, sentence) for each row of the book."""

    def words(key: str, **values: object) -> str:
        return say(_AREA, f"story.{key}", locale, **values)

    tables = one.tables
    for row in tables.get("installments", []):
        if row["loan_id"] != one.loan_id:
            continue
        parts = [Decimal(row.get(name) or "0") for name in ("principal", "interest", "fee")]
        amount, grace = f"{sum(parts, Decimal(0)):.2f}", row.get("grace_until")
        key = "due_grace" if grace and grace > row["due_on"] else "due"
        yield row["due_on"], words(key, amount=amount, grace=grace)
    for row in tables.get("payments", []):
        key = "payment_reversed" if row.get("reversed_on") else "payment"
        yield row["paid_on"], words(key, amount=row["amount"], reversed=row.get("reversed_on"))
    for row in tables.get("contacts", []):
        yield row["at"], _contact(row, locale)
    for row in tables.get("debits", []):
        yield row["at"], words("debit", cause=row["cause"])
    for row in tables.get("consents", []):
        yield row["granted_at"], words("consent")
    for row in tables.get("signals", []):
        yield row["starts_at"], _signal(row, locale)


def _contact(row: Row, locale: str) -> str:
    outcome = say(_AREA, f"outcome.{row['outcome']}", locale)
    if row["direction"] == "in":
        key = "reply"
    elif row["class"] == "answer":
        key = "answer"
    else:
        key = ("call" if row["channel"] == "voice" else "text") + ("_step" if row["step"] else "")
    return say(_AREA, f"story.{key}", locale, outcome=outcome, step=row["step"])


def _signal(row: Row, locale: str) -> str:
    detail = json.loads(row["detail"]) if row["detail"] else {}
    if row["kind"] == "promise":
        return say(_AREA, "story.promise", locale, on=detail.get("on", ""))
    if row["kind"] == "bureau_reporting":
        return say(_AREA, "story.report", locale, on=detail.get("report_on", ""))
    if row["kind"] == "opt_out":
        if "channel" not in detail:
            return say(_AREA, "story.opt_out_all", locale)
        return say(_AREA, "story.opt_out", locale, channel=detail["channel"])
    kind = say(_AREA, f"signal.{row['kind']}", locale)
    key = "signal_until" if row["ends_at"] else "signal"
    return say(_AREA, f"story.{key}", locale, kind=kind, until=row["ends_at"][:10])


def _decided(outcome: Outcome, locale: str) -> str:
    if outcome.refused:
        return say(_AREA, "story.plan_refused", locale, why=outcome.refused.split("\n")[0])
    decision = outcome.decision
    more = ""
    if decision.get("rule"):
        more += say(_AREA, "story.plan_rule", locale, rule=decision["rule"])
    if decision.get("tone"):
        more += say(_AREA, "story.plan_tone", locale, tone=decision["tone"])
    legal = decision.get("legal")
    if isinstance(legal, list) and legal:
        more += say(_AREA, "story.plan_legal", locale, legal=", ".join(legal))
    return say(
        _AREA, "story.plan", locale, decision=decision["decision"], reason=decision["reason"],
        more=more,
    )  # fmt: skip
