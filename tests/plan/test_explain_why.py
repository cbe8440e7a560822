"""An explanation says why a loan waits, what the law would allow, and which figures disagree."""

from __future__ import annotations

import time
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from case_book import dated, group
from plan_made import Made, make, write_book_json, write_lender

from duly.plan.explain import explain_loan
from duly.plan.explain_page import page

DOCUMENT: dict[str, Any] = {
    "at": "2026-03-10T10:00:00+08:00",
    "cases": [
        {"says": "above the cap", "late": 20, "terms": {"late_rate_daily": "0.001"}},
        {"says": "two stated rows, the older disagrees",
         "stated": [{"loan": "a", "as_of": "0d", "overdue_total": "500.00",
                     "outstanding_total": "1500.00"},
                    {"loan": "a", "as_of": "-1d", "overdue_total": "480.00",
                     "outstanding_total": "1490.00"}]},
        {"says": "only the outstanding sum is stated",
         "stated": [{"loan": "a", "as_of": "0d", "overdue_total": "",
                     "outstanding_total": "1400.00"}]},
        {"says": "the lender's texts of seven days are spent", "late": 40,
         "contacts": [{"at": f"-{days}d 10:00", "class": "dunning"} for days in (6, 5, 4)]
         + [{"at": "-3d 11:00", "direction": "in", "outcome": "replied"}]},
        {"says": "patience", "late": 4, "terms": {"grace_days": 3}},
        {"says": "grace", "late": 4, "terms": {"grace_days": 9}, "paid_late": [60, 20, 0]},
        {"says": "another row is broken", "contacts": [{"at": "yesterday"}]},
        {"says": "a row of this loan is broken", "debits": [{"at": "0d 08:00", "amount": "x"}]},
        {"says": "the step rests", "late": 10,
         "contacts": [{"at": "-3d 10:00", "step": "first-late"}]},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, write_book: Any) -> Made:
    folder: Path = tmp_path_factory.mktemp("why")
    cases = group("why", DOCUMENT)
    book = write_book(folder, cases.tables)
    write_book_json(book, dated(cases, dict(cases.book or {})))
    lender = write_lender(folder, cases.lender)
    return make(book, folder / "plan", at=cases.instant, lender=lender)


def explained(made: Made, case: int) -> tuple[dict[str, Any], str, str]:
    found = explain_loan(made.path, f"B{case}-a", clock=time.perf_counter)
    return found, page(found, "en"), page(found, "zh-CN")


def test_a_charge_above_the_cap_stands_beside_the_lawful_one(made: Made) -> None:
    found, english, chinese = explained(made, 1)
    # 500.00 x 20 days: 10.00 at 0.001, 6.575... at 0.24 / 365.
    assert found["cost_cap"] == {
        "late_charge": 1_000, "lawful_late_charge": 658, "lawful_overdue_total": 50_658,
    }  # fmt: skip
    assert "late charge 10.00 CNY; at 0.24 / 365 a day it would be 6.58 CNY" in english
    assert "罚息 10.00 CNY；按每日 0.24/365 应为 6.58 CNY，逾期合计应为 506.58 CNY" in chinese
    assert explained(made, 9)[0]["cost_cap"] is None


def test_the_stated_row_that_disagrees_is_shown_with_its_parts(made: Made) -> None:
    found, english, _ = explained(made, 2)
    assert found["decision"]["reason"] == "figures_disagree"
    assert found["figures"]["as_of"] == "2026-03-09"
    assert "overdue: stated 480.00 CNY, here 500.00 CNY, difference 20.00 CNY" in english
    assert "outstanding: stated 1490.00 CNY, here 1500.00 CNY, difference 10.00 CNY" in english
    assert "not due yet: stated 1010.00 CNY, here 1000.00 CNY, difference -10.00 CNY" in english


def test_a_figure_that_was_not_stated_is_not_invented(made: Made) -> None:
    found, english, chinese = explained(made, 3)
    assert found["figures"]["stated_overdue"] is None
    assert "overdue: not stated, here 500.00 CNY" in english
    assert "逾期：系统未提供，此处 500.00 CNY" in chinese
    assert "stated 0" not in english


def test_a_limit_of_the_lender_is_named_where_it_makes_wait(made: Made) -> None:
    found, english, _ = explained(made, 4)
    assert found["decision"]["reason"] == "cap"
    assert {"kind": "texts_7_days", "count": 3, "of": 2} in found["waits"]
    assert "texts in 7 days: 3 of 2" in english


def test_patience_and_grace_name_their_case_and_day(made: Made) -> None:
    found, english, _ = explained(made, 5)
    assert found["decision"]["reason"] == "patience"
    assert found["waits"] == [
        {"kind": "first_contact", "case": "default",
         "offset": "after_grace + 1 day, at most 8 days", "until": "2026-03-11"},
    ]  # fmt: skip
    assert "after_grace + 1 day, at most 8 days; not before 2026-03-11" in english
    (grace,) = explained(made, 6)[0]["waits"]
    assert (grace["case"], grace["until"]) == (
        "late_count_before_arrears >= 1 or score_band = 'high_risk'", "2026-03-16",
    )  # fmt: skip


def test_a_rest_names_the_step_its_day_and_its_days(made: Made) -> None:
    found, english, _ = explained(made, 9)
    assert found["decision"]["reason"] == "cooldown"
    assert found["waits"] == [
        {"kind": "every", "step": "first-late", "acted_on": "2026-03-07", "days": 7,
         "until": "2026-03-14"},
    ]  # fmt: skip
    assert "first-late acted on 2026-03-07 and rests 7 days: until 2026-03-14" in english


def test_one_instant_in_two_offsets_is_one_plan(
    made: Made, tmp_path: Path, write_book: Any
) -> None:
    cases = group("why", DOCUMENT)
    book = write_book(tmp_path, cases.tables)
    write_book_json(book, dated(cases, dict(cases.book or {})))
    lender = write_lender(tmp_path, cases.lender)
    at = datetime.fromisoformat("2026-03-10T02:00:00+00:00")
    again = make(book, tmp_path / "plan", at=at, lender=lender)
    assert again.run["business_date"] in ("2026-03-10", date(2026, 3, 10))
    assert again.run["plan_sha256"] == made.run["plan_sha256"]


def test_a_quarantined_loan_shows_its_own_rows_and_nobody_elses(made: Made) -> None:
    for case, table in ((7, "contacts"), (8, "debits")):
        found, english, _ = explained(made, case)
        assert [row["table"] for row in found["quarantine"]] == [table]
        (line,) = [one for one in english.splitlines() if one.startswith("  ")]
        assert line.startswith(f"  {table}.csv:")
