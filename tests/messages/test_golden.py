"""The texts, word for word: golden.md for the reader, the main ones here."""

from __future__ import annotations

import pytest
from message_facts import GOLDEN, due, facts, golden_text, write


def test_golden_file_holds_every_text_word_for_word():
    assert golden_text() == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("template", "tone", "expected"),
    [
        (
            "due_soon",
            "gentle",
            "【示例消金】张**您好，提醒您：尾号1234的借款3月13日应还734.10元（截至3月10日9:30）。已安排请忽略。"
            "想核对金额或改期，请打开示例消金App或拨95xxx。我们不会让您转账给个人。核验码{code}",
        ),
        (
            "first_late",
            "gentle",
            "【示例消金】张**您好，可能忘了：尾号1234的借款3月13日应还，截至3月20日9:30有736.67元没到账。"
            "按合同计罚息。已还请忽略。有疑问或想缓几天，请打开示例消金App或拨95xxx。请勿转账给个人。"
            "核验码{code}，不收短信回TD",
        ),
        (
            "overdue",
            "plain",
            "【示例消金】张**您好，尾号1234的借款逾期7天（3月13日应还），截至3月20日9:30待还736.67元。"
            "按合同计罚息。已还请忽略。有疑问或想延期请打开示例消金App或拨95xxx。"
            "核验码{code}，不收短信回TD",
        ),
        (
            "verify_security",
            "plain",
            "【示例消金】张**您好，您的账户近期有操作需要您确认。请打开示例消金App或拨95xxx，"
            "核实是不是您本人操作。我们不会索要密码、验证码，也不会让您转账或共享屏幕。核验码{code}",
        ),
    ],
)
def test_main_texts_read_as_agreed(template, tone, expected):
    params = due() if template == "due_soon" else facts()
    assert write(template, params, tone=tone).text == expected


def test_an_english_text_reads_as_agreed():
    expected = (
        "Example Finance: Hello Z***, your loan ending 1234 is 7 days late (payment due Mar 13). "
        "As of Mar 20 09:30, CNY 736.67 is unpaid. A late charge accrues under the contract. "
        "If paid, please ignore. For questions, more time or smaller payments, open the Example "
        "app or call 95xxx. Check code {code}. Reply STOP to end texts"
    )
    assert write("overdue", facts(name="Zhang"), locale="en").text == expected
