"""Goal: an offer's rows add up, fit the stated budget and the lender's limits, and settle the debt.

Method: figures by hand; then laws on generated loans, each judged by the oracle of positions, which
lives through the agreement day by day and shares nothing with the package.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from position_books import ZONE, Book, day, payment, signal
from position_oracle import Oracle
from relief_cases import ANY, LIMITS, budget, cases, debt, usual

from duly.care import Wish, relieve
from duly.care.schedules import first_on, later, months_between, rows, split


def shown(offer):
    return [(one.due_on.isoformat(), one.amount) for one in offer.amounts]


class TestByHand:
    def test_the_present_plan_is_what_the_contract_asks(self):
        found = relieve(debt(usual()), budget(100_000), LIMITS, ANY).present
        # 600.00 x 0.05 % x 24 days = 7.20, and 0.30 each further day.
        assert (found.due_now, found.daily_charge, found.total) == (62_720, 30, 123_620)
        assert [(one.due_on, one.amount) for one in found.later] == [(day("2026-03-15"), 60_900)]

    def test_an_extension_moves_the_schedule_as_it_is(self):
        (moved,) = [
            one for one in relieve(debt(usual()), budget(100_000), LIMITS, ANY).offers
            if one.kind == "extension"
        ]  # fmt: skip
        # 15 March is too near; the charge through 10 March (23 days) comes with the first row.
        assert moved.months == 2
        assert shown(moved) == [("2026-04-15", 62_690), ("2026-05-15", 60_900)]
        assert (moved.owed, moved.charge, moved.total) == (123_590, 0, 123_590)

    def test_who_wants_more_time_sees_the_longest_extension_too(self):
        found = relieve(debt(usual()), budget(100_000), LIMITS, Wish(kind="extension", pay_day=1))
        assert [(one.kind, one.months) for one in found.offers] == [
            ("extension", 2), ("extension", 3), ("installments", 2),
        ]  # fmt: skip
        assert shown(found.offers[1]) == [("2026-05-15", 62_690), ("2026-06-15", 60_900)]

    def test_a_replan_has_the_fewest_payments_that_the_budget_carries(self):
        found = relieve(debt(usual()), budget(32_000), LIMITS, ANY)
        (replan,) = found.offers
        assert replan.kind == "installments"
        assert shown(replan) == [
            ("2026-03-20", 30_899), ("2026-04-20", 30_897),
            ("2026-05-20", 30_897), ("2026-06-20", 30_897),
        ]  # fmt: skip
        assert (replan.total, replan.monthly, replan.months) == (123_590, 30_899, 4)
        assert dict(found.without) == {"extension": "budget", "pause": "able"}

    def test_a_pause_is_for_who_can_pay_nothing(self):
        found = relieve(debt(usual()), budget(0), LIMITS, ANY)
        (pause,) = found.offers
        assert (pause.kind, pause.amounts, pause.until) == ("pause", (), day("2026-05-11"))
        assert (pause.total, pause.charge, pause.due_then) == (123_590, 0, 123_590)
        assert dict(found.without) == {"extension": "budget", "installments": "budget"}

    def test_a_charge_that_runs_is_in_the_sum_and_shown(self):
        runs = replace(LIMITS, accrual_stops=False)
        found = relieve(debt(usual()), budget(32_000), runs, ANY)
        (replan,) = found.offers
        assert sum(one.amount for one in replan.amounts) == replan.owed + replan.charge
        assert (replan.owed, replan.charge > 0, replan.accrual_stops) == (123_620, True, False)
        assert replan.monthly <= 32_000

    def test_a_waiver_takes_the_charge_of_today_away(self):
        found = relieve(debt(usual()), budget(32_000), replace(LIMITS, waives=True), ANY)
        (replan,) = found.offers
        assert (replan.waived, replan.total) == (690, 122_900)

    @pytest.mark.parametrize(
        ("limits", "left", "reasons"),
        [
            ({"kinds": ()}, 40_000, {"extension": "person", "installments": "person",
                                     "pause": "person"}),
            ({"extension_months": 1}, 62_000, {"extension": "longer", "pause": "able"}),
            ({"installments": 3}, 32_000, {"extension": "budget", "installments": "longer"}),
            ({"least": 40_000}, 32_000, {"extension": "budget", "installments": "least"}),
            ({"kinds": ("extension",)}, 32_000,
             {"extension": "budget", "installments": "person", "pause": "person"}),
        ],
    )  # fmt: skip
    def test_what_is_not_offered_has_its_reason(self, limits, left, reasons):
        found = relieve(debt(usual()), budget(left), replace(LIMITS, **limits), ANY)
        assert dict(found.without) == reasons

    def test_a_loan_that_is_not_late_moves_its_next_day(self):
        book = usual()
        paid = [*book.payments, payment("P2", day("2026-02-15"), 62_000)]
        found = relieve(debt(replace(book, payments=paid)), budget(70_000), LIMITS, ANY)
        assert found.present.due_now == 0
        assert [shown(one) for one in found.offers] == [
            [("2026-04-15", 60_900)], [("2026-03-20", 30_450), ("2026-04-20", 30_450)],
        ]  # fmt: skip

    def test_days_of_a_grace_that_is_open_are_charged_later_and_shown(self):
        found = relieve(debt(usual(), day("2026-03-17")), budget(150_000), LIMITS, ANY)
        replan = next(one for one in found.offers if one.kind == "installments")
        # 16 March, the one day of the third installment before the agreement: 0.30.
        assert (replan.owed, replan.charge) == (123_770, 30)
        assert replan.accrual_stops


class TestDays:
    def test_a_month_later_is_never_a_day_that_is_not(self):
        assert [later(day("2028-01-31"), n) for n in (0, 1, 2, 13)] == [
            day("2028-01-31"), day("2028-02-29"), day("2028-03-31"), day("2029-02-28"),
        ]  # fmt: skip

    @given(st.dates(day("1990-01-01"), day("2150-01-01")), st.integers(0, 120))
    def test_months_between_undo_months_later(self, start, months):
        assert months_between(start, later(start, months)) == months
        assert months_between(start, later(start, months) + timedelta(days=1)) == months + 1

    @given(st.dates(day("1990-01-01"), day("2150-01-01")), st.integers(1, 28), st.integers(0, 40))
    def test_a_pay_day_is_the_first_that_is_far_enough(self, start, pay_day, days):
        found = first_on(pay_day, after=start, days=days)
        assert found.day == pay_day
        assert timedelta(days=days) <= found - start < timedelta(days=days + 31)

    @given(st.integers(1, 10**12), st.integers(1, 60))
    def test_parts_keep_their_sum_and_the_first_is_the_largest(self, total, count):
        parts = split(total, count)
        assert (sum(parts), len(parts), max(parts)) == (total, count, parts[0])
        assert parts[0] - parts[-1] < count
        assert len(set(parts[1:])) <= 1

    def test_rows_of_one_day_are_one(self):
        one, two = day("2026-01-01"), day("2026-02-01")
        found = rows([(two, 5), (one, 3), (two, 0), (one, 4)])
        assert [(row.number, row.due_on, row.amount) for row in found] == [(1, one, 7), (2, two, 5)]


def agreed_book(book: Book, offer, as_of: date) -> Book:
    """Return the book once the offer is agreed and kept: signal, rows, waiver, payments."""
    at = datetime(as_of.year, as_of.month, as_of.day, 4, tzinfo=UTC)
    accrual = "stops" if offer.accrual_stops else "runs"
    told = signal("S1", "plan", as_of, None, loan_id="L1", detail={"accrual": accrual})
    payments = [
        dict(one, reversed_on=None) if one["reversed_on"] and one["reversed_on"] > as_of else one
        for one in book.payments if one["paid_on"] <= as_of
    ]  # fmt: skip
    if offer.waived:
        payments.append(payment("W-agreed", as_of, offer.waived, kind="waiver",
                                component="late_charge"))  # fmt: skip
    payments += [payment(f"A{row.number}", row.due_on, row.amount) for row in offer.amounts]
    rows_ = [{"signal_id": "S1", "number": row.number, "due_on": row.due_on, "amount": row.amount}
             for row in offer.amounts]  # fmt: skip
    return replace(book, payments=payments, signals=[dict(told, starts_at=at)], agreed=rows_)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases())
def test_every_offer_keeps_the_laws(case) -> None:
    book, as_of, stated, limits, wish = case
    owing = debt(book, as_of)
    assume(owing.owed(as_of) > 0)
    found = relieve(owing, stated, limits, wish)
    oracle = Oracle(book, "L1", as_of, ZONE)
    assert found.present.total == oracle.position()["outstanding_total"]
    assert {one.kind for one in found.offers} | {kind for kind, _ in found.without} == set(
        LIMITS.kinds
    )
    for offer in found.offers:
        assert offer.kind in limits.kinds
        kept = agreed_book(book, offer, as_of)
        begun = Oracle(replace(kept, agreed=()), "L1", as_of, ZONE).position()
        assert offer.owed == begun["outstanding_total"]
        if offer.kind == "pause":
            assert offer.until == later(as_of, limits.pause_months)
            continue
        days = [row.due_on for row in offer.amounts]
        assert days == sorted(set(days))
        assert days[0] >= as_of + timedelta(days=7)
        assert [row.number for row in offer.amounts] == list(range(1, len(days) + 1))
        assert sum(row.amount for row in offer.amounts) == offer.total == offer.owed + offer.charge
        assert all(0 < row.amount <= stated.left for row in offer.amounts)
        if offer.kind == "installments":
            assert 2 <= len(days) <= limits.installments
            assert min(row.amount for row in offer.amounts) >= limits.least
        else:
            assert offer.months <= limits.extension_months
        # Kept to the last day, nothing is owed, nothing is left over, and it was never broken.
        end = Oracle(kept, "L1", days[-1], ZONE)
        assert end.position()["outstanding_total"] == 0
        assert end.position()["unallocated_credit"] == oracle.position()["unallocated_credit"]
        assert end.broken_on(kept.signals[0]) is None
        assert Oracle(kept, "L1", days[-1] - timedelta(days=1), ZONE).position()[
            "outstanding_total"] > 0  # fmt: skip
        # It never costs more than the contract does, paid on the same days.
        assert offer.total + offer.waived <= owing.owed(as_of) + max(
            0, owing.owed(days[-1], paid=offer.amounts[:-1])
            + sum(row.amount for row in offer.amounts[:-1]) - owing.owed(as_of),
        )  # fmt: skip
