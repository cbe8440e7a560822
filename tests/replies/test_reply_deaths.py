"""Goal: a death in the family is no death of the borrower, and his own is never missed.

Whose death a reply tells decides for good: `deceased` binds the person. So the words that name the
dead are read, in simplified and traditional characters, in Cantonese and in English.
"""

from __future__ import annotations

from datetime import datetime

import pytest

from duly.replies import Reply, Sender, read, signals_of

AT = datetime.fromisoformat("2026-04-08T10:00:00+08:00")
SENDER = Sender(borrower_id="B1", loan_id="L1", channel="sms", address="+8613800000000")

BEREAVED = [
    "我爸走了",
    "我父亲去世了，最近没办法还",
    "我妈没了",
    "家里老人走了，办丧事没钱",
    "爷爷上个月过世，在老家奔丧",
    "老公去世了，我一个人带孩子",
    "我父親過世了",
    "我媽媽上個月往生了，最近手頭很緊",
    "家父辭世，正在守孝",
    "我阿爸過咗身",
    "我老豆走咗，啲錢用晒喺喪事",
    "阿媽死咗，而家冇錢還",
    "my father died",
    "my mum just died and money is tight",
    "My wife passed away and I can't pay this month",
    "my dad passed away last week so I was at the funeral",
    "I lost my mother to cancer last month",
    "we buried my brother on saturday, give me time",
]
DECEASED = [
    "他去世了",
    "机主已经去世",
    "借款人已死亡",
    "我是他老婆，他已经去世了",
    "张三已经不在了，我是他儿子",
    "老人已去世，我是女儿",
    "我老公走了，贷款是他借的",
    "我丈夫去世了，请问怎么处理他的借款",
    "我爸走了，这个号码是我爸的，别再找他",
    "我先生上個月過世了，這是他的貸款",
    "我媽媽往生了，請不要再聯絡她",
    "佢已經過咗身，我係佢個女",
    "我老公死咗，你哋唔好再搵佢",
    "the borrower is dead",
    "He passed away last month. I'm his son",
    "My husband died last week, this was his loan",
    "my dad died, please stop texting him",
    "This was my mother's phone, she passed away in March",
    "she died two weeks ago",
    "号主病逝，这是他弟弟",
    "亡夫所欠",
    "家中有丧，本人是其子",
    "Hi, mum passed on Tuesday, how do I close this",
    "my nan who had this account died in june",
    "lost my husband in an accident in april, he's the one who took this",
]
UNABLE = [
    "他精神病住院了，没法还",
    "他中风了，说不了话",
    "機主坐牢了",
    "he is in a coma",
    "the account holder is in prison",
    "妈妈老年痴呆，帮她回的",
    "我老公被拘留了，手机在我这",
    "my father is paralysed and cannot speak, talk to me instead",
]
FAMILY_ILL = ["我爸中风了，在icu", "my mother is in a coma"]


def _followed(text):
    lang = "en" if text.isascii() else "zh"
    reading = read(Reply(id="r1", text=text, received_at=AT, lang=lang))
    return reading, signals_of(reading, SENDER, AT)


@pytest.mark.parametrize("text", BEREAVED)
def test_who_lost_a_relative_is_paused_and_spoken_with_and_not_called_dead(text):
    reading, followed = _followed(text)
    assert reading.fate == "bereaved"
    (signal,) = followed.signals
    assert (signal.kind, signal.loan_id) == ("hardship", "")
    assert signal.detail == {"reply": "r1", "about": "family"}
    assert followed.tasks[0] == "care_for_bereaved"
    assert "care_for_family" not in followed.tasks


@pytest.mark.parametrize("text", DECEASED)
def test_a_relative_who_tells_that_the_borrower_died_is_believed(text):
    reading, followed = _followed(text)
    assert reading.fate == "deceased"
    kinds = [one.kind for one in followed.signals]
    assert kinds[0] == "deceased"
    assert set(kinds) <= {"deceased", "opt_out", "identity_dispute"}
    assert followed.tasks[0] == "care_for_family"


@pytest.mark.parametrize("text", UNABLE)
def test_who_cannot_act_is_not_called_dead(text):
    reading, followed = _followed(text)
    assert reading.fate == "incapacity"
    assert [one.kind for one in followed.signals] == ["incapacity"]
    assert {one.loan_id for one in followed.signals} == {""}
    assert followed.tasks[0] == "care_for_family"


@pytest.mark.parametrize("text", FAMILY_ILL)
def test_an_illness_in_the_family_is_a_hardship_of_the_borrower(text):
    _, followed = _followed(text)
    assert [one.kind for one in followed.signals] == ["hardship"]


@pytest.mark.parametrize("text", ["明天还500", "退订", "my dad will pay tomorrow"])
def test_who_tells_of_no_death_has_no_fate(text):
    assert _followed(text)[0].fate is None
