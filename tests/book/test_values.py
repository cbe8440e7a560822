"""Goal: what good cells become: minor units, hundred-millionths, naive UTC, dense indices."""

from __future__ import annotations

from datetime import date, datetime

import pytest

naive = datetime.fromisoformat


@pytest.mark.parametrize(
    ("currency", "text", "minor"),
    [
        ("CNY", "734.10", 73410),
        ("CNY", "734.1", 73410),
        ("CNY", "734", 73400),
        ("CNY", "0.01", 1),
        ("CNY", "100000000000.00", 10_000_000_000_000),
        ("JPY", "734", 734),
        ("KWD", "0.734", 734),
        ("CLF", "0.7341", 7341),
    ],
)
def test_money_is_minor_units_of_the_loans_currency(quarantine, currency, text, minor):
    taken = quarantine(
        {
            "loans": [{"currency": currency, "principal": text}, {}],
            "installments": [{"number": 1, "principal": text, "interest": "0", "fee": ""}],
            "payments": [{"amount": text}],
        }
    )
    assert taken.found == []
    assert taken.column("loans", "principal") == [minor, 100_000]
    assert taken.column("installments", "principal") == [minor]
    assert taken.column("payments", "amount") == [minor]


@pytest.mark.parametrize(
    ("currency", "text"), [("JPY", "734.1"), ("KWD", "1.2345"), ("CNY", "1.001")]
)
def test_money_finer_than_the_loans_currency_is_quarantined(quarantine, currency, text):
    taken = quarantine(
        {
            "loans": [{"currency": currency, "principal": "1000"}, {}],
            "payments": [{"amount": text}],
        }
    )
    assert taken.found == [("payments", 1, "amount", "too_many_decimals")]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-02-02T10:00:00+08:00", naive("2026-02-02T02:00")),
        ("2026-02-02T10:00:00-08:00", naive("2026-02-02T18:00")),
        ("2026-02-02T10:00:00Z", naive("2026-02-02T10:00")),
        ("2026-02-02 10:00:00+0800", naive("2026-02-02T02:00")),
        ("2026-02-02T10:00+08", naive("2026-02-02T02:00")),
        ("2026-02-02T10:00-03:30", naive("2026-02-02T13:30")),
        ("2026-02-02T10:00:00.25+05:45", naive("2026-02-02T04:15:00.250000")),
        ("2026-02-02T10:00:00.12345Z", naive("2026-02-02T10:00:00.123450")),
        ("2026-01-01T00:00:00+08:00", naive("2025-12-31T16:00")),
    ],
)
def test_instants_are_naive_utc(quarantine, text, instant):
    taken = quarantine({"signals": [{"starts_at": text}]})
    assert taken.found == []
    assert taken.column("signals", "starts_at") == [instant]


def test_an_installments_grace_ends_where_it_says_or_after_the_loans_days(quarantine):
    taken = quarantine(
        {
            "loans": [{"grace_days": 3}, {}],
            "installments": [
                {"number": 1, "grace_until": "2026-02-09"},
                {"number": 2, "grace_until": ""},
                {"number": 1, "loan_id": "L2", "grace_until": "2026-02-01"},
            ],
        }
    )
    assert taken.column("installments", "grace_ends_on") == [
        date(2026, 2, 9),
        date(2026, 2, 4),
        date(2026, 2, 1),
    ]


def test_empty_cells_take_the_contracts_defaults(quarantine):
    taken = quarantine(
        {
            "loans": [
                {
                    **dict.fromkeys(("product", "creditor", "currency", "late_base", "status"), ""),
                    **dict.fromkeys(("grace_days", "late_rate_daily", "tolerance"), ""),
                    **dict.fromkeys(("allocation", "jurisdiction", "annual_rate"), ""),
                }
            ],
            "borrowers": [{"locale": "", "time_zone": ""}],
        }
    )
    (loan,) = taken.rows("loans")
    assert loan == {
        "loan": 0,
        "loan_id": "L1",
        "borrower": 0,
        "borrower_id": "B1",
        "product": "installment",
        "creditor": "示例消费金融有限公司",
        "currency": "CNY",
        "decimals": 2,
        "principal": 100_000,
        "disbursed_on": date(2026, 1, 1),
        "annual_rate_e8": None,
        "late_rate_e8": 0,
        "late_base": "principal",
        "grace_days": 0,
        "allocation": "oldest_installment",
        "tolerance": 0,
        "status": "active",
        "status_on": None,
        "jurisdiction": "cn",
        "quarantined": False,
    }
    (borrower,) = taken.rows("borrowers")
    assert (borrower["locale"], borrower["time_zone"]) == ("zh-CN", "Asia/Shanghai")


def test_rates_are_hundred_millionths_and_hours_minutes_of_the_day(quarantine):
    taken = quarantine(
        {
            "loans": [{"annual_rate": "0.18", "late_rate_daily": "0.01"}],
            "borrowers": [
                {"quiet_from": "21:30", "quiet_until": "08:00", "monthly_income": "8000"}
            ],
        }
    )
    (loan,) = taken.rows("loans")
    assert (loan["annual_rate_e8"], loan["late_rate_e8"]) == (18_000_000, 1_000_000)
    (borrower,) = taken.rows("borrowers")
    assert (borrower["quiet_from"], borrower["quiet_until"]) == (1290, 480)
    assert borrower["monthly_income"] == 800_000


def test_waivers_are_ranked_by_the_bytes_of_their_ids(quarantine):
    taken = quarantine(
        {
            "payments": [
                {"payment_id": "w-b", "kind": "waiver", "component": "fee"},
                {"payment_id": "p-1"},
                {"payment_id": "W-z", "kind": "waiver", "component": "late_charge"},
                {"payment_id": "w-é", "kind": "waiver"},
            ]
        }
    )
    assert taken.column("payments", "waiver_rank") == [2, 0, 1, 3]
    assert taken.column("payments", "kind") == [1, 0, 1, 1]
    assert taken.column("payments", "component") == [3, 0, 1, 0]


def test_unapplied_money_belongs_to_its_borrower(quarantine):
    taken = quarantine({"payments": [{"loan_id": "", "borrower_id": "B2"}, {}]})
    assert taken.column("payments", "loan") == [None, 0]
    assert taken.column("payments", "borrower") == [1, 0]


def test_a_notice_is_read_as_dunning(quarantine):
    taken = quarantine({"contacts": [{"class": "notice"}, {"class": "receipt"}, {"class": ""}]})
    assert taken.column("contacts", "class") == ["dunning", "receipt", "dunning"]


def test_loans_are_indexed_in_the_order_of_their_ids_bytes(take, tmp_path, write_book):
    ids = ["b", "a", "B", "é", "10", "9", "a-1", "张"]
    book = write_book(tmp_path, {"loans": [{"loan_id": one, "borrower_id": "B1"} for one in ids]})
    taken = take(book)
    assert taken.column("loans", "loan_id") == sorted(ids, key=str.encode)
    assert taken.column("loans", "loan") == list(range(len(ids)))


def test_odd_schedules_and_early_payments_are_warned_of_once_with_their_count(quarantine):
    taken = quarantine(
        {
            "installments": [{"number": 1, "principal": "999.99"}],
            "payments": [{"paid_on": "2025-12-31"}, {"paid_on": "2025-12-30"}, {}],
        }
    )
    assert taken.found == []
    assert [
        (one.code, one.values["count"], one.values["loan_id"]) for one in taken.snapshot.warnings
    ] == [("paid_before_disbursement", 2, "L1"), ("principal_differs", 2, "L1")]


def test_an_active_loan_without_a_schedule_is_warned_of_and_an_ended_one_is_not(quarantine):
    taken = quarantine({"loans": [{"status": "closed"}, {}], "installments": []})
    assert taken.found == []
    assert [
        (one.code, one.values["count"], one.values["loan_id"]) for one in taken.snapshot.warnings
    ] == [("principal_differs", 1, "L2")]
