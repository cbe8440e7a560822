"""What a borrower takes away on paper: PDF/A, equal bytes for equal facts, with the fonts in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from duly.book import Lender
from duly.core.money import NotMoney, to_minor
from duly.core.words import say
from duly.delivery.letters.page import STANDARDS, can_print, compiler
from duly.messages.values import date_text, money_text
from duly.service.operations.deriving import AgreedPlan
from duly.service.portal.offering import agreed_kind
from duly.service.portal.receipts import PaymentLine, Receipt

if TYPE_CHECKING:
    import typst

__all__ = ["agreement", "can_print", "payment_receipt", "printable", "printed"]
_TYPEFACE, _ROUTE = "Noto Sans", "portal"


@cache
def _press() -> tuple[typst.Compiler, tuple[str, ...]]:
    with resources.as_file(resources.files("duly.service.portal") / "document.typ") as page:
        return compiler(page, _TYPEFACE, route=_ROUTE)


def printed(told: Mapping[str, object], *, locale: str, on: date) -> bytes:
    """Return a document as PDF: `title, sender, facts, paragraphs, tables, closing, footer`.

    A table is `title, header, rows, sum`; its first two columns stand left, the others right.
    """
    press, families = _press()
    chinese = locale == "zh-CN"
    whole = {
        "fonts": families, "lang": "zh" if chinese else "en", "region": "cn" if chinese else None,
        "year": on.year, "month": on.month, "day": on.day, **told,
    }  # fmt: skip
    pdf = press.compile(format="pdf", pdf_standards=STANDARDS,
                        sys_inputs={"document": json.dumps(whole, ensure_ascii=True)})  # fmt: skip
    assert isinstance(pdf, bytes)
    return pdf


def agreement(receipt: Receipt, plan: AgreedPlan, *, lender: Lender, locale: str) -> bytes:
    """Return the agreement about a loan: what was agreed, each amount, what changes and not."""
    english, on = locale == "en", lender.day_of(plan.starts_at)

    def text(key: str, **values: object) -> str:
        return say("portal", key, locale, **values)

    def money(minor: int) -> str:
        return money_text(minor, receipt.currency, locale)

    def day(one: date) -> str:
        return date_text(one, locale, date.min)  # With its year: paper is read years later.

    owed, charge, waived = (
        _amount(plan, name, receipt.currency) for name in ("owed", "charge", "waived")
    )
    kind, stops = agreed_kind(plan.detail), plan.detail.get("accrual") == "stops"
    name = (english and lender.name_en) or lender.name
    total = sum(row.amount for row in plan.rows)
    facts = [
        (text("agreed.lender"), name),
        (text("agreed.loan"), receipt.tail),
        (text("agreed.number"), plan.signal_id),
        (text("agreed.day"), day(on)),
    ]
    facts += [(text("agreed.owed"), money(owed))] if owed else []
    facts += [(text("agreed.waived"), money(waived))] if waived else []
    facts += [(text("agreed.charge"), money(charge))] if charge and plan.rows else []
    lines: list[str] = [text(f"agreed.kind_{kind}")] if kind else []
    if plan.ends_at is not None:
        lines.append(text("agreed.until", on=day(lender.day_of(plan.ends_at))))
    runs = "runs" if kind and plan.rows else "runs_on"
    charges = f"agreed.{'stops' if stops else runs}"
    after = "agreed.broken" if plan.rows else "sheet.after_pause"
    closing = _closing(text, (charges, after), lender, "" if stops else lender.late_charge_clause)
    return printed(
        {
            "title": text("agreed.title"), "sender": name, "facts": facts, "paragraphs": lines,
            "tables": [{
                "title": "",
                "header": [text("agreed.row"), text("agreed.due"), text("agreed.amount")],
                "rows": [[str(row.number), day(row.due_on), money(row.amount)]
                         for row in plan.rows],
                "sum": ["", text("loan.together"), money(total)],
            }] if plan.rows else [],
            "closing": closing,
            "footer": f"{name}  ·  {plan.signal_id}",
        },
        locale=locale, on=on,
    )  # fmt: skip


def payment_receipt(
    receipt: Receipt, line: PaymentLine, *, code: str, check_at: str, picture: str,
    issued_on: date, lender: Lender, locale: str,
) -> bytes:  # fmt: skip
    """Return the receipt of one payment, with what lets others check it.

    `picture` is the picture code as SVG; it and `check_at` are empty where nobody said where our
    pages are.
    """
    english = locale == "en"
    name = (english and lender.name_en) or lender.name
    number = _in_type(line.payment_id)

    def text(key: str, **values: object) -> str:
        return say("portal", key, locale, **values)

    def money(minor: int) -> str:
        return money_text(minor, receipt.currency, locale)

    def day(one: date) -> str:
        return date_text(one, locale, date.min)

    went = [(text(f"applied.{part}", number=number), amount)
            for part, number, amount in line.applied]  # fmt: skip
    went += [(text(f"left.{line.kind}"), line.left)] if line.left else []
    facts = [
        (text("receipt.lender"), name),
        (text("receipt.amount"), money(line.amount)),
        (text("receipt.on"), day(line.paid_on)),
        (text("receipt.loan"), text("loan.name", tail=receipt.tail)),
        (text("receipt.number"), number),
        (text("receipt.issued"), day(issued_on)),
    ]
    facts += [(text("receipt.check"), code)] if code else []
    opened = text("receipt.check_open", at=check_at) if check_at else text("receipt.type_here")
    closing = [*([opened, text("receipt.proof_says")] if code else []), text("receipt.later")]
    return printed(
        {
            "title": text("receipt.title"), "sender": name, "facts": facts, "paragraphs": [],
            "tables": [{
                "title": "",
                "header": [text("receipt.row"), text("receipt.part"), text("agreed.amount")],
                "rows": [[str(at), part, money(amount)]
                         for at, (part, amount) in enumerate(went, 1)],
                "sum": ["", text("loan.together"), money(line.amount)],
            }],
            "closing": closing,
            "picture": picture, "alt": text("receipt.picture"),
            "footer": f"{name}  ·  {number}",
        },
        locale=locale, on=issued_on,
    )  # fmt: skip


def _in_type(name: str) -> str:
    """Return a name of somebody else's with what the typeface may lack as question marks.

    >>> _in_type("P-1 还款😀")
    'P-1 还款?'
    """
    return "".join(one if one.isascii() or "\u4e00" <= one <= "\u9fff" else "?" for one in name)


def _amount(plan: AgreedPlan, name: str, currency: str) -> int:
    """Return an amount that the page wrote down; 0 where another system agreed the plan."""
    try:
        return max(0, to_minor(str(plan.detail.get(name, "0")), currency))
    except NotMoney:
        return 0


def _closing(
    text: Callable[..., str], first: Sequence[str], lender: Lender, clause: str
) -> Sequence[str]:
    return [
        *map(text, first),
        text("agreed.kept"),
        *([text("agreed.bureau")] if lender.bureau_reports else []),
        *([text("loan.clause", clause=clause)] if clause else []),
        text("agreed.free"),
        text("agreed.ask", hotline=lender.hotline),
    ]


def printable(text: str) -> str:
    """Return a text with what our fonts do not have as a box; the data have it whole.

    >>> printable("好的😀 ok")
    '好的□ ok'
    """
    return "".join(one if _has(one) else "□" for one in text)


def _has(one: str) -> bool:
    code = ord(one)
    return (
        0x20 <= code <= 0x7E or (0xA1 <= code <= 0xFF and code != 0xAD) or 0x3001 <= code <= 0x3011
        or 0x3400 <= code <= 0x4DB5 or 0x4E00 <= code <= 0x9FEF or 0x410 <= code <= 0x44F
        or 0xFF01 <= code <= 0xFF5E
        or one in "–—‘’“”…·□"
    )  # fmt: skip
