"""The stages of a plan: SQL files read in order, each readable alone by an analyst or auditor."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from string import Template
from types import MappingProxyType

import duckdb

STAGES = (
    "01_candidates",
    "02_people",
    "03_signals",
    "04_promises",
    "05_money_held",
    "06_contacts",
    "07_features",
    "08_proposals",
    "09_verdicts",
    "10_outcomes",
    "11_conversations",
    "12_decided",
    "13_orders",
    "14_decisions",
)


#: From the outcome of each loan to the messages that are written.
SETTLING = ("11_conversations", "12_decided", "13_orders")
_SETTLED = (
    "table orders",
    "table message_ids",
    "table decided",
    "view settled",
    "table calls_today",
    "table conversations",
)

#: What no later stage reads, dropped as soon as a stage is done: memory stays with the widest two.
DROPPED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "06_contacts": ("view contact_rows",),
        "10_outcomes": (
            "view verdicts",
            "view asked",
            "view proposals",
            "view scored",
            "view features",
            "table candidates",
            "table history",
            "table signal_rows",
            "table cap_counts",
        ),
        # Not before every text is lawful: a text that is not sends its borrower back to here.
        "14_decisions": ("view settled", "table outcomes"),
    }
)


def text(stage: str, fragments: Mapping[str, str]) -> str:
    """Return the SQL of one stage, the compiled conditions in their places."""
    source = resources.files("duly.plan").joinpath("sql", f"{stage}.sql").read_text("utf-8")
    return Template(source).substitute(fragments)


def run(connection: duckdb.DuckDBPyConnection, stage: str, fragments: Mapping[str, str]) -> None:
    """Execute one stage."""
    connection.execute(text(stage, fragments))


def undo(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop what was settled since the outcomes, so that `SETTLING` may be run again."""
    for relation in _SETTLED:
        connection.execute(f"drop {relation}")


def drop(connection: duckdb.DuckDBPyConnection, stage: str) -> None:
    """Drop the relations that no stage after this one reads."""
    for relation in DROPPED.get(stage, ()):
        connection.execute(f"drop {relation}")
