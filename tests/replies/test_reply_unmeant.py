"""Goal: who may harm himself is cared for and never called dead; an act that is denied is none."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from duly.replies import Reply, Sender, read, signals_of

AT = datetime.fromisoformat("2026-03-12T10:00:00+08:00")
SENDER = Sender(borrower_id="B1", loan_id="L1", channel="sms", address="+8613800000000")

SELF_HARM = [
    "我死了你们找谁要",
    "我要是死了你们上哪要去",
    "俺死了恁找谁要",
    "if I die who will pay you",
    "you'll get paid when I'm dead",
    "you will only stop when I'm dead",
    "mar gaya to kisse loge",
    "main mar gaya to paisa kaun dega",
    "dead people can't pay",
    "死人还什么钱",
    "死人不用还钱吧",
    "你们去找死人要吧",
    "等我死了再还",
    "我没了你们就满意了？",
    "是不是我死了你们就高兴了",
    "想s",
    "我想4 别拦",
    "头孢配酒",
    "我死了这钱你们跟谁要",
    "逼死我你们就满意了",
    "死人没法还钱",
    "when I'm dead you can have it",
    "I'll be dead before you get a penny",
    "good luck collecting from a corpse",
    "would you be happy if I died",
    "mere marne ke baad le lena",
    "酒加头孢，一了百了",
    "人死了债就没了吧，我快了",
    "你们是想等我死了再分我的肉吗",
    "我死后你们找鬼要",
    "死人不会回短信的",
    "我都是死人了还还什么",
    "if i was dead would you still text me",
    "you won't get anything if im six feet under",
    "you can have my organs when i die",
]
DEATHS = [
    ("他死了，你们找谁要也没用", "deceased"),
    ("机主已经死了", "deceased"),
    ("他死了，死人还什么钱", "deceased"),
    ("机主都死了你们还找死人要钱", "deceased"),
    ("the borrower is dead, dead people can't pay", "deceased"),
    ("he died. you can't collect from a dead man", "deceased"),
    ("wo mar gaya to main kya karu", "deceased"),
    ("my husband died, who will pay you", "bereaved"),
    ("papa mar gaye to kisse loge", "bereaved"),
    ("我爸没了你们就满意了", "bereaved"),
    ("我妈死了你们满意了？", "bereaved"),
    ("she died, how will you collect", "deceased"),
    ("机主死了以后谁还", "deceased"),
    ("the tenant died, who will pay you", "deceased"),
]
HARMLESS = [
    "我没了工作你们就满意了？",
    "想s你了",
    "我想4号还",
    "吃了头孢不能喝酒，明天还",
    "死了也会还",
    "死人才不还钱，我会还的",
    "热死人了，明天还",
    "phone mar gaya to kaise pay karu",
    "my phone is dead so you'll get paid when it's charged",
    "you'll get paid when I'm back",
    "if I'm late who will call me",
]
UNMEANT = [
    ("please don't stop the reminders", "opt_out"),
    ("I didn't ask you to stop, thanks", "opt_out"),
    ("别停，继续提醒我", "opt_out"),
    ("能不能别停，我要提醒", "opt_out"),
    ("不用退订，提醒挺好的", "opt_out"),
    ("我没说要投诉，就问问利率", "complaint"),
    ("not complaining, just asking the rate", "complaint"),
    ("我不是律师，只是问一下", "legal_representation"),
    ("i'm not a lawyer, just asking", "legal_representation"),
    ("还款成功了吗", "paid_already"),
    ("did my payment go through?", "paid_already"),
    ("提醒别停啊", "opt_out"),
    ("请不要取消短信提醒", "opt_out"),
    ("我不退订", "opt_out"),
    ("please keep the reminders coming, don't cancel them", "opt_out"),
    ("我不是来投诉的", "complaint"),
    ("我没有律师", "legal_representation"),
    ("payment successful?", "paid_already"),
]
MEANT = [
    ("不用了，退订", "opt_out"),
    ("don't, stop the texts", "opt_out"),
    ("why don't you stop texting me", "opt_out"),
    ("你们别停了，烦死了", "opt_out"),
    ("我没想投诉，但你们再这样我就投诉了", "complaint"),
    ("I'm not complaining but you texted my boss, this is a complaint", "complaint"),
    ("我不是律师，我的律师会联系你们", "legal_representation"),
    ("i'm not a lawyer but my lawyer will write to you", "legal_representation"),
    ("还款成功了", "paid_already"),
    ("我刚还款了，成功了吗", "paid_already"),
    ("I paid yesterday, did my payment go through?", "paid_already"),
]
DAYS = [
    ("13月5号还", None, "vague"),
    ("十三月五号还", None, "vague"),
    ("3月45号还", None, "vague"),
    ("5月3号还", date(2026, 5, 3), "firm"),
    ("20260401还", date(2026, 4, 1), "firm"),
    ("i'll pay 20260401", date(2026, 4, 1), "firm"),
    ("20260230还", None, "vague"),
    ("不可能不还，明天还", date(2026, 3, 13), "firm"),
    ("i'll pay tmrw at midnight", date(2026, 3, 13), "firm"),
    ("这个月15号还，还不上你打我电话", date(2026, 3, 15), "firm"),
    ("明年2月还", None, "vague"),
    ("明年还", None, "vague"),
    ("5月还", None, "vague"),
    ("明年5月5号还", date(2027, 5, 5), "firm"),
    ("明年年底还", date(2027, 12, 31), "firm"),
    ("20260315还清", date(2026, 3, 15), "firm"),
    ("20260501前还", date(2026, 5, 1), "firm"),
    ("周五还，还不上你们再打", date(2026, 3, 13), "firm"),
    ("9月还清", None, "vague"),
]
NO_PROMISE = [
    ("不可能明天还", "other"),
    ("明天不可能还", "other"),
    ("这个月15号还不上，你打我电话", "hardship"),
    ("you call me at midnight", "complaint"),
    ("每月还500", "instalment_request"),
    ("单号20260401", "other"),
    ("order 20260401", "other"),
    ("不太可能后天还", "other"),
    ("没可能今天还", "other"),
]


def _read(text):
    lang = "en" if text.isascii() else "zh"
    reading = read(Reply(id="r1", text=text, received_at=AT, lang=lang))
    followed = signals_of(reading, SENDER, AT)
    return reading, [one.kind for one in followed.signals], followed.tasks


@pytest.mark.parametrize("text", SELF_HARM)
def test_who_may_harm_himself_is_cared_for_and_called_neither_dead_nor_a_stranger(text):
    reading, kinds, tasks = _read(text)
    assert (reading.intent, reading.vulnerable, reading.fate) == ("hardship", True, None)
    assert (kinds, tasks[0]) == (["hardship"], "care_now")


@pytest.mark.parametrize(("text", "fate"), DEATHS)
def test_words_of_the_dead_beside_a_death_tell_of_that_death(text, fate):
    reading, kinds, tasks = _read(text)
    assert (reading.intent, reading.fate) == ("deceased_or_incapacity", fate)
    assert kinds[0] == {"deceased": "deceased", "bereaved": "hardship"}[fate]
    assert (reading.vulnerable, "care_now" in tasks) == (False, False)


@pytest.mark.parametrize("text", HARMLESS)
def test_words_that_only_sound_like_self_harm_raise_no_alarm(text):
    reading, kinds, tasks = _read(text)
    assert (reading.vulnerable, reading.fate, "care_now" in tasks) == (False, None, False)
    assert "deceased" not in kinds


@pytest.mark.parametrize(("text", "act"), UNMEANT)
def test_an_act_that_is_denied_is_none_and_nothing_follows(text, act):
    reading, kinds, _ = _read(text)
    assert act not in (reading.intent, reading.secondary_intent)
    assert reading.intent in ("acknowledge", "other")
    assert kinds == []


@pytest.mark.parametrize(("text", "act"), MEANT)
def test_an_act_that_is_meant_counts_beside_a_denial(text, act):
    reading, kinds, _ = _read(text)
    assert act in (reading.intent, reading.secondary_intent)
    assert {"paid_already": "payment_pending"}.get(act, act) in kinds


@pytest.mark.parametrize(("text", "day", "confidence"), DAYS)
def test_a_promise_names_its_day_or_none(text, day, confidence):
    reading, _, _ = _read(text)
    found = (reading.intent, reading.promise_date, reading.date_confidence)
    assert found == ("promise_to_pay", day, confidence)


@pytest.mark.parametrize(("text", "intent"), NO_PROMISE)
def test_what_promises_nothing_has_no_day(text, intent):
    reading, kinds, _ = _read(text)
    assert (reading.intent, reading.promise_date) == (intent, None)
    assert "promise" not in kinds


@pytest.mark.parametrize(
    "text",
    ["'; DELETE FROM store_reply; --", "'; DROP TABLE store_reply; --", "<script>alert(1)</script>",
     "x UNION SELECT password FROM staff"],
)  # fmt: skip
def test_a_language_of_machines_says_nothing_and_nothing_follows(text):
    reading, kinds, _ = _read(text)
    assert (reading.intent, reading.needs_person, kinds) == ("other", True, [])


def test_to_be_deleted_is_a_wish_of_a_person():
    reading, kinds, _ = _read("delete my number from your list")
    assert (reading.intent, kinds) == ("opt_out", ["opt_out"])
