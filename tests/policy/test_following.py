"""Goal: responses add and never weaken, and every word of them is known to be heard or not.

Method: responses written here, with what was opened without them; the words of both sides."""

from __future__ import annotations

import pytest

from duly.policy import REPLIES, Response, Task, follows
from duly.replies import HEARD, INTENTS, TOLD

CALL = Task(kind="call", script="s", expires_days=3, priority="normal")
REVIEW = Task(kind="review", script="s", expires_days=3, priority="first")


def on(reply: str, hold: str | None = None, task: Task | None = None) -> Response:
    return Response(on="reply", reply=reply, hold=hold, task=task)


BROKEN = Response(on="promise_broken", task=CALL)


@pytest.mark.parametrize(
    ("responses", "replies", "opened", "expected"),
    [
        ([on("dispute", "dispute", REVIEW)], ["dispute"], ["dispute"], ((), (REVIEW,), ())),
        ([on("dispute", "dispute", REVIEW)], ["complaint"], [], ((), (), ())),
        ([on("question", "complaint", REVIEW)], ["question"], [],
         (("complaint",), (REVIEW,), ())),
        ([on("question", "complaint", CALL)], ["question"], [],
         (("complaint",), (), ("task call",))),
        ([on("call_me", None, CALL)], ["call_me"], [], ((), (CALL,), ())),
        ([on("call_me", None, CALL)], ["call_me", "hardship"], ["hardship"],
         ((), (), ("task call",))),
        ([on("promise", "promise")], ["promise"], [], ((), (), ("hold promise",))),
        ([on("promise", "promise")], ["promise"], ["promise"], ((), (), ())),
        ([on("other", "plan")], ["other"], [], ((), (), ("hold plan",))),
        ([on("other", "dispute"), on("other", "dispute", REVIEW), on("other", None, REVIEW)],
         ["other"], [], (("dispute",), (REVIEW,), ())),
        ([BROKEN], ["dispute"], [], ((), (), ())),
    ],
)  # fmt: skip
def test_a_response_adds_what_nothing_forbids(responses, replies, opened, expected):
    found = follows(responses, "reply", replies=replies, opened=opened)
    assert (found.holds, found.tasks, found.left_out) == expected


def test_a_breach_has_the_responses_to_a_breach_alone():
    found = follows([BROKEN, on("dispute", "dispute")], "promise_broken", replies=["dispute"])
    assert (found.holds, found.tasks) == ((), (CALL,))


def test_every_word_of_a_reply_is_known_to_be_heard_or_not():
    assert set(HEARD) <= set(INTENTS)
    assert set(INTENTS) - set(HEARD) == {
        "acknowledge", "deceased_or_incapacity", "legal_representation",
    }  # fmt: skip
    assert set(REPLIES) - {*HEARD.values(), *TOLD.values()} == {"refusal"}
    assert {*HEARD.values(), *TOLD.values()} <= set(REPLIES)
