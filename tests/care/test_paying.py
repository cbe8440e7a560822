"""Goal: what a page says a payment would do is what it does.

Method: a case by hand; on generated loans the oracle of positions, with the payment in its book.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from position_books import ZONE, payment
from position_oracle import Oracle
from relief_cases import cases, debt, usual

from duly.care.paying import pay


def test_a_part_goes_where_the_contract_says():
    found = pay(debt(usual()), 30_000)
    assert [(one.number, one.component, one.amount) for one in found.applied] == [
        (2, "late_charge", 720), (2, "fee", 200), (2, "interest", 1_800), (2, "principal", 27_280),
    ]  # fmt: skip
    # 600.00 less 272.80, and 0.05 % of it a day: 0.1636, beside the 7.20 that were rounded once.
    assert (found.due, found.total, found.left) == (32_720, 93_620, 0)
    assert found.daily_charge == 16


def test_what_is_beyond_the_debt_is_said():
    found = pay(debt(usual()), 200_000)
    assert (found.due, found.total, found.left, found.daily_charge) == (0, 0, 76_380, 0)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases(), amount=st.integers(1, 30_000))
def test_it_is_what_the_oracle_says_once_it_came(case, amount):
    book, as_of, *_ = case
    came = [one for one in book.payments if one["paid_on"] <= as_of]
    came = [dict(one, reversed_on=None) if one["reversed_on"] and one["reversed_on"] > as_of
            else one for one in came]  # fmt: skip
    found = pay(debt(replace(book, payments=came), as_of), amount)
    after = replace(book, payments=[*came, payment("\uffff paid", as_of, amount)])
    today = Oracle(after, "L1", as_of, ZONE).position()
    before = Oracle(replace(book, payments=came), "L1", as_of, ZONE).position()
    assert found.total == today["outstanding_total"]
    assert today["unallocated_credit"] == before["unallocated_credit"] + found.left
    assert sum(one.amount for one in found.applied) + found.left == amount
    later = Oracle(after, "L1", as_of + timedelta(days=1), ZONE).position()
    assert found.daily_charge == later["late_charge"] - today["late_charge"]
