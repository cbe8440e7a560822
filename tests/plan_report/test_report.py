"""The report shows the plan's figures exactly, loads nothing and trusts no text."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from plan_dir import DAY, RUN, at, write_plan
from reading import Page, read_page

from duly.core.errors import Refused
from duly.core.reasons import DECISIONS, REASONS
from duly.core.words import catalogue
from duly.plan.report import write_report

HOSTILE = "<script>alert('x')</script>\"&</style>{{ 1 }}"


def decided(loan: str, borrower: str, decision: str, reason: str, **more: object) -> dict:
    return {
        "loan_id": loan,
        "borrower_id": borrower,
        "business_date": DAY,
        "decision": decision,
        "reason": reason,
        "legal": [],
        **more,
    }


def owing(loan: str, days: int, bucket: str, overdue: int, outstanding: int, currency="CNY"):
    return {
        "loan_id": loan,
        "borrower_id": "",
        "currency": currency,
        "days_past_due": days,
        "bucket": bucket,
        "overdue_total": overdue,
        "outstanding_total": outstanding,
    }


def message(number: int, borrower: str, template: str, **more: object) -> dict:
    return {
        "message_id": f"m{number}",
        "borrower_id": borrower,
        "loan_ids": [f"L{number}"],
        "channel": "sms",
        "address": "13800001234",
        "locale": "zh-CN",
        "class": "dunning",
        "template": template,
        "tone": "gentle",
        "text": f"张**您好,核验码WXYZ2345,第{number}条",
        "segments": 2,
        "code": "WXYZ2345",
        "not_before": at(1),
        "not_after": at(12, 30),
        **more,
    }


DECISIONS_MADE = [
    decided("L1", "B1", "contact", "first_late", rule="first-late", not_before=at(1, 10)),
    decided("L2", "B1", "wait", "one_conversation", rule="first-late", next_review_on=DAY),
    decided("L3", "B2", "hold", "dispute", legal=["CN-HOLD-2"], next_review_on=DAY),
    decided("L4", "B3", "hold", "dispute", legal=["CN-HOLD-2", "CN-COST-1"], next_review_on=DAY),
    decided("L5", "B4", "blocked", "cost_cap", legal=["CN-COST-1"]),
    decided("L6", "B5", "none", "nothing_due"),
    decided("L7", "B6", "quarantined", "quarantined"),
    decided("L8", "B7", "task", "care", task_kind="care"),
]
POSITIONS = [
    owing("L1", 7, "M1", 73667, 1_000_000),
    owing("L2", 31, "M2", 100, 200),
    owing("L3", 8, "M1", 1_234_567, 2_000_000),
    owing("L4", 9, "M1", 433, 500, "JPY"),
    owing("L5", 200, "M7+", 50_000, 60_000),
    owing("L6", 0, "M0", 0, 900_000),
    owing("L8", 40, "M2", 1, 2),
]
MESSAGES = [message(1, "B1", "first_late")]
QUARANTINE = [
    ["payments", 3, "amount", "too_precise", "amount 1.234 has three decimals"],
    ["payments", 9, "amount", "too_precise", "amount 9.999 has three decimals"],
    ["loans", 7, "currency", "unknown_currency", "XXX is no currency"],
]


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    return write_plan(
        tmp_path / "plan",
        decisions=DECISIONS_MADE,
        positions=POSITIONS,
        messages=MESSAGES,
        quarantine=QUARANTINE,
    )


def report(plan_dir: Path, locale: str = "en") -> Page:
    out = plan_dir.parent / f"report-{locale}.html"
    write_report(plan_dir, out, locale=locale)
    return read_page(out)


def squeezed(rows: list[list[str]]) -> list[list[str]]:
    return [[" ".join(cell.split()) for cell in row] for row in rows]


class TestAlerts:
    @pytest.mark.parametrize(
        ("locale", "said"),
        [("en", "The book was cut 27 hours before"), ("zh-CN", "账本截止时点距本次计划已 27 小时")],
    )
    def test_speak_the_language_of_the_report(self, tmp_path: Path, locale, said) -> None:
        alert = {
            "area": "plan", "code": "book_stale", "message": "in the lender's words", "hint": "?",
            "values": {"hours": "27", "limit": "26"}, "file": "book.json", "row": 0, "column": "",
        }  # fmt: skip
        plan_dir = write_plan(
            tmp_path / "alerts", decisions=DECISIONS_MADE, run={**RUN, "alerts": [alert]}
        )
        text = report(plan_dir, locale).texts["alerts"]
        assert said in text
        assert "in the lender's words" not in text

    def test_of_another_release_keep_their_own_words(self, tmp_path: Path) -> None:
        alert = {"area": "plan", "code": "no_longer", "message": "as it was said", "values": {}}
        plan_dir = write_plan(
            tmp_path / "alerts", decisions=DECISIONS_MADE, run={**RUN, "alerts": [alert]}
        )
        assert "as it was said" in report(plan_dir).texts["alerts"]


class TestOneOfEach:
    def test_a_single_loan_is_told_in_the_singular(self, tmp_path: Path) -> None:
        plan_dir = write_plan(
            tmp_path / "one",
            decisions=[decided("L1", "B1", "contact", "first_late")],
            messages=[message(1, "B1", "first_late", segments=1)],
            positions=[owing("L1", 7, "M1", 73667, 1_000_000)],
            quarantine=[["payments", 1, "amount", "bad_money", "no"]],
        )
        page = report(plan_dir)
        whole = " ".join(" ".join(text.split()) for text in page.texts.values())
        for said in (
            "1 loan of 1 borrower, each", "1 of 1 loan, drawn", "· 1 SMS segment",
            "loan in the book", "message today", "row quarantined",
        ):  # fmt: skip
            assert said in whole, said
        assert "loans in the book" not in whole


class TestFigures:
    def test_header_counts_the_plan(self, plan: Path) -> None:
        text = report(plan).texts[""]
        assert "示例消费金融有限公司" in text
        assert "Contact plan of 10 March 2026" in text
        assert (
            "8 loans of 7 borrowers, each with a decision and its reason: 1 contacted, "
            "1 handed to a person, 4 kept still, 1 left alone, 1 quarantined." in text
        )
        assert "Business date 2026-03-10, decided at 09:00 (Asia/Shanghai)" in text
        for start in ("b" * 12, "c" * 12, "a" * 12):
            assert start in text

    def test_versions_are_listed_with_their_fingerprints(self, tmp_path: Path) -> None:
        run = {
            "business_date": "2026-03-10",
            "instant": "2026-03-10T01:00:00Z",
            "time_zone": "Asia/Shanghai",
            "lender": "示例消金",
            "engine": "duckdb 2.0.0",
            "policy": {"name": "cn-installment", "version": 1},
            "versions": {"book": "e" * 64, "policy": "f" * 64, "tzdata": "2026.6"},
            "plan_sha256": "a" * 64,
        }
        page = report(write_plan(tmp_path / "plan", decisions=DECISIONS_MADE, run=run))
        assert squeezed(page.tables[""][0])[1:] == [
            ["Book", "", "e" * 64],
            ["Policy", "cn-installment 1", "f" * 64],
            ["Time zones", "2026.6", ""],
            ["Engine", "duckdb 2.0.0", ""],
            ["Plan", "", "a" * 64],
        ]

    def test_flow_ends_in_every_kind_of_decision(self, plan: Path) -> None:
        text = " ".join(report(plan).texts["flow"].split())
        shown = [
            text.index(part)
            for part in (
                "Contact 1 12.5 %",
                "Person 1 12.5 %",
                "Wait 1 12.5 %",
                "Hold 2 25.0 %",
                "Blocked 1 12.5 %",
                "Leave alone 1 12.5 %",
                "Quarantined 1 12.5 %",
            )
        ]
        assert shown == sorted(shown)

    def test_reasons_state_loans_borrowers_and_amounts(self, plan: Path) -> None:
        rows = [row for table in report(plan).tables["reasons"] for row in squeezed(table)]
        held = next(row for row in rows if "dispute" in row[0])
        assert held[0] == (
            "Dispute open dispute The borrower disputes the debt; it is not chased while that "
            "is open. Next look 2026-03-10."
        )
        assert held[1:] == ["2", "2", "12,345.67 CNY 433 JPY"]
        quarantined = next(row for row in rows if "Row quarantined" in row[0])
        assert quarantined[1:] == ["1", "1", "–"]

    def test_buckets_sum_by_currency(self, plan: Path) -> None:
        (table,) = report(plan).tables["buckets"]
        assert squeezed(table)[1:] == [
            ["M0 not late", "1", "0.00 CNY", "9,000.00 CNY"],
            ["M1 1–30 days", "2 1", "13,082.34 CNY 433 JPY", "30,000.00 CNY 500 JPY"],
            ["M2 31–60 days", "2", "1.01 CNY", "2.02 CNY"],
            ["M7+ over 180 days", "1", "500.00 CNY", "600.00 CNY"],
            ["All", "6 1", "13,583.35 CNY 433 JPY", "39,602.02 CNY 500 JPY"],
        ]

    def test_loans_that_ended_are_not_counted_as_late(self, tmp_path: Path) -> None:
        plan_dir = write_plan(
            tmp_path / "plan",
            decisions=[
                decided("L1", "B1", "none", "closed"),
                decided("L2", "B2", "none", "written_off"),
                decided("L3", "B3", "contact", "overdue"),
            ],
            positions=[
                owing("L1", 300, "M7+", 11100, 22200),
                owing("L2", 200, "M7+", 100, 200),
                owing("L3", 5, "M1", 1000, 2000),
            ],
        )
        page = report(plan_dir)
        (table,) = page.tables["buckets"]
        assert squeezed(table)[1:] == [
            ["M1 1–30 days", "1", "10.00 CNY", "20.00 CNY"],
            ["All", "1", "10.00 CNY", "20.00 CNY"],
            ["Closed or written off", "2", "112.00 CNY", "224.00 CNY"],
        ]
        assert page.charts["chart-buckets"]["labels"] == ["M1"]
        assert "past due1" in "".join(page.texts[""].split("\n")).replace(" 1", "1")
        left_alone = squeezed(page.tables["reasons"][-1])
        assert [row[1:] for row in left_alone[1:]] == [["1", "1", "–"], ["1", "1", "1.00 CNY"]]

    def test_what_was_held_back_names_the_rules(self, plan: Path) -> None:
        causes, rules = report(plan).tables["held"]
        assert squeezed(causes)[1:] == [
            ["Hold", "Dispute open", "–", "CN-HOLD-2", "1"],
            ["Hold", "Dispute open", "–", "CN-HOLD-2 CN-COST-1", "1"],
            ["Blocked", "Cost above the legal limit", "–", "CN-COST-1", "1"],
            ["Wait", "One conversation", "first-late", "–", "1"],
        ]
        counted = {row[0].split()[0]: row[1:] for row in squeezed(rules)[1:]}
        assert counted == {
            "CN-COST-1": ["–", "–", "–", "1", "1", "–", "2"],
            "CN-HOLD-2": ["–", "–", "–", "2", "–", "–", "2"],
        }

    def test_quarantined_rows_are_counted_by_code(self, plan: Path) -> None:
        (table,) = report(plan).tables["quality"]
        assert squeezed(table)[1:] == [
            [
                "too_precise",
                "payments",
                "2",
                "amount 1.234 has three decimals first in payments, row 3, column amount",
            ],
            [
                "unknown_currency",
                "loans",
                "1",
                "XXX is no currency first in loans, row 7, column currency",
            ],
        ]

    def test_charts_hold_the_same_figures(self, plan: Path) -> None:
        charts = report(plan).charts
        assert charts["chart-buckets"]["labels"] == ["M1", "M2", "M7+"]
        assert charts["chart-buckets"]["series"][0]["values"] == [3, 2, 1]
        assert charts["chart-still"]["labels"] == [
            "Dispute open",
            "Cost above the legal limit",
            "One conversation",
        ]
        assert charts["chart-still"]["values"] == [2, 1, 1]
        assert charts["chart-reached"]["most"] == charts["chart-still"]["most"] == 2

    def test_hours_are_those_of_the_lender(self, tmp_path: Path) -> None:
        plan_dir = write_plan(
            tmp_path / "plan",
            decisions=DECISIONS_MADE,
            messages=[
                message(1, "B1", "overdue", not_before=at(0, 59)),
                message(2, "B2", "overdue", not_before=at(1, 0)),
                message(3, "B3", "overdue", not_before=at(1, 59), channel="email"),
                message(4, "B4", "overdue", not_before=at(3)),
            ],
        )
        page = report(plan_dir)
        assert squeezed(page.tables["hours"][0]) == [
            ["Hour", "Text", "E-mail"],
            ["08:00–08:59", "1", "–"],
            ["09:00–09:59", "1", "1"],
            ["11:00–11:59", "1", "–"],
            ["All", "3", "1"],
        ]
        chart = page.charts["chart-hours"]
        assert chart["labels"] == [f"{hour:02d}" for hour in range(8, 21)]
        assert [one["name"] for one in chart["series"]] == ["sms", "email"]
        assert chart["series"][0]["values"] == [1, 1, 0, 1] + [0] * 9
        assert chart["texts"] == ["1", "2", "", "1"] + [""] * 9


class TestSamples:
    def test_every_reason_appears_within_the_bound(self, tmp_path: Path) -> None:
        many = [decided(f"N{i:04d}", f"B{i}", "none", "nothing_due") for i in range(900)]
        rare = [
            decided(f"R-{code}", f"B-{code}", kind, code)
            for kind, codes in REASONS.items()
            for code in codes
        ]
        page = report(write_plan(tmp_path / "plan", decisions=many + rare))
        (table,) = page.tables["sample"]
        shown = squeezed(table)[1:]
        assert len(shown) == 500
        assert {row[3].split()[-1] for row in shown} == {row["reason"] for row in rare}
        assert f"500 of {len(many + rare)} loans" in page.texts["sample"]

    def test_a_row_states_the_loan_and_its_rules(self, plan: Path) -> None:
        (table,) = report(plan).tables["sample"]
        assert squeezed(table)[4] == [
            "L4",
            "B3",
            "Hold",
            "Dispute open dispute",
            "9",
            "433 JPY",
            "",
            "2026-03-10",
            "",
            "CN-HOLD-2 CN-COST-1",
        ]

    def test_messages_show_three_templates_without_code_and_address(self, tmp_path: Path) -> None:
        rows = [
            message(1, "B1", "overdue"),
            message(2, "B2", "overdue"),
            message(3, "B3", "first_late", address="li.wei@example.com", channel="email"),
            message(4, "B4", "due_soon", text="no code filled: {code}", code=None),
        ]
        page = report(write_plan(tmp_path / "plan", decisions=DECISIONS_MADE, messages=rows))
        text = page.texts["messages"]
        assert [text.count(f"第{n}条") for n in (1, 2, 3)] == [1, 0, 1]
        assert "WXYZ2345" not in text
        assert "13800001234" not in text
        assert "•••• 34 · 09:00–20:30" in text
        assert "l•••@example.com" in text
        assert "no code filled: ••••••••" in text


class TestSafety:
    def test_nothing_is_loaded_from_anywhere(self, plan: Path) -> None:
        page = report(plan)
        loads = [
            (tag, name, value)
            for tag, name, value in page.attributes
            if name in {"src", "srcset", "action", "data", "poster", "background", "formaction"}
            or (name == "href" and not value.startswith("#"))
        ]
        assert loads == []
        assert not {"link", "img", "iframe", "object", "base"} & {
            tag for tag, _, _ in page.attributes
        }
        style = "".join(page.styles)
        assert "url(" not in style
        assert "@import" not in style
        own = page.scripts[-1]
        for word in ("fetch", "XMLHttpRequest", "innerHTML", "eval", "http"):
            assert word not in own
        assert ("meta", "http-equiv", "Content-Security-Policy") in page.attributes

    @pytest.mark.parametrize("locale", ["en", "zh-CN"])
    def test_hostile_text_stays_text(self, tmp_path: Path, locale: str) -> None:
        row = decided(
            HOSTILE,
            HOSTILE,
            "hold",
            HOSTILE,
            rule=HOSTILE,
            legal=[HOSTILE.replace(" ", "")],
            channel=HOSTILE,
            task_kind=HOSTILE,
        )
        odd = decided("L2", "B2", HOSTILE, HOSTILE)
        plan_dir = write_plan(
            tmp_path / "plan",
            decisions=[row, odd],
            positions=[owing(HOSTILE, 3, HOSTILE, 1, 1, HOSTILE)],
            messages=[
                message(
                    1,
                    HOSTILE,
                    HOSTILE,
                    text=HOSTILE,
                    address=HOSTILE,
                    channel=HOSTILE,
                    tone=HOSTILE,
                )
            ],
            quarantine=[[HOSTILE, 1, HOSTILE, HOSTILE, HOSTILE]],
            run={**RUN, "lender": HOSTILE, "alerts": [{"code": HOSTILE, "sentence": HOSTILE}]},
        )
        page = report(plan_dir, locale)
        assert len(page.scripts) == 2
        assert not any("alert('x')" in script for script in page.scripts)
        assert HOSTILE in page.texts["messages"]
        assert HOSTILE in page.texts["alerts"]
        assert page.charts["chart-still"]["labels"] == [HOSTILE]
        assert not any(
            name.startswith("on") and name != "onsubmit" for _, name, _ in page.attributes
        )


class TestTolerance:
    def test_a_plan_without_messages_positions_and_quarantine_is_shown(
        self, tmp_path: Path
    ) -> None:
        plan_dir = write_plan(
            tmp_path / "plan",
            decisions=DECISIONS_MADE,
            leave_out=("messages", "positions", "quarantine"),
        )
        page = report(plan_dir)
        assert "No message goes out today." in page.texts["messages"]
        assert "No row of the book was quarantined." in page.texts["quality"]
        assert "The plan holds no positions." in page.texts["buckets"]

    def test_empty_tables_are_shown(self, tmp_path: Path) -> None:
        page = report(write_plan(tmp_path / "plan", decisions=[]))
        assert "0 loans of 0 borrowers" in page.texts[""]
        assert "Nothing was held back." in page.texts["held"]
        assert page.charts == {}

    def test_csv_and_parquet_give_the_same_bytes(self, tmp_path: Path, plan: Path) -> None:
        as_csv = write_plan(
            tmp_path / "csv",
            decisions=DECISIONS_MADE,
            positions=POSITIONS,
            messages=MESSAGES,
            quarantine=QUARANTINE,
            as_csv=True,
        )
        write_report(plan, tmp_path / "a.html", locale="en")
        write_report(as_csv, tmp_path / "b.html", locale="en")
        assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()

    def test_the_order_of_rows_does_not_matter(self, tmp_path: Path, plan: Path) -> None:
        draw = random.Random(3)
        shuffled = write_plan(
            tmp_path / "shuffled",
            decisions=draw.sample(DECISIONS_MADE, len(DECISIONS_MADE)),
            positions=draw.sample(POSITIONS, len(POSITIONS)),
            messages=MESSAGES,
            quarantine=QUARANTINE[::-1],
        )
        write_report(plan, tmp_path / "a.html", locale="zh-CN")
        write_report(shuffled, tmp_path / "b.html", locale="zh-CN")
        assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()

    def test_seconds_of_a_run_change_nothing(self, tmp_path: Path, plan: Path) -> None:
        slower = write_plan(
            tmp_path / "slower",
            decisions=DECISIONS_MADE,
            positions=POSITIONS,
            messages=MESSAGES,
            quarantine=QUARANTINE,
            run={**RUN, "seconds": {"plan": 9}},
        )
        write_report(plan, tmp_path / "a.html", locale="en")
        write_report(slower, tmp_path / "b.html", locale="en")
        assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()

    @pytest.mark.parametrize("missing", ["run.json", "decisions.parquet"])
    def test_a_directory_without_a_plan_is_refused(self, plan: Path, missing: str) -> None:
        (plan / missing).unlink()
        out = plan.parent / "report.html"
        with pytest.raises(Refused) as refusal:
            write_report(plan, out, locale="en")
        assert [item.code for item in refusal.value.diagnostics] == ["not_a_plan"]
        assert not out.exists()

    def test_broken_run_json_is_refused(self, plan: Path) -> None:
        (plan / "run.json").write_text('{"business_date": "2026-0', encoding="utf-8")
        with pytest.raises(Refused):
            write_report(plan, plan.parent / "report.html", locale="en")
        assert not (plan.parent / "report.html").exists()


class TestWords:
    def test_the_chinese_page_is_chinese(self, plan: Path) -> None:
        page = report(plan, "zh-CN")
        assert "2026年3月10日催收计划" in page.texts[""]
        assert ("html", "lang", "zh-CN") in page.attributes
        assert "有异议" in page.texts["reasons"]
        assert "没有警示" in page.texts["alerts"]

    @pytest.mark.parametrize("area", ["report", "reasons"])
    def test_both_languages_have_the_same_keys(self, area: str) -> None:
        assert set(catalogue(area, "en")) == set(catalogue(area, "zh-CN"))

    @pytest.mark.parametrize("locale", ["en", "zh-CN"])
    def test_every_reason_and_decision_has_words(self, locale: str) -> None:
        words = catalogue("reasons", locale)
        codes = [code for listed in REASONS.values() for code in listed]
        wanted = {f"{part}.{code}" for part in ("name", "reason") for code in codes}
        wanted |= {f"{part}.{code}" for part in ("decision", "means") for code in DECISIONS}
        assert set(words) == wanted
        assert len(set(codes)) == len(codes)

    def test_alerts_need_a_person(self, plan: Path, tmp_path: Path) -> None:
        plan_dir = write_plan(
            tmp_path / "alerting",
            decisions=DECISIONS_MADE,
            run={
                **RUN,
                "alerts": ["a plain one", {"code": "stale", "message": "old", "hint": "new"}],
            },
        )
        text = " ".join(report(plan_dir).texts["alerts"].split())
        assert text == "Needs you a plain one old stale new"
