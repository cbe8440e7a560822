"""Goal: on a narrow telephone nothing of the report lies beyond the edge of the screen.

Method: a browser, where the machine has one, measures the page inside a frame of that width.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from plan_dir import write_plan

from duly.core.reasons import DECISIONS, REASONS
from duly.plan.report import write_report

_FRAME = """<!doctype html><iframe src="{page}" width="{width}" height="9000"></iframe>
<script>
const frame = document.querySelector("iframe");
frame.onload = () => setTimeout(() => {{
  const page = frame.contentDocument.documentElement;
  document.title = "seen " + page.scrollWidth + " of " + page.clientWidth;
}}, 1000);
</script>"""


def browser() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    return pytest.skip("skipped: no Chromium")


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
@pytest.mark.parametrize("width", [320, 620, 900])
def test_nothing_lies_beyond_the_edge(tmp_path: Path, locale: str, width: int) -> None:
    chromium = browser()
    rows = [
        {"loan_id": f"LOAN-{at:09}", "borrower_id": f"B{at}", "decision": decision,
         "reason": reason, "legal": ["CN-HOLD-2"]}
        for at, (decision, reason) in enumerate(
            (decision, reason) for decision in DECISIONS for reason in REASONS[decision]
        )
    ]  # fmt: skip
    plan_dir = write_plan(tmp_path / "plan", decisions=rows)
    write_report(plan_dir, tmp_path / "report.html", locale=locale)
    frame = tmp_path / "frame.html"
    frame.write_text(_FRAME.format(page="report.html", width=width), encoding="utf-8")
    ran = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
         "--virtual-time-budget=9000", "--dump-dom", frame.as_uri()],
        capture_output=True, text=True, encoding="utf-8", timeout=120, check=True,
    )  # fmt: skip
    seen = re.search(r"<title>seen (\d+) of (\d+)</title>", ran.stdout)
    assert seen, ran.stdout[:500]
    assert int(seen[1]) <= int(seen[2])
