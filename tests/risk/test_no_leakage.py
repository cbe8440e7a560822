"""Goal: no feature knows the future. Method: the features of a day from a whole book of random
lives equal those from the book cut at the close of that day; one that peeked would be caught."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import risk_books

from duly.risk.feature_table import NAMES
from duly.risk.features import Scale, look
from duly.risk.past import read_past

_EPOCH = date(1970, 1, 1)
_SCALE = Scale(principal={"CNY": 300_000.0}, products=("cash", "phone"))
LIVES = risk_books.lives(7, 60)


def _seen(
    tables: dict[str, list[dict[str, object]]], day: date, folder: Path
) -> dict[str, npt.NDArray[np.float32]]:
    taken = risk_books.snapshot(tables, folder)
    past, names = read_past(taken.path, risk_books.ZONE)
    begun = np.flatnonzero(past.terms.disbursed_on <= (day - _EPOCH).days).astype(np.int32)
    days = np.full(begun.size, (day - _EPOCH).days, np.int32)
    seen = look(past, names, begun, days, scale=_SCALE, relations=True)
    return {names.loan_id[loan].as_py(): seen.values[at] for at, loan in enumerate(begun)}


@pytest.mark.parametrize("days", [70, 160, 300])
def test_a_day_in_a_whole_book_is_the_same_as_in_a_book_cut_that_day(
    days: int, tmp_path: Path
) -> None:
    day = date(2025, 1, 6) + timedelta(days=days)
    whole = _seen(LIVES, day, tmp_path / "whole")
    cut = _seen(risk_books.cut(LIVES, day), day, tmp_path / "cut")
    assert set(whole) == set(cut)
    for loan, values in whole.items():
        for name, then, later in zip(NAMES, cut[loan], values, strict=True):
            assert np.array_equal(then, later, equal_nan=True), (loan, name, then, later)


def test_the_lives_move_every_feature(tmp_path: Path) -> None:
    """A feature that never differs would be proved of nothing."""
    values = np.array(list(_seen(LIVES, date(2025, 9, 1), tmp_path).values()))
    still = [
        name
        for name, column in zip(NAMES, values.T, strict=True)
        if np.unique(column[~np.isnan(column)]).size < 2
    ]
    assert still == []


def test_no_feature_is_about_who_the_borrower_is() -> None:
    from duly.risk import PERSONAL

    assert not set(NAMES) & PERSONAL
