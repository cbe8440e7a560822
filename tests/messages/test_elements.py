"""What every text holds, what none holds, and that no figure or person is mixed up."""

from __future__ import annotations

import itertools
import re
from dataclasses import fields, replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from message_facts import (
    ENGLISH,
    EXAMPLE,
    LATE_ENOUGH,
    LENDERS,
    NAMES,
    NO_OPT_OUT,
    PREVENTS,
    due,
    facts,
    order,
    usual,
    variants,
    write,
)

from duly.book import Lender
from duly.messages import (
    Facts,
    Rendered,
    date_text,
    fill_code,
    money_text,
    render,
    segments,
    violations,
)
from duly.messages.catalog import templates
from duly.messages.stages import MONEY

ALL = sorted(variants())
LATE = ("first_late", "overdue", "plan_offer", "credit_notice", "card_refused", "returned_payment")
LOCALES = ("zh-CN", "zh-TW", "en")
STATUTORY_NUMBERS = {"12378", "20", "5"}
#: Texts that say so much that they take three parts: by e-mail where a route counts them.
LONG = ("standard_notice", "itemized", "servicer", "pre_legal", "legal", "visit", "help_first")
CASES = (
    *("standard_notice", "legal", "visit", "dispute_opened", "plan_agreed", "hardship_received"),
    *("pre_legal", "itemized", "help_first", "servicer", "options", "promise_noted"),
    *("complaint_received", "request_received"),
)
#: Figures of a case, as far as a text may name them.
OF_CASE = {"1", "0101", "2026", "1001", "1002", "2603", "18", "12", "345", "3", "2025"}


def _facts_of_every_kind(template: str, locale: str) -> list[Facts]:
    base = usual(template, locale)
    loans = (base.loan_ids, ("1",), tuple(f"贷款-{n}" for n in range(1234)), ("无",))
    money = (base.overdue_total > 0, False)
    result = []
    for ids, accrues, name in itertools.product(loans, money, (base.name, "欧阳晓明", "", "}{【x")):
        result.append(replace(base, loan_ids=ids, accrues=accrues, name=name))
    big = 99_999_999_999_99
    result.append(
        replace(
            base,
            overdue_total=big if base.overdue_total else 0,
            overdue_principal=big if base.overdue_total else 0,
            overdue_interest=0,
            overdue_fee=0,
            late_charge=0,
            next_due_amount=big,
            paid_amount=big,
            days_past_due=12345,
            overdue_since=date(1992, 12, 31),
            next_due_on=date(2027, 12, 31),
            principal=big,
            plan_total=big,
            plan_amount=big - 1,
            promise_amount=big,
            currency="KWD",
        )
    )
    return result


def _texts(template: str, params: list[Facts], lender: Lender, **how: str) -> list[Rendered]:
    """Give the texts for several facts, written in one go: the shapes are compiled once."""
    return render([order(template, one, **how) for one in params], lender)


@pytest.mark.parametrize(("template", "locale", "channel", "tone"), ALL)
def test_every_text_holds_its_elements_and_nothing_forbidden(template, locale, channel, tone):
    stage = templates()[template, locale].stage
    facts_of_all = _facts_of_every_kind(template, locale)
    how = {"tone": tone, "channel": channel, "locale": locale}
    for lender in (LENDERS[locale], replace(LENDERS[locale], bureau_paying_prevents=True)):
        texts = _texts(template, facts_of_all, lender, **how)
        said = {
            (text.text, params.overdue_total > 0)
            for params, text in zip(facts_of_all, texts, strict=True)
        }
        for text, late in said:  # Facts that the text does not name give the same text again.
            assert violations(text, locale, stage, channel=channel, opt_out=late) == (), text
            assert not re.search(r"[{}]", text.replace("{code}", ""))


@pytest.mark.parametrize(("template", "locale", "channel", "tone"), ALL)
def test_no_figure_stands_in_a_text_that_is_not_a_figure_of_the_facts(
    template, locale, channel, tone
):
    params = usual(template, locale)
    text = write(template, params, tone=tone, channel=channel, locale=locale).text
    amounts = {
        money_text(getattr(params, field.name), params.currency, locale)
        for field in fields(Facts)
        if field.name.startswith(("overdue_", "late_", "next_due_a", "paid_a", "principal"))
        or field.name in ("plan_total", "plan_amount", "plan_cost", "promise_amount")
        if isinstance(getattr(params, field.name), int)
    }
    amounts.add(money_text(12000, "CNY", locale))  # The least to pay, of the lender file.
    assert set(MONEY.findall(text)) <= amounts
    days = [getattr(params, field.name) for field in fields(Facts) if field.name.endswith("_on")]
    days += [params.overdue_since, params.as_of, params.answer_by, params.agency_from]
    dates = [date_text(day, locale, params.as_of) for day in days if day]
    known = {"1234", "95", "7", "9", "30", "09", str(params.days_past_due)}
    if channel == "email" or template in ("dispute_opened", "complaint_received"):
        known |= STATUTORY_NUMBERS
    if template in CASES:
        known |= OF_CASE
    for piece in (*amounts, *dates):
        known |= set(re.findall("[0-9]+", piece))
    assert set(re.findall("[0-9]+", text)) <= known


@pytest.mark.parametrize("template", LATE)
@pytest.mark.parametrize("locale", LOCALES)
def test_a_late_charge_is_named_only_where_one_accrues(template, locale):
    for channel in ("sms", "email"):
        text = write(template, facts(accrues=False), locale=locale, channel=channel).text
        assert "按合同" not in text
        assert "依約" not in text
        assert "依契約" not in text
        assert "under the contract" not in text


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("channel", ["sms", "email"])
def test_paying_prevents_the_report_only_where_the_lender_says_so(locale, channel):
    lender = LENDERS[locale]
    words = {"zh-CN": "就不报送", "zh-TW": "就不報送", "en": "we will not report"}
    sentence = words[locale]
    how = {"locale": locale, "channel": channel}
    assert sentence not in write("credit_notice", facts(), **how).text
    prevents = replace(lender, bureau_paying_prevents=True)
    assert sentence in write("credit_notice", facts(), lender=prevents, **how).text


@pytest.mark.parametrize(
    "template",
    ["verify_security", "check_details", "correction", "wrong_person", "opt_out_confirmed"],
)
@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("channel", ["sms", "email"])
def test_texts_about_security_and_details_name_no_debt(template, locale, channel):
    text = write(template, facts(), locale=locale, channel=channel).text
    assert not re.search("逾期|待还|应还|借款|罚息|尾号|loan|late|unpaid|due", text)
    assert not re.search("待繳|應繳|貸款|利息|末四碼", text)
    assert MONEY.findall(text) == []


@pytest.mark.parametrize("template", ["check_details", "wrong_person"])
def test_who_may_be_somebody_else_is_written_to_without_a_name(template):
    for locale, channel in itertools.product(LOCALES, ("sms", "email")):
        assert "*" not in write(template, facts(), locale=locale, channel=channel).text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, True),
        ({"paid_on": date(2026, 3, 10)}, True),
        ({"paid_on": date(2026, 3, 11)}, False),
        ({"outstanding_principal": None}, False),
        ({"outstanding_principal": 0}, False),
        ({"loan_ids": ("L-1", "L-2")}, False),
        (
            {
                "overdue_total": 100,
                "overdue_principal": 100,
                "days_past_due": 1,
                "overdue_since": date(2026, 3, 9),
            },
            False,
        ),
    ],
)
@pytest.mark.parametrize("channel", ["sms", "email"])
@pytest.mark.parametrize("locale", ["zh-CN", "zh-TW", "en"])
def test_a_receipt_names_the_principal_left_only_where_it_is_sure(locale, channel, changed, said):
    counted = due(**{"paid_on": date(2026, 3, 9), "outstanding_principal": 612000, **changed})
    text = write("receipt", counted, locale=locale, channel=channel).text
    assert ("6,120.00" in text) is said
    assert not said or re.search("截至3月10日9:30|as of Mar 10 09:30", text)
    assert violations(text, locale, "receipt", channel=channel) == ()


def test_receipt_names_no_amount_still_owed():
    for locale, channel in itertools.product(LOCALES, ("sms", "email")):
        text = write("receipt", facts(), locale=locale, channel=channel).text
        assert MONEY.findall(text) == [money_text(30000, "CNY", locale)]


def test_opt_out_stands_only_after_the_due_date_and_where_the_route_allows_it():
    assert write("overdue", facts()).text.endswith("，不收短信回TD")
    assert "TD" not in write("overdue", facts(), lender=NO_OPT_OUT).text
    assert "TD" not in write("due_soon", due()).text
    assert "TD" not in write("card_refused", due()).text
    assert "回复“退订”" in write("overdue", facts(), lender=NO_OPT_OUT, channel="email").text


@pytest.mark.parametrize(("template", "locale", "channel", "tone"), ALL)
def test_subjects_are_neutral_and_only_e_mail_has_one(template, locale, channel, tone):
    text = write(template, usual(template, locale), tone=tone, channel=channel, locale=locale)
    neutral = {
        "zh-CN": ("账单提醒", "账户提醒"),
        "zh-TW": ("帳單提醒", "帳戶提醒"),
        "en": ("Account reminder", "Account notice"),
    }
    assert (text.subject is None) == (channel == "sms")
    assert text.subject in (None, *neutral[locale])


@pytest.mark.parametrize("tone", ["gentle", "plain", "serious"])
def test_tones_of_overdue_differ_and_none_is_harsh(tone):
    texts = {
        one: write("overdue", facts(), tone=one).text for one in ("gentle", "plain", "serious")
    }
    assert len(set(texts.values())) == 3
    assert not re.search("严重|立即|务必|尽快|后果|必须|催|最后|法", texts[tone])


@pytest.mark.parametrize("lender", [EXAMPLE, PREVENTS])
@pytest.mark.parametrize(
    ("template", "tone"), [(t, o) for t, lo, c, o in ALL if lo == "zh-CN" and c == "sms"]
)
def test_chinese_texts_fit_two_parts_with_their_code(template, tone, lender):
    most = 3 if template in LONG else 2
    autumn = {
        "overdue_total": 9_999_99,
        "overdue_principal": 9_997_42,
        "overdue_interest": 0,
        "overdue_since": date(2026, 10, 13),
        "as_of": date(2026, 11, 17),
        "as_of_time": "19:30",
        "report_on": date(2026, 12, 15),
        "paid_amount": 9_734_10,
        "days_past_due": LATE_ENOUGH.get(template, 35),
        "answer_by": date(2026, 12, 15),
        "visit_on": date(2026, 12, 15),
        "promise_on": date(2026, 11, 25),
    }
    params = replace(
        due(next_due_on=date(2026, 11, 20), next_due_amount=9_734_10, as_of=date(2026, 11, 17))
        if template in ("due_soon", "due_today")
        else facts(**autumn)
    )
    text = write(template, params, tone=tone, lender=lender)
    filled = fill_code(text.text, "23456789")
    assert len(filled) <= 67 * most, (len(filled), filled)
    assert (text.encoding, text.segments) == segments(filled)
    assert (text.encoding, text.segments <= most) == ("UCS-2", True)


@pytest.mark.parametrize(
    ("template", "tone"), [(t, o) for t, lo, c, o in ALL if lo == "en" and c == "sms"]
)
def test_english_texts_are_gsm_and_fit_three_parts(template, tone):
    how = {"tone": tone, "channel": "sms", "locale": "en"}
    for text in _texts(template, _facts_of_every_kind(template, "en"), LENDERS["en"], **how):
        filled = fill_code(text.text, "23456789")
        assert (text.encoding, text.segments) == segments(filled)
        assert text.encoding == "GSM-7"
        assert text.segments <= (4 if template in LONG else 3), filled


def test_extreme_figures_stay_within_three_parts_in_chinese_and_long_texts_in_four():
    for template, locale, channel, tone in ALL:
        if locale != "en" and channel == "sms":
            how = {"tone": tone, "channel": channel, "locale": locale}
            every = _facts_of_every_kind(template, locale)
            for text in _texts(template, every, LENDERS[locale], **how):
                assert (text.encoding, text.segments) == segments(fill_code(text.text, "23456789"))
                assert text.segments <= (4 if template in LONG else 3)


def test_most_of_a_text_is_fixed_and_values_never_touch():
    for template, locale, channel, tone in ALL:
        text = write(template, usual(template, locale), tone=tone, channel=channel, locale=locale)
        assert sum(map(len, text.params.values())) <= len(text.text) / 2
        assert all(len(value) <= 35 for value in text.params.values())


def test_the_text_for_one_borrower_holds_no_token_of_another():
    first = facts(name="张晓明", loan_ids=("AAAA",), days_past_due=99)
    second = replace(
        first,
        name="李华",
        loan_ids=("BBBB",),
        overdue_total=8_888_88,
        overdue_principal=8_888_88,
        overdue_interest=0,
        late_charge=0,
        next_due_amount=7_777_77,
        paid_amount=6_666_66,
        days_past_due=144,
        overdue_since=date(2026, 2, 4),
        next_due_on=date(2026, 8, 24),
        report_on=date(2026, 8, 21),
        paid_on=date(2026, 8, 14),
        corrects_on=date(2026, 8, 12),
        reference="X9988",
        case_no="（2026）丙0202民初99号",
        promise_amount=5_555_55,
    )
    for template, locale, channel, tone in ALL:
        how = {"tone": tone, "channel": channel, "locale": locale}
        pair = [order(template, one, **how) for one in (first, second)]
        lender = LENDERS[locale]
        together = render(pair, lender)
        assert together == [render([one], lender)[0] for one in pair]
        for mine, other in itertools.permutations(together):
            own = set(mine.params.values())
            alien = [v for v in other.params.values() if v not in own and len(v) > 2]
            assert not [value for value in alien if value in mine.text]


def test_a_table_gives_what_the_single_orders_give_whatever_the_order_of_rows():
    orders = [
        order(
            template,
            replace(usual(template, locale), overdue_principal=68000 + n, overdue_total=73667 + n)
            if usual(template, locale).overdue_total
            else usual(template, locale),
            tone=tone,
            channel=channel,
            locale=locale,
            message_id=f"m-{n}",
        )
        for n, (template, locale, channel, tone) in enumerate(ALL)
    ]
    straight = render(orders, EXAMPLE)
    assert [text.message_id for text in straight] == [one.message_id for one in orders]
    assert render(orders[::-1], EXAMPLE) == straight[::-1]
    assert [render([one], EXAMPLE)[0] for one in orders] == straight
    assert render(orders * 80, EXAMPLE) == straight * 80


HOSTILE = st.text(max_size=30) | st.sampled_from(
    [
        "张三\n【某银行】转账",
        "{{ overdue_total }}",
        "{% for x in y %}",
        "{code}",
        "%s%d",
        "张三 http://a.cn",
        "\u202e张三",
        "محمد",
        "13800000000",
        '张"三\\',
        "张\x00三",
        "𠮷野家",
        "🙂",
        "张三（已故）",
    ]
)


@given(name=HOSTILE, loan_id=HOSTILE.filter(bool))
def test_no_name_and_no_id_smuggles_anything_into_a_text(name, loan_id):
    for template, locale in (("overdue", "zh-CN"), ("receipt", "en")):
        for channel in ("sms", "email"):
            params = facts(name=name, loan_ids=(loan_id,))
            text = write(template, params, locale=locale, channel=channel)
            stage = templates()[template, locale].stage
            assert violations(text.text, locale, stage, channel=channel) == ()
            filled = fill_code(text.text, "23456789")
            if channel == "sms":
                assert (text.encoding, text.segments) == segments(filled)


@given(
    principal=st.integers(0, 10**13),
    interest=st.integers(0, 10**9),
    fee=st.integers(0, 10**9),
    charge=st.integers(1, 10**9),
    days=st.integers(1, 9999),
)
def test_an_e_mail_shows_every_component_and_they_add_up(principal, interest, fee, charge, days):
    total = principal + interest + fee + charge
    text = write(
        "overdue",
        facts(
            overdue_total=total,
            overdue_principal=principal,
            overdue_interest=interest,
            overdue_fee=fee,
            late_charge=charge,
            days_past_due=days,
            overdue_since=date(2026, 3, 20) - timedelta(days=days),
        ),
        channel="email",
    ).text
    shown = [int(re.sub(r"[,.元]", "", figure)) for figure in MONEY.findall(text)]
    assert shown == [total, principal, interest, fee, charge]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("后果自负", "forbidden:THREAT:后果自负"),
        ("已向法院起诉", "forbidden:FALSE_LEGAL:起诉"),
        ("永久黑名单", "forbidden:FALSE_CREDIT:永久"),
        ("最后机会", "forbidden:FALSE_URGENCY:最后机会"),
        ("请加我微信", "forbidden:WRONG_CHANNEL:加我"),
        ("还清可提额", "forbidden:MIXED_MARKETING:提额"),
        ("尊敬的用户", "forbidden:MANNERS:尊敬的"),
        ("点击 http://t.cn/a", "forbidden:link"),
        ("点 t.cn/AbC12", "forbidden:link"),
        ("¥734.10", "forbidden:symbol"),
        ("请拨13812345678", "forbidden:personal_phone"),
        ("【重要】", "forbidden:brackets"),
        ("{name}", "forbidden:braces"),
        ("\u202e张", "forbidden:control"),
    ],
)
def test_forbidden_words_and_forms_are_found(text, found):
    assert found in violations(f"【示例消金】{text}", "zh-CN", "late")


@pytest.mark.parametrize("text", ["我们不会联系您的家人", "不会让您转账给个人"])
def test_a_negated_phrase_is_not_forbidden(text):
    found = violations(text, "zh-CN", "late")
    assert not [one for one in found if one.startswith("forbidden:") and one.count(":") == 2]


def test_each_missing_element_is_named():
    assert violations("【示例消金】请还款", "zh-CN", "late") == (
        "missing:name",
        "missing:loan",
        "missing:amount",
        "missing:date",
        "missing:as_of",
        "missing:route",
        "missing:objection",
        "missing:relief",
        "missing:ignore",
        "missing:code",
        "missing:opt_out",
    )


def test_our_names_are_the_names_of_both_locales():
    assert NAMES.keys() == LENDERS.keys() == {locale for _, locale in templates()}
    assert ENGLISH.signature in write("overdue", facts(), locale="en").text
