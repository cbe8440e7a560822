"""No value of any variable adds a link, a line, a brace or a sentence to a text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from message_facts import EXAMPLE, LATE_ENOUGH, facts, order, usual, write

from duly.book import load_lender
from duly.book.lender import Agency
from duly.messages import CannotSay, fill_code, render, segments
from duly.messages.catalog import templates
from duly.messages.elements import violations
from duly.messages.samples import sample_facts
from duly.messages.variables import (
    FACT_OF,
    TYPED,
    VALUE_CHARACTERS_MAX,
    VARIABLES,
    is_typed,
)

#: Every fact that is a text of a case, with a template that says it.
CASES = {
    "court": "legal",
    "case_no": "legal",
    "agency": "servicer",
    "staff_one": "visit",
    "staff_two": "visit",
    "reference": "dispute_opened",
    "stopped": "opt_out_confirmed",
}
HOSTILE = (
    "",
    " ",
    "忽略上文，请转账到6222000000000000",
    "ignore this; pay to 6222",
    "Pay Now Court",
    "Send Money Court",
    "请立即还款人民法院",
    "张三欠钱不还市人民法院",
    "https://a.cn/x",
    "a.cn/x",
    "甲市乙区人民法院\n【某银行】",
    "甲市乙区人民法院 13812345678",
    "甲市乙区人民法院\u202e",
    "甲市乙区人民法院\u200b",
    "{code}",
    "{{ name }}",
    "{% if x %}",
    "%s",
    "【示例】",
    "D2603-18 see a.cn",
    "d2603",
    "13812345678",
    "138 1234 5678",
    "D138123456789",
    "李明 1001 微信",
    "快还钱吧 1001",
    "李明",
    "1001",
    "sms\n",
    "SMS",
    "甲" * 36,
    "D" * 36,
    "（2026）甲0101民初1号，请转账",
    "（2026）甲0101民初1号\n",
)


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("fact", sorted(CASES))
def test_a_hostile_value_is_not_sent(fact, value):
    template = CASES[fact]
    params = replace(usual(template, "zh-CN"), **{fact: value})
    with pytest.raises(CannotSay, match=fact):
        write(template, params)


@pytest.mark.parametrize("fact", sorted(CASES))
def test_a_value_that_is_absent_is_not_sent(fact):
    with pytest.raises(CannotSay, match=fact):
        write(CASES[fact], replace(usual(CASES[fact], "zh-CN"), **{fact: None}))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("court", "最高人民法院"),
        ("court", "北京市朝阳区人民法院"),
        ("court", "江苏省南京市中级人民法院"),
        ("court", "新疆维吾尔自治区高级人民法院"),
        ("court", "北京互联网法院"),
        ("court", "上海金融法院"),
        ("court", "重庆市第五中级人民法院"),
        ("court", "臺灣臺北地方法院"),
        ("court", "Central London County Court"),
        ("court", "County Court at Leeds"),
        ("case", "（2026）京0105民初12345号"),
        ("case", "(2026)沪74民终9号"),
        ("case", "（2026）粤01执恢88号之一"),
        ("case", "115年度訴字第123號"),
        ("case", "1:26-cv-00123"),
        ("case", "K12 345"),
        ("code", "D2607-18"),
        ("code", "YY20260718"),
        ("staff", "李明 1001"),
        ("staff", "欧阳晓明 00123"),
        ("staff", "Li Ming 1001"),
        ("channel", "voice"),
    ],
)
def test_what_is_written_in_the_usual_way_is_taken(kind, value):
    assert is_typed(kind, value)


@pytest.mark.parametrize("value", [None, 7, ("sms",), b"sms"])
def test_what_is_no_text_is_of_no_kind(value):
    assert not any(is_typed(kind, value) for kind in TYPED)


def test_no_type_carries_prose():
    kinds = {"name", "tail", "count", "number", "days", "instant", "clock", "money", "date"}
    assert set(VARIABLES.values()) == kinds | TYPED | {"agency", "lender", "phone", "clause"}
    assert {"court", "case", "code", "staff", "channel"} == TYPED
    assert set(FACT_OF) <= set(VARIABLES)


ANYTHING = st.text(max_size=40) | st.sampled_from(HOSTILE)
#: Near-misses: parts of good values and of bad ones, put together.
PIECES = st.lists(
    st.sampled_from(
        [
            *(
                "甲市",
                "乙区",
                "人民法院",
                "法院",
                "（2026）",
                "甲0101",
                "民初",
                "1号",
                "李明",
                " 1001",
            ),
            *("D2603", "-18", "{", "}", "\n", "a.cn/", "http://", "【", "】", "转账", " ", "sms"),
            *("Court", "Pay ", "Example ", "County ", "\u202e", "%", "[[", "13812345678"),
        ]
    ),
    max_size=6,
).map("".join)


@given(value=ANYTHING | PIECES, kind=st.sampled_from(sorted(TYPED)))
def test_a_value_of_a_kind_is_short_and_has_no_mark_that_a_text_could_misread(value, kind):
    if is_typed(kind, value):
        assert len(value) <= VALUE_CHARACTERS_MAX
        assert value.isprintable()
        assert not re.search(r"[{}\[\]【】%<>\n.@,，。;；!！?？]|//|:(?![0-9]{2}-)", value)
        assert not re.search(r"1[3-9][0-9]{9}", value)
        assert not re.search("转|付|还|款|钱|请|您", value)


@settings(deadline=None)  # The first text in traditional characters reads their converter.
@given(
    fact=st.sampled_from(sorted(CASES)),
    value=ANYTHING | PIECES,
    channel=st.sampled_from(["sms", "email"]),
    locale=st.sampled_from(["zh-CN", "zh-TW", "en"]),
)
def test_whatever_the_value_a_text_has_its_own_lines_braces_and_no_link(
    fact, value, channel, locale
):
    template = CASES[fact]
    good = usual(template, locale)
    clean = write(template, good, locale=locale, channel=channel).text
    params = replace(good, **{fact: value})
    try:
        text = write(template, params, locale=locale, channel=channel)
    except CannotSay:
        return
    assert text.text.count("\n") == clean.count("\n")
    assert re.sub(r"\{code\}", "", text.text).isprintable() or channel == "email"
    assert [text.text.count(mark) for mark in "{}【】[]<>"] == [
        clean.count(mark) for mark in "{}【】[]<>"
    ]
    stage = templates()[template, locale].stage
    assert violations(text.text, locale, stage, channel=channel) == ()
    if channel == "sms":
        assert (text.encoding, text.segments) == segments(fill_code(text.text, "23456789"))


@settings(deadline=None)
@given(name=st.text(max_size=60), loan_id=st.text(min_size=1, max_size=60))
def test_names_and_ids_add_nothing_either(name, loan_id):
    for template in ("help_first", "promise_noted", "plan_agreed"):
        clean = write(template, usual(template, "zh-TW"), locale="zh-TW").text
        params = replace(usual(template, "zh-TW"), name=name, loan_ids=(loan_id,))
        text = write(template, params, locale="zh-TW").text
        assert [text.count(mark) for mark in "{}【】\n/"] == [clean.count(m) for m in "{}【】\n/"]
        assert text.replace("{code}", "").isprintable()


def test_an_agency_outside_the_list_is_not_named():
    params = usual("servicer", "zh-CN")
    other = replace(EXAMPLE, agencies=(Agency(name="另一家信用服务"),))
    with pytest.raises(CannotSay, match="agency is not on the lender's list"):
        write("servicer", params, lender=other)
    with pytest.raises(CannotSay, match="agency is not on the lender's list"):
        write("servicer", params, lender=replace(EXAMPLE, agencies=()))


@pytest.mark.parametrize("fact", ["case_approved", "court", "case_no", "document_sha256"])
def test_a_claim_is_told_only_with_everything_that_proves_it(fact):
    absent = False if fact == "case_approved" else None
    with pytest.raises(CannotSay, match=fact):
        write("legal", replace(usual("legal", "zh-CN"), **{fact: absent}))


@pytest.mark.parametrize(
    ("template", "given", "problem"),
    [
        ("pre_legal", {"case_approved": False}, "no case_approved"),
        ("pre_legal", {"answer_by": facts().as_of}, "answer_by is not after as_of"),
        ("legal", {"document_sha256": "abc"}, "document_sha256 is no SHA-256"),
        ("legal", {"filed_on": facts().next_due_on.replace(year=2027)}, "filed_on lies after"),
        ("visit", {"staff_two": "李明 1001"}, "the two staff are one person"),
        ("visit", {"visit_on": None}, "visit_on is not after as_of"),
        ("plan_agreed", {"plan_count": 0}, "the plan does not add up"),
        ("plan_agreed", {"plan_count": 361}, "the plan does not add up"),
        ("plan_agreed", {"plan_amount": 73651}, "the plan does not add up"),
        ("plan_agreed", {"plan_cost": None}, "no plan_cost"),
        ("plan_agreed", {"plan_cost": -1}, "plan_cost is negative"),
        ("promise_noted", {"promise_amount": 0}, "no promise_amount"),
        ("promise_noted", {"promise_on": None}, "promise_on is before as_of"),
        (
            "promise_noted",
            {"promise_on": facts().as_of.replace(day=1)},
            "promise_on is before as_of",
        ),
        ("dispute_opened", {"answer_by": None}, "answer_by is not after as_of"),
        ("servicer", {"agency_from": None}, "no agency_from"),
        *(
            (name, {"days_past_due": days - 1}, f"not before {days} days past due")
            for name, days in (("help_first", 8), ("servicer", 31), ("options", 61))
        ),
    ],
)
def test_a_text_of_a_case_is_not_sent_without_its_facts(template, given, problem):
    with pytest.raises(CannotSay) as refusal:
        write(template, replace(usual(template, "zh-CN"), **given))
    assert any(one.startswith(problem) for one in refusal.value.problems)


def test_a_text_whose_lender_lacks_the_clause_is_refused():
    from duly.core.errors import Refused

    with pytest.raises(Refused, match="lacks clause"):
        write("standard_notice", facts(), lender=replace(EXAMPLE, late_charge_clause=""))


@pytest.mark.parametrize("clause", ["七", "7条", "7.", "7.2.1.1", "7 请还款", "1234"])
def test_a_clause_is_a_number(clause):
    from duly.core.errors import Refused

    with pytest.raises(Refused, match="not a number"):
        write("overdue", facts(), lender=replace(EXAMPLE, late_charge_clause=clause))


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_the_least_to_pay_is_named_to_who_reads_traditional_characters(channel):
    taiwan = sample_facts("help", "zh-TW", from_days=8)
    wanted = order("help_first", taiwan, locale="zh-TW", channel=channel)
    text = render([wanted], load_lender(None))[0].text
    assert "每月最少繳NT$550" in text
    assert "先繳一部分" not in text


def test_the_least_to_pay_is_named_only_in_money_that_the_lender_states_it_in():
    assert "每月最低还120.00元" in write("help_first", usual("help_first", "zh-CN")).text
    euros = replace(usual("help_first", "zh-CN"), currency="EUR")
    assert "先还一部分" in write("help_first", euros).text


def test_two_loans_have_no_amount_lent():
    both = replace(usual("standard_notice", "zh-CN"), loan_ids=("L-1", "L-2"))
    text = render([order("standard_notice", both)], EXAMPLE)[0].text
    assert "您的2笔借款最早3月13日应还" in text
    assert "8,000.00" not in text


def test_a_court_in_another_script_is_counted_as_it_is_sent():
    params = replace(usual("legal", "en"), court="甲市乙区人民法院", days_past_due=99)
    text = write("legal", params, locale="en")
    assert (text.encoding, text.segments) == segments(fill_code(text.text, "23456789"))
    assert text.encoding == "UCS-2"
    assert LATE_ENOUGH["legal"] <= 99
