"""Goal: each row of the table of bad input names tests that there are. Method: read both."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_PLACE = re.compile(r"`([a-z_/]+\.py)`: ((?:`test_\w+`(?:, )?)+)")


def test_each_bad_input_is_held_by_tests_that_exist():
    text = (ROOT / "docs" / "delivery.md").read_text(encoding="utf-8")
    table = text.partition("## Bad input\n")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 15
    for row in rows:
        found = _PLACE.findall(row)
        assert found, row
        for path, names in found:
            source = (ROOT / "tests" / path).read_text(encoding="utf-8")
            for name in re.findall(r"test_\w+", names):
                assert re.search(rf"def {name}\(", source), f"{path} has no {name}"
