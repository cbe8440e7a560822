"""Laws of reading: never a crash, never a day before the reply, spelling changes nothing."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reply_cases import cases

from duly.replies import INTENTS, Reply, read
from duly.replies.reading import DATED, PRICED

PARTS = (
    "明天 后天 周五 下周一 月底 15号 5月3日 3天内 过两天 能不能 还 还了 还不了 没钱 500 两千 别发 "
    "投诉 我 你们 去世 律师 利息 怎么 吗 ？ ， T 1 ① friday tmrw the 25th pay paid not can't stop "
    "$120 3/5 30/2 正月十五 初八 国庆后 2个工作日 下下周三 31号 2月30日 99号 半 😭 👍 𠮷 until "
    "\u202e \u200b \ud83d\x00 next week"
).split()
TEXTS = st.one_of(
    st.text(max_size=80),
    st.lists(st.sampled_from(PARTS), max_size=9).map("".join),
    st.lists(st.sampled_from(PARTS), max_size=9).map(" ".join),
)
INSTANTS = st.builds(
    lambda at, minutes: at.replace(tzinfo=timezone(timedelta(minutes=minutes))),
    st.datetimes(
        min_value=datetime(1991, 1, 1),  # noqa: DTZ001 The zone is drawn beside it.
        max_value=datetime(2198, 1, 1),  # noqa: DTZ001
    ),
    st.integers(-12 * 60, 14 * 60),
)


@settings(deadline=None, max_examples=300)
@given(text=TEXTS, at=INSTANTS, lang=st.sampled_from(["zh", "en", None]))
def test_any_text_is_read_and_no_day_lies_before_the_reply(text, at, lang):
    reading = read(Reply(id="r", text=text, received_at=at, lang=lang))
    assert reading.intent in INTENTS
    assert 0 <= reading.confidence <= 1
    if reading.promise_date is not None:
        assert reading.intent in DATED
        assert reading.promise_date >= at.date()
        assert reading.date_confidence in ("firm", "soft")
    if reading.amount is not None:
        assert reading.intent in PRICED
        assert reading.amount > 0
    if reading.vulnerable or reading.intent == "other":
        assert reading.needs_person


@settings(deadline=None, max_examples=60)
@given(
    menu=st.dictionaries(st.text(max_size=3), st.text(max_size=12), max_size=4),
    key=st.text(max_size=4),
)
def test_any_menu_is_read(menu, key):
    at = datetime(2026, 4, 8, 10, tzinfo=UTC)
    for form in (menu, list(menu.values()), " ".join(key + value for key, value in menu.items())):
        assert read(Reply(id="r", text=key, received_at=at, menu=form)).intent in INTENTS


def _plain(reading):
    return (reading.intent, reading.promise_date, reading.amount, reading.vulnerable)


CHINESE = [case for case in cases("batches/batch1.yaml") if case.reply.lang == "zh"]


@pytest.mark.parametrize("case", CHINESE[::3], ids=lambda case: case.reply.id)
def test_traditional_and_full_width_characters_read_the_same(case):
    from opencc import OpenCC

    text = case.reply.text
    wide = "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)
    expected = _plain(read(case.reply))
    for other in (OpenCC("s2t").convert(text), wide, f" {text}\u200b "):
        reply = Reply(id="r", text=other, received_at=case.reply.received_at, lang="zh",
                      menu=case.reply.menu)  # fmt: skip
        assert (other, _plain(read(reply))) == (other, expected)


@pytest.mark.parametrize(
    "text",
    [
        "还款" * 2500, "好的" * 500_000, "a" * 5000, "ok " * 1666, "1" * 5000, "（" * 5000,
        "\u202e" * 5000, "好的" * 499 + "x", "ok " * 330 + "x", "我" * 999, "paid " * 199,
        "明天" * 499, "not paid " * 110,
    ],
    ids=range(13),
)  # fmt: skip
def test_a_long_text_is_read_at_once(text):
    at = datetime(2026, 4, 8, 10, tzinfo=UTC)
    read(Reply(id="r", text="好", received_at=at))
    start = time.process_time()
    reading = read(Reply(id="r", text=text, received_at=at))
    assert time.process_time() - start < 2.0
    assert reading.intent in INTENTS
    assert reading.intent == "other" or len(text) <= 1000
