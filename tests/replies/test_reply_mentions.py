"""Goal: a grave fact beside an ordinary act is read by a person, whatever the act is named.

Method: a grid of facts and acts in both languages; each fact was said alone in other tests.
"""

from __future__ import annotations

import itertools
from datetime import datetime

import pytest

from duly.replies import read
from duly.replies.mentions import grave_words
from duly.replies.reading import Reply
from duly.replies.respelling import respelled
from duly.replies.signals import tasks_of

AT = datetime.fromisoformat("2026-11-30T10:00:00+08:00")
ACTS = {
    "zh": ["收到，", "好的，", "明天还，", "已经还了，", "怎么还，", "能分期吗，", "别再发了，",
           "谢谢，", "退订，"],
    "en": ["ok, ", "thanks, ", "I paid, ", "will pay friday, ", "how do i pay? ", "stop, ",
           "can i pay in parts, "],
}  # fmt: skip
FACTS = {
    "zh": [
        "我是他的律师", "本人系张三的律师", "他的案件由我代理", "我就吃药",
        "我有安眠药，今晚都吃了",
        "我爸刚走", "葬礼刚办完", "号主坐牢去了", "此号已过户", "这是我儿子的电话", "他在重症病房",
        "我得了癌",
    ],
    "en": [
        "I represent him", "I'm his lawyer", "I have pills and I'll use them",
        "you won't hear from me after tonight", "RIP John", "my brother's ashes are on the shelf",
        "he is deployed and unreachable", "this is my daughter's cell", "mum is in a hospice",
        "I'm on dialysis", "we act for the estate of the borrower",
    ],
}  # fmt: skip
GRID = [
    (lang, act + fact)
    for lang in ACTS
    for act, fact in itertools.product(["", *ACTS[lang]], FACTS[lang])
]


@pytest.mark.parametrize(("lang", "text"), GRID)
def test_a_person_reads_it(lang, text):
    reading = read(Reply(id="g", text=text, received_at=AT, lang=lang))
    assert reading.needs_person, reading
    assert tasks_of(reading, AT)


@pytest.mark.parametrize(
    ("lang", "text"),
    [("zh", "明天还"), ("zh", "笑死我了，明天还"), ("zh", "收到，谢谢"),
     ("zh", "手机死机了，刚看到"),
     ("zh", "楼下律所的同事说可以分期"), ("en", "will pay friday"),
     ("en", "my phone died, paid now"),
     ("en", "over my dead body"), ("en", "this app is killing me lol"), ("en", "ok thanks")],
)  # fmt: skip
def test_an_ordinary_reply_mentions_nothing_grave(lang, text):
    assert grave_words(respelled(text, lang)) == ()


def test_what_is_feared_is_read_beside_the_task_of_the_ordinary_act():
    reading = read(Reply(id="g", text="you won't hear from me after tonight", received_at=AT,
                         lang="en"))  # fmt: skip
    assert reading.needs_person
    assert {"read_reply", "care_now"} & set(tasks_of(reading, AT))
