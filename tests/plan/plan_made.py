"""Plans made in process for the tests: a book, an instant, a lender; and what was decided."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from duly.core.check_key import CheckKey
from duly.plan.making import Request, make_and_write
from duly.plan.replay import read_table
from duly.plan.write import Format

AT = datetime.fromisoformat("2026-03-10T09:00:00+08:00")
KEY = CheckKey(key_id="k1", secret=b"a key of thirty-two bytes, for us")


@dataclass(frozen=True, kw_only=True)
class Made:
    """A plan directory with its tables as rows."""

    path: Path
    run: Mapping[str, Any]
    decisions: Mapping[str, Mapping[str, Any]]
    messages: Mapping[str, Mapping[str, Any]]  #: by message_id

    def message_of(self, loan_id: str) -> Mapping[str, Any] | None:
        """Return the message that lists a loan."""
        return next((one for one in self.messages.values() if loan_id in one["loan_ids"]), None)


def make(
    book: Path,
    out: Path,
    *,
    at: datetime,
    lender: Path | None = None,
    policy: str | None = None,
    threads: int = 1,
    form: Format = "parquet",
    locale: str = "en",
) -> Made:
    """Make a plan and read it back."""
    run = make_and_write(
        Request(book=book, instant=at, out=out, lender_file=lender, policy=policy, locale=locale,
                threads=threads, form=form),
        key=KEY,
        clock=time.perf_counter,
    )  # fmt: skip
    decisions = {row["loan_id"]: row for row in read_table(out, "decisions").to_pylist()}
    messages = {row["message_id"]: row for row in read_table(out, "messages").to_pylist()}
    return Made(path=out, run=run, decisions=decisions, messages=messages)


def write_lender(folder: Path, lender: Mapping[str, Any]) -> Path:
    """Write a lender file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "lender.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump(dict(lender), file)
    return path


def write_book_json(book: Path, content: Mapping[str, Any]) -> None:
    """Write the book's control file."""
    (book / "book.json").write_text(json.dumps(content), encoding="utf-8")
