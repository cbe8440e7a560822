"""Goal: what followed from a reply is confirmed once, lawfully, to the borrower alone, or not at
all. Method: replies as gateways bring them over the real store; the texts are data; the door."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from answer_world import AT, CN, NUMBER, answers, claimed, house, lead, left, say, sent, why
from telling_events import paid, signalled

from duly.service.operations import answering
from duly.service.operations.events import accept
from duly.service.store.models import Attempt, Borrower
from duly.service.store.models import Reply as Kept

CASES = yaml.safe_load((Path(__file__).parent / "answer_cases.yaml").read_text(encoding="utf-8"))
MIDNIGHT = datetime(2026, 3, 10, 15, 30, tzinfo=UTC)  # 23:30 in Shanghai


@pytest.mark.parametrize("case", CASES["said_back"], ids=lambda one: one["locale"] + one["writes"])
def test_what_is_said_back_word_for_word(store, case):
    sent(locale=case["locale"])
    say(store, case["writes"])
    found = answers()
    if case["says"] is None:
        assert (found, why()) == ([], case["why"])
        return
    (one,) = found
    reference = f"R{Kept.objects.get().report_id:06d}"
    wanted = case["says"].replace("{reference}", reference).replace("{code}", one.code)
    assert (one.template, one.text) == (case["template"], wanted)
    assert (one.state, one.channel, one.address, one.locale) == (
        "released", "sms", NUMBER, case["locale"])  # fmt: skip


@pytest.mark.parametrize("case", CASES["silent"], ids=lambda one: one["writes"])
def test_silence(store, case):
    sent()
    say(store, case["writes"])
    assert (answers(), why()) == ([], case["why"])


class TestTheDoor:
    @pytest.mark.parametrize(
        ("text", "template"),
        [
            (case["writes"], case["template"])
            for case in CASES["said_back"]
            if case["locale"] == "zh-CN" and case["says"]
        ],
    )
    def test_every_answer_passes_it_by_day(self, store, ours, me, text, template):
        sent()
        say(store, text)
        assert claimed(lead(ours, me)) == [template]

    def test_at_night_it_waits_for_the_morning(self, store, ours, me):
        sent()
        say(store, "失业了，实在没钱还", at=MIDNIGHT)
        found = lead(ours, me, at=MIDNIGHT)
        assert (found.claimed, found.delayed) == ((), 1)
        (one,) = answers()
        assert one.due_at == datetime(2026, 3, 11, 0, 30, tzinfo=UTC)
        assert claimed(lead(ours, me, at=one.due_at)) == ["hardship_received"]

    def test_what_was_not_let_out_in_a_day_is_not_said_any_more(self, store, ours, me):
        sent()
        say(store, "失业了，实在没钱还")
        found = lead(ours, me, at=AT + answering.LASTS + timedelta(seconds=1))
        assert (found.claimed, found.expired) == ((), 1)

    def test_a_payment_that_came_before_does_not_stop_it(self, store, ours, me):
        sent()
        accept([paid("L-2025-001234")], at=AT)
        say(store, "我要投诉你们")
        assert claimed(lead(ours, me)) == ["complaint_received"]

    def test_who_died_meanwhile_gets_nothing(self, store, ours, me):
        sent()
        say(store, "我要投诉你们")
        accept([signalled("deceased")], at=AT)
        assert [one.state for one in answers()] == ["cancelled"]
        assert claimed(lead(ours, me)) == []

    def test_who_stops_after_it_gets_nothing(self, store, ours, me):
        sent()
        say(store, "我要投诉你们")
        say(store, "退订", at=AT + timedelta(minutes=1))
        assert [one.state for one in answers()] == ["cancelled"]
        assert claimed(lead(ours, me, at=AT + timedelta(minutes=2))) == []

    def test_a_stop_of_a_template_holds_it(self, store, ours, me):
        from duly.service.operations.releasing import stop

        sent()
        say(store, "我要投诉你们")
        assert stop("template", "complaint_received", by="Li Lei") == 1
        assert claimed(lead(ours, me)) == []


US = {"jurisdiction": "us", "time_zone": "America/New_York", "number_consented": True,
      "number_checked_on": "2026-03-01", "days_since_number_checked": 9}  # fmt: skip


class TestAfterAStop:
    NOON = datetime(2026, 3, 10, 16, 0, tzinfo=UTC)

    def _stopped(self, store, *, packs=("decency", "us"), facts=None, at=NOON):
        sent(locale="en", facts=US if facts is None else facts)
        Borrower.objects.update(time_zone="America/New_York")
        say(store, "STOP", at=at, by=house(packs=packs))

    def test_the_law_of_the_united_states_allows_one_word_within_five_minutes(
        self, store, ours, me
    ):
        self._stopped(store)
        (one,) = answers()
        assert one.template == "opt_out_confirmed"
        assert one.not_after == self.NOON + timedelta(minutes=5)
        found = lead(ours, me, at=self.NOON + timedelta(minutes=1), packs=("decency", "us"))
        assert claimed(found) == ["opt_out_confirmed"]

    def test_it_is_not_said_later(self, store, ours, me):
        self._stopped(store)
        late = self.NOON + timedelta(minutes=5, seconds=1)
        assert lead(ours, me, at=late, packs=("decency", "us")).claimed == ()
        assert [one.state for one in answers()] == ["expired"]

    def test_it_is_said_once(self, store, ours, me):
        self._stopped(store)
        left(ours, me, at=self.NOON + timedelta(minutes=1), packs=("decency", "us"))
        say(store, "stop texting me", at=self.NOON + timedelta(days=1),
            by=house(packs=("decency", "us")))  # fmt: skip
        assert len(answers()) == 1

    def test_nothing_follows_it(self, store, ours, me):
        self._stopped(store)
        say(store, "I lost my job and cannot pay", at=self.NOON + timedelta(minutes=1),
            by=house(packs=("decency", "us")))  # fmt: skip
        # One answer a day and person; and what a rule would have to say stands in the record.
        lead(ours, me, at=self.NOON + timedelta(minutes=2), packs=("decency", "us"))
        assert claimed(lead(ours, me, at=self.NOON, packs=("decency", "us"))) == []
        assert {one.template for one in answers()} == {"opt_out_confirmed"}

    @pytest.mark.parametrize("packs", [CN, ("decency",), ("decency", "eu"), ("decency", "uk")])
    def test_where_no_pack_allows_it_nothing_is_said(self, store, packs):
        self._stopped(store, packs=packs)
        assert (answers(), why()) == ([], "no_rule_allows")

    def test_a_loan_of_another_place_is_not_under_that_law(self, store):
        self._stopped(store, packs=("decency", "cn", "us"), facts={"jurisdiction": "cn"})
        assert (answers(), why()) == ([], "no_rule_allows")


class TestNobodyElseIsTold:
    def test_a_number_that_two_people_have(self, store):
        sent()
        accept([_point("spouse")], at=AT)
        say(store, "明天还500")
        assert (answers(), why()) == ([], "number_unsure")

    def test_a_number_that_nobody_was_written_to_lately(self, store):
        sent()
        Attempt.objects.all().delete()
        accept([_point("b00000")], at=AT)
        say(store, "明天还500")
        assert (answers(), why()) == ([], "number_unsure")

    def test_a_number_that_nobody_has(self, store):
        sent()
        say(store, "我要投诉你们", address="+8613911112222")
        assert (answers(), why()) == ([], "number_unsure")

    @pytest.mark.parametrize("given", [{"status": "wrong_person"}, {"status": "invalid"},
                                       {"use": "shared"}, {"use": "work"}])  # fmt: skip
    def test_a_number_that_is_not_his_alone(self, store, given):
        sent()
        accept([_point("b00000", **given)], at=AT)
        say(store, "明天还500")
        assert (answers(), why()) == ([], "number_unsure")

    def test_a_stranger_reads_no_name_no_loan_and_no_figure(self, store, ours, me):
        sent()
        say(store, "打错了")
        (one,) = answers()
        assert one.template == "wrong_person"
        assert one.params.keys().isdisjoint({"name", "tail", "loans"})
        for word in ("张", "借款", "1234", "逾期", "还款", "元"):
            assert word not in one.text
        assert claimed(lead(ours, me)) == ["wrong_person"]

    def test_a_stranger_reads_it_once_in_his_life(self, store, ours, me):
        sent()
        say(store, "打错了")
        left(ours, me)
        say(store, "跟你说了打错了，我不认识这个人", at=AT + timedelta(days=9))
        assert (len(answers()), why()) == (1, "answered_before")


def _point(who: str, **given: str) -> dict:
    return {
        "specversion": "1.0", "id": f"point of {who}", "source": "core",
        "type": "contact_point.changed", "time": (AT - timedelta(days=2)).isoformat(),
        "data": {"borrower_id": who, "channel": "sms", "address": "13800000001"} | given,
    }  # fmt: skip
