"""Goal: a reply has one answer and a number few, whoever hears it and however often it comes.
Method: repeated reports, hearings killed and at once, a machine that answers every text of ours;
what the lender file says; what news takes back."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from answer_world import AT, answers, bring, house, lead, left, rows_told, say, sent, why
from django.db import connection
from outgoing import states
from telling_events import paid

from duly.book.lender import Answers, Route
from duly.service import setting_up
from duly.service.borrower_keys import masters
from duly.service.operations import hearing
from duly.service.operations.events import accept
from duly.service.operations.looking import messages_of
from duly.service.operations.recalling import recall
from duly.service.store.models import Message, Run, Task
from duly.service.store.models import Reply as Kept


class TestOnce:
    def test_the_same_report_again_and_the_same_reply_in_another(self, store):
        sent()
        for raw in ("one", "one", "two", "three"):
            say(store, "我要投诉你们", raw=raw, said=AT - timedelta(minutes=1))
        assert len(answers()) == 1

    def test_one_reply_a_day_is_answered(self, store, ours, me):
        sent()
        say(store, "能宽限几天吗")
        lead(ours, me)
        say(store, "我已经还了", at=AT + timedelta(hours=1))
        assert [one.template for one in answers()] == ["request_received"]
        assert why() == "answered_today"

    def test_what_waits_gives_way_to_what_is_graver(self, store):
        sent()
        say(store, "能宽限几天吗")
        say(store, "失业了，实在没钱还", at=AT + timedelta(minutes=1))
        assert [(one.template, one.state, one.reason) for one in answers()] == [
            ("request_received", "cancelled", "superseded"),
            ("hardship_received", "released", None),
        ]

    def test_what_waits_does_not_give_way_to_less(self, store):
        sent()
        say(store, "我要投诉你们")
        say(store, "能宽限几天吗", at=AT + timedelta(minutes=1))
        assert [(one.template, one.state) for one in answers()] == [
            ("complaint_received", "released")]  # fmt: skip
        assert why() == "graver_waits"

    def test_a_promise_that_is_changed_is_confirmed_as_it_is_now(self, store):
        sent()
        say(store, "明天还500")
        say(store, "后天还400", at=AT + timedelta(minutes=1))
        waits = [one for one in answers() if one.state == "released"]
        assert ["400.00元" in one.text and "3月12日" in one.text for one in waits] == [True]

    def test_what_a_plan_says_in_this_class_is_the_answer_of_its_day(self, store):
        fill_one = {"message_class": "answer", "template": "verify_security", "state": "released"}
        sent(**fill_one)
        Message.objects.update(state="claimed", worker=1)
        Message.objects.update(state="submitted")
        say(store, "我要投诉你们")
        assert ([one.template for one in answers()], why()) == (
            ["verify_security"], "answered_today")  # fmt: skip

    def test_two_who_hear_at_once_answer_once(self, store):
        sent()
        for n in range(6):
            bring(store, f"我要投诉你们，第{n}次", raw=str(n))

        def hear(_: int) -> None:
            with setting_up.using(store):
                hearing.hear_beside(lender=house(), at=AT)

        with ThreadPoolExecutor(3) as pool:
            list(pool.map(hear, range(6)))
        with setting_up.using(store):
            hearing.hear_waiting(lender=house(), at=AT)
            assert Kept.objects.filter(state="new").count() == 0
            assert len(answers(state="released")) == 1

    def test_who_hears_beside_other_work_leaves_no_connection_in_its_thread(self, store):
        sent()
        bring(store, "我要投诉你们")

        def hear() -> object:
            hearing.hear_beside(lender=house(), at=AT)
            return connection.connection

        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(hear).result() is None
        assert len(answers()) == 1

    def test_killed_between_hearing_and_commit_nothing_is_said_and_then_once(
        self, store, monkeypatch
    ):
        class Killed(BaseException):
            pass

        sent()
        bring(store, "我要投诉你们")
        true = hearing.record

        def dies(kind, *given, **named):
            if kind == "reply.heard":
                raise Killed
            true(kind, *given, **named)

        monkeypatch.setattr(hearing, "record", dies)
        with pytest.raises(Killed):
            hearing.hear_waiting(lender=house(), at=AT)
        assert (answers(), Run.objects.filter(kind="answer").count()) == ([], 0)
        assert Kept.objects.get().state == "new"
        monkeypatch.setattr(hearing, "record", true)
        assert hearing.hear_waiting(lender=house(), at=AT) == 1
        assert len(answers()) == 1
        assert Run.objects.get(kind="answer").messages_count == 1

    def test_an_answer_that_breaks_leaves_what_the_reply_said_done(self, store, monkeypatch):
        sent()

        def breaks(*_: object, **__: object) -> None:
            raise KeyError("a word")

        monkeypatch.setattr(hearing, "answer", breaks)
        say(store, "失业了，实在没钱还")
        assert (answers(), why(), Kept.objects.get().state) == ([], "KeyError", "acted")
        assert [one.kind for one in Task.objects.all()] == ["offer_relief"]


class TestMachines:
    def test_a_machine_that_answers_every_text_of_ours_gets_three_answers_a_week(
        self, store, ours, me
    ):
        sent()
        for day in range(14):
            at = AT + timedelta(days=day)
            for minute in range(3):
                # It says the same in other words each time, so that nothing but counting helps.
                say(store, f"我要投诉你们{day}{minute}", at=at + timedelta(minutes=minute))
                left(ours, me, at=at + timedelta(minutes=minute))
        days = [one.business_date for one in answers()]
        assert len(days) == len(set(days)) == 6
        for first in days:
            assert sum(first <= day < first + timedelta(days=7) for day in days) <= 3

    def test_the_same_words_again_get_no_second_answer(self, store, ours, me):
        sent()
        say(store, "你好，我要投诉你们")
        left(ours, me)
        say(store, "你好，我要投诉你们", at=AT + timedelta(days=1))
        assert (len(answers()), why()) == (1, "said_before")

    def test_our_own_text_sent_back(self, store):
        name = sent()
        code = Message.objects.get(pk=name).code
        say(store, f"我已经还了【示例】核验码{code}")
        assert (answers(), why()) == ([], "echo")


class TestTheLenderSays:
    @pytest.mark.parametrize(
        ("given", "reason"),
        [
            ({"answers": Answers(send=False)}, "off"),
            ({"answers": Answers(per_7_days=0)}, "answered_often"),
            ({"routes": (Route(name="box", channel="sms", kind="sandbox", accepts=("dunning",)),)},
             "no_route"),
        ],
    )  # fmt: skip
    def test_none_are_sent(self, store, given, reason):
        sent()
        say(store, "我要投诉你们", by=house(**given))
        assert (answers(), why()) == ([], reason)

    def test_by_when_a_person_answers(self, store):
        sent()
        say(store, "失业了，实在没钱还", by=house(answers=Answers(hardship_days=2)))
        assert answers()[0].params["answer_by"] == "3月12日"

    def test_mail_is_answered_by_mail(self, store, ours, me):
        mail = Route(name="mail", channel="email", kind="sandbox")
        sent(channel="email", address="who@example.com")
        say(store, "失业了，实在没钱还", address="who@example.com", by=house(routes=(mail,)))
        (one,) = answers()
        assert (one.channel, one.address, one.text.split("\n")[0]) == (
            "email", "who@example.com", "张**您好：")  # fmt: skip


class TestWhatItSays:
    def test_no_figure_but_the_promised_one(self, store):
        sent(params={"name": "张**", "overdue_total": "812.30元"})
        say(store, "后天还500")
        assert answers()[0].text.count("元") == 1

    def test_a_third_promise_is_for_a_person(self, store):
        sent()
        for n, text in enumerate(("明天还100", "明天还200", "明天还300")):
            say(store, text, at=AT + timedelta(minutes=n))
        assert why() == "person_writes"

    def test_news_of_a_payment_takes_back_what_speaks_of_one(self, store):
        sent()
        say(store, "明天还500")
        accept([paid("L-2025-001234")], at=AT)
        assert [(one.state, one.reason) for one in answers()] == [("cancelled", "payment")]

    def test_hardship_holds_all_loans(self, store):
        from duly.service.store.event_models import Word

        sent()
        say(store, "失业了，实在没钱还")
        assert json.loads(json.dumps(Word.objects.get().data))["loan_id"] is None

    def test_the_record_says_what_was_said_and_why(self, store):
        sent()
        say(store, "我要投诉你们")
        (one,) = answers()
        run = Run.objects.get(kind="answer")
        assert (one.run_id, run.state, run.messages_count) == (run.plan_sha256, "released", 1)
        assert [row["message_id"] for row in messages_of("L-2025-001234", "b00000", limit=5)] == [
            one.message_id, "m00000"]  # fmt: skip
        (told,) = rows_told("message.written")
        assert (told["template"], told["reply"]) == (
            "complaint_received", Kept.objects.get().report_id)  # fmt: skip
        assert states(store)["released"] == 1

    def test_a_recalled_template_is_corrected_where_it_left(self, store, ours, me):
        sent()
        say(store, "我要投诉你们")
        left(ours, me)
        done = recall("template", "complaint_received", by="Li Lei", lender=house(),
                      key=masters()[0], at=AT)  # fmt: skip
        assert (done.cancelled, done.drafted) == (0, 1)
        assert Message.objects.get(message_class="correction").state == "planned"
