"""Goal: a model that says too much of some people is found, one that does not is not.
Method: groups with a gap that is known; the card of the random lives, read back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from duly.risk.fairness import Groups, gaps, read_groups

WORLDS = 300


def _world(
    rng: np.random.Generator, gap: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Groups]:
    """Return three rows each of 200 borrowers that come or do not together, half in each region."""
    count = 200
    chance = rng.uniform(0.2, 0.6, count)
    region = np.where(np.arange(count) % 2 == 0, "11", "44")
    came = rng.random(count) < chance + gap * (region == "44")
    borrower = np.repeat(np.arange(count, dtype=np.int32), 3)
    return chance[borrower], came[borrower], borrower, Groups(of={"region": region})


def test_a_fair_model_is_marked_in_five_worlds_of_a_hundred_at_most() -> None:
    rng = np.random.default_rng(91)
    off = [
        any(one.off for one in gaps(*_world(rng, 0.0))["region"].values()) for _ in range(WORLDS)
    ]
    # Rows that come together count once: as rows alone they would be marked thrice as often.
    assert np.mean(off) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / WORLDS)


def test_a_model_that_says_too_little_of_a_region_is_marked() -> None:
    found = gaps(*_world(np.random.default_rng(92), 0.3))["region"]
    assert (found["44"].off, found["11"].off) == (True, False)
    assert found["44"].low <= 0.3 <= found["44"].high
    assert (found["44"].people, found["44"].rows) == (100, 300)


def test_few_people_and_one_group_alone_say_nothing() -> None:
    said, came, borrower, groups = _world(np.random.default_rng(93), 0.3)
    some = borrower < 40
    assert gaps(said[some], came[some], borrower[some], groups) == {}
    assert gaps(said, came, borrower, Groups(of={"region": np.full(200, "11")})) == {}
    assert gaps(said, came, borrower, Groups(of={"region": np.full(200, "")})) == {}


def test_groups_are_read_as_the_book_tells_them(tmp_path: Path) -> None:
    pq.write_table(
        pa.table(
            {"borrower": [0, 1, 2, 3], "region": ["110105", "US-CA", None, "440300"],
             "locale": ["zh-CN", "en", "zh-TW", "zh-CN"],
             "monthly_income": pa.array([100, 200, 300, None], pa.int64())}
        ),
        tmp_path / "borrowers.parquet",
    )  # fmt: skip
    found = read_groups(tmp_path, 5).of
    assert found["region"].tolist() == ["11", "US-CA", "", "44", ""]
    assert found["locale"].tolist() == ["zh", "en", "zh", "zh", ""]
    assert found["income"].tolist() == ["low", "middle", "high", "", ""]


def test_the_card_names_the_groups(trained: Path) -> None:
    card = json.loads((trained / "card.json").read_text("utf-8"))
    by = card["fairness"]["next_late"]
    assert set(by) == {"income"}  # The random lives have one language and no region.
    assert set(by["income"]) == {"low", "middle"}  # Two incomes only: no upper third.
    for one in by["income"].values():
        assert one["people"] >= 30
        assert one["off"] is (one["low"] > 0 or one["high"] < 0)
    assert "| next_late | " in (trained / "card.md").read_text("utf-8")
