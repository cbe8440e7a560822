"""What a text must hold by stage, and what none may hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from duly.core.words import known_locale
from duly.messages.code import HOLE
from duly.messages.lint import unsaid

_REMINDER = ("identity", "name", "loan", "amount", "date", "as_of", "route", "objection")
_REMINDER_END = ("relief", "ignore", "code")

#: The least that a text of each stage holds (rulebook 5.1; borrower care, section 4).
STAGES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "before_due": (*_REMINDER, *_REMINDER_END),
        "due_day": (*_REMINDER, *_REMINDER_END),
        "refused": (*_REMINDER, *_REMINDER_END),
        "late": (*_REMINDER, *_REMINDER_END, "opt_out"),
        "offer": (*_REMINDER, *_REMINDER_END, "free", "opt_out"),
        "credit_notice": (*_REMINDER, *_REMINDER_END, "report", "opt_out"),
        "security": ("identity", "name", "route", "code"),
        "details": ("identity", "route", "code"),
        "receipt": ("identity", "name", "loan", "paid", "route", "code"),
        "correction": ("identity", "name", "route", "code"),
    }
)
#: Stages whose texts name no debt at all.
NO_DEBT = frozenset({"security", "details", "correction"})

MONEY = re.compile(r"(?:[0-9][0-9,]*(?:\.[0-9]+)?元|[A-Z]{3} [0-9][0-9,]*(?:\.[0-9]+)?)")
_ZH_DATE = r"(?:[0-9]{4}年)?[0-9]{1,2}月[0-9]{1,2}日"
_EN_DATE = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{1,2}(?:, [0-9]{4})?"

_ELEMENTS: Mapping[str, Mapping[str, str]] = {
    "zh-CN": {
        "name": r"(?:^|】|\n)(?:\w{1,2}\*\*\*?)?您好",
        "loan": r"尾号[0-9A-Za-z*]{1,4}的借款|您的[0-9]+笔借款",
        "amount": MONEY.pattern,
        "paid": rf"{_ZH_DATE}收到您还的{MONEY.pattern}",
        "date": rf"{_ZH_DATE}）?应还|应还日：{_ZH_DATE}|逾期[0-9,]+天",
        "as_of": rf"截至{_ZH_DATE}[0-9]{{1,2}}:[0-9]{{2}}",
        "route": r"打开|拨",
        "objection": r"有疑问|有异议|核对",
        "relief": r"延期|分期|改期|缓几天",
        "free": r"不收费，不用找中介",
        "report": rf"{_ZH_DATE}向[^。]*征信系统[^。]*报送",
        "ignore": r"请忽略",
        "opt_out": r"不收短信回TD|回复“退订”",
        "charge": r"按合同(?:继续)?计",
        "prevents": r"还清(?:逾期的部分，)?就不报送",
        "debt": r"逾期|待还|应还|借款|欠|罚息|还款",
    },
    "en": {
        "name": r"Hello(?: \S{1,2}\*\*\*)?[,\n:]",
        "loan": r"[Yy]our loan ending [0-9A-Za-z*]{1,4}|[Yy]our [0-9]+ loans",
        "amount": MONEY.pattern,
        "paid": rf"received {MONEY.pattern} on {_EN_DATE}",
        "date": rf"due (?:on |today, )?\(?{_EN_DATE}|Due: {_EN_DATE}|[0-9,]+ days? late",
        "as_of": rf"[Aa]s of {_EN_DATE} [0-9]{{2}}:[0-9]{{2}}",
        "route": r"open |call ",
        "objection": r"[Qq]uestion",
        "relief": r"more time|another date",
        "free": r"free and needs no agent",
        "report": rf"report[^.]* credit bureau[^.]* on {_EN_DATE}",
        "ignore": r"please ignore",
        "opt_out": r"Reply STOP to end",
        "charge": r"accrues under the contract",
        "prevents": r"Pay what is late before then and we will not report",
        "debt": r"\bloan|\blate\b|unpaid|\bowe|overdue|\bdebt",
    },
}
_COMPILED = {
    locale: {name: re.compile(pattern) for name, pattern in table.items()}
    for locale, table in _ELEMENTS.items()
}

_LINK = re.compile(
    r"https?:|www\.|[a-z0-9-]\.(?:com|cn|net|org|io|me|cc|top|xyz|info|app)\b|(?:[0-9]{1,3}\.){3}"
    r"[0-9]{1,3}|\b[a-z0-9]{1,8}\.[a-z]{2}/",
    re.IGNORECASE,
)
_SYMBOL = re.compile(r"[¥￥★☆→①-⑳√「」²☎]")
_PERSONAL_PHONE = re.compile(r"(?<![0-9])1[3-9][0-9]{9}(?![0-9])")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_SIGNATURE = re.compile(r"【[^【】]{2,16}】")
_LENDER_LEAD = re.compile(r"[^:\n]{2,40}: Hello")


def holds(text: str, locale: str, element: str) -> bool:
    """Return whether a text holds an element: `charge`, `amount`, `opt_out`, …"""
    return _COMPILED[known_locale(locale)][element].search(text) is not None


def violations(
    text: str, locale: str, stage: str, *, channel: str = "sms", opt_out: bool = True
) -> tuple[str, ...]:
    """Return what is wrong with a text, `{code}` unfilled: `missing:ELEMENT`, `forbidden:KIND`.

    `opt_out` says whether the route allows the opt-out sentence. Empty means nothing was found.
    """
    locale = known_locale(locale)
    found = [
        f"missing:{element}"
        for element in STAGES[stage]
        if not (element == "opt_out" and not opt_out)
        and not _has(text, locale, element, channel=channel)
    ]
    if stage in NO_DEBT and holds(text, locale, "debt"):
        found.append("forbidden:debt")
    if stage in NO_DEBT and holds(text, locale, "amount"):
        found.append("forbidden:amount")
    found += _form(text, channel=channel)
    found += [f"forbidden:{words}" for words in unsaid(text, locale)]
    return tuple(found)


def _has(text: str, locale: str, element: str, *, channel: str) -> bool:
    if element == "code":
        return text.count(HOLE) == 1
    if element != "identity":
        return holds(text, locale, element)
    if channel == "email":
        return bool(text.rstrip().rpartition("\n")[2].strip())
    if locale == "zh-CN":
        return _SIGNATURE.match(text) is not None
    return _LENDER_LEAD.match(text) is not None or _SIGNATURE.match(text) is not None


def _form(text: str, *, channel: str) -> list[str]:
    signed = _SIGNATURE.match(text) if channel == "sms" else None
    body = text[signed.end() :] if signed else text
    checks = {
        "brackets": "【" in body or "】" in body,
        "braces": "{" in body.replace(HOLE, "") or "}" in body.replace(HOLE, ""),
        "link": _LINK.search(body) is not None,
        "symbol": _SYMBOL.search(body) is not None,
        "personal_phone": _PERSONAL_PHONE.search(body) is not None,
        "control": _CONTROL.search(body) is not None or (channel == "sms" and "\n" in body),
    }
    return [f"forbidden:{name}" for name, hit in checks.items() if hit]
