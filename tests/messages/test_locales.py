"""Traditional characters: how values are written, and that no simplified one slips in."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duly.messages import date_text, mask_name, message_locale, money_text
from duly.messages.catalog import builtin_shelf
from duly.messages.locales import LOCALES
from duly.messages.stages import MONEY
from duly.messages.values import channel_text, days_text, instant_text, staff_text, ways_text


@pytest.mark.parametrize(
    ("minor", "currency", "expected"),
    [
        (734100, "TWD", "NT$7,341"),
        (734150, "TWD", "NT$7,341.50"),
        (0, "TWD", "NT$0"),
        (734110, "HKD", "HK$7,341.10"),
        (734100, "HKD", "HK$7,341.00"),
        (73410, "CNY", "人民幣734.10元"),
        (73410, "USD", "USD 734.10"),
        (73410, "JPY", "JPY 73,410"),
    ],
)
def test_money_is_written_as_in_taiwan(minor, currency, expected):
    assert money_text(minor, currency, "zh-TW") == expected
    assert MONEY.fullmatch(expected)


@given(st.integers(0, 10**13), st.sampled_from(["TWD", "HKD", "CNY", "USD", "KWD"]))
def test_every_amount_is_known_as_one(minor, currency):
    for locale in LOCALES:
        assert MONEY.fullmatch(money_text(minor, currency, locale))


def test_dates_days_names_and_staff_are_written_as_in_taiwan():
    day = date(2026, 3, 13)
    assert date_text(day, "zh-TW") == "3月13日"
    assert date_text(day, "zh-TW", date(2027, 1, 1)) == "2026年3月13日"
    assert instant_text(day, "09:30", "zh-TW") == "3月13日9:30"
    assert days_text(7, "zh-TW") == "7天"
    assert [mask_name(name, "zh-TW") for name in ("歐陽曉明", "王芳", "Ann")] == [
        "歐陽**",
        "王**",
        "A***",
    ]
    assert staff_text("王芳 1002", "zh-TW") == "王芳（員工編號1002）"
    assert channel_text("sms", "zh-TW") == "簡訊"
    assert ways_text("示例App", "02-1234", "zh-TW") == "開啟示例App或撥02-1234"
    assert ways_text("", "02-1234", "zh-TW") == "撥02-1234"


@pytest.mark.parametrize("wanted", ["zh-Hant", "zh-TW"])
def test_a_name_is_masked_for_whoever_reads_it_in_chinese(wanted):
    assert mask_name("王芳", wanted) == "王**"


@given(st.text(max_size=20))
def test_every_name_of_a_locale_has_a_locale_of_messages(wanted):
    assert message_locale(wanted) in LOCALES


def test_traditional_texts_have_no_simplified_character_and_the_other_way_round():
    from opencc import OpenCC

    to_traditional, to_simplified = OpenCC("s2t"), OpenCC("t2s")
    # Characters that both scripts have, and that a converter takes for the other one's.
    both = set("台里只了后面系准注查")
    for text in builtin_shelf().texts:
        for character in set(text.raw) - both:
            if text.locale == "zh-TW":
                assert to_traditional.convert(character) == character, (text.name, character)
            if text.locale == "zh-CN":
                assert to_simplified.convert(character) == character, (text.name, character)
