"""What a list of the console is: its question, its columns, what narrows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One list: its question, the column that pages go on by, and its columns with their kinds.

    `narrows` are the names of the query of its address that its question takes; `dated` says that
    it is about a period, between two runs.
    """

    sql: str
    key: str
    columns: tuple[tuple[str, str], ...]
    narrows: tuple[str, ...] = ()
    dated: bool = False
