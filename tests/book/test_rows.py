"""Goal: each kind of broken row is quarantined at its own place, and the others are decided.

Method: a book of two good loans of two borrowers, one broken cell, exact places expected.
"""

from __future__ import annotations

import pytest

from duly.book import quarantine as codes
from duly.book import schema
from duly.core.words import catalogue

INSTALLMENT = {"loan_id": "L1", "number": "1"}

#: table, the broken row, its column, its code.
CASES = [
    (
        "loans",
        {"loan_id": "L3", "borrower_id": "B1", "principal": ""},
        "principal",
        "missing_value",
    ),
    ("loans", {"loan_id": "L3", "borrower_id": "B1", "principal": "-1"}, "principal", "negative"),
    (
        "loans",
        {"loan_id": "L3", "borrower_id": "B1", "principal": "1,000.00"},
        "principal",
        "bad_money",
    ),
    (
        "loans",
        {"loan_id": "L3", "borrower_id": "B1", "currency": "RMB"},
        "currency",
        "bad_currency",
    ),
    (
        "loans",
        {"loan_id": "L3", "borrower_id": "B1", "currency": "cny"},
        "currency",
        "bad_currency",
    ),
    ("loans", {"loan_id": "L3", "borrower_id": "B1", "status": "activ"}, "status", "bad_choice"),
    (
        "loans",
        {"loan_id": "L3", "borrower_id": "B1", "late_rate_daily": "0.011"},
        "late_rate_daily",
        "out_of_range",
    ),
    (
        "loans",
        {"loan_id": "L3", "borrower_id": "B1", "late_rate_daily": "0.000500001"},
        "late_rate_daily",
        "out_of_range",
    ),
    (
        "loans",
        {"loan_id": "L3", "borrower_id": "B1", "late_rate_daily": "5e-4"},
        "late_rate_daily",
        "bad_number",
    ),
    (
        "loans",
        {"loan_id": "L3", "borrower_id": "B1", "late_rate_daily": "-0.0005"},
        "late_rate_daily",
        "negative",
    ),
    (
        "loans",
        {"loan_id": "L3", "borrower_id": "B1", "annual_rate": "18%"},
        "annual_rate",
        "bad_number",
    ),
    (
        "loans",
        {"loan_id": "L3", "borrower_id": "B1", "annual_rate": "inf"},
        "annual_rate",
        "not_finite",
    ),
    ("loans", {"loan_id": "L3", "borrower_id": "B1", "grace_days": "-3"}, "grace_days", "negative"),
    (
        "loans",
        {"loan_id": "L3", "borrower_id": "B1", "grace_days": "3.0"},
        "grace_days",
        "bad_number",
    ),
    (
        "loans",
        {"loan_id": "L3", "borrower_id": "B1", "grace_days": "9999999999"},
        "grace_days",
        "out_of_range",
    ),
    (
        "loans",
        {"loan_id": "L3", "borrower_id": "B1", "disbursed_on": "2026-02-30"},
        "disbursed_on",
        "bad_date",
    ),
    (
        "loans",
        {"loan_id": "L3", "borrower_id": "B1", "disbursed_on": "1989-12-31"},
        "disbursed_on",
        "out_of_range",
    ),
    (
        "loans",
        {"loan_id": "L3", "borrower_id": "B1", "tolerance": "0.001"},
        "tolerance",
        "too_many_decimals",
    ),
    ("loans", {"loan_id": "L\t3", "borrower_id": "B1"}, "loan_id", "control_character"),
    ("loans", {"loan_id": "L3 ", "borrower_id": "B1"}, "loan_id", "bad_id"),
    ("loans", {"loan_id": " ", "borrower_id": "B1"}, "loan_id", "bad_id"),
    ("loans", {"loan_id": "x" * 201, "borrower_id": "B1"}, "loan_id", "bad_id"),
    ("loans", {"loan_id": "", "borrower_id": "B1"}, "loan_id", "missing_value"),
    ("installments", {**INSTALLMENT, "principal": "10.001"}, "principal", "too_many_decimals"),
    ("installments", {**INSTALLMENT, "principal": "1e3"}, "principal", "bad_money"),
    ("installments", {**INSTALLMENT, "principal": "1,000.00"}, "principal", "bad_money"),
    ("installments", {**INSTALLMENT, "principal": "一百"}, "principal", "bad_money"),
    ("installments", {**INSTALLMENT, "principal": "+5.00"}, "principal", "bad_money"),
    ("installments", {**INSTALLMENT, "principal": "5."}, "principal", "bad_money"),
    ("installments", {**INSTALLMENT, "principal": " 5.00"}, "principal", "bad_money"),
    ("installments", {**INSTALLMENT, "principal": "NaN"}, "principal", "not_finite"),
    ("installments", {**INSTALLMENT, "principal": "-Infinity"}, "principal", "not_finite"),
    ("installments", {**INSTALLMENT, "principal": "-0.01"}, "principal", "negative"),
    ("installments", {**INSTALLMENT, "principal": "100000000000.01"}, "principal", "out_of_range"),
    ("installments", {**INSTALLMENT, "interest": "9" * 30}, "interest", "out_of_range"),
    ("installments", {**INSTALLMENT, "fee": "9" * 60}, "fee", "out_of_range"),
    ("installments", {**INSTALLMENT, "number": "0"}, "number", "out_of_range"),
    ("installments", {**INSTALLMENT, "number": "one"}, "number", "bad_number"),
    ("installments", {**INSTALLMENT, "number": ""}, "number", "missing_value"),
    ("installments", {**INSTALLMENT, "due_on": "2026-02-30"}, "due_on", "bad_date"),
    ("installments", {**INSTALLMENT, "due_on": "2026/02/03"}, "due_on", "bad_date"),
    ("installments", {**INSTALLMENT, "due_on": "2026-2-3"}, "due_on", "bad_date"),
    ("installments", {**INSTALLMENT, "due_on": "2026-02-03 00:00:00"}, "due_on", "bad_date"),
    ("installments", {**INSTALLMENT, "due_on": "2201-01-01"}, "due_on", "out_of_range"),
    (
        "installments",
        {**INSTALLMENT, "grace_until": "2026-01-31"},
        "grace_until",
        "grace_before_due",
    ),
    ("installments", {**INSTALLMENT, "loan_id": "L9"}, "loan_id", "unknown_loan"),
    ("installments", {**INSTALLMENT, "loan_id": ""}, "loan_id", "missing_value"),
    ("payments", {"amount": "0"}, "amount", "not_positive"),
    ("payments", {"amount": "-5.00"}, "amount", "not_positive"),
    ("payments", {"amount": ""}, "amount", "missing_value"),
    ("payments", {"amount": "nan"}, "amount", "not_finite"),
    ("payments", {"amount": "0x10"}, "amount", "bad_money"),
    ("payments", {"paid_on": "yesterday"}, "paid_on", "bad_date"),
    ("payments", {"reversed_on": "2026-13-01"}, "reversed_on", "bad_date"),
    ("payments", {"reversed_on": "2026-01-31"}, "reversed_on", "ends_before_start"),
    ("payments", {"kind": "paymnt"}, "kind", "bad_choice"),
    ("payments", {"component": "fee"}, "component", "component_of_payment"),
    ("payments", {"kind": "waiver", "component": "all"}, "component", "bad_choice"),
    ("payments", {"loan_id": "L9"}, "loan_id", "unknown_loan"),
    ("payments", {"borrower_id": "B9"}, "borrower_id", "unknown_borrower"),
    ("payments", {"loan_id": "", "borrower_id": ""}, "loan_id", "names_nobody"),
    ("payments", {"payment_id": ""}, "payment_id", "missing_value"),
    ("debits", {"at": "2026-02-01T10:00:00"}, "at", "bad_instant"),
    ("debits", {"at": "2026-02-30T10:00:00Z"}, "at", "bad_instant"),
    ("debits", {"at": "2026-02-01T25:00:00Z"}, "at", "bad_instant"),
    ("debits", {"at": "2026-02-01"}, "at", "bad_instant"),
    ("debits", {"at": "2026-02-01T10:00:00+99:00"}, "at", "bad_instant"),
    ("debits", {"at": "1899-02-01T10:00:00Z"}, "at", "out_of_range"),
    ("debits", {"status": "done"}, "status", "bad_choice"),
    ("debits", {"cause": "no"}, "cause", "bad_choice"),
    ("debits", {"amount": "0.00"}, "amount", "not_positive"),
    ("contact_points", {"borrower_id": "B1", "channel": "fax"}, "channel", "bad_choice"),
    ("contact_points", {"borrower_id": "B1", "use": "home"}, "use", "bad_choice"),
    ("contact_points", {"borrower_id": "B1", "address": ""}, "address", "missing_value"),
    ("contact_points", {"borrower_id": "B1", "verified_on": "soon"}, "verified_on", "bad_date"),
    ("contact_points", {"borrower_id": "B9"}, "borrower_id", "unknown_borrower"),
    ("consents", {"purpose": "spam"}, "purpose", "bad_choice"),
    (
        "consents",
        {"withdrawn_at": "2025-12-31T10:00:00+08:00"},
        "withdrawn_at",
        "ends_before_start",
    ),
    ("contacts", {"at": "2026-02-02 10:00"}, "at", "bad_instant"),
    ("contacts", {"direction": "up"}, "direction", "bad_choice"),
    ("contacts", {"outcome": "sentt"}, "outcome", "bad_choice"),
    ("contacts", {"class": "demand"}, "class", "bad_choice"),
    ("contacts", {"loan_id": "L9"}, "loan_id", "unknown_loan"),
    ("signals", {"kind": "disputed"}, "kind", "bad_choice"),
    ("signals", {"starts_at": ""}, "starts_at", "missing_value"),
    ("signals", {"ends_at": "2026-02-02T09:59:59+08:00"}, "ends_at", "ends_before_start"),
    ("signals", {"detail": "{"}, "detail", "bad_json"),
    ("signals", {"detail": "[1]"}, "detail", "bad_json"),
    ("signals", {"detail": "tomorrow"}, "detail", "bad_json"),
    ("signals", {"kind": "promise", "detail": ""}, "detail", "bad_detail"),
    ("signals", {"kind": "promise", "detail": '{"amount": "500.00"}'}, "detail", "bad_detail"),
    ("signals", {"kind": "promise", "detail": '{"on": "2026-03-20"}'}, "detail", "bad_detail"),
    (
        "signals",
        {"kind": "promise", "detail": '{"amount": "5.001", "on": "2026-03-20"}'},
        "detail",
        "bad_detail",
    ),
    (
        "signals",
        {"kind": "promise", "detail": '{"amount": "0", "on": "2026-03-20"}'},
        "detail",
        "bad_detail",
    ),
    (
        "signals",
        {"kind": "promise", "detail": '{"amount": "5", "on": "2026-02-30"}'},
        "detail",
        "bad_detail",
    ),
    ("signals", {"kind": "opt_out", "detail": '{"channel": "fax"}'}, "detail", "bad_detail"),
    ("signals", {"kind": "plan", "detail": '{"accrual": "halts"}'}, "detail", "bad_detail"),
    (
        "signals",
        {"kind": "bureau_reporting", "detail": '{"report_on": "May"}'},
        "detail",
        "bad_detail",
    ),
    ("quotes", {"valid_until": "2026-01-31"}, "valid_until", "ends_before_start"),
    ("relations", {"kind": "friend"}, "kind", "bad_choice"),
    ("stated", {"overdue_total": "-1"}, "overdue_total", "negative"),
]


@pytest.mark.parametrize(
    ("table", "row", "column", "code"),
    CASES,
    ids=[f"{table}-{column}-{code}-{at}" for at, (table, _, column, code) in enumerate(CASES)],
)
def test_a_broken_row_is_named_and_the_other_loan_is_decided(quarantine, table, row, column, code):
    good = [{}, {}] if table == "loans" else []
    taken = quarantine({table: [*good, row]})
    assert taken.found == [(table, len(good) + 1, column, code)]
    assert taken.snapshot.quarantined_rows == 1
    assert "L2" not in taken.quarantined_loans
    touches_nobody = (code in ("unknown_loan", "unknown_borrower") and table != "loans") or (
        row.get("loan_id") == ""
    )
    if table in ("contacts", "payments") and row.get("loan_id") != "":
        touches_nobody = touches_nobody and row.get("loan_id") == "L9" and table == "payments"
    if not touches_nobody or (table == "loans"):
        assert "L1" in taken.quarantined_loans
    (row_found,) = taken.rows("quarantine")
    assert "{" not in row_found["message"].replace('{"', "")


BORROWER_CASES = [
    ({"time_zone": "Asia/Beijing"}, "time_zone", "bad_time_zone"),
    ({"time_zone": "+08:00"}, "time_zone", "bad_time_zone"),
    ({"preferred_channel": "mail"}, "preferred_channel", "bad_choice"),
    ({"monthly_income": "a lot"}, "monthly_income", "bad_money"),
    ({"quiet_from": "25:00"}, "quiet_from", "bad_time"),
    ({"quiet_until": "9:00"}, "quiet_until", "bad_time"),
    ({"name": "张\x00伟"}, "name", "control_character"),
]


@pytest.mark.parametrize(("row", "column", "code"), BORROWER_CASES)
def test_a_broken_borrower_quarantines_all_his_loans_and_nobody_elses(
    quarantine, row, column, code
):
    taken = quarantine(
        {
            "loans": [{}, {}, {"borrower_id": "B1"}],
            "borrowers": [{**row}, {}],
        }
    )
    assert taken.found == [("borrowers", 1, column, code)]
    assert taken.quarantined_loans == {"L1", "L3"}
    assert taken.column("borrowers", "quarantined") == [True, False]


def test_a_broken_child_quarantines_every_loan_of_that_borrower(quarantine):
    taken = quarantine(
        {
            "loans": [{}, {}, {"borrower_id": "B1"}],
            "installments": [
                {"loan_id": "L1", "number": 1, "principal": "x"},
                {"loan_id": "L3", "number": 1},
                {"loan_id": "L2", "number": 1},
            ],
        }
    )
    assert taken.found == [("installments", 1, "principal", "bad_money")]
    assert taken.quarantined_loans == {"L1", "L3"}
    assert taken.column("installments", "loan") == [1]


def test_a_duplicate_loan_id_keeps_one_row_of_the_index_and_touches_both_borrowers(quarantine):
    taken = quarantine({"loans": [{}, {}, {"loan_id": "L1", "borrower_id": "B2"}, {}]})
    assert taken.found == [
        ("loans", 1, "loan_id", "duplicate_key"),
        ("loans", 3, "loan_id", "duplicate_key"),
    ]
    assert taken.column("loans", "loan_id") == ["L1", "L2", "L4"]
    assert taken.column("loans", "loan") == [0, 1, 2]
    assert taken.quarantined_loans == {"L1", "L2"}


@pytest.mark.parametrize(
    ("table", "rows", "column"),
    [
        (
            "payments",
            [{"payment_id": "P1"}, {"payment_id": "P2"}, {"payment_id": "P1"}],
            "payment_id",
        ),
        (
            "contacts",
            [{"contact_id": "C1"}, {"contact_id": "C2"}, {"contact_id": "C1"}],
            "contact_id",
        ),
        ("signals", [{"signal_id": "S1"}, {"signal_id": "S2"}, {"signal_id": "S1"}], "signal_id"),
        ("debits", [{"debit_id": "D1"}, {"debit_id": "D2"}, {"debit_id": "D1"}], "debit_id"),
        ("installments", [{"number": 1}, {"number": 2}, {"number": 1}], "number"),
    ],
)
def test_every_row_of_a_repeated_key_is_named(quarantine, table, rows, column):
    taken = quarantine({table: rows})
    assert taken.found == [
        (table, 1, column, "duplicate_key"),
        (table, 3, column, "duplicate_key"),
    ]
    assert taken.quarantined_loans == {"L1"}


def test_a_borrower_given_twice_is_named_twice(quarantine):
    taken = quarantine({"borrowers": [{}, {}, {"borrower_id": "B1"}]})
    assert taken.found == [
        ("borrowers", 1, "borrower_id", "duplicate_key"),
        ("borrowers", 3, "borrower_id", "duplicate_key"),
    ]
    assert taken.column("borrowers", "borrower_id") == ["B1", "B2"]


def test_a_loan_of_an_unknown_borrower_has_an_index_and_is_quarantined(quarantine):
    taken = quarantine({"borrowers": [{"borrower_id": "B2"}]})
    assert taken.found == [("loans", 1, "borrower_id", "unknown_borrower")]
    assert taken.column("loans", "borrower") == [0, 1]
    assert taken.column("borrowers", "borrower_id") == ["B1", "B2"]
    assert taken.column("borrowers", "quarantined") == [True, False]


def test_an_agreed_amount_of_an_unknown_signal_is_named(quarantine):
    taken = quarantine({"signals": [{"kind": "plan"}], "agreed": [{}, {"signal_id": "S9"}]})
    assert taken.found == [("agreed", 2, "signal_id", "unknown_signal")]
    assert taken.quarantined_loans == set()
    assert taken.column("agreed", "number") == [1]


def test_a_due_date_that_goes_back_is_named_and_equal_ones_are_not(quarantine):
    taken = quarantine(
        {
            "installments": [
                {"loan_id": "L1", "number": 1, "due_on": "2026-02-01"},
                {"loan_id": "L1", "number": 2, "due_on": "2026-04-01"},
                {"loan_id": "L1", "number": 3, "due_on": "2026-03-01"},
                {"loan_id": "L2", "number": 1, "due_on": "2026-02-01"},
                {"loan_id": "L2", "number": 2, "due_on": "2026-02-01"},
            ]
        }
    )
    assert taken.found == [("installments", 3, "number", "number_out_of_order")]
    assert taken.quarantined_loans == {"L1"}


def test_the_order_of_rows_in_the_file_is_no_fault(quarantine):
    taken = quarantine(
        {
            "installments": [
                {"loan_id": "L1", "number": 2, "due_on": "2026-03-01"},
                {"loan_id": "L2", "number": 1, "due_on": "2026-02-01"},
                {"loan_id": "L1", "number": 1, "due_on": "2026-02-01"},
            ]
        }
    )
    assert taken.found == []
    assert len(taken.rows("installments")) == 3


def test_a_payment_of_nobody_is_an_alert_with_its_amount(quarantine):
    taken = quarantine({"payments": [{}, {"loan_id": "L9", "amount": "12.30"}]})
    assert taken.found == [("payments", 2, "loan_id", "unknown_loan")]
    assert taken.quarantined_loans == set()
    (alert,) = taken.snapshot.alerts
    assert (alert.code, alert.line) == ("unknown_payment", 2)
    assert alert.sentence("en") == "payment P2 of 12.30 belongs to no known loan or borrower"
    assert alert.sentence("zh-CN") == "还款 P2（金额 12.30）不属于任何已知的借款或借款人"


def test_a_schedule_whose_sum_could_wrap_is_quarantined_whole(quarantine):
    largest = {"principal": "100000000000.00"}
    fits = [{"loan_id": "L1", "number": n, **largest} for n in range(1, 101)]
    rows = [{"loan_id": "L2", "number": n, **largest} for n in range(1, 102)]
    taken = quarantine({"installments": [*fits, *rows]})
    assert taken.found == [
        ("installments", row, "principal", "out_of_range") for row in range(101, 202)
    ]
    assert taken.quarantined_loans == {"L2"}
    assert len(taken.rows("installments")) == 100


def test_agreed_amounts_of_a_signal_that_is_no_plan_are_quarantined(quarantine):
    signals = [{"kind": "plan"}, {"kind": "dispute"}]
    agreed = [{"signal_id": "S1"}, {"signal_id": "S2"}]
    taken = quarantine({"signals": signals, "agreed": agreed})
    assert taken.found == [("agreed", 2, "signal_id", "signal_is_no_plan")]
    assert taken.quarantined_loans == {"L1"}


def test_a_waiver_of_no_loan_is_quarantined_with_its_borrower(quarantine):
    waiver = {"loan_id": "", "borrower_id": "B2", "kind": "waiver"}
    taken = quarantine({"payments": [{}, waiver]})
    assert taken.found == [("payments", 2, "loan_id", "waiver_of_no_loan")]
    assert taken.quarantined_loans == {"L2"}


@pytest.mark.parametrize("number", ["1.5", "2.4", "2e0"])
def test_a_number_that_is_no_whole_one_makes_no_other_row_a_duplicate(quarantine, number):
    rows = [{"loan_id": "L1", "number": one} for one in (1, 2, number)]
    assert quarantine({"installments": rows}).found == [("installments", 3, "number", "bad_number")]


def test_a_payment_that_names_nobody_is_an_alert_with_its_amount(quarantine):
    taken = quarantine({"payments": [{}, {"loan_id": "", "amount": "2050.00"}]})
    assert taken.found == [("payments", 2, "loan_id", "names_nobody")]
    assert taken.quarantined_loans == set()
    (alert,) = taken.snapshot.alerts
    assert (alert.code, alert.line) == ("unknown_payment", 2)
    assert alert.sentence("en") == "payment P2 of 2050.00 belongs to no known loan or borrower"


def test_more_than_a_hundred_payments_of_nobody_are_one_alert_with_their_sum(quarantine):
    lost = [{"loan_id": "" if n % 2 else "L9", "amount": "0.10"} for n in range(100)]
    taken = quarantine({"payments": [*lost, {"loan_id": "", "amount": "990.05"}]})
    (alert,) = taken.snapshot.alerts
    assert alert.code == "unknown_payments"
    assert alert.sentence("en") == (
        "101 payments, CNY 1000.05 in all, belong to no known loan or borrower"
    )


def test_a_sum_over_loans_of_several_currencies_names_none(quarantine):
    lost = [{"loan_id": "L9", "amount": "1.00"}] * 101
    rows = [{**one, "payment_id": f"P{n}"} for n, one in enumerate(lost)]
    taken = quarantine({"loans": [{}, {"currency": "EUR"}], "payments": rows})
    assert [one.values["total"] for one in taken.snapshot.alerts] == ["101"]


def test_a_payment_of_an_unknown_loan_touches_the_borrower_it_names(quarantine):
    taken = quarantine({"payments": [{"loan_id": "L9", "borrower_id": "B2"}]})
    assert taken.found == [("payments", 1, "loan_id", "unknown_loan")]
    assert taken.quarantined_loans == {"L2"}
    assert taken.snapshot.alerts == ()


@pytest.mark.parametrize("table", ["signals", "contacts", "payments"])
def test_a_row_that_names_a_loan_of_another_borrower_touches_both(quarantine, table):
    taken = quarantine({table: [{"loan_id": "L1", "borrower_id": "B2"}]})
    assert taken.found == [(table, 1, "loan_id", "other_borrowers_loan")]
    assert taken.quarantined_loans == {"L1", "L2"}
    (row,) = taken.rows("quarantine")
    assert row["message"].startswith("loan L1 is another borrower's than the one this row names")


def test_a_row_that_names_a_loan_of_its_own_borrower_is_good(quarantine):
    taken = quarantine({"signals": [{"loan_id": "L1", "borrower_id": "B1"}]})
    assert taken.found == []


def test_a_row_with_two_faults_is_named_twice_and_counted_once(quarantine):
    taken = quarantine({"payments": [{"amount": "x", "paid_on": "y"}]})
    assert taken.found == [
        ("payments", 1, "amount", "bad_money"),
        ("payments", 1, "paid_on", "bad_date"),
    ]
    assert taken.snapshot.quarantined_rows == 1


def test_a_message_says_what_is_wrong_and_what_to_do_in_both_languages(take, tmp_path, write_book):
    book = write_book(tmp_path, {"loans": [{"status": "activ"}]})
    (row,) = take(book).rows("quarantine")
    assert row["message"] == (
        "'activ' is none of the values of status (did you mean 'active'?);"
        " write one of: active, closed, written_off"
    )
    (row,) = take(book, locale="zh-CN").rows("quarantine")
    assert row["message"] == (
        "“activ”不是 status 的可选值（是不是“active”？）；请写其中之一：active, closed, written_off"
    ).replace("；", "; ")


def test_every_code_has_a_sentence_and_a_hint_in_both_catalogues():
    english, chinese = catalogue("book", "en"), catalogue("book", "zh-CN")
    assert english.keys() == chinese.keys()
    for code in codes.ROW_CODES:
        assert {code, f"{code}_hint"} <= english.keys()


#: One bad row of every kind, each of its own borrower; loan L0 of B0 stays good.
def _one_of_every_kind():
    tables = {name: [] for name in schema.TABLES if name != "borrowers"}
    tables["loans"].append({"loan_id": "L00", "borrower_id": "B00"})
    expected = []
    for at, (table, cells, column, code) in enumerate(CASES, start=1):
        loan, borrower = f"M{at:03}", f"C{at:03}"
        row = dict(cells)
        if table != "loans":
            tables["loans"].append({"loan_id": loan, "borrower_id": borrower})
            if row.get("loan_id", "L1") == "L1" and table not in (
                "contact_points",
                "consents",
                "contacts",
                "signals",
                "relations",
            ):
                row["loan_id"] = loan
            if row.get("borrower_id") == "B1" or table in (
                "consents",
                "contacts",
                "signals",
                "relations",
            ):
                row["borrower_id"] = borrower
        else:
            row["borrower_id"] = borrower
            row["loan_id"] = loan if row["loan_id"] == "L3" else row["loan_id"]
        for key in ("payment_id", "debit_id", "contact_id", "signal_id"):
            if table == key.removesuffix("_id") + "s":
                row.setdefault(key, f"{key[0].upper()}{at:03}")
        tables[table].append(row)
        expected.append((table, len(tables[table]), column, code))
    return tables, sorted(expected)


def test_a_book_with_one_bad_row_of_every_kind_names_each_and_decides_the_rest(
    take, tmp_path, write_book
):
    tables, expected = _one_of_every_kind()
    people = {row["borrower_id"] for row in tables["loans"]} | {"B00"}
    tables["borrowers"] = [{"borrower_id": one} for one in sorted(people)]
    taken = take(write_book(tmp_path, tables))
    assert taken.found == expected
    assert taken.snapshot.quarantined_rows == len(CASES)
    assert "L00" not in taken.quarantined_loans
    assert len(taken.rows("loans")) == len(tables["loans"]) - 1  # One has no loan_id.
