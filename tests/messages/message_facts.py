"""Lenders and facts for the tests of messages, and the text of golden.md.

`python tests/messages/message_facts.py` writes golden.md anew; read the difference as a lawyer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from duly.book.lender import Agency, Lender, Route
from duly.messages import Facts, Order, Rendered, render
from duly.messages.catalog import TONES, templates

GOLDEN = Path(__file__).with_name("golden.md")

EXAMPLE = Lender(
    name="示例消费金融有限公司",
    signature="示例消金",
    kind="consumer_finance",
    licence="cn",
    hotline="95xxx",
    website="https://example.com",
    app="示例消金App",
    late_charge_clause="7",
    relief_least={"CNY": 12000, "TWD": 55000},
    agencies=(Agency(name="示例信用服务", name_en="Example Servicing"),),
)
ENGLISH = replace(
    EXAMPLE, name="Example Finance Ltd", signature="Example Finance", app="the Example app"
)
PREVENTS = replace(EXAMPLE, bureau_paying_prevents=True)
NO_OPT_OUT = replace(
    EXAMPLE,
    routes=(Route(name="a", channel="sms", kind="http", settings={"opt_out": False}),),
)
LENDERS = {"zh-CN": EXAMPLE, "zh-TW": EXAMPLE, "en": ENGLISH}
NAMES = {"zh-CN": "张晓明", "zh-TW": "張曉明", "en": "Zhang Xiaoming"}


#: What comes with a case or an event.
CASE: dict[str, Any] = {
    "principal": 800000,
    "disbursed_on": date(2026, 1, 18),
    "case_approved": True,
    "document_sha256": "0" * 64,
    "court": "甲市乙区人民法院",
    "case_no": "（2026）甲0101民初1号",
    "filed_on": date(2026, 3, 16),
    "answer_by": date(2026, 4, 3),
    "agency": "示例信用服务",
    "agency_from": date(2026, 4, 1),
    "visit_on": date(2026, 3, 28),
    "staff_one": "李明 1001",
    "staff_two": "王芳 1002",
    "reference": "D2603-18",
    "accrual_stops": True,
    "plan_total": 73650,
    "plan_count": 3,
    "plan_amount": 24550,
    "plan_first_on": date(2026, 4, 10),
    "plan_cost": 0,
    "promise_amount": 30000,
    "promise_on": date(2026, 3, 27),
    "stopped": "sms",
}
#: The same case, as an English text names it.
CASE_EN = {
    "court": "Example County Court",
    "case_no": "K12 345",
    "agency": "Example Servicing",
    "staff_one": "Li Ming 1001",
    "staff_two": "Wang Fang 1002",
}
#: Texts that may not go out before so many days past due.
LATE_ENOUGH = {"help_first": 8, "servicer": 45, "options": 75, "pre_legal": 78, "legal": 95}


def facts(**given: Any) -> Facts:
    """Give one loan, 7 days late: 680.00 + 54.10 + 0.00 + 2.57 = 736.67."""
    base: dict[str, Any] = {
        "name": "张晓明",
        "loan_ids": ("L-2025-001234",),
        "overdue_total": 73667,
        "overdue_principal": 68000,
        "overdue_interest": 5410,
        "overdue_fee": 0,
        "late_charge": 257,
        "days_past_due": 7,
        "overdue_since": date(2026, 3, 13),
        "next_due_on": date(2026, 3, 13),
        "next_due_amount": 73410,
        "debit_time": None,
        "as_of": date(2026, 3, 20),
        "as_of_time": "09:30",
        "accrues": True,
        "report_on": date(2026, 4, 22),
        "paid_on": date(2026, 3, 10),
        "paid_amount": 30000,
        "outstanding_principal": None,
        "corrects_on": date(2026, 3, 11),
        **CASE,
    }
    return Facts(**{**base, **given})


def due(**given: Any) -> Facts:
    """Give one loan with nothing late and 734.10 due on 13 March."""
    nothing = dict.fromkeys(
        ("overdue_total", "overdue_principal", "overdue_interest", "late_charge"), 0
    )
    base = {**nothing, "days_past_due": 0, "overdue_since": None, "accrues": False}
    return facts(**{**base, "as_of": date(2026, 3, 10), **given})


def order(
    template: str,
    params: Facts,
    *,
    tone: str = "plain",
    channel: str = "sms",
    locale: str = "zh-CN",
    message_id: str = "m-1",
) -> Order:
    return Order(
        message_id=message_id,
        template=template,
        tone=tone,
        channel=channel,
        locale=locale,
        params=params,
    )


def write(template: str, params: Facts, *, lender: Lender | None = None, **how: Any) -> Rendered:
    """Render one message for the example lender of its locale."""
    wanted = order(template, params, **how)
    return render([wanted], lender or LENDERS[wanted.locale])[0]


def variants() -> Iterator[tuple[str, str, str, str]]:
    """Give every (template, locale, channel, tone)."""
    for (name, locale), template in sorted(templates().items()):
        for channel, tone in sorted(template.bodies, key=lambda one: (one[0], TONES.index(one[1]))):
            yield name, locale, channel, tone


def usual(template: str, locale: str) -> Facts:
    """Give the facts that suit a template."""
    given = due if template in ("due_soon", "due_today") else facts
    named = {"name": NAMES[locale]} | (CASE_EN if locale == "en" else {})
    return given(**named, **_days(template))


def _days(template: str) -> dict[str, int]:
    return {"days_past_due": LATE_ENOUGH[template]} if template in LATE_ENOUGH else {}


def golden_text() -> str:
    """Give golden.md: each distinct text, then the cases that change a sentence."""
    lines = ["# What we say, word for word", ""]
    lines += [
        "Every template as a borrower would read it: 680.00 principal, 54.10 interest, 2.57 late",
        "charge, 7 days late. `{code}` is the place of the check code. Made by",
        "`python tests/messages/message_facts.py`; a change here is a change of what we say.",
    ]
    seen: set[str] = set()
    for template, locale, channel, tone in variants():
        text = write(template, usual(template, locale), channel=channel, tone=tone, locale=locale)
        if text.text not in seen:
            seen.add(text.text)
            lines += _entry(f"{template}, {locale}, {channel}, {tone}", text)
    lines += ["", "# The cases that change a sentence"]
    for title, text in _cases():
        lines += _entry(title, text)
    return "\n".join(lines) + "\n"


def _entry(title: str, text: Rendered) -> list[str]:
    size = f"{len(text.text) + 2} characters, {text.segments} part(s), {text.encoding}"
    about = size if text.subject is None else f"subject: {text.subject}"
    return ["", f"## {title}", "", f"{text.message_class}; {about}", "", "```", text.text, "```"]


def _cases() -> Iterator[tuple[str, Rendered]]:
    three = ("L-2025-001234", "L-2025-009999", "L-2024-000007")
    for locale in ("zh-CN", "zh-TW", "en"):
        how: dict[str, Any] = {"locale": locale}
        name = NAMES[locale]
        yield (
            f"no charge accrues, {locale}",
            write("overdue", facts(name=name, accrues=False), **how),
        )
        yield f"three loans, {locale}", write("overdue", facts(name=name, loan_ids=three), **how)
        yield f"no usable name, {locale}", write("first_late", facts(name="张三{{x}}"), **how)
        prevents = replace(LENDERS[locale], bureau_paying_prevents=True)
        yield (
            f"paying prevents the report, {locale}",
            write("credit_notice", facts(name=name), lender=prevents, **how),
        )
        yield f"card refused, nothing late, {locale}", write("card_refused", due(name=name), **how)
        yield f"receipt, nothing late, {locale}", write("receipt", due(name=name), **how)
        left = due(name=name, outstanding_principal=612000)
        yield f"receipt, principal left, {locale}", write("receipt", left, **how)
        mail = write("receipt", left, channel="email", **how)
        yield f"receipt, principal left, e-mail, {locale}", mail
        debited = due(name=name, debit_time="17:30")
        for soon in ("due_soon", "due_today"):
            yield f"{soon}, a debit is scheduled, {locale}", write(soon, debited, **how)
            gentle = write(soon, debited, tone="gentle", **how)
            yield f"{soon}, a debit is scheduled, gentle, {locale}", gentle
            mail = write(soon, debited, channel="email", **how)
            yield f"{soon}, a debit is scheduled, e-mail, {locale}", mail
        unknown = facts(name=name, paid_on=None, paid_amount=0)
        yield f"returned, payment unknown, {locale}", write("returned_payment", unknown, **how)
        vague = facts(name=name, corrects_on=None)
        yield f"correction, day unknown, {locale}", write("correction", vague, **how)
        yield from _new_cases(locale)
    yield "the route forbids the opt-out", write("overdue", facts(), lender=NO_OPT_OUT)


def _new_cases(locale: str) -> Iterator[tuple[str, Rendered]]:
    how: dict[str, Any] = {"locale": locale}
    plain = replace(usual("standard_notice", locale), accrues=False, principal=0)
    yield (
        f"notice, nothing accrues, amount unknown, {locale}",
        write("standard_notice", plain, **how),
    )
    silent = replace(LENDERS[locale], relief_least={})
    help_ = usual("help_first", locale)
    yield f"help, least unknown, {locale}", write("help_first", help_, lender=silent, **how)
    runs = replace(usual("dispute_opened", locale), accrual_stops=False)
    yield f"dispute, the charge runs on, {locale}", write("dispute_opened", runs, **how)
    uneven = replace(usual("plan_agreed", locale), plan_amount=24650, plan_cost=1500)
    yield f"plan, uneven and not free, {locale}", write("plan_agreed", uneven, **how)
    taiwan = replace(usual("itemized", locale), currency="TWD")
    yield f"itemized, in another currency, {locale}", write("itemized", taiwan, **how)


if __name__ == "__main__":
    GOLDEN.write_text(golden_text(), encoding="utf-8")
