"""Goal: on a narrow telephone nothing of the report lies beyond the edge of the screen.

Method: a browser, where the machine has one, opens the page at that width; axe-core looks as well.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from plan_dir import write_plan

from chromium import NARROWEST, Seat, found_wrong, measured, running
from duly.core.reasons import DECISIONS, REASONS
from duly.plan.report import write_report


@pytest.fixture(scope="module")
def chromium():
    with running() as seat:
        yield seat


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
@pytest.mark.parametrize("width", [NARROWEST, 620, 900])
def test_nothing_lies_beyond_the_edge(
    chromium: Seat, tmp_path: Path, locale: str, width: int
) -> None:
    rows = [
        {"loan_id": f"LOAN-{at:09}", "borrower_id": f"B{at}", "decision": decision,
         "reason": reason, "legal": ["CN-HOLD-2"]}
        for at, (decision, reason) in enumerate(
            (decision, reason) for decision in DECISIONS for reason in REASONS[decision]
        )
    ]  # fmt: skip
    plan_dir = write_plan(tmp_path / "plan", decisions=rows)
    write_report(plan_dir, tmp_path / "report.html", locale=locale)
    page = (tmp_path / "report.html").as_uri()

    def steps(browser: Any) -> tuple[dict[str, Any], list[str]]:
        seat = browser.new_context(viewport={"width": width, "height": 900})
        opened = seat.new_page()
        opened.goto(page)
        found = measured(opened), found_wrong(opened) if width == NARROWEST else []
        seat.close()
        return found

    seen, wrong = chromium.do(steps)
    assert seen["room"] == width
    assert seen["wide"] <= seen["room"]
    assert wrong == []
