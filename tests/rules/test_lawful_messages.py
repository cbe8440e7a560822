"""The words of the packs are a floor: no lawful message of the open set trips over one."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from duly import rules
from duly.rules import phrases
from duly.rules.wording import asked, in_scope, links

EVERY = rules.load_packs(rules.pack_names())
BANS = [
    rule
    for rule in EVERY
    if rule.about == "text" and isinstance(rule.primitive, rules.Text) and rule.primitive.never
]
#: What a reader knows of a loan that is late for long, of a lender that reports and may sue.
KNOWN = {"litigation_enabled": True, "litigation_days": 30, "days_past_due": 90}


def barred(text: str, packs: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return each ban of the packs that a text breaks, with the words that break it."""
    at = datetime.fromisoformat("2026-11-24T10:00:00+08:00")
    facts = {**rules.NEUTRAL, "at": at, "text": text, **KNOWN}
    found = []
    for rule in BANS:
        primitive = rule.primitive
        assert isinstance(primitive, rules.Text)
        if rule.pack in packs and in_scope(primitive, facts):
            for words in asked(primitive.never, facts):
                said = filter(None, (phrases.claims(text, one) for one in words.phrases))
                found += [(rule.id, one) for one in said]
    return found


def test_no_lawful_message_breaks_a_ban(shared: Path) -> None:
    path = shared / "messages" / "messages.jsonl"
    if not path.is_file():
        pytest.skip("skipped: no shared data")
    lawful = [
        row
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())
        if row["labels"] == ["none"]
    ]
    assert len(lawful) >= 20
    for row in lawful:
        packs = ("cn",) if row["lang"] == "zh" else ("cn", "us", "uk", "eu", "in")
        assert barred(row["text"], packs) == [], row["id"]


@pytest.mark.parametrize(
    "text",
    [
        "我们不会联系您的家人，也不会通知单位。",
        "不需要您再提供任何验证码，请勿告诉他人。",
        "还款后如需开具结清证明，请联系客服。",
        "您随时可以提出还款方案，减免不收费。",
        "逾期信息将按规定报送征信系统。",
        "We never ask you to pay into a personal account.",
        "We will not contact your employer or your family.",
        "You can pay at the end of the month, or stop by our office.",
    ],
)
def test_firm_and_kind_words_pass(text: str) -> None:
    assert barred(text, ("cn", "us", "uk", "eu", "in")) == []


@pytest.mark.parametrize(
    "text",
    [
        "不还钱就通知单位",
        "你不需要解释，等着瞧",
        "不用多说老赖",
        "If you do not pay you will regret it.",
        "You have not paid and we will tell your employer.",
    ],
)
def test_a_negation_of_something_else_excuses_nothing(text: str) -> None:
    assert barred(text, ("cn", "us", "uk", "eu", "in"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("点击 kd.im/q7w2 还款", ("kd.im/q7w2",)),
        ("见 www.example.com/a，谢谢", ("www.example.com/a",)),
        ("还1/2或2.5/3.0期", ()),
        ("写信至 help@example.com/客服", ()),
        ("and/or, e.g. tomorrow", ()),
    ],
)
def test_a_link_is_known_by_its_host_and_path(text: str, found: tuple[str, ...]) -> None:
    assert links(text) == found
