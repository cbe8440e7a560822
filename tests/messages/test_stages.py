"""What each stage must and may never say, as the table of borrower care has it."""

from __future__ import annotations

import re

import pytest
from message_facts import LENDERS, usual, write

from duly.messages import violations
from duly.messages.catalog import templates
from duly.messages.stages import CLASSES, DEMANDING, ELEMENTS, KINDS, NO_DEBT, STAGES, pattern
from duly.policy import DEMANDS
from duly.rules import load_packs, pack_names

LOCALES = ("zh-CN", "zh-TW", "en")
CHANNELS = ("sms", "email")

#: The table, row by row: template, what it must say (one wording of each cell), by locale.
MUST = [
    ("due_soon", "zh-CN", ["示例消金", "734.10元", "3月13日", "改期", "核验码"]),
    ("due_today", "zh-CN", ["734.10元", "今天（3月13日）", "请先告诉我们"]),
    ("first_late", "zh-CN", ["可能忘了", "736.67元", "3月13日", "已还请忽略", "TD"]),
    (
        "standard_notice",
        "zh-CN",
        [
            "8,000.00元",
            "3月13日应还",
            "逾期7天",
            "按合同计罚息",
            "第7条",
            "投诉",
            "不会联系您的亲友",
        ],
    ),
    ("itemized", "zh-CN", ["本金680.00元", "利息54.10元", "罚息2.57元", "延期或分期"]),
    ("help_first", "zh-CN", ["困难安排", "每月最低还120.00元", "不收费，不用找中介"]),
    ("credit_notice", "zh-CN", ["计划4月22日向征信系统报送"]),
    (
        "servicer",
        "zh-CN",
        [
            "4月1日起由示例信用服务",
            "公布的合作名单",
            "只和我们谈",
            "还款账户不变",
            "请勿转账给个人",
        ],
    ),
    ("options", "zh-CN", ["一次还清、延期或分期", "书面", "投诉"]),
    ("pre_legal", "zh-CN", ["目前还没有起诉", "4月3日前", "法院文书只由法院送达"]),
    ("legal", "zh-CN", ["甲市乙区人民法院", "（2026）甲0101民初1号"]),
    (
        "visit",
        "zh-CN",
        [
            "您同意的话",
            "3月28日",
            "李明（工号1001）、王芳（工号1002）",
            "录音录像",
            "不同意我们就不去",
        ],
    ),
    ("receipt", "zh-CN", ["收到您还的300.00元", "入账明细"]),
    ("dispute_opened", "zh-CN", ["D2603-18", "4月3日前书面答复", "不提醒，也不加罚息", "复核"]),
    ("plan_agreed", "zh-CN", ["共736.50元，分3次，每次245.50元，第一次4月10日", "不另收费用"]),
    ("hardship_received", "zh-CN", ["4月3日前答复您", "不提醒", "不收费"]),
    ("promise_noted", "zh-CN", ["3月27日", "300.00元", "不提醒"]),
    ("wrong_person", "zh-CN", ["很抱歉", "已停止", "什么都不用做"]),
    ("opt_out_confirmed", "zh-CN", ["已停止通过短信提醒您", "法律要求的通知仍会发"]),
    (
        "standard_notice",
        "zh-TW",
        ["人民幣8,000.00元", "依契約計收遲延利息", "第7條", "申訴"],
    ),
    ("servicer", "zh-TW", ["4月1日起由示例信用服务", "合作名單", "只和我們談", "繳款帳戶不變"]),
    ("pre_legal", "zh-TW", ["目前還沒有起訴", "4月3日前", "法院文書只由法院送達"]),
    ("visit", "zh-TW", ["李明（員工編號1001）", "錄音錄影", "不同意我們就不去"]),
    ("opt_out_confirmed", "zh-TW", ["已停止透過簡訊提醒您"]),
    ("standard_notice", "en", ["CNY 8,000.00", "clause 7", "complain", "do not contact family"]),
    ("servicer", "en", ["From Apr 1, Example Servicing", "published list", "deal only with us"]),
    ("pre_legal", "en", ["none has been filed", "by Apr 3", "only ever come from the court"]),
    ("legal", "en", ["on Mar 16 we filed", "Example County Court, case K12 345"]),
    ("visit", "en", ["If you agree, Li Ming (staff no. 1001) and Wang Fang (staff no. 1002)"]),
    ("wrong_person", "en", ["We are sorry", "have stopped", "need do nothing"]),
]

#: What no text of a stage may say: a sentence of each kind, by locale.
NEVER = {
    "debt": ("您有一笔逾期", "您有一筆逾期", "Your loan is late"),
    "amount": ("金额734.10元", "金額NT$734", "It is CNY 734.10"),
    "person": ("张**", "張**", "Z***"),
    "demand": ("请尽快还款", "請儘快繳款", "Please pay"),
    "grave": ("情况严重", "情況嚴重", "This is serious"),
    "credit": ("会上征信", "會上徵信", "It goes to the credit bureau"),
    "legal": ("我们会起诉", "我們會起訴", "We go to court"),
    "court_papers": ("法院已立案", "法院已立案", "A summons is on its way"),
    "crime": ("这是诈骗", "這是詐騙", "This is a crime"),
    "case_number": ("案号（2026）甲1号", "案號115年度", "case 12"),
    "ultimatum": ("今天18点前处理", "今天18點前處理", "within 2 hours"),
    "invented_hours": ("中午前处理", "中午前處理", "before noon"),
    "motives": ("您在逃避", "您在逃避", "You are avoiding us"),
    "forever": ("永久保存", "永久保存", "for life"),
    "relatives": ("告诉您的家人", "告訴您的家人", "your family will know"),
    "unannounced": ("我们会上门", "我們會上門", "We are coming to your place"),
    "last_chance": ("最后机会", "最後機會", "Your last chance"),
}


@pytest.mark.parametrize(("template", "locale", "said"), MUST)
def test_each_cell_of_the_table_stands_in_the_text(template, locale, said):
    text = write(template, usual(template, locale), locale=locale, tone="gentle").text
    assert [one for one in said if one not in text] == []


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", sorted({name for name, _ in templates()}))
def test_what_a_stage_never_says_is_found_where_it_is_added(name, locale):
    stage = templates()[name, locale].stage
    text = write(name, usual(name, locale), locale=locale).text
    for kind in STAGES[stage].never:
        said = f"{text}。{NEVER[kind][LOCALES.index(locale)]}。"
        assert f"forbidden:{kind}" in violations(said, locale, stage), kind


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("stage", STAGES)
def test_an_empty_greeting_lacks_everything_that_a_stage_demands(stage, locale):
    found = violations("…", locale, stage)
    expected = [f"missing:{element}" for element in STAGES[stage].must]
    assert [one for one in found if one.startswith("missing:")] == expected


def test_every_element_and_kind_is_known_in_every_locale_and_used():
    used = {element for stage in STAGES.values() for element in stage.must}
    assert used == set(ELEMENTS)
    assert {kind for stage in STAGES.values() for kind in stage.never} == set(KINDS) == set(NEVER)
    for locale in LOCALES:
        for name in (*(set(ELEMENTS) - {"identity", "code"}), *KINDS, "charge", "prevents"):
            assert pattern(locale, name).pattern


def test_every_stage_has_a_template_a_known_class_and_a_stage_of_the_labelling_guide():
    assert {one.stage for one in templates().values()} == set(STAGES)
    guide = {
        *("pre_due", "due_day", "d1_3", "d4_7", "d8_30", "d31_60", "d61_90", "d90plus"),
        *("pre_legal", "visit", "receipt", "plan", "hardship", "service", "lost_contact"),
    }
    for stage in STAGES.values():
        assert stage.message_class in CLASSES
        assert stage.like in guide
        assert len(set(stage.must)) == len(stage.must)


def test_every_rule_that_asks_for_an_element_is_a_rule():
    known = {rule.id for rule in load_packs(pack_names())}
    assert {rule for rules in ELEMENTS.values() for rule in rules} <= known


def test_the_policy_knows_every_template_that_asks_for_an_overdue_amount():
    assert {one.name for one in templates().values() if one.stage in DEMANDING} == DEMANDS


def test_stages_that_name_no_debt_are_those_of_somebody_else_or_of_security():
    silent = {"security", "details", "correction", "wrong_person", "opt_out", "request"}
    assert silent == NO_DEBT


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("channel", CHANNELS)
def test_answers_ask_for_no_money(locale, channel):
    for (name, own), template in templates().items():
        if own == locale and template.message_class in ("answer", "receipt", "correction"):
            text = write(name, usual(name, locale), locale=locale, channel=channel).text
            assert not pattern(locale, "demand").search(text), (name, text)


@pytest.mark.parametrize("locale", LOCALES)
def test_no_text_shames_threatens_or_hurries(locale):
    shame = {
        "zh-CN": "恶意|严重|拒不|失信|后果|务必|尽快|立即|必须|否则|最后|涉及|予以|依法|追究|你",
        "zh-TW": "惡意|嚴重|拒不|失信|後果|務必|儘快|立即|必須|否則|最後|涉及|予以|依法|追究|你",
        "en": "ASAP|strict|further action|must|immediately|failure|serious|consequence|otherwise",
    }[locale]
    for (name, own), template in templates().items():
        if own != locale:
            continue
        for channel, tone in template.bodies:
            text = write(
                name, usual(name, locale), locale=locale, channel=channel, tone=tone,
                lender=LENDERS[locale],
            ).text  # fmt: skip
            assert not re.search(shame, text), (name, re.search(shame, text))


@pytest.mark.parametrize("tone", ["gentle", "plain", "serious"])
@pytest.mark.parametrize("channel", ["sms", "email"])
@pytest.mark.parametrize(
    ("locale", "words"),
    [("zh-CN", "请先告诉我们"), ("zh-TW", "請先告訴我們"), ("en", "tell us first")],
)
def test_on_the_due_day_the_borrower_is_asked_to_tell_us_first(locale, words, channel, tone):
    how = {"locale": locale, "channel": channel, "tone": tone}
    assert words in write("due_today", usual("due_today", locale), **how).text
