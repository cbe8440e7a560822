"""Typed sample facts, with which a text is looked at before anybody gets it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from types import MappingProxyType

from duly.book.lender import Agency, Lender
from duly.messages.catalog import Catalogue, template_of
from duly.messages.facts import Facts, Order, Rendered
from duly.messages.locales import is_chinese
from duly.messages.render import render
from duly.messages.stages import STAGES
from duly.messages.template_file import Text

_AS_OF = date(2026, 3, 20)
_NOTHING_LATE = ("before_due", "due_day")


def sample_facts(stage: str, locale: str, *, from_days: int | None = None) -> Facts:
    """Return one invented loan, 7 days late or with a payment due in three days."""
    chinese = is_chinese(locale)
    late = Facts(
        name={"zh-CN": "张晓明", "zh-TW": "張曉明", "en": "Zhang Xiaoming"}[locale],
        loan_ids=("L-2025-001234",),
        currency="TWD" if locale == "zh-TW" else "CNY",
        overdue_total=73667,
        overdue_principal=68000,
        overdue_interest=5410,
        late_charge=257,
        days_past_due=max(7, from_days or 0),
        overdue_since=date(2026, 3, 13),
        next_due_on=date(2026, 3, 23),
        next_due_amount=73410,
        debit_time="17:30",
        as_of=_AS_OF,
        as_of_time="09:30",
        accrues=True,
        report_on=date(2026, 4, 22),
        paid_on=date(2026, 3, 18),
        paid_amount=30000,
        outstanding_principal=680000,
        corrects_on=date(2026, 3, 11),
        principal=800000,
        disbursed_on=date(2025, 10, 13),
        case_approved=True,
        document_sha256="0" * 64,
        court="甲市乙区人民法院" if chinese else "Example County Court",
        case_no="（2026）甲0101民初1号" if chinese else "K12 345",
        filed_on=date(2026, 3, 16),
        answer_by=date(2026, 4, 3),
        agency="示例信用服务" if chinese else "Example Servicing",
        agency_from=date(2026, 4, 1),
        visit_on=date(2026, 3, 28),
        staff_one="李明 1001" if chinese else "Li Ming 1001",
        staff_two="王芳 1002" if chinese else "Wang Fang 1002",
        reference="D2603-18",
        accrual_stops=True,
        plan_total=73650,
        plan_count=3,
        plan_amount=24550,
        plan_first_on=date(2026, 4, 10),
        plan_cost=0,
        promise_amount=30000,
        promise_on=date(2026, 3, 27),
        stopped="sms",
    )
    if stage not in _NOTHING_LATE:
        return late
    nothing = dict.fromkeys(
        ("overdue_total", "overdue_principal", "overdue_interest", "late_charge", "days_past_due"),
        0,
    )
    return replace(late, **nothing, overdue_since=None, accrues=False)  # type: ignore[arg-type]


#: What stands in for words that a lender file lacks, where a text is checked for itself.
_STAND_INS: Mapping[str, object] = MappingProxyType(
    {
        "hotline": "95xxx",
        "late_charge_clause": "7",
        "relief_least": {"CNY": 12000, "TWD": 55000},
    }
)


def complete(lender: Lender) -> Lender:
    """Return the lender with a sample for each word that its file lacks."""
    lacking = {name: value for name, value in _STAND_INS.items() if not getattr(lender, name)}
    sample = Agency(name="示例信用服务", name_en="Example Servicing")
    return replace(
        lender,
        **lacking,  # type: ignore[arg-type]
        agencies=(*lender.agencies, sample),
        bureau_reports=True,
    )


def sample(text: Text, lender: Lender, tone: str | None = None) -> Rendered:
    """Return a text as a borrower would read it, from sample facts, with whatever mistakes it has.

    Refuses (Refused) a lender whose file lacks a word that the text says.
    """
    template = template_of(text)
    order = Order(
        message_id="sample",
        template=text.id,
        tone=tone or text.tones[0],
        channel=text.channel,
        locale=text.locale,
        params=sample_facts(text.stage, text.locale, from_days=text.from_days),
    )
    listed = replace(lender, agencies=complete(lender).agencies, bureau_reports=True)
    alone = Catalogue(templates={(text.id, text.locale): template}, own=None)
    return render([order], listed, alone)[0]


def stage_of(name: str) -> str:
    """Return the nearest stage of the labelling guide."""
    return STAGES[name].like
