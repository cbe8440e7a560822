"""The open set and real utterances beside the checkout; skipped where there is no shared data."""

from __future__ import annotations

import csv
import json
from datetime import datetime
from fractions import Fraction

import pytest

from duly.replies import Reply, label_of, read, score
from duly.replies.training import corpus

#: Intents of the call bot → ours that agree with them; what is not here has no counterpart.
CALLS = {
    "already_repay": {"paid_already"},
    "dead": {"deceased_or_incapacity"},
    "missing": {"deceased_or_incapacity"},
    "installment": {"instalment_request"},
    "negotiation": {"instalment_request", "dispute_amount"},
    "how_to_repay": {"how_to_pay"},
    "amount": {"how_to_pay"},
    "repayment_date": {"how_to_pay"},
    "minimum_payment": {"how_to_pay", "instalment_request"},
    "will_repay_date": {"promise_to_pay", "extension_request"},
    "cant_repay": {"hardship", "extension_request", "dispute_identity", "instalment_request"},
    "complain": {"complaint", "opt_out", "abusive"},
    "customer_service": {"callback_request"},
    "interest": {"dispute_amount", "how_to_pay"},
    "contacts_dont_know": {"dispute_identity", "opt_out"},
    "busy": {"callback_request"},
}


def _open_set(shared):
    path = shared / "messages" / "replies.jsonl"
    if not path.exists():
        pytest.skip("skipped: no shared data")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_open_set_is_read_above_the_targets(shared):
    rows = _open_set(shared)
    readings = [
        read(Reply(id=row["id"], text=row["text"], lang=row["lang"], menu=row["menu"],
                   received_at=datetime.fromisoformat(row["received_at"])))
        for row in rows
    ]  # fmt: skip
    scores = score(zip(map(label_of, rows), readings, strict=True))
    assert scores.intents.share >= Fraction(95, 100)
    assert scores.firm_dates.share >= Fraction(95, 100)
    assert scores.soft_dates.share >= Fraction(95, 100)
    assert scores.amounts.share >= Fraction(95, 100)
    assert scores.dangerous.share >= Fraction(97, 100)
    assert scores.not_silent.share == 1


def test_no_longer_text_of_the_open_set_stands_in_the_corpus(shared):
    ours = {row.text.casefold() for row in corpus()}
    taken = [row["text"] for row in _open_set(shared)
             if row["text"].casefold() in ours and len(row["text"]) > 12]  # fmt: skip
    assert taken == []


def test_real_utterances_of_calls_agree_with_the_reader(shared):
    path = shared / "data" / "zh_replies" / "thano_cnn_intents.csv"
    if not path.exists():
        pytest.skip("skipped: no shared data")
    at = datetime.fromisoformat("2026-04-08T10:00:00+08:00")
    with path.open(encoding="utf-8", newline="") as file:
        rows = {(row["utterance"], row["intent"]) for row in csv.DictReader(file)}
    asked = [(text, intent) for text, intent in sorted(rows) if intent in CALLS]
    found = [read(Reply(id="r", text=text, lang="zh", received_at=at)).intent in CALLS[intent]
             for text, intent in asked]  # fmt: skip
    # Calls are answers to questions that a text does not hear: agreement is a floor, no score.
    assert Fraction(sum(found), len(found)) >= Fraction(60, 100)
