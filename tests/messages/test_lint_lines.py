"""Both sides of a line: an invented filing, a threat, a slur, and what only looks like one."""

from __future__ import annotations

import pytest

from duly.messages.lint import NONE, Message, labels_of, lint


def labels(text: str, stage: str = "", **facts: object) -> set[str]:
    return set(labels_of(lint(Message(text=text, stage=stage, facts=facts)))) - {NONE}


INVENTED = [
    "您的案件已由法院受理，案号（2026）星0101民初1234号。",
    "您的案件已由法院受理。",
    "您的借款纠纷已由法院受理，请留意传票。",
    "您的未还借款案件已由法院受理，您有权答辩。",
    "您的借款纠纷已经法院受理。",
    "您的借款纠纷现由法院审理。",
    "我司已依法起诉您。",
    "我司已于3月2日依法向法院起诉。",
    "You have been found liable by default.",
    "You were held liable last week.",
]


@pytest.mark.parametrize("text", INVENTED)
@pytest.mark.parametrize("facts", [{}, {"filed": False}, {"case_status": "none"}])
def test_a_filing_that_no_fact_knows_is_invented(text, facts):
    assert labels(text, **facts) == {"deceptive_legal"}


@pytest.mark.parametrize("text", [*INVENTED, "法院已受理您的案件", "您的案件已被法院受理。"])
def test_a_filing_that_the_facts_know_may_be_told(text):
    assert labels(text, filed=True) == set()


@pytest.mark.parametrize(
    "text",
    [
        "是否受理由法院决定。",
        "传票由法院送达，不由我司发送。",
        "对已由法院受理的案件，如有疑问请来电。",
        "案件正由法院审理期间，您仍可协商。",
        "若案件已由法院受理，您有权答辩。",
        "案件如已由法院受理，法院会直接通知您，您有权答辩。",
        "您已逾期60天，我司将依法向法院起诉。",
        "我司可依法申请强制执行，须经法院裁定。",
        "我司已依法委托律师，拟提起诉讼。",
        "您依法享有立案前协商的权利。",
        "我司已依法委托专业机构协助联系您。",
        "If you have been found liable by a court, its order tells you what to pay.",
        "You have not been found liable for anything.",
    ],
)
def test_a_filing_that_is_supposed_or_left_to_the_court_is_not_invented(text):
    assert labels(text) == set()


def test_the_police_are_not_made_true_by_a_civil_case():
    assert labels("公安局已受理您的案件", filed=True) == {"deceptive_legal"}


@pytest.mark.parametrize(
    "text",
    [
        "您好，您同事李明在我司有一笔5,000元借款逾期，麻烦提醒他一下。【青禾消费金融】",
        "您朋友赵强的贷款已逾期，请您帮忙联系他还款。【青禾消费金融】",
        "【青禾消费金融】您朋友赵强的贷款已逾期，请您帮忙联系他还款。",
    ],
)
def test_a_debt_told_to_somebody_else_is_seen_wherever_the_signature_stands(text):
    assert labels(text, "third_party") == {"third_party_disclosure"}


def test_words_of_a_signature_tell_nobody_of_a_debt():
    said = "您好，请转告李先生方便时致电我们。"
    assert labels(f"{said}【青禾借款】", "third_party") == set()
    assert labels(f"【青禾借款】{said}", "third_party") == set()


@pytest.mark.parametrize(
    "text",
    [
        "We are coming after you.",
        "We will go after you and your wages",
        "Our collectors are after you now",
        "They're after you!",
        "Someone will be after you 24/7",
    ],
)
def test_they_are_after_you_is_a_threat(text):
    assert "threat" in labels(text)


@pytest.mark.parametrize(
    "text",
    [
        "You have 30 days after you receive our validation notice to dispute this debt.",
        "Your balance updates after you pay.",
        "Interest stops after you agree a plan.",
        "Refunds go out after you cancel.",
        "Receipts come after you confirm.",
    ],
)
def test_after_you_have_done_something_is_a_time(text):
    assert labels(text) == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("请联系公司法务部", set()),
        ("借款人为公司法人", set()),
        ("请致电我司法务人员", set()),
        ("【青禾公司法务部】请来电", set()),
        ("您的事已由司法部门关注", {"deceptive_legal"}),
        ("【青禾司法部】请来电", {"impersonation"}),
    ],
)
def test_a_company_and_its_lawyers_are_no_judiciary(text, expected):
    assert labels(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("感谢您的诚信还款", set()),
        ("感谢您一直以来的信任与支持", set()),
        ("诚信经营是我们的承诺", set()),
        ("我司始终坚持诚信经营", set()),
        ("您的诚信记录良好", set()),
        ("我司已委托诚信管理有限公司协助联系您。", set()),
        ("您缺乏诚信", {"insult"}),
        ("您的诚信呢", {"insult"}),
        ("诚信的人才配和公司谈", {"insult"}),
        ("感谢您，您真有诚信", {"insult"}),
        ("您的良心何在，诚信管理有限公司提醒您", {"insult"}),
    ],
)
def test_honesty_praised_promised_or_in_a_name_is_no_slur(text, expected):
    assert labels(text) == expected


def test_a_name_that_the_facts_know_hints_at_nothing():
    text = "我司已委托守信良心事务所联系您"
    assert labels(text) == {"insult"}
    assert labels(text, agency="守信良心事务所") == set()
    assert labels(text + "，您没良心", agency="守信良心事务所") == {"insult"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("您的配偶并不因此自动承担还款责任", set()),
        ("您配偶并不自动成为共同债务人", set()),
        ("您的配偶不因婚姻关系承担此笔借款", set()),
        ("您的配偶必须承担还款责任", {"deceptive_legal"}),
        ("您的配偶并不因此免责", {"threat"}),
        ("您可以委托家人代为还款，也可以自行还款", set()),
        ("您也可以授权家人代为还款", set()),
        ("您必须委托家人代为还款", {"deceptive_legal"}),
        ("家人须代为还款", {"deceptive_legal"}),
    ],
)
def test_relatives_may_pay_and_need_not(text, expected):
    assert labels(text) == expected


@pytest.mark.parametrize(
    "text",
    ["已 逾 期 12 天，应还 800 元", "逾 期 2 5 天，应还800元", "逾期 12 天，应还800元",
     "yu qi 12 tian, 800 yuan", "您的借款 yu qi 12 tian，应还800元", "逾期 800 元 12 天",
     "应还800元，12 天 未还"],
)  # fmt: skip
def test_days_overdue_are_read_through_gaps_and_letters(text):
    assert labels(f"【青禾消费金融】{text}。退订回T", "d8_30") == set()


@pytest.mark.parametrize(
    "text",
    [
        "逾 期 多 天，应还 800 元",
        "逾期，应还 800 元，请 3 天 内还款",
        "逾期 800 元，1 2 日前还清",
    ],
)
def test_a_deadline_of_the_sender_is_no_number_of_days_overdue(text):
    assert labels(f"【青禾消费金融】{text}。退订回T", "d8_30") == {"missing_due_date"}
