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
        "12_decided": ("view settled", "table outcomes"),
    }
)


def text(stage: str, fragments: Mapping[str, str]) -> str:
    """Return the SQL of one stage, the compiled conditions in their places."""
    source = resources.files("duly.plan").joinpath("sql", f"{stage}.sql").read_text("utf-8")
    return Template(source).substitute(fragments)


def run(connection: duckdb.DuckDBPyConnection, stage: str, fragments: Mapping[str, str]) -> None:
    """Execute one stage."""
    connection.execute(text(stage, fragments))


def drop(connection: duckdb.DuckDBPyConnection, stage: str) -> None:
    """Drop the relations that no stage after this one reads."""
    for relation in DROPPED.get(stage, ()):
        connection.execute(f"drop {relation}")
