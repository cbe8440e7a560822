"""What follows from a reading: stops at once, promises hold, people weigh the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from duly.replies import Reply, Sender, read, signals_of, to_csv

AT = datetime.fromisoformat("2026-04-08T10:00:00+08:00")
SENDER = Sender(borrower_id="B1", loan_id="L1", channel="sms", address="+8613800000000")


def _followed(text, at=AT, sender=SENDER):
    return signals_of(read(Reply(id="r1", text=text, received_at=at, lang="zh")), sender, at)


@pytest.mark.parametrize(
    ("text", "kinds", "loan", "task"),
    [
        ("退订", ["opt_out"], "", None),
        ("打错了", ["identity_dispute"], "", "find_right_person"),
        ("我已经还了500", ["payment_pending"], "L1", "match_payment"),
        ("失业了没钱", ["hardship"], "L1", "offer_relief"),
        ("不想活了", ["hardship"], "L1", "care_now"),
        ("利息不对", ["dispute"], "L1", "answer_dispute"),
        ("我要投诉", ["complaint"], "L1", "answer_complaint"),
        ("找我律师", ["legal_representation"], "", "write_to_representative"),
        ("他去世了", ["deceased"], "", "care_for_family"),
        ("打电话给我", [], None, "call_back"),
        ("能分期吗", [], None, "offer_plan"),
        ("能不能晚几天", [], None, "offer_extension"),
        ("滚", [], None, "read_reply"),
        ("嗯嗯知道了", [], None, None),
        ("过两天还", [], None, "agree_date"),
        ("明天还", [], None, "agree_amount"),
        ("明天还500", ["promise"], "L1", None),
        ("5月8日还500", ["promise"], "L1", None),
        ("5月9日还500", ["promise"], "L1", "agree_earlier_date"),
    ],
)
def test_a_reply_becomes_its_signal_and_its_task(text, kinds, loan, task):
    followed = _followed(text)
    assert [one.kind for one in followed.signals] == kinds
    assert all(one.loan_id == loan for one in followed.signals)
    assert next(iter(followed.tasks), None) == task


def test_a_promise_tells_amount_and_day():
    (promise,) = _followed("后天还1千2").signals
    assert promise.detail == {"reply": "r1", "on": "2026-04-10", "amount": "1200.00"}
    assert (promise.borrower_id, promise.starts_at) == ("B1", AT)


def test_a_promise_without_a_figure_means_what_is_owed():
    followed = _followed("明天还", sender=replace(SENDER, owed=Decimal("734.1")))
    (promise,) = followed.signals
    assert promise.detail == {"reply": "r1", "on": "2026-04-09", "amount": "734.10"}
    assert followed.tasks == ()


def test_a_stop_beside_something_else_stops_too_and_names_its_channel():
    followed = _followed("已经还掉了，别再发短信")
    assert [one.kind for one in followed.signals] == ["payment_pending", "opt_out"]
    assert followed.signals[1].detail == {"reply": "r1", "channel": "sms"}
    assert "match_payment" in followed.tasks


def test_care_comes_first_and_the_stop_is_kept():
    followed = _followed("不想活了，别再发了")
    assert [one.kind for one in followed.signals] == ["hardship", "opt_out"]
    assert followed.tasks[0] == "care_now"


def test_a_request_with_a_day_is_no_promise():
    assert _followed("周五还行吗").signals == ()


def test_the_same_reply_gives_the_same_rows_and_another_gives_others():
    first, again = _followed("退订").signals, _followed("退订").signals
    assert first == again
    other = signals_of(read(Reply(id="r2", text="退订", received_at=AT)), SENDER, AT).signals
    assert first[0].signal_id != other[0].signal_id
    assert to_csv([*first, *again]).count("\n") == 2


def test_without_a_sure_reading_no_signal_is_raised():
    followed = _followed("看看再说吧呵呵哒")
    assert (followed.signals, followed.tasks[0]) == ((), "read_reply")
