"""Figures worked out by hand, to the minor unit."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from position_books import (
    Book,
    Row,
    day,
    installment,
    loan,
    payment,
    position_of,
    positions_of,
    signal,
)

DUE = day("2026-03-03")


def sketch(payments: tuple[Row, ...] = (), signals: tuple[Row, ...] = (), **told: Any) -> Book:
    """The explanation of the sketches: 680.00 + 54.10 due 2026-03-03, 0.05 % a day, grace 3."""
    terms = {"late_rate_e8": 50_000, "late_base": "installment", "grace_days": 3} | told
    return Book(
        loans=[loan(**terms)],
        installments=[installment(5, DUE, 68_000, interest=5_410)],
        payments=payments,
        signals=signals,
    )


def two(payments: tuple[Row, ...] = (), **told: Any) -> Book:
    """Two installments of 100.00 + 10.00 + 1.00, due 2026-01-31 and 2026-02-28."""
    return Book(
        loans=[loan(**told)],
        installments=[
            installment(1, day("2026-01-31"), 10_000, interest=1_000, fee=100),
            installment(2, day("2026-02-28"), 10_000, interest=1_000, fee=100),
        ],
        payments=payments,
    )


def paid(book: Book, as_of: str) -> list[tuple[int, int, int, int]]:
    """(principal, interest, fee, late charge) paid of each installment."""
    _, rows = positions_of(book, day(as_of))
    return [
        (row["paid_principal"], row["paid_interest"], row["paid_fee"], row["late_charge_paid"])
        for row in rows
    ]


class TestDays:
    @pytest.mark.parametrize(
        ("as_of", "days", "delinquent", "bucket"),
        [
            ("2026-03-03", 0, 0, "M0"),
            ("2026-03-04", 1, 0, "M1"),
            ("2026-03-06", 3, 0, "M1"),
            ("2026-03-07", 4, 1, "M1"),
            ("2026-04-02", 30, 27, "M1"),
            ("2026-04-03", 31, 28, "M2"),
            ("2026-05-02", 60, 57, "M2"),
            ("2026-05-03", 61, 58, "M3"),
            ("2026-08-30", 180, 177, "M6"),
            ("2026-08-31", 181, 178, "M7+"),
        ],
    )
    def test_days_count_from_the_due_date_and_the_grace_end(
        self, as_of: str, days: int, delinquent: int, bucket: str
    ) -> None:
        row = position_of(sketch(), as_of)
        assert (row["days_past_due"], row["days_delinquent"], row["bucket"]) == (
            days, delinquent, bucket,
        )  # fmt: skip

    def test_a_payment_dated_as_of_counts_on_as_of(self) -> None:
        book = sketch((payment("P1", day("2026-03-05"), 73_410),))
        assert position_of(book, "2026-03-04")["days_past_due"] == 1
        row = position_of(book, "2026-03-05")
        assert (row["days_past_due"], row["overdue_total"], row["paid_total"]) == (0, 0, 73_410)
        assert row["last_paid_on"] == day("2026-03-05")

    def test_a_rest_within_the_tolerance_is_owed_but_is_no_debt_to_count(self) -> None:
        book = sketch((payment("P1", day("2026-03-03"), 73_310),), tolerance=100)
        row = position_of(book, "2026-04-30")
        assert (row["days_past_due"], row["installments_overdue"], row["late_charge"]) == (0, 0, 0)
        assert (row["overdue_principal"], row["overdue_total"]) == (100, 100)
        _, items = positions_of(book, day("2026-04-30"))
        assert (items[0]["settled_on"], items[0]["days_late"]) == (day("2026-03-03"), 0)

    def test_one_minor_unit_above_the_tolerance_counts(self) -> None:
        book = sketch((payment("P1", day("2026-03-03"), 73_309),), tolerance=100)
        assert position_of(book, "2026-03-04")["days_past_due"] == 1

    def test_an_installment_below_the_tolerance_was_never_late_and_never_settled(self) -> None:
        book = Book(loans=[loan(tolerance=500)], installments=[installment(1, DUE, 500)])
        row = position_of(book, "2026-05-01")
        assert (row["days_past_due"], row["late_count_12m"], row["overdue_total"]) == (0, 0, 500)
        _, items = positions_of(book, day("2026-05-01"))
        assert (items[0]["settled_on"], items[0]["days_late"]) == (None, 0)

    def test_arrears_go_on_while_another_installment_is_past_due(self) -> None:
        # 1 is due 01-31 and paid 03-02; 2 is due 02-28: late without a break since 02-01.
        book = two((payment("P1", day("2026-03-02"), 11_100),))
        row = position_of(book, "2026-03-10")
        assert (row["overdue_since"], row["arrears_since"]) == (
            day("2026-02-28"), day("2026-02-01"),
        )  # fmt: skip

    def test_adjacent_runs_of_arrears_are_one(self) -> None:
        # 1 is past due through 02-28, settled on 03-01, the first day past due of 2.
        book = two((payment("P1", day("2026-03-01"), 11_100),))
        assert position_of(book, "2026-03-10")["arrears_since"] == day("2026-02-01")

    def test_a_day_without_arrears_starts_a_new_run(self) -> None:
        book = two((payment("P1", day("2026-02-28"), 11_100),))
        assert position_of(book, "2026-03-10")["arrears_since"] == day("2026-03-01")

    def test_the_history_looks_back_365_days(self) -> None:
        book = two((payment("P1", day("2026-03-20"), 22_200),))
        row = position_of(book, "2027-01-31")
        assert (row["late_count_12m"], row["days_past_due_max_12m"]) == (2, 48)
        row = position_of(book, "2027-02-01")
        assert (row["late_count_12m"], row["days_past_due_max_12m"]) == (1, 20)

    def test_lateness_within_the_grace_counts_only_in_the_plain_history(self) -> None:
        book = sketch((payment("P1", day("2026-03-06"), 73_410),))
        row = position_of(book, "2026-04-01")
        assert (row["late_count_12m"], row["late_count_12m_after_grace"]) == (1, 0)
        assert row["days_past_due_max_12m"] == 3

    def test_what_comes_next_is_the_whole_of_its_day(self) -> None:
        book = Book(
            loans=[loan()],
            installments=[
                installment(1, DUE, 100),
                installment(2, DUE, 200, fee=5),
                installment(3, day("2026-04-03"), 400),
            ],
            payments=[payment("P1", day("2026-02-01"), 130)],
        )
        row = position_of(book, "2026-03-03")
        assert (row["next_due_on"], row["next_due_amount"]) == (DUE, 175)
        row = position_of(book, "2026-04-04")
        assert (row["next_due_on"], row["next_due_amount"]) == (None, 0)


class TestLateCharge:
    def test_the_sketch_owes_736_67(self) -> None:
        row = position_of(sketch(), "2026-03-10")
        # 734.10 x 0.0005 x 7 = 2.56935
        assert (row["late_charge"], row["overdue_total"]) == (257, 73_667)
        assert (row["days_past_due"], row["days_delinquent"]) == (7, 4)
        assert (row["grace_ends_on"], row["oldest_number"]) == (day("2026-03-06"), 5)

    def test_the_base_principal_leaves_interest_out(self) -> None:
        row = position_of(sketch(late_base="principal"), "2026-03-10")
        assert row["late_charge"] == 238  # 680.00 x 0.0005 x 7

    def test_the_day_after_the_grace_charges_the_days_since_due_at_once(self) -> None:
        assert position_of(sketch(), "2026-03-06")["late_charge"] == 0
        assert position_of(sketch(), "2026-03-07")["late_charge"] == 147  # 734.10 x 0.0005 x 4

    def test_paid_by_the_grace_end_never_bears_a_charge(self) -> None:
        book = sketch((payment("P1", day("2026-03-06"), 73_410),))
        _, items = positions_of(book, day("2026-12-31"))
        assert (items[0]["late_charge_accrued"], items[0]["days_late"]) == (0, 3)
        assert items[0]["settled_on"] == day("2026-03-06")

    def test_a_payment_meets_the_charge_of_its_own_day_first(self) -> None:
        book = sketch((payment("P1", day("2026-03-07"), 73_410),))
        assert paid(book, "2026-03-07") == [(67_853, 5_410, 0, 147)]
        # The day after, 1.47 is left as base: (734.10 x 4 + 1.47) x 0.0005 = 1.468935
        row = position_of(book, "2026-03-08")
        assert (row["overdue_principal"], row["late_charge"], row["overdue_total"]) == (147, 0, 147)

    def test_a_grace_until_overrides_the_grace_days(self) -> None:
        book = Book(
            loans=[loan(late_rate_e8=50_000, grace_days=3)],
            installments=[installment(1, DUE, 68_000, grace_until=day("2026-03-09"))],
        )
        row = position_of(book, "2026-03-09")
        assert (row["late_charge"], row["days_delinquent"]) == (0, 0)
        row = position_of(book, "2026-03-10")
        assert (row["late_charge"], row["days_delinquent"]) == (238, 1)

    @pytest.mark.parametrize(("as_of", "charge"), [("2026-03-04", 1), ("2026-03-05", 1)])
    def test_half_a_minor_unit_is_rounded_up_once(self, as_of: str, charge: int) -> None:
        # 10.00 x 0.0005 = 0.005 a day: 0.01 after one day, still 0.01 after two, never 0.02.
        book = Book(loans=[loan(late_rate_e8=50_000)], installments=[installment(1, DUE, 1_000)])
        assert position_of(book, as_of)["late_charge"] == charge

    def test_the_largest_amounts_do_not_wrap(self) -> None:
        # 10^11 in a currency of four decimals, 1 % a day, 76,000 days.
        book = Book(
            loans=[loan(currency="CLF", late_rate_e8=1_000_000)],
            installments=[installment(1, day("1990-01-01"), 10**15)],
        )
        as_of = date.fromordinal(day("1990-01-01").toordinal() + 76_000)
        row = position_of(book, as_of.isoformat())
        assert row["late_charge"] == 10**15 * 760
        assert row["outstanding_total"] == 10**15 * 761

    def test_a_closed_loan_bears_no_charge_from_its_status_day_on(self) -> None:
        ended = {"status": "closed", "status_on": day("2026-03-10")}
        # 03-04 … 03-09, six days: 734.10 x 0.0005 x 6 = 2.2023
        assert position_of(sketch(**ended), "2026-04-30")["late_charge"] == 220
        assert position_of(sketch(**ended), "2026-03-09")["late_charge"] == 220

    def test_a_closed_loan_without_a_day_ends_with_its_last_counted_payment(self) -> None:
        book = sketch(
            (
                payment("P1", day("2026-03-10"), 100),
                payment("P2", day("2026-03-20"), 100, reversed_on=day("2026-03-21")),
            ),
            status="written_off",
        )
        # On 03-10 the charge of six days stands and takes the payment: 2.20 - 1.00.
        assert position_of(book, "2026-04-30")["late_charge"] == 120

    def test_a_closed_loan_without_payments_never_bears_a_charge(self) -> None:
        row = position_of(sketch(status="closed"), "2026-04-30")
        assert (row["late_charge"], row["days_past_due"]) == (0, 58)


class TestAllocation:
    MONEY = (payment("P1", day("2026-03-10"), 12_000),)

    # Charges on 03-10 at 1 % a day on principal: 100.00 x 38 days = 38.00 and x 10 = 10.00.
    @pytest.mark.parametrize(
        ("allocation", "expected"),
        [
            ("oldest_installment", [(7_100, 1_000, 100, 3_800), (0, 0, 0, 0)]),
            ("component", [(5_000, 1_000, 100, 3_800), (0, 1_000, 100, 1_000)]),
            ("principal_first", [(10_000, 1_000, 100, 900), (0, 0, 0, 0)]),
        ],
    )
    def test_each_order_pays_what_it_says(
        self, allocation: str, expected: list[tuple[int, int, int, int]]
    ) -> None:
        book = two(self.MONEY, late_rate_e8=1_000_000, allocation=allocation)
        assert paid(book, "2026-03-10") == expected

    def test_what_is_left_pays_the_future_in_order_then_becomes_credit(self) -> None:
        book = two((payment("P1", day("2026-01-31"), 12_150),), allocation="principal_first")
        assert paid(book, "2026-01-31") == [(10_000, 1_000, 100, 0), (0, 950, 100, 0)]
        book = two((payment("P1", day("2026-01-31"), 30_000),))
        row = position_of(book, "2026-01-31")
        assert (row["unallocated_credit"], row["outstanding_total"]) == (7_800, 0)
        assert row["next_due_on"] is None

    def test_a_waiver_of_anything_takes_every_late_charge_first(self) -> None:
        waiver = payment("W1", day("2026-03-10"), 5_000, kind="waiver")
        book = two((waiver,), late_rate_e8=1_000_000)
        assert paid(book, "2026-03-10") == [(0, 100, 100, 3_800), (0, 0, 0, 1_000)]
        row = position_of(book, "2026-03-10")
        assert (row["paid_total"], row["last_paid_on"]) == (0, None)

    def test_a_waiver_never_pays_the_future_nor_becomes_credit(self) -> None:
        waiver = payment("W1", day("2026-02-01"), 5_000, kind="waiver", component="interest")
        row = position_of(two((waiver,)), "2026-03-10")
        assert (row["waiver_unused"], row["unallocated_credit"]) == (4_000, 0)
        assert row["overdue_interest"] == 1_000

    def test_payments_go_before_waivers_of_their_day(self) -> None:
        rows = (
            payment("A", day("2026-01-31"), 1_050, kind="waiver", component="interest"),
            payment("B", day("2026-01-31"), 600),
        )
        assert paid(two(rows), "2026-01-31") == [(0, 1_000, 100, 0), (0, 0, 0, 0)]
        assert position_of(two(rows), "2026-01-31")["waiver_unused"] == 550

    def test_waivers_of_one_day_go_by_the_bytes_of_their_ids(self) -> None:
        rows = (
            payment("a", day("2026-01-31"), 11_000, kind="waiver", component="principal"),
            payment("Z", day("2026-01-31"), 500, kind="waiver"),
        )
        # Z comes first: fee 1.00 and interest 4.00; then a: principal 100.00, 10.00 unused.
        assert paid(two(rows), "2026-01-31")[0] == (10_000, 400, 100, 0)
        assert position_of(two(rows), "2026-01-31")["waiver_unused"] == 1_000


class TestBesideThePositions:
    def test_lateness_before_the_present_arrears_is_counted_apart(self) -> None:
        late = (payment("P1", day("2026-02-10"), 11_100),)
        row = position_of(two(late, grace_days=3), "2026-03-10")
        assert (row["late_count_12m_after_grace"], row["late_count_before_arrears"]) == (2, 1)
        assert row["arrears_since"] == day("2026-03-01")

    def test_installments_of_one_unbroken_arrears_are_no_lateness_before_it(self) -> None:
        row = position_of(two(), "2026-03-10")
        assert (row["late_count_12m_after_grace"], row["late_count_before_arrears"]) == (2, 0)
        rolled = (payment("P1", day("2026-03-05"), 11_100),)
        row = position_of(two(rolled), "2026-03-10")
        assert (row["late_count_12m_after_grace"], row["late_count_before_arrears"]) == (2, 0)
        assert row["arrears_since"] == day("2026-02-01")

    def test_without_arrears_all_lateness_was_before(self) -> None:
        late = (payment("P1", day("2026-02-10"), 11_100),)
        row = position_of(two(late), "2026-02-20")
        assert (row["days_past_due"], row["late_count_before_arrears"]) == (0, 1)

    @pytest.mark.parametrize(
        ("as_of", "accruing"), [("2026-03-03", 0), ("2026-03-06", 0), ("2026-03-07", 1)]
    )
    def test_a_charge_grows_from_the_day_after_the_grace(self, as_of: str, accruing: int) -> None:
        assert position_of(sketch(), as_of)["accruing"] == accruing

    def test_a_charge_on_principal_does_not_grow_on_interest_alone(self) -> None:
        rest = (payment("P1", day("2026-03-10"), 68_000),)
        told = {"allocation": "principal_first", "late_rate_e8": 50_000}
        for base, accruing in (("principal", 0), ("installment", 1)):
            row = position_of(sketch(rest, late_base=base, **told), "2026-03-12")
            assert row["accruing"] == accruing

    def test_no_charge_grows_on_a_covered_day_nor_without_a_rate(self) -> None:
        covering = signal("S1", "moratorium", day("2026-03-10"), day("2026-03-12"))
        for as_of, accruing in (("2026-03-09", 1), ("2026-03-11", 0), ("2026-03-12", 1)):
            assert position_of(sketch(signals=(covering,)), as_of)["accruing"] == accruing
        assert position_of(sketch(late_rate_e8=0), "2026-03-12")["accruing"] == 0


class TestReversal:
    BOUNCED = (payment("P1", day("2026-03-05"), 73_410, reversed_on=day("2026-03-09")),)

    def test_a_payment_counts_until_the_day_before_its_reversal(self) -> None:
        assert position_of(sketch(self.BOUNCED), "2026-03-08")["days_past_due"] == 0
        row = position_of(sketch(self.BOUNCED), "2026-03-09")
        assert (row["days_past_due"], row["paid_total"], row["last_paid_on"]) == (6, 0, None)
        assert row["arrears_since"] == day("2026-03-09")

    def test_what_was_settled_at_the_grace_end_never_bears_a_charge(self) -> None:
        assert position_of(sketch(self.BOUNCED), "2026-03-31")["late_charge"] == 0

    def test_the_days_on_which_it_counted_bear_no_charge(self) -> None:
        bounced = (payment("P1", day("2026-03-08"), 74_000, reversed_on=day("2026-03-11")),)
        # Charged: 03-04 … 03-08 (5) and 03-11, 03-12 (2): 734.10 x 0.0005 x 7 = 2.56935
        assert position_of(sketch(bounced), "2026-03-12")["late_charge"] == 257

    def test_a_later_payment_meets_what_had_accrued_on_its_day(self) -> None:
        rows = (
            payment("P1", day("2026-03-08"), 40_000, reversed_on=day("2026-03-20")),
            payment("P2", day("2026-03-10"), 10_000),
        )
        # Five days on 734.10 until 03-08 (1.84), then 335.94 (03-09, 03-10) until P2.
        # On 03-10: (734.10 x 5 + 335.94 x 2) x 0.0005 = 2.171..., so P2 met 2.17 alone.
        assert paid(sketch(rows), "2026-03-20") == [(4_373, 5_410, 0, 217)]

    def test_a_payment_reversed_on_its_own_day_never_counted(self) -> None:
        rows = (payment("P1", DUE, 73_410, reversed_on=DUE),)
        assert position_of(sketch(rows), "2026-03-10") == position_of(sketch(), "2026-03-10")


class TestCoverage:
    def test_a_moratorium_stops_the_charge_and_the_delinquent_days(self) -> None:
        covered = signal("S1", "moratorium", day("2026-03-05"), day("2026-03-08"))
        row = position_of(sketch(signals=(covered,)), "2026-03-10")
        # Charged 03-04, 03-08, 03-09, 03-10: 734.10 x 0.0005 x 4; delinquent 4 - 3.
        assert (row["late_charge"], row["days_delinquent"], row["days_past_due"]) == (147, 1, 7)

    def test_overlapping_signals_cover_a_day_once(self) -> None:
        rows = (
            signal("S1", "moratorium", day("2026-03-05"), day("2026-03-08")),
            signal("S2", "disaster", day("2026-03-07"), day("2026-03-09"), loan_id=None),
        )
        row = position_of(sketch(signals=rows), "2026-03-10")
        assert (row["late_charge"], row["days_delinquent"]) == (110, 0)  # 3 days; 4 - 4

    @pytest.mark.parametrize(
        ("kind", "detail", "charge", "delinquent"),
        [
            ("plan", None, 257, 0),
            ("plan", {"accrual": "runs"}, 257, 0),
            ("plan", {"accrual": "stops"}, 37, 0),
            ("dispute", {"accrual": "stops"}, 37, 4),
            ("dispute", None, 257, 4),
            ("hardship", None, 257, 4),
        ],
    )
    def test_a_plan_pauses_and_stops_the_charge_where_it_says_so(
        self, kind: str, detail: dict[str, str] | None, charge: int, delinquent: int
    ) -> None:
        covering = signal("S1", kind, day("2026-03-05"), None, detail=detail)
        row = position_of(sketch(signals=(covering,)), "2026-03-10")
        assert (row["late_charge"], row["days_delinquent"]) == (charge, delinquent)

    def test_a_pause_before_the_arrears_does_not_shorten_them(self) -> None:
        covering = signal("S1", "moratorium", day("2026-01-01"), day("2026-03-05"))
        row = position_of(sketch(signals=(covering,)), "2026-03-10")
        assert row["days_delinquent"] == 3  # Only 03-04 lies in the arrears.

    def test_a_signal_of_tomorrow_does_not_exist(self) -> None:
        covering = signal("S1", "moratorium", day("2026-03-11"), None)
        assert position_of(sketch(signals=(covering,)), "2026-03-10")["late_charge"] == 257

    def test_another_borrowers_signal_covers_nothing(self) -> None:
        book = sketch(signals=(signal("S1", "moratorium", DUE, None, loan_id=None),))
        other = Book(
            loans=[*book.loans, loan("L2", borrower_id="B2", late_rate_e8=50_000)],
            installments=[*book.installments, installment(1, DUE, 68_000, loan_id="L2")],
            signals=book.signals,
        )
        rows, _ = positions_of(other, day("2026-03-10"))
        assert [row["late_charge"] for row in rows] == [0, 238]
