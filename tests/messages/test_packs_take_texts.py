"""No built-in text says what a pack forbids, in any of the three languages."""

from __future__ import annotations

from datetime import datetime

import pytest
from message_facts import usual, variants, write

from duly import rules
from duly.messages import fill_code
from duly.messages.catalog import templates
from duly.rules.wording import barred, in_scope

BANS = [
    rule
    for rule in rules.load_packs(rules.pack_names())
    if rule.about == "text" and isinstance(rule.primitive, rules.Text)
]
ABROAD = ("us", "uk", "eu", "in")
#: A text of three parts leaves by e-mail where a pack holds reminders to two: a plan sees to it.
LONG = ("standard_notice", "itemized", "servicer", "pre_legal", "visit")


def broken(text: str, packs: tuple[str, ...], **known: object) -> set[str]:
    """Give the rules of the packs that a text breaks by its words, its links or its length."""
    at = datetime.fromisoformat("2026-11-24T10:00:00+08:00")
    facts = {**rules.NEUTRAL, "at": at, "text": text, **known}
    found = set()
    for rule in BANS:
        primitive = rule.primitive
        assert isinstance(primitive, rules.Text)
        if rule.pack not in packs or not in_scope(primitive, facts):
            continue
        if any(barred(primitive, text, facts)):
            found.add(rule.id)
        if primitive.length_max is not None and len(text) > primitive.length_max:
            found.add(rule.id)
    return found


@pytest.mark.parametrize(("template", "locale", "channel", "tone"), sorted(variants()))
def test_a_text_breaks_no_rule_of_its_place(template, locale, channel, tone):
    how = {"locale": locale, "channel": channel, "tone": tone}
    text = fill_code(write(template, usual(template, locale), **how).text, "23456789")
    packs = ("cn",) if locale == "zh-CN" else (*ABROAD, "decency")
    known = {
        "class": templates()[template, locale].message_class,
        "channel": channel,
        "template": template,
        "days_past_due": 100,
        "lender_reports": True,
        "litigation_enabled": True,
        "litigation_days": 30,
        "has_case_number": template == "legal",
        "legal_stage": "filed" if template == "legal" else None,
    }
    allowed = {"CN-SMS-6"} if template in LONG and channel == "sms" else set()
    assert broken(text, packs, **known) - allowed == set(), text
