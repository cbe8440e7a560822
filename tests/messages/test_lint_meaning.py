"""Meaning, not words: negation, quotation, condition, facts, spelling, and the place of words."""

from __future__ import annotations

import pytest

from duly.messages.lint import NONE, Message, labels_of, lint
from duly.spelling import rewritten, traced


def labels(text: str, stage: str = "", **facts: object) -> set[str]:
    return set(labels_of(lint(Message(text=text, stage=stage, facts=facts)))) - {NONE}


@pytest.mark.parametrize(
    ("wrong", "right", "label"),
    [
        ("我们会通知您的家人", "我们不会通知您的家人", "third_party_disclosure"),
        ("再不还就上门", "我们从不上门", "threat"),
        ("您已被法院起诉", "您没有被法院起诉", "deceptive_legal"),
        ("请转到我的个人账户", "请勿转到任何个人账户", "suspicious_link"),
        ("您的子女将无法上学", "不会影响您的子女上学", "false_consequence"),
        ("这里是市公安局", "自称市公安局的短信请勿相信", "impersonation"),
        ("您将坐牢", "欠款不会坐牢", "deceptive_legal"),
        ("点击链接还款", "请勿点击链接还款", "suspicious_link"),
        ("We will call your boss", "We will not call your boss", "third_party_disclosure"),
        ("You will be arrested", "You cannot be arrested", "deceptive_legal"),
        ("Pay with a gift card", "Never pay with a gift card", "suspicious_link"),
        ("A lawsuit has been filed", "No lawsuit has been filed", "deceptive_legal"),
        ("You will go to jail", "If a caller says you will go to jail, it is a scam", "threat"),
        ("We will sue you tomorrow", "We may sue you; none has been filed", "deceptive_legal"),
    ],
)
def test_a_negation_or_a_warning_takes_the_label_back(wrong, right, label):
    assert label in labels(wrong)
    assert labels(right) == set()


@pytest.mark.parametrize(
    "text",
    [
        "如不还款，我们会通知您的家人",
        "再不还我们就通知您的家人",
        "我们不得不通知您的家人",
        "别怪我们通知您的家人",
        "If you do not pay we will call your family",
        "Ignore us and we will have no choice but to call your family",
        "Don't make us call your family",
    ],
)
def test_a_condition_is_no_negation(text):
    assert {"threat", "third_party_disclosure"} <= labels(text)


@pytest.mark.parametrize(
    "text",
    [
        "後果自負",
        "后 果 自 负",
        "后.果.自.负",
        "后,果,自,负",
        "后💀果💀自💀负",
        "后\u200b果\u200b自\u200b负",
        "厚果自负",
        "houguo zifu".replace(" ", ""),
        "后guo自负",
        "后果自fu",
        "后果自負",
        "\u202e后果自负",
    ],
)
def test_a_threat_is_seen_in_any_spelling(text):
    assert labels(f"再不还{text}") == {"threat"}


@pytest.mark.parametrize(
    "text",
    ["加薇信 abc_001", "加v信 abc_001", "加Ｖ：abc_001", "➕微信 abc_001", "加🐧12345678",
     "weixin abc_001", "加徽信abc_001"],
)  # fmt: skip
def test_a_messenger_is_seen_in_any_spelling(text):
    assert labels(text) == {"suspicious_link"}


@pytest.mark.parametrize(
    "text",
    ["p0lice will @rrest you", "P O L I C E will arrest you", "p.o.l.i.c.e will arrest you",
     "рolice will arrest you", "police will arr3st you", "ｐｏｌｉｃｅ will arrest you"],
)  # fmt: skip
def test_english_behind_digits_gaps_and_other_alphabets_is_read(text):
    assert "deceptive_legal" in labels(text)


def test_the_words_are_those_that_the_reader_wrote():
    text = "【快易花】860元逾期12天，再不還，後　果　自　負！"
    (found,) = lint(Message(text=text))
    assert (found.words, text[found.start : found.end]) == ("後　果　自　負", "後　果　自　負")
    assert found.rule == "CN-COND-1"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, {"deceptive_legal"}),
        ({"case_status": "filed"}, set()),
        ({"filed": True, "case_no": "（2026）星0101民初77号"}, set()),
        ({"case": {"court": "星河区人民法院", "status": "accepted"}}, set()),
        ({"filed": True, "case_no": "（2026）星0101民初78号"}, {"deceptive_legal"}),
        ({"case_status": "none"}, {"deceptive_legal"}),
        ({"case_status": "not_filed"}, {"deceptive_legal"}),
        ({"filed": False}, {"deceptive_legal"}),
    ],
)
def test_a_case_is_true_only_where_the_facts_say_so(facts, expected):
    text = "我司已向星河区人民法院提起诉讼，案号（2026）星0101民初77号"
    assert labels(text, **facts) == expected


def test_a_link_is_good_only_on_a_host_of_the_lender():
    text = "请在 https://pay.example.com/a 还款"
    assert labels(text) == {"suspicious_link"}
    assert labels(text, website="https://example.com") == set()
    assert labels("请在 example.com.evil.top 还款", website="https://example.com") == {
        "suspicious_link"
    }


def test_who_signs_must_be_the_lender_of_the_facts():
    assert labels("【青石分期】您好", lender="青石分期") == set()
    assert labels("【海棠消费金融】您好", lender="青石分期") == {"impersonation"}
    assert labels("【恒正律师事务所】受托发函", law_firm="恒正律师事务所") == set()


def test_a_lender_that_does_not_report_may_not_speak_of_the_bureau():
    text = "逾期信息将按规定报送征信系统"
    assert labels(text) == set()
    assert labels(text, reports_to_bureau=True) == set()
    assert labels(text, reports_to_bureau=False) == {"false_consequence"}


def test_a_deadline_is_good_where_the_facts_know_it():
    text = "【青石分期】2,300元逾期3天，今日18:00前还款免罚息。退订回TD"
    assert labels(text, "d1_3") == {"false_urgency"}
    assert labels(text, "d1_3", offer_until="2026-06-30T18:00") == set()


def test_what_is_missing_depends_on_the_stage():
    text = "请尽快处理"
    all_four = {"missing_identity", "missing_amount", "missing_due_date", "missing_optout"}
    assert labels(text, "d8_30") == all_four
    assert labels(text, "pre_due") == all_four - {"missing_optout"}
    for stage in ("", "receipt", "service", "third_party", "scam"):
        assert labels(text, stage) == set()


def test_a_folded_text_knows_where_each_character_was_written():
    folded = traced("Ａ 後\u200b 果")
    assert folded.text == "a 后果"
    assert folded.written(2, 4) == (2, 6)
    assert folded.written(0, 1) == (0, 1)
    changed = rewritten(folded, [(2, 4, "结果如何")])
    assert changed.text == "a 结果如何"
    assert changed.written(2, 6) == (2, 6)


@pytest.mark.parametrize(
    "amount",
    ["N25,000", "₦25,000", "KSh 3,200", "Rs 4,150", "Rs.2,450/-", "₹2,450", "RM612.00", "S$188.20",
     "HK$1,260", "R1 250.00", "Rp 450.000", "Php 1,850"],
)  # fmt: skip
def test_an_amount_is_read_in_any_currency(amount):
    assert "missing_amount" not in labels(f"Acme Loans: {amount} is 5 days late. STOP", "d4_7")


def test_a_letter_for_a_nought_is_still_an_amount():
    assert "missing_amount" not in labels("【青石分期】3,1OO元逾期5天。退订回T", "d4_7")


@pytest.mark.parametrize("bonus", ["N500 bonus", "$5 cashback", "5元红包"])
def test_a_present_is_no_amount_owed(bonus):
    assert "missing_amount" in labels(f"Acme Loans: 2 days late, {bonus} if you pay. STOP", "d1_3")


@pytest.mark.parametrize(
    ("wrong", "right", "label"),
    [
        ("我们明天到您家面谈", "按您来电要求，我们明天到您家面谈，可随时取消", "threat"),
        ("Our agent will visit your home", "Our agent will visit your home at your request",
         "threat"),
        ("我们已联系您亲友", "如遇催收员联系您亲友，请向我们投诉", "third_party_disclosure"),
        ("Bailiffs are coming", "Bailiffs are not involved", "deceptive_legal"),
        ("You will be jailed", "No one can be jailed for a debt", "deceptive_legal"),
        ("Call before 5pm today", "We make calls before 5pm only", "false_urgency"),
        ("欠钱丢人", "遇到难处并不丢人", "insult"),
        ("转到个人收款码", "个人收款码一律不要付", "suspicious_link"),
    ],
)  # fmt: skip
def test_consent_complaint_and_comfort_take_the_label_back(wrong, right, label):
    assert label in labels(wrong)
    assert labels(right) == set()


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("zai bu huan, ni jiu deng zhe kan", "threat"),
        ("mingtian tongzhi ni jia ren he tong shi", "third_party_disclosure"),
        ("yi jing bao jing, jing cha hui zhua ni", "deceptive_legal"),
        ("ni zhe zhong ren bu pei zuo ren", "insult"),
        ("We go enter your house carry your TV", "threat"),
        ("EFCC don collect your BVN, police go carry you", "deceptive_legal"),
        ("Onigbese, you no get shame", "insult"),
    ],
)
def test_pinyin_and_pidgin_are_read(text, label):
    assert label in labels(f"【快易花】900元逾期9天，{text}。")


@pytest.mark.parametrize(
    "text",
    ["Payments after 5:00 pm CT count as tomorrow's", "The $3,240 judgment of Linden County Court",
     "Call within 30 days of the court letter"],
)  # fmt: skip
def test_a_time_and_a_court_are_no_home_address(text):
    assert "unmasked_pii" not in labels(text, case_status="judged", court="Linden County Court")


@pytest.mark.parametrize(
    ("wrong", "right", "label"),
    [
        (
            "您的同事都不会知道，只要您今天还清",
            "您的同事都不会知道这笔借款",
            "third_party_disclosure",
        ),
        (
            "Your boss will not be told as long as you pay",
            "Your boss will not be told",
            "threat",
        ),
    ],
)
def test_a_denial_for_sale_denies_nothing(wrong, right, label):
    assert label in labels(wrong, "d31_60")
    assert labels(right) == set()


@pytest.mark.parametrize(
    ("wrong", "right", "label"),
    [
        (
            "您已被申请限高，近期无法订票",
            "限制高消费只能由法院作出，我司无权限制您",
            "deceptive_legal",
        ),
        ("您的银行卡会被冻结", "只有法院裁定后，您的银行卡才会被冻结", "false_consequence"),
        ("传票已寄出，支付令即将签发", "律师函不是判决，可向律所核实", "deceptive_legal"),
        ("外勤人员今晚上门", "外勤人员上门前须先征得您同意", "threat"),
        ("父母依法应当代您偿还", "父母没有代您偿还的义务", "deceptive_legal"),
        ("请把验证码报给专员", "有人自称专员要您报验证码的，别信", "suspicious_link"),
        (
            "The bailiffs have been instructed and will call",
            "Somebody says the bailiffs have been instructed? Hang up, we never send any",
            "deceptive_legal",
        ),
        (
            "Your cards will be frozen",
            "We will freeze the interest",
            "false_consequence",
        ),
    ],
)
def test_who_does_it_and_who_may_do_it_decides(wrong, right, label):
    assert label in labels(wrong)
    assert labels(right) == set()


def test_a_name_hints_at_nothing_but_the_words_after_it_do():
    said = "$40 is 9 days late. Tell us what suits you. STOP to opt out."
    assert labels(f"Rapid Rush Credit: {said}", "d8_30") == set()
    assert labels(f"Rapid Credit: rush! {said}", "d8_30") == {"false_urgency"}


def test_no_more_taken_is_a_deadline_and_not_a_denial():
    text = "【江岸贷】半小时内没回复名额取消，我们也不再受理"
    assert labels(text, "hardship") == {"false_urgency"}


def test_a_day_is_found_as_far_from_its_word_with_any_sign_of_money():
    for sign in "$£₦":
        text = f"Elm Row Finance: {sign}95 is drawn from your card no. 1234 on 3 May."
        assert labels(text, "pre_due") == set()


def test_whom_the_debt_is_owed_to_is_named_even_by_one_who_poses():
    assert labels("【市金融监管局】您欠江岸贷950元，逾期31天。退订回T", "d31_60") == {
        "impersonation"
    }
    assert (
        labels("It's Elm Row, your loan company. $95 is 31 days late. STOP to opt out.", "d31_60")
        == set()
    )
    assert "missing_identity" in labels("$95 is 31 days late. STOP to opt out.", "d31_60")


@pytest.mark.parametrize(
    ("asked", "no", "yes", "label"),
    [
        ("法警会来抓您吗？", "不会，欠款不是这样处理的。", "明天就到。", "deceptive_legal"),
        ("Will you be arrested?", " No.", " Yes, tomorrow.", "deceptive_legal"),
    ],
)
def test_a_question_that_the_text_answers_with_no_claims_nothing(asked, no, yes, label):
    assert labels(asked + no) == set()
    assert label in labels(asked + yes)
