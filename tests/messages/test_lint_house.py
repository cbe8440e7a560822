"""Our own texts: each was linted, a bad one is refused, and no lender's word slips through."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lint_approvals import APPROVED, approved
from message_facts import EXAMPLE, facts, write

from duly.messages import TemplateBroken, lender_problems
from duly.messages.catalog import VARIABLES, builtin
from duly.messages.lint import broken, is_authority, names_nobody, unsaid
from duly.messages.shape import compile_shape
from duly.messages.voice import voice_of


def test_every_text_of_ours_was_linted_with_this_lexicon():
    """Renew with `python tests/messages/lint_approvals.py`."""
    assert APPROVED.read_text(encoding="utf-8") == approved()


@pytest.mark.parametrize(
    ("words", "label"),
    [
        ("再不还就通知您的单位同事", "threat"),
        ("您已被法院立案", "deceptive_legal"),
        ("请点 t.cn/AbC12", "suspicious_link"),
        ("做人要讲诚信", "insult"),
        ("剩下30分钟", "false_urgency"),
    ],
)
def test_a_template_that_would_break_a_rule_is_refused_when_it_is_compiled(words, label):
    template = builtin().templates["overdue", "zh-CN"]
    body = template.bodies["sms", "plain"]
    bad = replace(body, key=f"overdue.zh-CN.sms.{label}", source=f"{body.source}。{words}")
    voice = voice_of(EXAMPLE, "zh-CN", "sms", "dunning")
    with pytest.raises(TemplateBroken) as refused:
        compile_shape(template, bad, voice, {"named": True})
    assert [one for one in refused.value.problems if one.startswith(f"forbidden:{label}:")]


def test_the_same_text_is_free_of_labels_for_any_lender():
    other = replace(
        EXAMPLE,
        name="云杉小额贷款有限公司",
        signature="云杉小贷",
        app="云杉App",
        hotline="4000000000",
    )
    for lender in (EXAMPLE, other):
        text = write("overdue", facts(), lender=lender).text
        assert broken(text, "d1_3", (lender.name, lender.signature)) == ()


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("signature", "城东区人民法院", "signature_of_authority"),
        ("signature", "恒正律师事务所", "signature_of_authority"),
        ("signature", "市公安局", "signature_of_authority"),
        ("signature", "催收中心", "signature_not_usable"),
        ("signature", "还款提醒", "signature_not_usable"),
        ("signature_en", "County Court", "signature_of_authority"),
        ("signature_en", "Account Services", "signature_not_usable"),
        ("name", "后果自负金融", "lender_words_forbidden"),
        ("app", "老赖曝光台", "lender_words_forbidden"),
    ],
)
def test_a_lender_file_may_not_bring_words_that_no_text_may_hold(field, value, code):
    found = lender_problems(replace(EXAMPLE, **{field: value}))
    assert code in [one.code for one in found]


def test_the_names_of_lenders_are_names():
    for name in ("示例消金", "云杉小贷", "快易花", "Larkfield Credit", "QuickNickel", "金满分期"):
        assert not names_nobody(name), name
        assert not is_authority(name), name
    for name in ("还款通知", "法务部", "客服中心", "Collections Department", "Legal Dept"):
        assert names_nobody(name), name


def test_the_house_list_is_stricter_than_the_labels():
    assert unsaid("请尽快还款", "zh-CN") == ("FALSE_URGENCY:尽快",)
    assert broken("请尽快还款") == ()
    assert unsaid("我们不会联系您的家人", "zh-CN") == ()


#: What a value of each type may look like; there is no type for prose.
FORMS = {
    "money": r"[0-9,]+\.[0-9]{2}元|[A-Z]{3} [0-9,]+(\.[0-9]+)?",
    "date": r"([0-9]{4}年)?[0-9]{1,2}月[0-9]{1,2}日|[A-Z][a-z]{2} [0-9]{1,2}(, [0-9]{4})?",
    "instant": r"[0-9]{1,2}月[0-9]{1,2}日[0-9]{1,2}:[0-9]{2}|[A-Z][a-z]{2} [0-9]{1,2} [0-9:]{5}",
    "days": r"[0-9]+天|[0-9]+ days?",
    "count": r"[0-9]+",
    "tail": r"[0-9*]{1,4}",
    "name": r"(\w{1,2}\*\*|\w\*\*\*|)",
}


@given(
    name=st.text(max_size=40) | st.sampled_from(["再不还就上门", "请点t.cn/a", "Pay or else"]),
    loan_id=st.text(min_size=1, max_size=20) | st.sampled_from(["后果自负", "WARRANT", "t.cn/a"]),
)
@settings(deadline=None)
def test_no_variable_can_carry_prose(name, loan_id):
    for locale in ("zh-CN", "en"):
        for channel in ("sms", "email"):
            params = facts(name=name, loan_ids=(loan_id,))
            written = write("overdue", params, locale=locale, channel=channel).params
            for variable, value in written.items():
                assert re.fullmatch(FORMS[VARIABLES[variable]], value), (variable, value)
