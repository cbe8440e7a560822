"""A loan on paper: its statement as of a day, and the letter that it is settled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from duly.book import Lender
from duly.core.words import say
from duly.messages.values import date_text, money_text
from duly.service.operations.deriving import Derived
from duly.service.portal.documents import printable, printed
from duly.service.portal.offering import BY_A_PERSON
from duly.service.portal.receipts import InstallmentLine, PaymentLine, Receipt

_STATED = """
SELECT outstanding_total FROM store_book_stated WHERE loan_id = %s
ORDER BY as_of DESC, cut_at DESC LIMIT 1
"""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A loan as of a day: its schedule, its payments, and what they add up to (minor units).

    The sum of what is left of each installment is `outstanding_total` of the position.
    """

    receipt: Receipt
    installments: tuple[InstallmentLine, ...]
    payments: tuple[PaymentLine, ...]
    scheduled: int
    charge: int
    left: int
    counted: int  #: payments and waivers that were not returned


def statement_of(receipt: Receipt) -> Statement:
    """Return the statement of a loan whose figures are known."""
    lines = (*receipt.installments, *receipt.later)
    return Statement(
        receipt=receipt, installments=lines, payments=receipt.payments,
        scheduled=sum(one.scheduled for one in lines), charge=sum(one.charge for one in lines),
        left=sum(one.left for one in lines),
        counted=sum(one.amount for one in receipt.payments if one.counts),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Settled:
    """Whether a loan is truly settled: since when, or why no letter says so."""

    since: date | None
    why: str = ""  #: open | person, where it is not, or a person has to say it


def settled_of(found: Derived, receipt: Receipt) -> Settled:
    """Return whether nothing of a loan is owed, by our figures and by the lender's own system.

    Under a fact that a person has to weigh, a loss that was written off, or a system that states
    something open, a person writes the letter.
    """
    position = receipt.position
    if not receipt.known:
        return Settled(since=None, why="person")
    if position["outstanding_total"]:
        return Settled(since=None, why="open")
    kinds = {one.kind for one in found.signals if one.loan_id in (None, receipt.loan_id)}
    with connection.cursor() as cursor:
        cursor.execute(_STATED, [receipt.loan_id])
        stated = cursor.fetchone()
    doubtful = (
        position["status"] == "written_off", bool(kinds & BY_A_PERSON), bool(stated and stated[0]),
    )  # fmt: skip
    days = [one.paid_on for one in receipt.payments if one.counts and one.applied]
    if any(doubtful) or not days:
        return Settled(since=None, why="person")
    return Settled(since=max(days))


class _Words:
    """How a document says things in one language."""

    def __init__(self, currency: str, locale: str) -> None:
        self._currency, self._locale = currency, locale

    def say(self, key: str, **values: object) -> str:
        return say("portal", key, self._locale, **values)

    def money(self, minor: int) -> str:
        return money_text(minor, self._currency, self._locale)

    def day(self, one: date) -> str:
        return date_text(one, self._locale, date.min)  # With its year: paper is read years later.


def _head(
    words: _Words, receipt: Receipt, lender: Lender, name: str, locale: str
) -> tuple[str, list[tuple[str, str]]]:
    sender = (locale == "en" and lender.name_en) or lender.name
    return sender, [
        (words.say("agreed.lender"), sender),
        (words.say("statement.borrower"), printable(name)),
        (words.say("statement.loan"), printable(receipt.loan_id)),
        (words.say("statement.lent"), words.say("statement.lent_on",
         amount=words.money(receipt.principal), on=words.day(receipt.disbursed_on))),
    ]  # fmt: skip


def statement_pdf(
    one: Statement, *, name: str, lender: Lender, known_on: date, locale: str
) -> bytes:
    """Return a statement as PDF: equal bytes for equal facts."""
    receipt, position = one.receipt, one.receipt.position
    words = _Words(receipt.currency, locale)
    as_of: date = position["as_of"]
    sender, facts = _head(words, receipt, lender, name, locale)
    facts += [
        (words.say("statement.as_of"), words.day(as_of)),
        (words.say("statement.due"), words.money(position["overdue_total"])),
        (words.say("statement.open"), words.money(one.left)),
    ]
    credit = position["unallocated_credit"]
    facts += [(words.say("statement.credit"), words.money(credit))] if credit else []
    return printed(
        {
            "title": words.say("statement.title"), "sender": sender, "facts": facts,
            "paragraphs": [],
            "tables": [_schedule(one, words), *([_payments(one, words)] if one.payments else [])],
            "closing": [
                words.say("statement.known", on=words.day(known_on)),
                words.say("statement.not_quote", hotline=lender.hotline),
                words.say("statement.wrong", hotline=lender.hotline),
            ],
            "footer": printable(f"{sender}  ·  {receipt.loan_id}"),
        },
        locale=locale, on=as_of,
    )  # fmt: skip


def _schedule(one: Statement, words: _Words) -> Mapping[str, Any]:
    heads = ("number", "due_on", "scheduled", "charge", "left")
    return {
        "title": words.say("statement.schedule"),
        "header": [words.say(f"statement.{head}") for head in heads],
        "rows": [
            [str(line.number), words.day(line.due_on), words.money(line.scheduled),
             words.money(line.charge), words.money(line.left)]
            for line in one.installments
        ],
        "sum": ["", words.say("loan.together"), words.money(one.scheduled),
                words.money(one.charge), words.money(one.left)],
    }  # fmt: skip


def _payments(one: Statement, words: _Words) -> Mapping[str, Any]:
    return {
        "title": words.say("loan.payments"),
        "header": [words.say(f"statement.{head}") for head in ("paid_on", "what", "amount")],
        "rows": [[words.day(line.paid_on), _kind(line, words.say, words.day),
                  words.money(line.amount)] for line in one.payments],
        "sum": ["", words.say("statement.counted"), words.money(one.counted)],
    }  # fmt: skip


def _kind(line: PaymentLine, said: Callable[..., str], day: Callable[[date], str]) -> str:
    if not line.counts:
        assert line.reversed_on is not None
        return said("statement.returned", on=day(line.reversed_on))
    return said(f"paid_what.{line.kind}")


def settled_pdf(
    receipt: Receipt, since: date, *, name: str, lender: Lender, as_of: date, known_on: date,
    locale: str,
) -> bytes:  # fmt: skip
    """Return the letter that a loan is settled, as PDF: equal bytes for equal facts."""
    words = _Words(receipt.currency, locale)
    sender, facts = _head(words, receipt, lender, name, locale)
    facts += [(words.say("settled.since"), words.day(since)),
              (words.say("settled.owed", on=words.day(as_of)), words.money(0))]  # fmt: skip
    credit = receipt.position["unallocated_credit"]
    held = [words.say("settled.credit", amount=words.money(credit))] if credit else []
    return printed(
        {
            "title": words.say("settled.title"), "sender": sender, "facts": facts,
            "paragraphs": [words.say("settled.says", on=words.day(since)), *held],
            "tables": [],
            "closing": [
                words.say("statement.known", on=words.day(known_on)),
                words.say("settled.returned"),
                words.say("statement.wrong", hotline=lender.hotline),
            ],
            "footer": printable(f"{sender}  ·  {receipt.loan_id}"),
        },
        locale=locale, on=as_of,
    )  # fmt: skip
