"""Days that replies name, resolved from their own local day; expected days are worked by hand."""

from __future__ import annotations

import subprocess
import sys

import pytest
from reply_cases import cases

from duly.replies import read


@pytest.mark.parametrize("case", cases("cases/dates.yaml"), ids=lambda case: case.reply.id)
def test_a_date_means_the_day_of_the_guide(case):
    reading = read(case.reply)
    row = case.row
    expected = "vague" if row.get("vague") else "soft" if row.get("soft") else "firm"
    found = (case.reply.text, reading.promise_date, reading.date_confidence)
    assert found == (case.reply.text, row.get("day"), expected)
    assert reading.promise_date_expr


@pytest.mark.parametrize(
    ("text", "loads"), [("明天还", False), ("正月十五还", True)], ids=["sun", "moon"]
)
def test_the_lunar_calendar_is_read_only_for_lunar_words(text, loads):
    program = (
        "import sys, datetime; from duly.replies import read, Reply;"
        "at = datetime.datetime.fromisoformat('2026-02-20T10:00:00+08:00');"
        f"read(Reply(id='r', text={text!r}, received_at=at, lang='zh'));"
        "print('lunar_python' in sys.modules, 'sklearn' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.stdout.split() == [str(loads), "False"], ran.stderr
