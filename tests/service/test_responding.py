"""Goal: what a policy says to a reply, a signal or a broken promise is done, once, beside what the
law wants and never instead of it. Method: replies and events over the real store, under policies
written here; a real plan of the sample book, in which promises are broken."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256
from importlib import resources

import psycopg
import pytest
from outgoing import AT, DAY, lender
from plans import AT as PLANNED_AT
from plans import proven
from test_hearing import NUMBER, kept, say, sent, signals, waiting

from duly.delivery import Reply
from duly.policy import read
from duly.service.operations import events, hearing, loading
from duly.service.operations.responding import SOURCE
from duly.service.outbox.reports import write_report
from duly.service.store.api_models import Decision
from duly.service.store.event_models import Word
from duly.service.store.models import Message, Run, Task
from duly.service.store.privacy_models import Source

BUILT_IN = (
    resources.files("duly.policy").joinpath("builtin", "cn-installment.yaml").read_text("utf-8")
)
HEAD = """policy: ours
version: 1
first_contact: {default: after_grace + 1 day}
treatments:
  - {id: end, if: days_past_due >= 1, from_day: 1, leave: {reason: left_alone}}
responses:
"""


def decided_by(text: str, *, loan: str = "l1", who: str = "b00000") -> str:
    """Let a plan of a policy have decided a loan; return the policy's fingerprint."""
    sha = sha256(text.encode()).hexdigest()
    Source.objects.get_or_create(sha256=sha, defaults={"kind": "policy", "name": "p", "text": text})
    run = Run.objects.get(plan_sha256="a" * 64)
    run.summary = {"versions": {"policy": sha}, "time_zone": "Asia/Shanghai"}
    run.save()
    Decision.objects.create(
        loan_id=loan, run=run, borrower_id=who, business_date=DAY, decision="contact", reason="x"
    )
    return sha


def responses(*lines: str) -> str:
    return HEAD + "".join(f"  - {line}\n" for line in lines)


def work() -> list[tuple]:
    rows = Task.objects.exclude(script="").order_by("kind", "script")
    return [(one.kind, one.script, one.priority, one.expires_on) for one in rows]


def raised(kind: str, *, name: str = "s1", loan: str | None = "l1", source: str = "core") -> dict:
    return {
        "specversion": "1.0", "id": f"event of {name}", "source": source, "type": "signal.raised",
        "time": (AT - timedelta(hours=1)).isoformat(),
        "data": {"signal_id": name, "borrower_id": "b00000", "loan_id": loan, "kind": kind,
                 "starts_at": (AT - timedelta(hours=1)).isoformat()},
    }  # fmt: skip


class TestReply:
    @pytest.mark.parametrize(
        ("text", "floor", "task"),
        [
            ("我要投诉你们", "answer_complaint", ("review", "complaint", 1)),
            ("金额不对，我只欠三百", "answer_dispute", ("review", "dispute", 3)),
            ("失业了，实在没钱还", "offer_relief", ("care", "care", 1)),
            (
                "你打错了，我不认识这个人",
                "find_right_person",
                ("verify_contact", "wrong_person", 1),
            ),
            ("能宽限几天吗", "offer_extension", ("care", "extension", 3)),
            ("给我回个电话", "call_back", ("call", "call_back", 3)),
            ("怎么还款", "say_how_to_pay", ("review", "question", 3)),
        ],
    )
    def test_the_built_in_policy_adds_its_task_to_what_follows_anyway(
        self, store, text, floor, task
    ):
        sent()
        sha = decided_by(BUILT_IN)
        say(store, text)
        assert work() == [(*task, date(2026, 3, 13))]
        (mine,) = Task.objects.exclude(script="")
        assert (mine.borrower_id, mine.loan_id, mine.reply_id) == ("b00000", "l1", kept().pk)
        assert list(Task.objects.filter(script="").values_list("kind", flat=True)) == [floor]
        assert len(sha) == 64

    def test_a_hold_of_the_policy_is_a_signal_and_cancels_what_waits(self, store):
        sent()
        left = waiting(store)
        decided_by(responses("{on: reply question, hold: complaint}"))
        say(store, "怎么还款")
        (one,) = signals()
        assert (one["kind"], one["loan_id"], one["ends_at"]) == ("complaint", None, None)
        assert kept().signals == [one["signal_id"]]
        assert Message.objects.get(pk=left).state == "cancelled"

    def test_two_responses_to_the_same_reply_are_both_done_each_once(self, store):
        sent()
        decided_by(
            responses(
                "{on: reply question, hold: dispute}",
                "{on: reply question, hold: complaint, task: {kind: review, script: a}}",
                "{on: reply question, hold: dispute, task: {kind: review, script: a}}",
                "{on: reply question, task: {kind: review, script: b, expires: 9 days,"
                " priority: last}}",
                "{on: reply hardship, hold: hardship}",
            )
        )
        say(store, "怎么还款")
        assert Counter(one["kind"] for one in signals()) == {"dispute": 1, "complaint": 1}
        assert work() == [
            ("review", "a", 3, date(2026, 3, 13)),
            ("review", "b", 5, date(2026, 3, 19)),
        ]

    def test_the_same_reply_twice_is_one(self, store):
        sent()
        decided_by(
            responses("{on: reply question, hold: complaint, task: {kind: review, script: a}}")
        )
        for raw in ("first", "second"):
            say(store, "怎么还款", raw=raw, at=AT - timedelta(minutes=1))
        assert (len(signals()), len(work())) == (1, 1)


class TestFloor:
    def test_a_policy_takes_nothing_away_and_asks_nobody_who_is_on_hold(self, store):
        sent()
        left = waiting(store)
        decided_by(responses("{on: reply dispute, hold: payment_pending, task: {kind: call}}"))
        say(store, "金额不对，我只欠三百")
        assert Counter(one["kind"] for one in signals()) == {"dispute": 1, "payment_pending": 1}
        assert list(Task.objects.values_list("kind", flat=True)) == ["answer_dispute"]
        assert Message.objects.get(pk=left).state == "cancelled"

    @pytest.mark.parametrize(
        ("text", "reply", "kind"),
        [
            ("退订", "opt_out", "opt_out"),
            ("你打错了，我不认识这个人", "wrong_person", "identity_dispute"),
            ("失业了，实在没钱还", "hardship", "hardship"),
            ("我爸走了", "hardship", "hardship"),
            ("我已经还了", "paid_already", "payment_pending"),
        ],
    )
    def test_nobody_is_rung_for_money_after_what_stops_contact(self, store, text, reply, kind):
        sent()
        decided_by(responses(f"{{on: reply {reply}, task: {{kind: call, script: pay_now}}}}"))
        say(store, text)
        assert [one["kind"] for one in signals()] == [kind]
        assert work() == []

    def test_a_promise_without_a_day_opens_no_hold_whatever_the_file_says(self, store):
        sent()
        decided_by(responses("{on: reply promise, hold: promise}"))
        say(store, "明天还")
        assert (signals(), list(Task.objects.values_list("kind", flat=True))) == (
            [], ["agree_amount"])  # fmt: skip

    @pytest.mark.parametrize("gone", ["decision", "text", "grammar"])
    def test_without_a_policy_that_is_known_the_floor_stands_alone(self, store, gone):
        sent()
        decided_by(BUILT_IN if gone != "grammar" else BUILT_IN.replace("floor:", "ground:"))
        if gone == "decision":
            Decision.objects.all().delete()
        if gone == "text":
            Run.objects.update(summary={"versions": {"policy": "0" * 64}, "time_zone": "UTC"})
        say(store, "我要投诉你们")
        assert [one["kind"] for one in signals()] == ["complaint"]
        assert list(Task.objects.values_list("kind", flat=True)) == ["answer_complaint"]

    def test_a_policy_that_breaks_undoes_nothing(self, store, monkeypatch):
        sent()
        left = waiting(store)
        decided_by(BUILT_IN)
        monkeypatch.setattr(hearing, "to_reply", lambda *_, **__: 1 / 0)
        say(store, "我要投诉你们")
        assert kept().state == "acted"
        assert Message.objects.get(pk=left).state == "cancelled"
        assert list(Task.objects.values_list("kind", flat=True)) == ["answer_complaint"]

    def test_of_several_people_no_policy_is_asked(self, store):
        sent(2, addresses=[NUMBER, NUMBER])
        decided_by(BUILT_IN)
        say(store, "我要投诉你们")
        assert (kept().whose, signals(), work()) == ("several", [], [])


class TestSignal:
    def test_what_somebody_else_heard_has_the_task_of_the_policy_once(self, store):
        sent()
        decided_by(BUILT_IN)
        for _ in range(2):
            events.accept([raised("fraud_claim")], at=AT)
        assert work() == [("review", "fraud_claim", 1, date(2026, 3, 13))]
        (mine,) = Task.objects.all()
        assert (mine.cause, mine.reply_id, mine.loan_id) == ("s1", None, "l1")

    def test_a_signal_of_no_loan_is_under_the_policy_of_any_of_his(self, store):
        sent()
        decided_by(BUILT_IN)
        events.accept([raised("hardship", loan=None)], at=AT)
        assert work() == [("care", "care", 1, date(2026, 3, 13))]

    def test_a_further_hold_is_opened_with_it_and_asks_no_policy_again(self, store):
        sent()
        decided_by(
            responses(
                "{on: reply fraud, hold: complaint, task: {kind: review, script: fraud}}",
                "{on: reply complaint, task: {kind: review, script: never}}",
            )
        )
        left = waiting(store)
        found = events.accept([raised("fraud_claim")], at=AT)
        assert (found.accepted, found.cancelled) == (1, (left,))
        assert {one["kind"] for one in signals()} == {"fraud_claim", "complaint"}
        assert Word.objects.get(source=SOURCE).data["kind"] == "complaint"
        assert [one[:2] for one in work()] == [("review", "fraud")]

    def test_the_order_of_events_makes_no_difference(self, store):
        sent()
        decided_by(BUILT_IN)
        batch = [raised("fraud_claim"), raised("complaint", name="s2")]
        for one in reversed(batch):
            events.accept([one], at=AT)
        apart = work()
        events.accept(batch, at=AT)
        assert work() == apart
        assert [one[:2] for one in apart] == [("review", "complaint"), ("review", "fraud_claim")]

    def test_a_reply_is_answered_by_the_policy_once_and_not_again_as_its_signal(self, store):
        sent()
        decided_by(BUILT_IN)
        with psycopg.connect(store, autocommit=True) as ours:
            write_report(ours, "box", Reply(address=NUMBER, to="", text="我要投诉", raw="r"))
        hearing.hear_waiting(lender=lender(), at=AT)
        assert [one[:2] for one in work()] == [("review", "complaint")]


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return proven(tmp_path_factory.mktemp("plan"))


class TestBroken:
    def test_a_plan_that_finds_a_broken_promise_opens_its_task_once(self, store, plan):
        broken = {
            row["loan_id"]: row["promise_broken_on"]
            for row in plan.broken.to_pylist() if row["promise_broken_on"]
        }  # fmt: skip
        news = {loan for loan, day in broken.items() if (DAY - day).days <= 7}
        assert news
        loading.load(plan, at=PLANNED_AT)
        rows = Task.objects.filter(kind="ask_why", script="promise_broken")
        assert {one.loan_id for one in rows} == news
        assert {(one.priority, one.expires_on) for one in rows} == {(3, date(2026, 3, 13))}
        before = rows.count()
        again = {**plan.run, "plan_sha256": "f" * 64}
        loading.load(replace(plan, run=again, messages=plan.messages.slice(0, 0),
                             facts=plan.facts.slice(0, 0)), at=PLANNED_AT)  # fmt: skip
        assert rows.count() == before

    def test_a_hold_on_a_broken_promise_cancels_what_the_plan_wrote(self, store, plan):
        text = responses("{on: promise_broken, hold: hardship, task: {kind: ask_why, script: x}}")
        policy = read("ours.yaml", text.encode())
        other = replace(plan, inputs=replace(plan.inputs, policy=policy))
        loading.load(other, at=PLANNED_AT)
        held = [json.loads(json.dumps(one.data)) for one in Word.objects.filter(source=SOURCE)]
        assert held
        assert {one["kind"] for one in held} == {"hardship"}
        assert work() == []  # Who is on hold is not asked.
        loans = {one["loan_id"] for one in held}
        for one in Message.objects.filter(state="released"):
            assert not loans & set(one.loan_ids)
