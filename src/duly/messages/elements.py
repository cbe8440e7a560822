"""What a text must hold by stage, and what none may hold."""

from __future__ import annotations

import re

from duly.messages.code import HOLE
from duly.messages.lint import unsaid
from duly.messages.locales import is_chinese, message_locale
from duly.messages.stages import BY_FORM, ELEMENTS, LAWFUL, STAGES, pattern

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
    return pattern(message_locale(locale), element).search(text) is not None


def violations(
    text: str, locale: str, stage: str, *, channel: str = "sms", opt_out: bool = True
) -> tuple[str, ...]:
    """Return what is wrong with a text, `{code}` unfilled: `missing:ELEMENT`, `forbidden:KIND`.

    `opt_out` says whether the route allows the opt-out sentence. Empty means nothing was found.
    """
    locale = message_locale(locale)
    known = STAGES[stage]
    found = [
        f"missing:{element}"
        for element in known.must
        if not (element == "opt_out" and not opt_out)
        and not _has(text, locale, element, channel=channel)
    ]
    found += [f"forbidden:{kind}" for kind in known.never if holds(text, locale, kind)]
    found += _form(text, channel=channel)
    lawful = LAWFUL.get(stage, frozenset())
    spoken = (one for one in unsaid(text, locale) if one.partition(":")[2].lower() not in lawful)
    return (*found, *(f"forbidden:{one}" for one in spoken))


def elements_of(text: str, locale: str, *, channel: str = "sms") -> tuple[str, ...]:
    """Return every known element that a text holds, `{code}` unfilled, in the order of the table.

    An element with no pattern of its own is looked for in the form of the text.
    """
    locale = message_locale(locale)
    return tuple(one for one in ELEMENTS if _has(text, locale, one, channel=channel))


def _has(text: str, locale: str, element: str, *, channel: str) -> bool:
    if element == "code":
        return text.count(HOLE) == 1
    if element not in BY_FORM:
        return holds(text, locale, element)
    if channel == "email":
        return bool(text.rstrip().rpartition("\n")[2].strip())
    if is_chinese(locale):
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
