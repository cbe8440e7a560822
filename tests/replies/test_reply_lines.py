"""Replies that look alike and mean something else: both sides of each line."""

from __future__ import annotations

from decimal import Decimal

import pytest
from reply_cases import cases

from duly.replies import INTENTS, Reply, read
from duly.replies.menus import options


@pytest.mark.parametrize(
    "case", [*cases("cases/lines.yaml"), *cases("cases/said.yaml")], ids=lambda case: case.reply.id
)
def test_a_reply_falls_on_its_side_of_the_line(case):
    reading, row = read(case.reply), case.row
    if "intent" in row:
        assert (case.reply.text, reading.intent) == (case.reply.text, row["intent"])
    if "not" in row:
        assert (case.reply.text, reading.intent) != (case.reply.text, row["not"])
    if "vulnerable" in row:
        assert reading.vulnerable is row["vulnerable"]
    if "amount" in row:
        amount = row["amount"]
        assert reading.amount == (None if amount is None else Decimal(amount))
    if "secondary" in row:
        assert reading.secondary_intent == row["secondary"]


def test_every_intent_has_a_case_in_the_batches():
    told = {case.row["intent"] for name in (1, 2, 3) for case in cases(f"batches/batch{name}.yaml")}
    assert told == set(INTENTS)


def test_what_no_rule_knows_is_other_and_a_person_reads_it():
    case = cases("batches/batch1.yaml")[0]
    at = case.reply.received_at
    for text in ("看看再说吧呵呵哒", "zzz qqq", "🧩", "……"):
        reading = read(Reply(id="r", text=text, received_at=at))
        assert (text, reading.intent, reading.needs_person) == (text, "other", True)


def test_a_long_text_is_other_with_what_must_not_be_missed():
    case = cases("batches/batch1.yaml")[0]
    text = "说来话长。" * 400 + "我真的不想活了，别再打电话了"
    reading = read(Reply(id="r", text=text, received_at=case.reply.received_at, lang="zh"))
    assert (reading.intent, reading.vulnerable, reading.needs_person) == ("other", True, True)
    assert reading.secondary_intent in ("hardship", "opt_out")


@pytest.mark.parametrize(
    ("menu", "expected"),
    [
        ({"1": "已还款", "T": "退订"}, {"1": "已还款", "t": "退订"}),
        (["已还款", "要延期"], {"1": "已还款", "2": "要延期"}),
        (["1.已还款", "2.要延期"], {"1": "已还款", "2": "要延期"}),
        ("1已还款 2要延期 3退订", {"1": "已还款", "2": "要延期", "3": "退订"}),
        ("回复1：已还款；回复2：要延期", {"1": "已还款", "2": "要延期"}),
        ("已还款请回1，要延期请回2", {"1": "已还款", "2": "要延期"}),
        ("Reply 1 if paid, 2 for more time", {"1": "paid", "2": "more time"}),
        ([{"key": "7", "text": "人工"}], {"7": "人工"}),
        (None, {}),
    ],
)
def test_a_menu_is_read_in_every_form(menu, expected):
    assert options(menu) == expected
