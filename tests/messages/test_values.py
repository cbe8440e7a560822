"""How values are written, how long texts are, how codes are made."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duly.core.money import NotMoney
from duly.messages import check_code, date_text, fill_code, mask_name, money_text, segments
from duly.messages.code import ALPHABET
from duly.messages.values import days_text, instant_text, tail_text

KEY = b"0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("minor", "currency", "zh", "en"),
    [
        (0, "CNY", "0.00元", "CNY 0.00"),
        (5, "CNY", "0.05元", "CNY 0.05"),
        (73410, "CNY", "734.10元", "CNY 734.10"),
        (99999, "CNY", "999.99元", "CNY 999.99"),
        (100000, "CNY", "1,000.00元", "CNY 1,000.00"),
        (1234560, "CNY", "12,345.60元", "CNY 12,345.60"),
        (10**13, "CNY", "100,000,000,000.00元", "CNY 100,000,000,000.00"),
        (73410, "EUR", "EUR 734.10", "EUR 734.10"),
        (73410, "USD", "USD 734.10", "USD 734.10"),
        (73410, "JPY", "JPY 73,410", "JPY 73,410"),
        (73410, "KWD", "KWD 73.410", "KWD 73.410"),
    ],
)
def test_money_is_written_with_its_currency_and_decimals(minor, currency, zh, en):
    assert money_text(minor, currency, "zh-CN") == zh
    assert money_text(minor, currency, "en") == en


@pytest.mark.parametrize(("minor", "currency"), [(-1, "CNY"), (1, "XXX"), (1, "cny")])
def test_negative_amounts_and_unknown_currencies_are_refused(minor, currency):
    with pytest.raises(NotMoney):
        money_text(minor, currency, "zh-CN")


@given(st.integers(0, 10**15))
def test_no_minor_unit_is_lost_in_writing(minor):
    text = money_text(minor, "CNY", "zh-CN")
    assert int(text.replace(",", "").replace(".", "").removesuffix("元")) == minor


def test_dates_show_the_year_only_where_it_differs():
    march = date(2026, 3, 13)
    assert date_text(march, "zh-CN") == "3月13日"
    assert date_text(march, "zh-CN", date(2026, 12, 31)) == "3月13日"
    assert date_text(march, "zh-CN", date(2027, 1, 1)) == "2026年3月13日"
    assert date_text(march, "en", date(2026, 12, 31)) == "Mar 13"
    assert date_text(march, "en", date(2027, 1, 1)) == "Mar 13, 2026"


def test_instants_and_days_read_as_people_say_them():
    assert instant_text(date(2026, 3, 10), "09:05", "zh-CN") == "3月10日9:05"
    assert instant_text(date(2026, 3, 10), "09:05", "en") == "Mar 10 09:05"
    assert [days_text(1, "en"), days_text(2, "en"), days_text(1, "zh-CN")] == [
        "1 day",
        "2 days",
        "1天",
    ]


@pytest.mark.parametrize("time", ["9:30", "24:00", "12:60", "1230", "", "ab:cd", "12:3٠"])
def test_a_time_that_is_not_hh_mm_is_refused(time):
    with pytest.raises(ValueError, match="HH:MM"):
        instant_text(date(2026, 3, 10), time, "zh-CN")


@pytest.mark.parametrize(
    ("name", "zh", "en"),
    [
        ("张伟", "张**", ""),
        ("张", "张**", ""),
        (" 张 伟 ", "张**", ""),
        ("欧阳晓明", "欧阳**", ""),
        ("欧阳", "欧**", ""),
        ("諸葛亮明", "諸葛**", ""),
        ("买买提·艾力", "买**", ""),
        ("𠮷野", "𠮷**", ""),
        ("John Smith", "J***", "J***"),
        ("john", "J***", "J***"),
        ("O'Brien", "O***", "O***"),
        ("Édouard", "É***", "É***"),
        ("Šimon", "Š***", "S***"),
        ("Łukasz", "Ł***", ""),
        ("ＪＯＨＮ", "J***", "J***"),
        ("", "", ""),
        ("   ", "", ""),
        ("张三\n李四", "", ""),
        ("{{name}}", "", ""),
        ("张{code}", "", ""),
        ("【银行】张三", "", ""),
        ("张三2", "", ""),
        ("13800000000", "", ""),
        ("http://a.cn", "", ""),
        ("张三.cn", "张**", ""),
        ("\u202e张三", "", ""),
        ("\u200b张三", "", ""),
        ("محمد", "", ""),
        ("张三%s", "", ""),
        ("🙂", "", ""),
        ("张" * 200, "", ""),
    ],
)
def test_names_are_masked_and_what_is_no_name_is_left_out(name, zh, en):
    assert mask_name(name, "zh-CN") == zh
    assert mask_name(name, "en") == en


@given(st.text(max_size=40))
def test_a_masked_name_shows_two_characters_at_most(name):
    for locale in ("zh-CN", "en"):
        shown = mask_name(name, locale)
        assert shown == "" or shown.rstrip("*").isalpha()
        assert len(shown.rstrip("*")) <= 2
        assert not set(shown) & set("{}【】%\n\"'\\<>/.:0123456789")


@pytest.mark.parametrize(
    ("loan_id", "tail"),
    [
        ("L00001234", "1234"),
        ("12", "12"),
        ("a-b-c-d-e", "****"),
        ("QQ", "**"),
        ("VX-99", "**99"),
        ("借", "****"),
        ("1}{2", "12"),
    ],
)
def test_a_tail_is_four_digits_at_most_and_spells_no_word(loan_id, tail):
    assert tail_text(loan_id) == tail


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("GSM-7", 1)),
        ("a" * 160, ("GSM-7", 1)),
        ("a" * 161, ("GSM-7", 2)),
        ("a" * 306, ("GSM-7", 2)),
        ("a" * 307, ("GSM-7", 3)),
        ("€" * 80, ("GSM-7", 1)),
        ("€" * 80 + "a", ("GSM-7", 2)),
        ("a" * 152 + "€" + "a" * 151, ("GSM-7", 2)),
        ("a" * 152 + "€" + "a" * 152, ("GSM-7", 3)),
        ("您" * 70, ("UCS-2", 1)),
        ("您" * 71, ("UCS-2", 2)),
        ("您" * 134, ("UCS-2", 2)),
        ("您" * 135, ("UCS-2", 3)),
        ("a" * 69 + "您", ("UCS-2", 1)),
        ("🙂" * 35, ("UCS-2", 1)),
        ("🙂" * 36, ("UCS-2", 2)),
        ("您" * 66 + "🙂" + "您" * 65, ("UCS-2", 2)),
        ("您" * 66 + "🙂" + "您" * 66, ("UCS-2", 3)),
        ("`", ("UCS-2", 1)),
    ],
)
def test_parts_are_counted_at_every_edge(text, expected):
    assert segments(text) == expected


def _parts_by_hand(text: str, wide: frozenset[str], single: int, room: int) -> int:
    sizes = [2 if one in wide or ord(one) > 0xFFFF else 1 for one in text]
    if sum(sizes) <= single:
        return 1
    parts, used = 1, 0
    for size in sizes:
        if used + size > room:
            parts, used = parts + 1, 0
        used += size
    return parts


@given(st.text(st.sampled_from("aé€{}^Δ"), max_size=700))
def test_gsm_parts_agree_with_counting_by_hand(text):
    expected = _parts_by_hand(text, frozenset("€{}^"), 160, 153)
    assert segments(text) == ("GSM-7", expected)


@given(st.text(st.sampled_from("您a€🙂"), max_size=300))
def test_unicode_parts_agree_with_counting_by_hand(text):
    assert segments("您" + text) == ("UCS-2", _parts_by_hand("您" + text, frozenset(), 70, 67))


def test_codes_are_stable_for_one_key_and_differ_for_another():
    assert check_code(KEY, "m-1") == "BJSY4NSQ"
    assert check_code(KEY, "m-1") != check_code(KEY[::-1], "m-1")
    assert check_code(KEY, "m-1") != check_code(KEY, "m-2")


def test_a_code_has_eight_characters_without_look_alikes_or_vowels():
    codes = [check_code(KEY, f"m-{n}") for n in range(28_000)]
    assert {len(code) for code in codes} == {8}
    assert not set("".join(codes)) & set("01OILAEU")
    assert len(set(codes)) == len(codes)


def test_every_character_of_a_code_is_equally_likely():
    codes = [check_code(KEY, f"m-{n}") for n in range(28_000)]
    for place in range(8):
        seen = Counter(code[place] for code in codes)
        assert set(seen) == set(ALPHABET)
        chi_square = sum((count - 1000) ** 2 for count in seen.values()) / 1000
        assert chi_square < 60  # 27 degrees of freedom: p < 0.0003


def test_a_short_key_makes_no_code():
    with pytest.raises(ValueError, match="16 bytes"):
        check_code(b"short", "m-1")


def test_a_code_fills_exactly_one_hole():
    assert fill_code("核验码{code}。", "23456789") == "核验码23456789。"
    for text in ("none", "{code}{code}"):
        with pytest.raises(ValueError, match="one hole"):
            fill_code(text, "23456789")
    for code in ("2345678", "2345678O", "{code}", "234567890"):
        with pytest.raises(ValueError, match="not a check code"):
            fill_code("{code}", code)
