"""Goal: what people answer is acted upon at once, once, and never lost. Method: replies as gateways
bring them, over the real store; each of the intents with what has to follow."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from outgoing import AT, fill, lender

from duly.delivery import Reply
from duly.service.operations import hearing, tasks
from duly.service.operations.events import accept
from duly.service.outbox.reports import write_report
from duly.service.store.event_models import Event, Word
from duly.service.store.models import Attempt, Audit, Borrower, Message, Report, Task
from duly.service.store.models import Reply as Kept

NUMBER = "+8613800000001"
COUNT = iter(range(1_000_000))


def say(
    store: str, text: str, *, address: str = NUMBER, route: str = "box", at=None, raw=""
) -> None:
    """Bring a reply as a gateway does, and let it be heard."""
    with psycopg.connect(store, autocommit=True) as ours:
        write_report(ours, route, Reply(address=address, to="1069", text=text,
                                        raw=raw or f"raw {next(COUNT)}", at=at))  # fmt: skip
    hearing.hear_waiting(lender=lender(), at=AT)


def sent(count: int = 1, *, addresses: list[str] | None = None, **given) -> list[str]:
    """Write messages that were sent an hour ago, one to a person, and one more that waits."""
    ids = fill(count, state="accepted", route="box", **given)
    for n, name in enumerate(ids):
        if addresses:
            Message.objects.filter(message_id=name).update(address=addresses[n])
        Attempt.objects.create(message_id=name, route="box", number=1, outcome="accepted")
    return ids


def waiting(store: str, who: str = "b00000", *, address: str = NUMBER) -> str:
    """Add a released message to a person and return its id."""
    first = Message.objects.filter(borrower_id=who).first()
    assert first is not None
    first.pk, first.state, first.address = f"w{next(COUNT)}", "released", address
    first.business_date = date(2026, 3, 11) + timedelta(days=next(COUNT) % 300)
    first.route = None
    first.save(force_insert=True)
    return first.pk


def has_number(who: str) -> dict:
    """Return the event that somebody has the number, written as people write it."""
    return {
        "specversion": "1.0", "id": f"point of {who}", "source": "core",
        "type": "contact_point.changed", "time": (AT - timedelta(days=2)).isoformat(),
        "data": {"borrower_id": who, "channel": "sms", "address": "13800000001"},
    }  # fmt: skip


def kept() -> Kept:
    return Kept.objects.get()


def signals() -> list[dict]:
    return [json.loads(json.dumps(one.data)) for one in Word.objects.filter(kind="signal")]


def open_kinds() -> list[str]:
    return list(Task.objects.order_by("priority", "kind").values_list("kind", flat=True))


@pytest.mark.parametrize(
    ("text", "intent", "kind", "kinds"),
    [
        ("退订", "opt_out", "opt_out", []),
        ("你打错了，我不认识这个人", "dispute_identity", "identity_dispute", ["find_right_person"]),
        ("我已经还了", "paid_already", "payment_pending", ["match_payment"]),
        ("明天还500", "promise_to_pay", "promise", []),
        ("失业了，实在没钱还", "hardship", "hardship", ["offer_relief"]),
        ("金额不对，我只欠三百", "dispute_amount", "dispute", ["answer_dispute"]),
        ("我要投诉你们", "complaint", "complaint", ["answer_complaint"]),
        (
            "请联系我的律师",
            "legal_representation",
            "legal_representation",
            ["write_to_representative"],
        ),
        ("他上个月去世了", "deceased_or_incapacity", "deceased", ["care_for_family"]),
        ("我爸走了，这是他的贷款", "deceased_or_incapacity", "deceased", ["care_for_family"]),
        ("我爸走了", "deceased_or_incapacity", "hardship", ["care_for_bereaved"]),
        ("我父親過世了", "deceased_or_incapacity", "hardship", ["care_for_bereaved"]),
        ("我老豆走咗", "deceased_or_incapacity", "hardship", ["care_for_bereaved"]),
        ("my father died", "deceased_or_incapacity", "hardship", ["care_for_bereaved"]),
        ("他中风了", "deceased_or_incapacity", "incapacity", ["care_for_family"]),
        ("可以分期还吗", "instalment_request", None, ["offer_plan"]),
        ("能宽限几天吗", "extension_request", None, ["offer_extension"]),
        ("你们是真的吗，怎么证明", "verify_authenticity", None, ["show_who_we_are"]),
        ("怎么还款", "how_to_pay", None, ["say_how_to_pay"]),
        ("给我回个电话", "callback_request", None, ["call_back"]),
        ("好的", "acknowledge", None, []),
        ("滚", "abusive", None, ["read_reply"]),
        ("紫色的云", "other", None, ["read_reply"]),
    ],
)
def test_each_intent_has_what_follows(store, text, intent, kind, kinds):
    sent()
    left = waiting(store)
    say(store, text)
    one = kept()
    assert (one.state, one.whose, one.borrower_id, one.loan_id) == ("acted", "one", "b00000", "l1")
    assert one.reading["intent"] == intent
    assert [row["kind"] for row in signals()] == ([kind] if kind else [])
    assert open_kinds() == kinds
    # What holds cancels what was not yet submitted, in the same transaction.
    state = Message.objects.get(pk=left).state
    assert state == ("cancelled" if kind else "released")


def test_an_opt_out_stops_the_number_whoever_has_it(store):
    sent(2, addresses=[NUMBER, "008613800000001"])
    mine, other = waiting(store, "b00000"), waiting(store, "b00001", address="13800000001")
    elsewhere = waiting(store, "b00001", address="+8613800000009")
    say(store, "TD")
    assert kept().whose == "several"
    assert {one["kind"] for one in signals()} == {"opt_out"}
    assert {json.loads(one["detail"])["address"] for one in signals()} == {NUMBER}
    states = dict(Message.objects.values_list("message_id", "state"))
    assert (states[mine], states[other]) == ("cancelled", "cancelled")
    # Two people have the number and each said no by SMS, as far as anybody can know.
    assert states[elsewhere] == "cancelled"
    assert "whose_reply" in open_kinds()


def test_a_strangers_number_is_written_to_no_more_however_it_is_written(store):
    sent()
    accept([has_number("b00000")], at=AT)
    mine, other = waiting(store), waiting(store, address="008613800000001")
    Borrower.objects.create(borrower_id="other", time_zone="Asia/Shanghai", locale="zh-CN")
    Message.objects.filter(pk=other).update(borrower_id="other")
    say(store, "打错了")
    point = Word.objects.get(kind="contact_point")
    assert point.data["status"] == "wrong_person"
    assert point.data["address"] == "13800000001"
    reasons = dict(Message.objects.filter(state="cancelled").values_list("message_id", "reason"))
    assert reasons == {mine: "wrong_person", other: "wrong_person"}


def test_a_promise_without_a_figure_is_for_a_person_where_nobody_knows_what_is_owed(store):
    sent()
    say(store, "明天还")
    assert kept().reading["promise_date"] == "2026-03-11"
    assert (signals(), open_kinds()) == ([], ["agree_amount"])


def test_a_promise_says_its_day_and_figure(store):
    sent()
    say(store, "后天还500元")
    (one,) = signals()
    detail = json.loads(one["detail"])
    assert (detail["on"], detail["amount"]) == ("2026-03-12", "500.00")
    assert one["loan_id"] == "l1"


def test_the_day_is_the_persons_own(store):
    sent()
    Borrower.objects.update(time_zone="Asia/Urumqi")
    # 23:30 in Urumqi of the tenth is 01:30 of the eleventh in Shanghai.
    said = datetime(2026, 3, 10, 17, 30, tzinfo=UTC)
    with psycopg.connect(store, autocommit=True) as ours:
        write_report(ours, "box", Reply(address=NUMBER, to="", text="明天还200", raw="r", at=said))
    hearing.hear_waiting(lender=lender(), at=said + timedelta(seconds=2))
    assert kept().reading["promise_date"] == "2026-03-11"


def test_a_clock_of_a_gateway_that_runs_wild_is_not_believed(store):
    sent()
    say(store, "明天还200", at=AT + timedelta(days=400))
    assert kept().reading["promise_date"] == "2026-03-11"
    assert Event.objects.get().time == AT


def test_a_digit_means_what_the_text_that_was_sent_says(store):
    sent(
        text="【示例消金】已还款回复1，需要延期回复2。请勿转账给个人。核验码3P773SGS，不收短信回TD"
    )
    say(store, "1")
    assert kept().reading["intent"] == "paid_already"


def test_a_digit_without_a_menu_is_read_by_a_person(store):
    sent(text="【示例消金】截至3月10日待还812.30元。")
    say(store, "3")
    assert kept().reading["intent"] == "other"
    assert open_kinds() == ["read_reply"]


class TestOnce:
    def test_the_same_report_again_does_nothing(self, store):
        sent()
        say(store, "退订", raw="same")
        before = (Event.objects.count(), Task.objects.count(), Audit.objects.count())
        say(store, "退订", raw="same")
        assert (Event.objects.count(), Task.objects.count(), Audit.objects.count()) == before
        assert Kept.objects.count() == 1

    def test_the_same_reply_in_another_report_is_kept_and_does_nothing(self, store):
        sent()
        say(store, "我要投诉", raw="first", at=AT - timedelta(minutes=1))
        say(store, "我要投诉", raw="second", at=AT - timedelta(minutes=1))
        assert Report.objects.filter(kind="reply").count() == 2
        assert (Kept.objects.count(), Event.objects.count(), open_kinds()) == (
            1, 1, ["answer_complaint"])  # fmt: skip

    def test_who_writes_the_same_later_has_said_it_again(self, store):
        sent()
        say(store, "怎么还款", at=AT - timedelta(minutes=9))
        say(store, "怎么还款", at=AT - timedelta(minutes=1))
        assert Kept.objects.count() == 2


class TestWhose:
    def test_a_number_that_nobody_has_is_a_task_and_changes_nothing(self, store):
        sent()
        left = waiting(store)
        say(store, "我要投诉你们", address="+8613911112222")
        one = kept()
        assert (one.whose, one.borrower_id, one.state) == ("nobody", None, "acted")
        assert open_kinds() == ["whose_reply", "answer_complaint"]
        assert signals() == []
        assert Message.objects.get(pk=left).state == "released"

    def test_of_two_people_who_were_written_to_nobody_is_guessed(self, store):
        sent(2, addresses=[NUMBER, NUMBER])
        say(store, "我已经还了")
        assert kept().whose == "several"
        assert signals() == []
        assert open_kinds() == ["whose_reply", "match_payment"]

    def test_of_two_people_the_one_who_was_written_to_has_answered(self, store):
        sent()
        accept([has_number("spouse")], at=AT)
        say(store, "我已经还了")
        assert (kept().whose, kept().borrower_id) == ("one", "b00000")


class TestNothingIsLost:
    def test_a_reader_that_breaks_leaves_the_reply_to_a_person(self, store, monkeypatch):
        sent()
        left = waiting(store)

        def breaks(*_: object) -> None:
            raise KeyError("a word of the reply")

        monkeypatch.setattr(hearing, "read", breaks)
        say(store, "退订")
        one = kept()
        assert (one.state, one.error, one.reading) == ("person", "KeyError", None)
        assert open_kinds() == ["read_reply"]
        assert Message.objects.get(pk=left).state == "released"
        assert Audit.objects.filter(kind="reply.unread").count() == 1
        assert "a word of the reply" not in "".join(
            one or "" for one in Audit.objects.values_list("plain", flat=True)
        )

    def test_one_that_breaks_does_not_hold_up_the_next(self, store, monkeypatch):
        sent()
        true = hearing.read
        monkeypatch.setattr(
            hearing, "read", lambda said: true(said) if said.text == "退订" else 1 / 0
        )
        with psycopg.connect(store, autocommit=True) as ours:
            for text in ("坏", "退订"):
                write_report(ours, "box", Reply(address=NUMBER, to="", text=text, raw=text))
        assert hearing.hear_waiting(lender=lender(), at=AT) == 2
        assert list(Kept.objects.order_by("report_id").values_list("state", flat=True)) == [
            "person", "acted"]  # fmt: skip

    @pytest.mark.parametrize(
        "text", ["", " ", "\u202e\u200b", "\x00\x07", "'; DROP TABLE store_reply; --", "\ud800",
                 "好" * 5000, "<script>alert(1)</script>", "{{ text }} %s %(x)s"],
    )  # fmt: skip
    def test_hostile_texts_are_kept_and_seen_by_a_person(self, store, text):
        sent()
        say(store, text)
        one = kept()
        assert one.state == "acted"
        assert signals() == []
        assert open_kinds()
        assert Report.objects.filter(kind="reply").count() == 1

    def test_a_reply_whose_process_died_is_heard_by_the_next(self, store):
        sent()
        left = waiting(store)
        with psycopg.connect(store, autocommit=True) as ours:
            write_report(ours, "box", Reply(address=NUMBER, to="", text="退订", raw="r"))
        assert kept().state == "new"
        assert hearing.hear_waiting(lender=lender(), at=AT) == 1
        assert Message.objects.get(pk=left).state == "cancelled"
        assert hearing.hear_waiting(lender=lender(), at=AT) == 0


def test_who_is_forgotten_has_said_nothing(store):
    from django.db import connection, transaction

    from duly.service.privacy.erasing import erase

    sent()
    say(store, "失业了，没钱还")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO store_deletion (borrower_id, "by", because, under, at, made_at)'
            " VALUES ('b00000', 'Li', 'asked', 'PIPL 47', now(), now())"
        )
        erase(cursor, ["b00000"])
    one = kept()
    assert (one.text, one.address, one.address_key, one.reading, one.signals) == (
        "", "", "", None, None)  # fmt: skip
    assert Report.objects.get().raw == "" or NUMBER[3:] not in Report.objects.get().raw
    task = Task.objects.get()
    assert (task.outcome, task.closed_by) == ("deleted", "deleted")


class TestTasks:
    def test_care_comes_first(self, store):
        sent()
        say(store, "怎么还款")
        say(store, "不想活了")
        assert next(one["kind"] for one in tasks.listed()) == "care_now"

    def test_a_task_is_closed_once_in_a_name(self, store):
        from duly.core.errors import Refused

        sent()
        say(store, "我要投诉你们")
        number = Task.objects.get().id
        closed = tasks.close(number, by="李雷", outcome="answered", at=AT)
        assert (closed["closed_by"], closed["outcome"]) == ("李雷", "answered")
        assert tasks.listed() == []
        for by, outcome in (("李雷", "again"), ("", "x"), ("x", " ")):
            with pytest.raises(Refused):
                tasks.close(number, by=by, outcome=outcome, at=AT)
        assert Audit.objects.filter(kind="task.closed").count() == 1


def test_a_number_is_stopped_within_a_second_of_its_reply(store):
    """The second that the issue names, as what fits into it: few statements, however many wait."""
    sent()
    for _ in range(30):
        waiting(store)
    hearing.warm()
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as asked:
        say(store, "TD")
    assert len(asked) <= 40
    one = kept()
    assert 0 <= (one.acted_at - one.heard_at).total_seconds() < 60  # The machine may be busy.
    assert not Message.objects.filter(state="released").exists()
