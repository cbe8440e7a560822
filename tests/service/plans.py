"""Plans for the tests of the service: a book of so many late borrowers, planned and proven."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

from duly.core.check_key import CheckKey
from duly.plan.making import Request, make_and_write
from duly.plan.proven import Proven, prove
from duly.simulate import PLANTED, write_sample

AT = datetime.fromisoformat("2026-03-10T09:00:00+08:00")
KEY = CheckKey(key_id="k1", secret=b"a key of thirty-two bytes, for us")


def sample_plan(folder: Path, *, loans: int = 300, lender: str = "") -> Path:
    """Write a sample book and its plan; `lender` is the lender file's text. Return the plan.

    One row of it is broken: six of so few loans are more than a brake lets pass.
    """
    folder.mkdir(parents=True, exist_ok=True)
    book, out = folder / "book", folder / "plan"
    lender_file = None
    if lender:
        lender_file = folder / "lender.yaml"
        lender_file.write_text(lender, encoding="utf-8")
    if not book.exists():
        write_sample(book, loans=loans, planted=PLANTED[:1])
    make_and_write(
        Request(book=book, instant=AT, out=out, lender_file=lender_file, policy=None, locale="en",
                threads=1, form="parquet"),
        key=KEY,
        clock=time.perf_counter,
    )  # fmt: skip
    return out


def proven(folder: Path, **given: object) -> Proven:
    """Return the proven plan of a sample book."""
    return prove(sample_plan(folder, **given), clock=time.perf_counter)  # type: ignore[arg-type]
