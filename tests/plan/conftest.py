"""The sample book and its plan, made once for all tests of the plan."""

from __future__ import annotations

from pathlib import Path

import pytest
from plan_made import AT, Made, make

from duly.simulate import write_sample


@pytest.fixture(scope="session")
def sample_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    book = tmp_path_factory.mktemp("sample") / "book"
    write_sample(book, loans=500)
    return book


@pytest.fixture(scope="session")
def sample_plan(sample_book: Path) -> Made:
    return make(sample_book, sample_book.parent / "plan", at=AT)


@pytest.fixture(scope="session")
def sample_plan_csv(sample_book: Path) -> Made:
    return make(sample_book, sample_book.parent / "plan-csv", at=AT, form="csv")
