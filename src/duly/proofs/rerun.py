"""A borrower of the solver, decided by the real pipeline: book, snapshot, plan."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from duly.book import TABLES, Lender, take_snapshot
from duly.core.errors import DulyError
from duly.messages import Catalogue
from duly.plan.inputs import PlanInputs
from duly.plan.pipeline import Plan, make_plan
from duly.policy import Policy
from duly.proofs.draft import Moment, Row, Tables
from duly.proofs.person import Built
from duly.proofs.search import OTHER, Clock
from duly.rules import Rule

Decided: TypeAlias = Mapping[str, object]

#: Tables that a plan cannot do without, header only where nothing is to be said.
_NEEDED = (
    "loans", "installments", "payments", "borrowers", "contact_points", "contacts", "signals",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the plan made of one borrower; `refused` says why where it made nothing."""

    decision: Decided
    features: Decided
    refused: str = ""

    def differs(self, built: Built, names: frozenset[str]) -> tuple[str, ...]:
        """Return the features, of those named, that are not what the solver chose."""
        wanted = built.values.features
        return tuple(
            sorted(
                name
                for name in names & set(wanted) & set(self.features)
                if wanted[name] != OTHER and wanted[name] != self.features[name]
            )
        )


@dataclass(frozen=True, kw_only=True)
class World:
    """Everything around the borrowers: who lends, under which rules, when."""

    policy: Policy
    lender: Lender
    rules: tuple[Rule, ...]
    catalogue: Catalogue
    moment: Moment
    clock: Clock


def decide(world: World, people: Sequence[Built]) -> Mapping[str, Outcome]:
    """Return what the real plan makes of each borrower, by loan, all of them in one book.

    Where the plan refuses one (a text that its facts do not carry), each is asked alone.
    """
    if not people:
        return {}
    try:
        return _planned(world, people)
    except DulyError as refused:
        if len(people) == 1:
            outcome = Outcome(decision={}, features={}, refused=str(refused))
            return {people[0].loan_id: outcome}
    found: dict[str, Outcome] = {}
    for one in people:
        found.update(decide(world, [one]))
    return found


def _planned(world: World, people: Sequence[Built]) -> Mapping[str, Outcome]:
    with TemporaryDirectory() as folder:
        work = Path(folder)
        write_book(work / "book", [one.tables for one in people], world.moment)
        snapshot = take_snapshot(
            work / "book", work / "snapshot", lender=world.lender, needs="plan", threads=1
        )
        inputs = PlanInputs(
            snapshot=snapshot, instant=world.moment.instant, lender=world.lender,
            policy=world.policy, rules=world.rules, catalogue=world.catalogue,
        )  # fmt: skip
        plan = make_plan(inputs, clock=world.clock, threads=1, keep_stages=True)
        try:
            return _outcomes(plan)
        finally:
            plan.connection.close()


def _outcomes(plan: Plan) -> Mapping[str, Outcome]:
    seen = {
        row["loan_id"]: row
        for row in plan.connection.sql("from scored").to_arrow_table().to_pylist()
    }
    return {
        row["loan_id"]: Outcome(decision=row, features=seen.get(row["loan_id"], {}))
        for row in plan.decisions.to_pylist()
    }


def write_book(folder: Path, books: Sequence[Tables], moment: Moment) -> None:
    """Write the tables of some borrowers as one book of CSV files."""
    folder.mkdir(parents=True)
    names = {name for tables in books for name in tables} | set(_NEEDED)
    for name in sorted(names):
        rows = [row for tables in books for row in tables.get(name, [])]
        _write_table(folder / f"{name}.csv", [one.name for one in TABLES[name].columns], rows)
    control = {"contract": 1, "cut_at": moment.at(0, 0)}
    (folder / "book.json").write_text(json.dumps(control) + "\n", encoding="utf-8")


def _write_table(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    used = [name for name in columns if not rows or any(row.get(name) for row in rows)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, used, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
