"""The figures over labelled replies, worked by hand on six rows."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

from duly.replies import Label, Reading, score, values
from duly.replies.scores import Count


def _reading(intent, **more):
    return Reading(id="r", intent=intent, confidence=Decimal("0.9"), **more)


ROWS = [
    # A promise with the right day, the wrong figure.
    (Label(intent="promise_to_pay", promise_date=date(2026, 4, 9), date_confidence="firm",
           amount=Decimal(300)),
     _reading("promise_to_pay", promise_date=date(2026, 4, 9), amount=Decimal(30))),
    # A request with a soft day that was not found.
    (Label(intent="extension_request", promise_date=date(2026, 4, 11), date_confidence="soft"),
     _reading("extension_request")),
    # A stop that became `other`: missed, but a person reads it.
    (Label(intent="opt_out"), _reading("other", needs_person=True)),
    # A wrong person that became an acknowledgement: missed silently.
    (Label(intent="dispute_identity"), _reading("acknowledge")),
    # Care needed and seen.
    (Label(intent="hardship", vulnerable=True),
     _reading("hardship", vulnerable=True, needs_person=True)),
    # Hardship without that is not among the dangerous; it was marked in vain, and a day invented.
    (Label(intent="hardship"),
     _reading("hardship", vulnerable=True, promise_date=date(2026, 4, 9))),
]  # fmt: skip


def test_each_figure_counts_what_it_is_asked_of():
    scores = score(ROWS)
    assert scores.intents == Count(right=4, of=6)
    assert scores.firm_dates == Count(right=1, of=1)
    assert scores.soft_dates == Count(right=0, of=1)
    assert scores.no_dates == Count(right=3, of=4)
    assert scores.amounts == Count(right=0, of=1)
    assert scores.dangerous == Count(right=1, of=3)
    assert scores.not_silent == Count(right=2, of=3)
    assert scores.vulnerable == Count(right=1, of=1)
    assert scores.false_vulnerable == Count(right=1, of=5)
    assert scores.by_intent["hardship"] == Count(right=2, of=2)
    # promise, extension and hardship are read without a mistake, a stop and a stranger are not.
    assert scores.macro_f1 == Fraction(3, 5)


def test_values_are_what_json_holds_and_no_rows_have_no_share():
    told = values(score(ROWS))
    assert told["rows"] == 6
    assert told["intents"] == {"right": 4, "of": 6, "share": 0.6667}
    assert told["macro_f1"] == 0.6
    assert values(score([]))["macro_f1"] is None
    assert values(score([]))["dangerous"] == {"right": 0, "of": 0, "share": None}
