"""Which facts may a rule ask about one contact with one borrower about one loan?"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from duly.conditions import Field, Kind
from duly.rules.model import CHANNELS, CLASSES
from duly.rules.more_facts import MORE

_TEXT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "class": CLASSES,
        "channel": CHANNELS,
        "tone": ("gentle", "plain", "serious"),
        "template": (),
        "jurisdiction": (),
        "time_zone": (),
        "region": (),
        "recipient": (
            "borrower",
            "guarantor",
            "co_borrower",
            "contact_person",
            "other",
            "spouse",
            "parent_of_minor",
            "guardian",
            "executor",
            "attorney",
            "bureau",
            "creditor",
            "payer",
        ),
        "address_use": ("personal", "work", "shared"),
        "address_status": ("active", "invalid", "wrong_person"),
        "status": ("active", "closed", "written_off"),
    }
)
_MONEY = ("overdue_total", "late_charge", "next_due_amount")
_INTEGER = (
    "days_past_due",
    "late_rate_daily_e8",
    "annual_rate_e8",
    "book_age_hours",
    "quiet_from",
    "quiet_until",
    "days_to_credit_report",
)
_BOOLEAN = (
    "open_dispute",
    "open_complaint",
    "open_fraud_claim",
    "open_promise",
    "open_plan",
    "open_hardship",
    "payment_pending",
    "debit_pending",
    "deceased",
    "incapacity",
    "bankruptcy",
    "legal_representation",
    "cease_contact",
    "opted_out",
    "servicing_withdrawn",
    "identity_dispute",
    "wrong_person",
    "moratorium",
    "disaster",
    "statute_barred",
    "security_signal",
    "contact_verified_before_signal",
    "figures_agree",
    "unapplied_money",
    "creditor_is_lender",
    "lender_reports",
    "jurisdiction_served",
    "night_consent",
)

#: Facts that may be empty without being missing; every other empty fact that is asked blocks.
NULLABLE = frozenset(
    {
        "annual_rate_e8",
        "region",
        "quiet_from",
        "quiet_until",
        "days_to_credit_report",
        "night_consent",
    }
    | {name for name, (_, neutral, _) in MORE.items() if neutral is None}
)

#: Beside the facts of the vocabulary: the instant of the contact and the contacts before it; what
#: is asked about (see ABOUTS); other zones where the borrower may be; hours agreed with the
#: borrower; the text with what may be named in it; the parts of a document; several debts.
INPUTS = (
    "at", "contacts", "about", "time_zones", "agreed_hours", "text", "signatures", "link_hosts",
    "amounts", "parts", "debts",
)  # fmt: skip


def _field(name: str, kind: Kind, values: tuple[str, ...] = ()) -> Field:
    return Field(
        name=name, kind=kind, doc_key=f"fact.{name}", nullable=name in NULLABLE, values=values
    )


FACTS: Mapping[str, Field] = MappingProxyType(
    {name: _field(name, "text", values) for name, values in _TEXT.items()}
    | {name: _field(name, "money") for name in _MONEY}
    | {name: _field(name, "integer") for name in _INTEGER}
    | {name: _field(name, "boolean") for name in _BOOLEAN}
    | {name: _field(name, kind, values) for name, (kind, _, values) in MORE.items()}
)

#: The facts that a book tells, or that a plan knows of itself.
BOOK_FACTS = frozenset({*_TEXT, *_MONEY, *_INTEGER, *_BOOLEAN, "product", "purpose"})

#: A contact against which no rule speaks at 10:00 in Shanghai: what a case leaves unsaid.
NEUTRAL: Mapping[str, object] = MappingProxyType(
    dict.fromkeys(_BOOLEAN, False)
    | {name: neutral for name, (_, neutral, _) in MORE.items()}
    | dict.fromkeys(INPUTS, ())
    | {
        "class": "dunning",
        "channel": "sms",
        "tone": "plain",
        "template": "overdue",
        "jurisdiction": "cn",
        "time_zone": "Asia/Shanghai",
        "region": None,
        "recipient": "borrower",
        "address_use": "personal",
        "address_status": "active",
        "status": "active",
        "overdue_total": 81230,
        "late_charge": 230,
        "next_due_amount": 0,
        "days_past_due": 7,
        "late_rate_daily_e8": 50_000,
        "annual_rate_e8": 18_000_000,
        "book_age_hours": 1,
        "quiet_from": None,
        "quiet_until": None,
        "days_to_credit_report": None,
        "contact_verified_before_signal": True,
        "figures_agree": True,
        "creditor_is_lender": True,
        "lender_reports": True,
        "jurisdiction_served": True,
        "night_consent": None,
        "at": "2026-11-24T10:00:00+08:00",
        "about": ("contact",),
        "text": None,
    }
)
