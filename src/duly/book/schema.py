"""The tables of a book, column by column (contract, section 1): data that the reader obeys.

The reference page of the book is generated from TABLES.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Kind = Literal[
    "id",  #: text that names something: no control characters, no spaces around it
    "text",  #: text for people
    "money",  #: decimal major units in the file, int64 minor units inside
    "rate",  #: decimal fraction in the file, int64 hundred-millionths inside
    "integer",
    "date",
    "instant",  #: ISO 8601 with offset in the file, naive UTC inside
    "clock",  #: HH:MM in the file, minute of the day inside
    "choice",
    "currency",
    "zone",
    "json",
]
Sign = Literal["any", "not_negative", "positive"]
Needs = Literal["plan", "position", "check"]

CHANNELS = ("sms", "voice", "email")
#: What was already said may have gone other ways, and counts in the caps all the same.
CONTACT_CHANNELS = (*CHANNELS, "push", "im", "in_app", "letter", "visit")
SIGNAL_KINDS = (
    "dispute",
    "complaint",
    "promise",
    "plan",
    "hardship",
    "payment_pending",
    "legal_representation",
    "cease_contact",
    "opt_out",
    "bankruptcy",
    "deceased",
    "incapacity",
    "disaster",
    "fraud_claim",
    "identity_dispute",
    "moratorium",
    "abnormal_transaction",
    "contact_changed",
    "agency",
    "legal_case",
    "bureau_reporting",
    "statute_barred",
)

#: Largest amount of money, in major units, and the first and last date that a book may name.
MONEY_MAX_MAJOR = 100_000_000_000
DATE_MIN, DATE_MAX = "1990-01-01", "2200-12-31"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table.

    `required`: the file must have the column; `filled`: a row must have a value. `least` and
    `most` bound an integer; `most` bounds a rate in hundred-millionths.
    """

    name: str
    kind: Kind
    required: bool = False
    filled: bool = False
    default: str | None = None
    values: tuple[str, ...] = ()
    sign: Sign = "any"
    least: int | None = None
    most: int | None = None
    references: str = ""  #: the table whose key the value must be


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table: its columns, its key, and which commands need its file."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    needed_for: frozenset[Needs] = field(default_factory=frozenset)

    def column(self, name: str) -> Column:
        """Return the column of that name."""
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in the contract's order."""
        return tuple(column.name for column in self.columns)


def _must(name: str, kind: Kind, **more: object) -> Column:
    return Column(name=name, kind=kind, required=True, filled=True, **more)  # type: ignore[arg-type]


def _may(name: str, kind: Kind, **more: object) -> Column:
    return Column(name=name, kind=kind, **more)  # type: ignore[arg-type]


_PLAN: frozenset[Needs] = frozenset({"plan"})
_ALWAYS: frozenset[Needs] = frozenset({"plan", "position", "check"})

_TABLES = (
    Table(
        name="loans",
        key=("loan_id",),
        needed_for=_ALWAYS,
        columns=(
            _must("loan_id", "id"),
            _must("borrower_id", "id", references="borrowers"),
            _may("product", "text", default="installment"),
            _may("creditor", "text"),
            _may("currency", "currency", default="CNY"),
            _must("principal", "money", sign="not_negative"),
            _must("disbursed_on", "date"),
            _may("annual_rate", "rate", sign="not_negative", most=100_000_000_000),
            _may("late_rate_daily", "rate", default="0", sign="not_negative", most=1_000_000),
            _may("late_base", "choice", default="principal", values=("principal", "installment")),
            _may("grace_days", "integer", default="0", sign="not_negative", most=3650),
            _may(
                "allocation",
                "choice",
                default="oldest_installment",
                values=("oldest_installment", "component", "principal_first"),
            ),
            _may("tolerance", "money", default="0", sign="not_negative"),
            _may(
                "status",
                "choice",
                default="active",
                values=("active", "closed", "written_off"),
            ),
            _may("status_on", "date"),
            _may("jurisdiction", "id"),
        ),
    ),
    Table(
        name="installments",
        key=("loan_id", "number"),
        needed_for=_ALWAYS,
        columns=(
            _must("loan_id", "id", references="loans"),
            _must("number", "integer", least=1, most=1_000_000),
            _must("due_on", "date"),
            _may("grace_until", "date"),
            _must("principal", "money", sign="not_negative"),
            _may("interest", "money", default="0", sign="not_negative"),
            _may("fee", "money", default="0", sign="not_negative"),
        ),
    ),
    Table(
        name="payments",
        key=("payment_id",),
        needed_for=_PLAN,
        columns=(
            _must("payment_id", "id"),
            Column(name="loan_id", kind="id", required=True, references="loans"),
            _may("borrower_id", "id", references="borrowers"),
            _must("paid_on", "date"),
            _must("amount", "money", sign="positive"),
            _may("kind", "choice", default="payment", values=("payment", "waiver")),
            _may("component", "choice", values=("late_charge", "interest", "fee", "principal")),
            _may("reversed_on", "date"),
        ),
    ),
    Table(
        name="debits",
        key=("debit_id",),
        columns=(
            _must("debit_id", "id"),
            _must("loan_id", "id", references="loans"),
            _must("at", "instant"),
            _must("amount", "money", sign="positive"),
            _must("status", "choice", values=("scheduled", "submitted", "succeeded", "failed")),
            _may("cause", "choice", values=("funds", "card", "limit", "mandate", "bank", "ours")),
        ),
    ),
    Table(
        name="borrowers",
        key=("borrower_id",),
        needed_for=_PLAN,
        columns=(
            _must("borrower_id", "id"),
            _may("name", "text"),
            _may("locale", "id", default="zh-CN"),
            _may("time_zone", "zone", default="Asia/Shanghai"),
            _may("region", "id"),
            _may("preferred_channel", "choice", values=CHANNELS),
            _may("monthly_income", "money", sign="not_negative"),
            _may("quiet_from", "clock"),
            _may("quiet_until", "clock"),
        ),
    ),
    Table(
        name="contact_points",
        needed_for=_PLAN,
        columns=(
            _must("borrower_id", "id", references="borrowers"),
            _must("channel", "choice", values=CHANNELS),
            _must("address", "id"),
            _may(
                "status", "choice", default="active", values=("active", "invalid", "wrong_person")
            ),
            _may("use", "choice", default="personal", values=("personal", "work", "shared")),
            _may("verified_on", "date"),
            _may("changed_on", "date"),
        ),
    ),
    Table(
        name="consents",
        columns=(
            _must("borrower_id", "id", references="borrowers"),
            _must(
                "purpose",
                "choice",
                values=(
                    "servicing",
                    "marketing",
                    "automated_decision",
                    "night_contact",
                    "relations",
                ),
            ),
            _may("channel", "choice", values=CHANNELS),
            _may("granted_at", "instant"),
            _may("withdrawn_at", "instant"),
            _may("detail", "text"),
        ),
    ),
    Table(
        name="contacts",
        key=("contact_id",),
        needed_for=_PLAN,
        columns=(
            _must("contact_id", "id"),
            _must("borrower_id", "id", references="borrowers"),
            _may("loan_id", "id", references="loans"),
            _must("channel", "choice", values=CONTACT_CHANNELS),
            _may("address", "text"),
            _must("at", "instant"),
            _must("direction", "choice", values=("out", "in")),
            _must(
                "outcome",
                "choice",
                values=(
                    "sent",
                    "delivered",
                    "undelivered",
                    "connected",
                    "unanswered",
                    "replied",
                    "unknown",
                ),
            ),
            _may("step", "text"),
            _may("by", "text", default="lender"),
            _may("actor", "text"),
            _may(
                "class",
                "choice",
                default="dunning",
                values=("dunning", "statutory", "receipt", "answer", "correction", "notice"),
            ),
        ),
    ),
    Table(
        name="signals",
        key=("signal_id",),
        needed_for=_PLAN,
        columns=(
            _must("signal_id", "id"),
            _must("borrower_id", "id", references="borrowers"),
            _may("loan_id", "id", references="loans"),
            _must("kind", "choice", values=SIGNAL_KINDS),
            _must("starts_at", "instant"),
            _may("ends_at", "instant"),
            _may("detail", "json"),
        ),
    ),
    Table(
        name="agreed",
        key=("signal_id", "number"),
        columns=(
            _must("signal_id", "id", references="signals"),
            _must("number", "integer", least=1, most=1_000_000),
            _must("due_on", "date"),
            _must("amount", "money", sign="positive"),
        ),
    ),
    Table(
        name="quotes",
        columns=(
            _must("loan_id", "id", references="loans"),
            _must("as_of", "date"),
            _must("valid_until", "date"),
            _must("amount", "money", sign="positive"),
        ),
    ),
    Table(
        name="relations",
        columns=(
            _must("borrower_id", "id", references="borrowers"),
            _must("related_borrower_id", "id"),
            _must(
                "kind",
                "choice",
                values=(
                    "guarantor",
                    "co_borrower",
                    "shared_device",
                    "shared_address",
                    "shared_phone",
                ),
            ),
        ),
    ),
    Table(
        name="stated",
        columns=(
            _must("loan_id", "id", references="loans"),
            _must("as_of", "date"),
            _may("overdue_total", "money", sign="not_negative"),
            _may("outstanding_total", "money", sign="not_negative"),
        ),
    ),
)

TABLES: Mapping[str, Table] = MappingProxyType({table.name: table for table in _TABLES})
