"""The rows of the sample book that speak of people."""

from __future__ import annotations

import json
from datetime import date
from random import Random

from duly.simulate import contacting, tables
from duly.simulate.filed import File
from duly.simulate.people import Person
from duly.simulate.stories import Case
from duly.simulate.tables import Row, Tables, day, instant, yuan


def people(files: list[File], today: date, rng: Random) -> Tables:
    """Return borrowers, contact points, consents and relations, each person once."""
    found: Tables = {"borrowers": [], "contact_points": [], "consents": [], "relations": []}
    seen: set[str] = set()
    for file in files:
        who = file.person
        if who.borrower_id in seen:
            continue
        seen.add(who.borrower_id)
        found["borrowers"].append(who.row(rng))
        changed = _changed_on(file.case, today)
        since = file.loan.disbursed_on.isoformat()
        found["contact_points"].extend(who.contact_points(since, changed))
        found["consents"].extend(_consents(who, since, today))
        if who.seat % 250 == 20:
            other = f"B{who.seat:06}"
            found["relations"].append(
                {
                    "borrower_id": who.borrower_id,
                    "related_borrower_id": other,
                    "kind": ("guarantor", "shared_device")[who.seat // 250 % 2],
                }
            )
    return found


def _changed_on(case: Case, today: date) -> str:
    """Return when the contact points changed: with the signal, or after an account was attacked."""
    if case.story is None:
        return ""
    if case.story.kind == "contact_changed":
        return day(today, case.story.starts)
    attacked = case.story.detail.get("kind") == "account_security" and case.days == 17
    return day(today, case.story.starts + 1) if attacked else ""


def _consents(who: Person, since: str, today: date) -> list[Row]:
    """Return consents: reminders wished for, channels withdrawn, nights allowed, and others."""
    given = {"borrower_id": who.borrower_id, "granted_at": instant(since, 600)}
    withdrawn = {"withdrawn_at": instant(day(today, -15), 840)}
    reminders = json.dumps({"reminders": True})
    rows: list[tuple[int, int, Row]] = [
        (7, 0, {"purpose": "servicing", "channel": "sms", "detail": reminders}),
        (90, 4, {"purpose": "servicing", "channel": "sms"} | withdrawn),
        (300, 8, {"purpose": "servicing", "channel": "email"} | withdrawn),
        (300, 9, {"purpose": "servicing", "channel": "voice"} | withdrawn),
        (400, 5, {"purpose": "servicing"} | withdrawn),
        (200, 6, {"purpose": "night_contact", "channel": "sms"}),
        (20, 9, {"purpose": "marketing", "channel": "sms"}),
        (12, 2, {"purpose": "automated_decision"}),
        (250, 20, {"purpose": "relations"}),
    ]
    return [given | row for every, seat, row in rows if who.seat % every == seat]


def contacts(files: list[File], today: date, rng: Random) -> list[Row]:
    """Return the log of contacts in the order of their times."""
    rows: list[Row] = []
    for index, file in enumerate(files):
        rows.extend(contacting.contacts(file.loan, file.case, file.person, today, rng))
        if index % 11 == 0 and file.paid and file.paid[-1].kind == "payment":
            rows.append(contacting.receipts(file.loan, file.person, file.paid[-1].on))
    rows.sort(key=lambda row: (row["at"], row["loan_id"], row["direction"] == "in"))
    return tables.numbered(rows, "contact_id", "C")


def signals(files: list[File], today: date) -> Tables:
    """Return signals and, for agreed plans, what was agreed."""
    signals: list[Row] = []
    agreed: list[Row] = []
    for file in files:
        story = file.case.story
        if story is None:
            continue
        signal_id = f"S{len(signals) + 1:06}"
        detail = {key: _dated(text, today) for key, text in story.detail.items()}
        ends = "" if story.ends is None else instant(day(today, story.ends), 0)
        signals.append(
            {
                "signal_id": signal_id,
                "borrower_id": file.loan.borrower_id,
                "loan_id": "" if story.kind in _BINDS_THE_PERSON else file.loan.loan_id,
                "kind": story.kind,
                "starts_at": instant(day(today, story.starts), 10 * 60 + 15),
                "ends_at": ends,
                "detail": json.dumps(detail, ensure_ascii=False) if detail else "",
            }
        )
        agreed.extend(
            {
                "signal_id": signal_id,
                "number": str(number),
                "due_on": day(today, offset),
                "amount": yuan(amount),
            }
            for number, (offset, amount) in enumerate(story.agreed, start=1)
        )
    return {"signals": signals, "agreed": agreed}


_BINDS_THE_PERSON = frozenset(
    {"deceased", "incapacity", "bankruptcy", "legal_representation", "cease_contact", "opt_out"}
)


def _dated(text: str, today: date) -> str:
    """Return `{-4}` as the date four days before today, and any other text as it is."""
    return day(today, int(text[1:-1])) if text.startswith("{") else text
