"""Goal: the score is points that anybody can add up, the same in Python and in SQL, from history
alone. Method: cases added by hand; random histories through DuckDB; scorecards that are refused."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duly import risk
from duly.core.errors import Refused
from duly.core.words import catalogue
from duly.risk import HISTORY, PERSONAL, load_scorecard

CARD = load_scorecard()
_CLEAN: dict[str, object] = {
    "late_count_12m": 0,
    "late_count_12m_after_grace": 0,
    "days_past_due_max_12m": 0,
    "days_past_due": 0,
    "days_delinquent": 0,
    "installments_overdue": 0,
    "promises_broken_since_arrears": 0,
    "days_since_paid": 20,
    "paid_total": 30_000,
    "outstanding_total": 70_000,
    "overdue_total": 0,
}


@pytest.mark.parametrize(
    ("history", "score", "band"),
    [
        # 1600 - 700 never late - 300 on time - 200 paid lately
        ({}, 400, "low_risk"),
        # … - 500 mostly paid = -100: no chance lies below 0
        ({"paid_total": 300_000}, 0, "low_risk"),
        # 1600 - 700 - 300 + 500 little paid; nothing was due yet
        ({"days_since_paid": None, "paid_total": 0}, 1100, "low_risk"),
        # 1600 + 600 late days + 300 one overdue - 200 paid lately
        (
            {
                "late_count_12m_after_grace": 1,
                "days_past_due_max_12m": 5,
                "installments_overdue": 1,
                "overdue_total": 10_000,
            },
            2300,
            "medium_risk",
        ),
        # 1600 + 1200 twice + 1500 weeks + 1200 two overdue + 600 paid weeks ago + 400 much overdue
        (
            {
                "late_count_12m_after_grace": 2,
                "days_past_due_max_12m": 30,
                "installments_overdue": 2,
                "days_since_paid": 46,
                "overdue_total": 20_000,
            },
            6500,
            "high_risk",
        ),
        # 1600 + 2500 + 4500 + 2200 + 500 + 1500 + 800 = 13600: no chance lies above 10000
        (
            {
                "late_count_12m_after_grace": 3,
                "days_past_due_max_12m": 61,
                "installments_overdue": 3,
                "days_since_paid": None,
                "paid_total": 0,
                "overdue_total": 40_000,
            },
            10_000,
            "high_risk",
        ),
    ],
    ids=["clean", "nearly done", "new", "first late", "late twice", "never paid"],
)
def test_a_score_is_the_sum_of_its_points(
    history: dict[str, object], score: int, band: str
) -> None:
    row = _CLEAN | history
    assert CARD.score(row) == score
    assert CARD.band(score) == band
    total = CARD.base + sum(reason.points for reason in CARD.reasons(row))
    assert max(0, min(10_000, total)) == score


def test_the_reasons_come_with_the_largest_first() -> None:
    row = _CLEAN | {"late_count_12m_after_grace": 6, "days_past_due_max_12m": 5}
    assert [(one.factor, one.points, one.reason) for one in CARD.reasons(row)] == [
        ("lateness_count", 3500, "late_very_often"),
        ("lateness_days", 600, "late_days"),
        ("last_payment", -200, "paid_lately"),
    ]


def test_every_line_has_a_reason_in_both_languages_and_no_reason_is_idle() -> None:
    used = {line.reason for factor in CARD.factors for line in factor.lines}
    for locale in ("en", "zh-CN"):
        words = catalogue("risk", locale)
        told = {key.removeprefix("reason.") for key in words if key.startswith("reason.")}
        assert told == used


_NUMBER = st.integers(0, 7) | st.integers(0, 120)
_AMOUNT = st.sampled_from([0, 1, 999, 1000, 7_000, 10_000, 10_001, 70_000, 10**13])
_ROWS = st.fixed_dictionaries(
    {
        name: (_AMOUNT if field.kind == "money" else _NUMBER)
        if not field.nullable
        else (st.none() | _NUMBER)
        for name, field in HISTORY.items()
    }
)


@settings(max_examples=300, deadline=None)
@given(row=_ROWS)
def test_the_sql_and_its_twin_agree(row: dict[str, int | None]) -> None:
    columns = ", ".join(
        f"CAST({'NULL' if value is None else value} AS BIGINT) AS {name}"
        for name, value in row.items()
    )
    found = duckdb.sql(
        f"SELECT score, typeof(score), {risk.band_sql('score')}"
        f" FROM (SELECT {risk.sql('f.')} AS score FROM (SELECT {columns}) AS f)"
    ).fetchall()
    score = CARD.score(row)
    assert found == [(score, "INTEGER", CARD.band(score))]
    assert 0 <= score <= 10_000


def test_the_thresholds_are_where_the_bands_change() -> None:
    low_below, high_from = risk.bands()
    assert (low_below, high_from) == (2100, 5000)
    scores = (0, low_below - 1, low_below, high_from - 1, high_from, 10_000)
    assert [CARD.band(score) for score in scores] == [
        "low_risk",
        "low_risk",
        "medium_risk",
        "medium_risk",
        "high_risk",
        "high_risk",
    ]


def test_the_built_in_scorecard_has_the_fingerprint_of_its_file() -> None:
    assert risk.scorecard_sha256() == CARD.fingerprint
    assert len(CARD.fingerprint) == 64


RIGHT = """\
scorecard: mine
version: 1
base: 1000
bands: {medium_risk: 1500, high_risk: 5000}
factors:
  - factor: lateness
    lines:
      - {if: late_count_12m > 1, points: 500, reason: late_twice}
"""


class TestRefusals:
    def test_the_right_scorecard_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "card.yaml"
        path.write_text(RIGHT, encoding="utf-8")
        assert load_scorecard(path).score({"late_count_12m": 2}) == 1500

    @pytest.mark.parametrize("name", sorted(PERSONAL))
    def test_who_the_borrower_is_is_refused_by_name(self, name: str, tmp_path: Path) -> None:
        path = tmp_path / "card.yaml"
        text = RIGHT.replace("late_count_12m > 1", f"late_count_12m > 1 and {name} = 'x'")
        path.write_text(text, encoding="utf-8")
        with pytest.raises(Refused) as refused:
            load_scorecard(path)
        (one,) = refused.value.diagnostics
        assert (one.code, one.line, one.column) == ("personal_attribute", 8, "37")
        assert one.sentence("en") == f"{name} says who the borrower is; no score may look at it"

    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            ("late_count_12m > 1", "late_count > 1", ["8:14 unknown_name"]),
            ("late_count_12m > 1", "score > 1", ["8:14 unknown_name"]),
            ("points: 500", "points: 5.5", ["8:42 not_points"]),
            ("points: 500", "points: 20000", ["8:42 not_points"]),
            ("reason: late_twice", "why: late_twice", ["8:9 missing_key", "8:47 unknown_key"]),
            ("base: 1000\n", "", ["1:1 missing_key"]),
            ("medium_risk: 1500", "medium_risk: 6000", ["4:8 bands_order"]),
            ("bands: {", "bands: {{", ["5:1 not_yaml"]),
            (RIGHT[RIGHT.index("factors:") :], "factors: none", ["5:10 not_a_list"]),
        ],
    )
    def test_a_mistake_is_named_at_its_place(
        self, old: str, new: str, expected: list[str], tmp_path: Path
    ) -> None:
        path = tmp_path / "card.yaml"
        path.write_text(RIGHT.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(Refused) as refused:
            load_scorecard(path)
        found = [f"{one.line}:{one.column} {one.code}" for one in refused.value.diagnostics]
        assert found == expected
        for one in refused.value.diagnostics:
            assert "{" not in one.hint("en") + one.hint("zh-CN")
