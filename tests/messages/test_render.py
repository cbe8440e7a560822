"""What rendering refuses, and what the catalogue of templates says about itself."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date

import pytest
from message_facts import EXAMPLE, due, facts, order, write

import duly.messages
from duly.core.errors import Refused
from duly.core.words import catalogue
from duly.messages import (
    CannotSay,
    builtin_templates,
    index,
    lender_problems,
    render,
    render_table,
    template_names,
    templates_sha256,
)
from duly.messages.catalog import TONES, templates
from duly.messages.render import COLUMNS, OUT_COLUMNS

NAMES = {
    "due_soon",
    "due_today",
    "first_late",
    "overdue",
    "card_refused",
    "returned_payment",
    "plan_offer",
    "credit_notice",
    "verify_security",
    "check_details",
    "receipt",
    "correction",
    *("standard_notice", "itemized", "help_first", "servicer", "options", "pre_legal", "legal"),
    *("visit", "dispute_opened", "plan_agreed", "hardship_received", "promise_noted"),
    *("wrong_person", "opt_out_confirmed"),
    *("payment_checking", "complaint_received", "request_received"),
}


def test_there_is_a_template_for_every_stage():
    assert template_names() == frozenset(NAMES)


def test_every_template_speaks_three_locales_on_both_channels_in_every_tone():
    assert set(templates()) == {(name, one) for name in NAMES for one in ("zh-CN", "zh-TW", "en")}
    for template in templates().values():
        assert set(template.bodies) == {(c, t) for c in ("sms", "email") for t in TONES}


def test_classes_follow_the_contract():
    classes = {row["name"]: row["class"] for row in index()}
    others = {
        "verify_security": "answer",
        "check_details": "answer",
        "receipt": "receipt",
        "correction": "correction",
        **dict.fromkeys(
            [
                *("dispute_opened", "plan_agreed", "hardship_received", "promise_noted"),
                *("wrong_person", "opt_out_confirmed"),
                *("payment_checking", "complaint_received", "request_received"),
            ],
            "answer",
        ),
    }
    assert classes == dict.fromkeys(NAMES, "dunning") | others


def test_the_index_has_a_row_a_template_and_locale():
    rows = index()
    assert len(rows) == 87
    assert {
        "name": "receipt",
        "locale": "zh-CN",
        "class": "receipt",
        "stage": "receipt",
        "channels": ["email", "sms"],
        "tones": ["gentle", "plain", "serious"],
        "elements": ["identity", "name", "loan", "paid", "proof", "route", "code"],
        "variables": [
            *("as_of", "loans", "name", "outstanding_principal", "paid_amount", "paid_on", "tail")
        ],
    } in rows


def test_the_fingerprint_is_of_the_texts_in_use():
    assert len(templates_sha256()) == 64
    assert templates_sha256() == builtin_templates().sha256


def test_both_catalogues_of_words_have_the_same_keys():
    assert catalogue("messages", "zh-CN").keys() == catalogue("messages", "en").keys()


def test_the_public_names_are_sorted_and_there():
    assert duly.messages.__all__ == sorted(duly.messages.__all__, key=_isort_key)
    assert all(hasattr(duly.messages, name) for name in duly.messages.__all__)


def _isort_key(name: str) -> tuple[int, str]:
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


@pytest.mark.parametrize(
    ("template", "given", "problem"),
    [
        ("overdue", {"overdue_total": 0}, "nothing overdue"),
        ("overdue", {"days_past_due": 0}, "not a day late"),
        ("overdue", {"overdue_since": None}, "no overdue_since"),
        ("overdue", {"late_charge": 256}, "the parts do not add up to overdue_total"),
        ("overdue", {"overdue_fee": -1}, "negative amount"),
        ("overdue", {"currency": "XXX"}, "unknown currency"),
        ("overdue", {"loan_ids": ()}, "no loan"),
        ("overdue", {"as_of_time": "24:00"}, "as_of_time is not HH:MM"),
        ("due_soon", {"next_due_on": None}, "no next_due_on"),
        ("due_today", {"next_due_amount": 0}, "no amount next due"),
        ("receipt", {"paid_on": None}, "no paid_on"),
        ("receipt", {"paid_amount": 0}, "no paid_amount"),
        ("receipt", {"outstanding_principal": -1}, "outstanding_principal is negative"),
        ("credit_notice", {"report_on": None}, "report_on is not after as_of"),
        ("credit_notice", {"report_on": date(2026, 3, 20)}, "report_on is not after as_of"),
        ("card_refused", {"overdue_since": None}, "neither late nor due"),
    ],
)
def test_what_the_facts_do_not_carry_is_not_said(template, given, problem):
    good = facts()
    with pytest.raises(CannotSay) as refusal:
        render(
            [order(template, good, message_id="m-0"), order(template, replace(good, **given))],
            EXAMPLE,
        )
    assert refusal.value.message_id == "m-1"
    assert problem in refusal.value.problems


def test_a_report_is_announced_only_by_a_lender_that_reports():
    with pytest.raises(CannotSay, match="does not report"):
        write("credit_notice", facts(), lender=replace(EXAMPLE, bureau_reports=False))


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"template": "lawyer"}, "no_such_template"),
        ({"tone": "harsh"}, "no_such_variant"),
        ({"channel": "voice"}, "no_such_variant"),
    ],
)
def test_unknown_templates_tones_and_channels_are_refused(how, code):
    wanted = replace(order("overdue", facts()), **how)
    with pytest.raises(Refused) as refusal:
        render([wanted], EXAMPLE)
    assert [one.code for one in refusal.value.diagnostics] == [code]
    assert all(one.sentence("zh-CN") and one.sentence("en") for one in refusal.value.diagnostics)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"signature": "客户服务"}, "signature_not_usable"),
        ({"signature": "示"}, "signature_not_usable"),
        ({"signature": "【示例】"}, "signature_not_usable"),
        ({"signature": "示例★消金"}, "signature_not_usable"),
        ({"signature": "后果自负"}, "lender_words_forbidden"),
        ({"signature": "老赖催收"}, "lender_words_forbidden"),
        ({"signature": "上门服务"}, "lender_words_forbidden"),
        ({"signature": "冻结消金"}, "lender_words_forbidden"),
        ({"name": "示例{{x}}"}, "lender_words_not_plain"),
        ({"app": "示例 https://a.cn"}, "lender_words_not_plain"),
        ({"hotline": "微信 abc"}, "hotline_not_a_number"),
        ({"hotline": "13812345678"}, "hotline_personal"),
        ({"hotline": "+86 138-1234-5678"}, "hotline_personal"),
        ({"hotline": "", "app": ""}, "no_way_to_answer"),
    ],
)
def test_a_lender_whose_words_no_text_may_carry_is_refused(given, code):
    lender = replace(EXAMPLE, **given)
    assert code in [one.code for one in lender_problems(lender)]
    with pytest.raises(Refused):
        write("overdue", facts(), lender=lender)


def test_a_lender_without_app_or_without_hotline_still_shows_a_way():
    no_app = write("overdue", facts(), lender=replace(EXAMPLE, app="")).text
    assert "请拨95xxx。" in no_app
    no_hotline = write("overdue", facts(), lender=replace(EXAMPLE, hotline="")).text
    assert "请打开示例消金App。" in no_hotline


@pytest.mark.parametrize(
    ("wanted", "served"),
    [
        *((one, "zh-TW") for one in ("zh-TW", "zh_TW", "zh-HK", "zh-MO", "zh-Hant", "zh-Hant-CN")),
        *((one, "zh-CN") for one in ("zh", "zh-CN", "zh-SG", "zh-Hans-TW", "zh_CN.UTF-8", "zho")),
        *((one, "en") for one in ("en", "en-GB", "fr", "")),
    ],
)
def test_who_reads_traditional_characters_gets_them_and_nobody_else(wanted, served):
    expected = write("overdue", facts(), locale=served, lender=EXAMPLE).text
    asked = replace(order("overdue", facts()), locale=wanted)
    assert render([asked], EXAMPLE)[0].text == expected


def test_an_unknown_locale_is_served_in_english():
    english = render([replace(order("overdue", facts()), locale="fr")], EXAMPLE)[0]
    assert "Reply STOP" in english.text


def test_no_order_gives_no_message():
    assert render([], EXAMPLE) == []
    assert render_table({name: [] for name in COLUMNS}, EXAMPLE) == {
        name: [] for name in OUT_COLUMNS
    }


def test_values_used_are_kept_beside_the_text():
    assert write("due_soon", due()).params == {
        "as_of": "3月10日9:30",
        "name": "张**",
        "next_due_amount": "734.10元",
        "next_due_on": "3月13日",
        "tail": "1234",
    }


def test_a_batch_is_quick(capsys):
    size = 20_000
    one = order("overdue", facts())
    values = {**vars(one.params), **{name: getattr(one, name) for name in COLUMNS[:5]}}
    columns = {name: [values[name]] * size for name in COLUMNS}
    started = time.process_time()
    texts = render_table(columns, EXAMPLE)["text"]
    seconds = time.process_time() - started
    with capsys.disabled():
        print(f"\nmessages: {size / seconds:,.0f} a second on one core")
    assert len(texts) == size
