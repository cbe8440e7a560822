"""Chinese text messages leave room for long values, and for the sentence of a first text."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from message_facts import EXAMPLE, usual, variants, write

from duly.messages import fill_code

MOST = 134  #: characters of two parts (CN-SMS-6)
WARNING = "。请勿转账给个人"  #: what CN-COND-7 adds where a text does not say it
#: Sent to somebody who may never have been written to.
FIRST = ("due_soon", "due_today", "first_late", "overdue")
#: Sent by the built-in policy after another text, or with an event of the day.
LATER = ("card_refused", "credit_notice", "help_first", "legal", "options", "plan_offer",
         "returned_payment")  # fmt: skip
LATE = {
    "overdue_principal": 11_000_000,
    "overdue_interest": 1_333_332,
    "overdue_fee": 0,
    "late_charge": 12_346,
    "overdue_total": 12_345_678,
    "overdue_since": date(2026, 11, 19),
}


def long_values(template: str, *, several: bool) -> Any:
    usually = usual(template, "zh-CN")
    values: dict[str, Any] = {
        "name": "欧阳晓明",
        "as_of": date(2026, 12, 10 if template == "due_today" else 17),
        "as_of_time": "19:30",
        "next_due_on": date(2026, 12, 10 if template == "due_today" else 30),
        "next_due_amount": 1_273_410,
        "paid_on": date(2026, 12, 16),
        "paid_amount": 1_230_000,
        "report_on": date(2026, 12, 31),
        "filed_on": date(2026, 12, 10),
        "answer_by": date(2026, 12, 29),
    }
    if usually.overdue_total:
        values |= LATE
        values["days_past_due"] = 128 if usually.days_past_due > 30 else 28
    if several and template not in ("legal", "returned_payment"):
        values["loan_ids"] = ("L-2025-001234", "L-2025-009999")
    return replace(usually, **values)


def longest(template: str, tone: str) -> str:
    """Give the longest finished text of one and of two loans, with a debit set and without."""
    texts = [
        fill_code(
            write(
                template,
                replace(long_values(template, several=several), debit_time=debit),
                tone=tone,
                lender=replace(EXAMPLE, bureau_paying_prevents=prevents),
            ).text,
            "23456789",
        )
        for several in (False, True)
        for debit in (None, "17:30")
        for prevents in (False, True)
    ]
    return max(texts, key=len)


@pytest.mark.parametrize(
    ("template", "tone"),
    sorted(
        (template, tone)
        for template, locale, channel, tone in variants()
        if (locale, channel) == ("zh-CN", "sms") and template in (*FIRST, *LATER)
    ),
)
def test_a_text_message_has_room_for_long_values(template, tone):
    text = longest(template, tone)
    warns = "个人" in text or template not in FIRST
    assert len(text) + (0 if warns else len(WARNING)) <= MOST, text
