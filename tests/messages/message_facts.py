"""Lenders and facts for the tests of messages, and the text of golden.md.

`python tests/messages/message_facts.py` writes golden.md anew; read the difference as a lawyer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from duly.book.lender import Lender, Route
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
)
ENGLISH = replace(
    EXAMPLE, name="Example Finance Ltd", signature="Example Finance", app="the Example app"
)
PREVENTS = replace(EXAMPLE, bureau_paying_prevents=True)
NO_OPT_OUT = replace(
    EXAMPLE,
    routes=(Route(name="a", channel="sms", kind="http", settings={"opt_out": False}),),
)
LENDERS = {"zh-CN": EXAMPLE, "en": ENGLISH}
NAMES = {"zh-CN": "张晓明", "en": "Zhang Xiaoming"}


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
        "as_of": date(2026, 3, 20),
        "as_of_time": "09:30",
        "accrues": True,
        "report_on": date(2026, 4, 22),
        "paid_on": date(2026, 3, 10),
        "paid_amount": 30000,
        "corrects_on": date(2026, 3, 11),
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
    return given(name=NAMES[locale])


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
    for locale in ("zh-CN", "en"):
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
        unknown = facts(name=name, paid_on=None, paid_amount=0)
        yield f"returned, payment unknown, {locale}", write("returned_payment", unknown, **how)
        vague = facts(name=name, corrects_on=None)
        yield f"correction, day unknown, {locale}", write("correction", vague, **how)
    yield "the route forbids the opt-out", write("overdue", facts(), lender=NO_OPT_OUT)


if __name__ == "__main__":
    GOLDEN.write_text(golden_text(), encoding="utf-8")
