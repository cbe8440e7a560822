"""Relief is agreed, or handed to a person: facts, what they cancel, tasks, in one transaction.

Under the person's lock the facts have to be those that the offer was made of. The same tap twice is
one agreement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from duly.book import Lender
from duly.care import Budget, Offer
from duly.core import digest
from duly.core.money import major
from duly.replies import Reading, Reply, read, tasks_of
from duly.service.facts.narrowing import newest_of
from duly.service.operations.locking import lock_people
from duly.service.operations.recording import record
from duly.service.operations.tasks import open_tasks
from duly.service.portal import asking, drafts, papers
from duly.service.portal.asking import Saying
from duly.service.portal.offering import Standing
from duly.service.portal.papers import Paper

#: Tasks of a reading that the form itself sees to.
_OF_THE_FORM = frozenset(
    "offer_relief offer_plan offer_extension agree_date agree_earlier_date agree_amount"
    " say_how_to_pay show_who_we_are".split()
)


class FactsChangedError(Exception):
    """Something was told about the person since the offer was made."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """That somebody saw the cost sheet of an offer: its name, for how many seconds, under what."""

    offer: str
    seconds: int
    parts: tuple[str, ...]


def agree(
    standing: Standing, offer: Offer, shown: Shown, handed: Sequence[Paper], *,
    borrower_id: str, lender: Lender, at: datetime, tasks: Sequence[str] = (),
) -> str:  # fmt: skip
    """Write the plan, its amounts and what is waived; return the name of the signal.

    `tasks` are what his own words ask of a person beside it.

    Refused (FactsChangedError) where the facts are others than those of the offer.
    """
    name = f"portal-{digest.of_value([borrower_id, shown.offer])[:16]}"
    told = _told(standing, offer, name, borrower_id, at, ZoneInfo(lender.time_zone))
    with transaction.atomic(), connection.cursor() as cursor:
        lock_people(cursor, [borrower_id])
        if newest_of(cursor, borrower_id) != standing.facts:
            raise FactsChangedError
        accepted = asking.accept_new(told, at=at)
        if accepted.accepted:
            papers.keep(borrower_id, name, handed)
            open_tasks([*tasks, *(["offer_relief"] if offer.kind == "pause" else [])],
                       borrower_id=borrower_id, loan_id=standing.receipt.loan_id)  # fmt: skip
            record("signal.agreed", [(name, {
                "offer": shown.offer, "kind": offer.kind, "seconds_shown": shown.seconds,
                "parts": list(shown.parts), "cancelled": list(accepted.cancelled),
            })], about={name: borrower_id})  # fmt: skip
        drafts.drop(borrower_id, standing.receipt.loan_id)
    return name


def _told(
    standing: Standing, offer: Offer, name: str, borrower_id: str, at: datetime, zone: ZoneInfo
) -> list[dict[str, Any]]:
    loan, currency = standing.receipt.loan_id, standing.loan.currency
    detail = {
        "accrual": "stops" if offer.accrual_stops else "runs", "relief": offer.kind,
        "months": offer.months, "by": "portal", "owed": major(offer.owed, currency),
        "charge": major(offer.charge, currency), "waived": major(offer.waived, currency),
    }  # fmt: skip
    data: dict[str, object] = {
        "signal_id": name, "borrower_id": borrower_id, "loan_id": loan, "kind": "plan",
        "starts_at": at.isoformat(), "detail": detail,
    }  # fmt: skip
    if offer.until is not None:
        data["ends_at"] = datetime.combine(offer.until, time(), zone).isoformat()
    else:
        data["agreed"] = [
            {"number": one.number, "due_on": one.due_on.isoformat(),
             "amount": major(one.amount, currency)}
            for one in offer.amounts
        ]  # fmt: skip
    told = [asking.event("signal.raised", name, at, data)]
    if offer.waived:
        waived = {
            "payment_id": f"{name}-waiver", "loan_id": loan, "paid_on": standing.as_of.isoformat(),
            "amount": major(offer.waived, currency), "kind": "waiver", "component": "late_charge",
        }  # fmt: skip
        told.append(asking.event("payment.posted", f"{name}-waiver", at, waived))
    return told


def to_a_person(
    standing: Standing, handed: Sequence[Paper], *, borrower_id: str, why: str, lender: Lender,
    at: datetime, first: Sequence[str] = (), about: str = "relief",
) -> None:  # fmt: skip
    """Hand a request to a person: reminders of the loan stop, what was filled in goes along.

    `first` are tasks that come before it. What it is about makes it another one of the same day.
    """
    said = Saying(
        borrower_id=borrower_id, loan_id=standing.receipt.loan_id, kind="hardship",
        about=about, detail={"by": "portal", "why": why},
    )  # fmt: skip
    asking.tell(said, handed, lender=lender, at=at, first=first)


def statement(budget: Budget | None, wish: str, currency: str, words: str) -> list[Paper]:
    """Return what was filled in as papers for whoever looks: the figures, then his own words."""
    lines = [f"wish: {wish}"] if wish else []
    if budget is not None:
        figures = {"income": budget.income, "essential costs": budget.essentials,
                   "other loans": budget.other_loans}  # fmt: skip
        lines += [f"{name}: {major(one, currency)} {currency}" for name, one in figures.items()]
    found = [papers.words("\n".join(lines)), papers.words(words)]
    return [one for one in found if one is not None]


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What somebody's own words ask of a person; `first`: before anything is worked out."""

    tasks: tuple[str, ...]
    first: bool


def heard(words: str, *, locale: str, name: str, at: datetime) -> Heard:
    """Return what a person has to do about free words, read as a reply is read."""
    if not words.strip():
        return Heard(tasks=(), first=False)
    lang = "en" if locale == "en" else "zh"
    reading: Reading = read(Reply(id=name, text=words, received_at=at, lang=lang))
    tasks = [one for one in tasks_of(reading, at) if one not in _OF_THE_FORM]
    return Heard(tasks=tuple(tasks), first=reading.vulnerable or reading.fate is not None)
