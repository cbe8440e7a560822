"""Goal: what two unseen sets taught holds in other words, and what only looks like it stays.

Method: rows of `cases/learned.yaml`, worked by hand: positives of each kind with their twins.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from reply_cases import cases

from duly.replies import read
from duly.replies.hindi import denials, refuses, without_past
from duly.replies.signals import tasks_of


@pytest.mark.parametrize("case", cases("cases/learned.yaml"), ids=lambda case: case.reply.id)
def test_a_reply_is_read_as_its_row_says(case):
    reading, row = read(case.reply), case.row
    told, wanted = {"text": case.reply.text}, {"text": case.reply.text}
    if "intent" in row:
        told["intent"], wanted["intent"] = reading.intent, row["intent"]
    if "secondary" in row:
        told["secondary"], wanted["secondary"] = reading.secondary_intent, row["secondary"]
    if "date" in row:
        told["date"] = reading.promise_date
        wanted["date"] = None if row["date"] == "none" else row["date"]
    if "amount" in row:
        told["amount"] = reading.amount
        wanted["amount"] = None if row["amount"] is None else Decimal(row["amount"])
    if "vulnerable" in row:
        told["vulnerable"], wanted["vulnerable"] = reading.vulnerable, row["vulnerable"]
    assert told == wanted
    assert reading.intent != row.get("not")


@pytest.mark.parametrize(
    "text", ["2026-02-29还", "9999年12月31日还", "will pay on 9999-12-31", "Holi ke baad dunga"]
)
def test_a_promise_without_a_day_is_vague_and_a_person_agrees_on_one(text):
    (case,) = [one for one in cases("cases/learned.yaml") if one.reply.text == "2026-02-29还"]
    at = case.reply.received_at
    reading = read(type(case.reply)(id="r", text=text, received_at=at))
    assert (reading.intent, reading.promise_date) == ("promise_to_pay", None)
    assert reading.date_confidence == "vague"
    assert tasks_of(reading, at)[0] == "agree_date"


@pytest.mark.parametrize(
    ("text", "danger"),
    [("他昏迷不醒", False), ("he is in a coma", False), ("我不想活了", True),
     ("他昏迷不醒，我也不想活了", True)],
)  # fmt: skip
def test_who_cannot_act_needs_care_and_who_is_in_danger_needs_it_now(text, danger):
    (case,) = [one for one in cases("cases/learned.yaml") if one.reply.text == "🛑"]
    at = case.reply.received_at
    reading = read(type(case.reply)(id="r", text=text, received_at=at))
    assert reading.vulnerable
    assert reading.in_danger is danger
    assert ("care_now" in tasks_of(reading, at)) is danger


def test_hindi_words_of_denial_and_of_the_past():
    assert denials("kal de dunga") == ()
    assert denials("kal nahi de paunga") == ((4, 18),)
    assert (refuses("nahi dunga"), refuses("nahi de paunga")) == (True, False)
    assert without_past("kal kar diya") == "    kar diya"
    assert without_past("kal kar dunga") == "kal kar dunga"
