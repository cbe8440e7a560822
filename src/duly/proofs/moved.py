"""Whom another policy moves: two plans of one book, compared loan by loan, harm first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from duly.book import Lender, Snapshot
from duly.messages import Catalogue
from duly.plan import instants
from duly.plan.inputs import PlanInputs
from duly.plan.pipeline import Clock, make_plan, positions_of
from duly.policy import TASK_KINDS, TONES, Policy
from duly.risk.registry import Champion
from duly.rules import Rule
from duly.rules.zones import zone

#: What a move does to a borrower, the gravest first; those up to MEETS_CAP are harm.
Kind: TypeAlias = Literal[
    "care_lost", "text_more", "call_more", "call_for_text", "text_earlier", "tone_harsher",
    "meets_cap", "care_gained", "text_less", "call_less", "text_for_call", "tone_gentler",
    "changed",
]  # fmt: skip
HARM: tuple[Kind, ...] = (
    "care_lost", "text_more", "call_more", "call_for_text", "text_earlier", "tone_harsher",
    "meets_cap",
)  # fmt: skip
LESS: tuple[Kind, ...] = (
    "care_gained", "text_less", "call_less", "text_for_call", "tone_gentler",
)  # fmt: skip
#: Tasks in which a person checks, asks or cares before anybody is asked for money.
_CARES = frozenset(TASK_KINDS) - {"call"}
#: Waits that end by themselves: the text would have come, later.
_LATER = frozenset({"grace", "patience", "cooldown", "window", "capacity"})
_COMPARED = ("decision", "reason", "tone", "channel", "template", "task_kind")
_SHOWN = ("decision", "reason", "tone", "channel")


@dataclass(frozen=True, kw_only=True)
class Transition:
    """So many loans go from one decision to another; both hold decision, reason, tone, channel."""

    before: tuple[str | None, ...]
    after: tuple[str | None, ...]
    loans: int


@dataclass(frozen=True, kw_only=True)
class Group:
    """The loans that one kind of move touches, in the order of their ids."""

    kind: Kind
    transitions: tuple[Transition, ...]
    loan_ids: tuple[str, ...]
    borrowers: int


@dataclass(frozen=True, kw_only=True)
class Moves:
    """What two plans of one book differ in; groups stand in the order of Kind."""

    loans: int
    groups: tuple[Group, ...]

    @property
    def moved(self) -> int:
        """How many loans are decided otherwise."""
        return sum(len(group.loan_ids) for group in self.groups)


def compare(
    old: Policy,
    new: Policy,
    *,
    snapshot: Snapshot,
    lender: Lender,
    rules: tuple[Rule, ...],
    catalogue: Catalogue,
    instant: datetime,
    clock: Clock,
    threads: int = 0,
    champion: Champion | None = None,
) -> Moves:
    """Plan a snapshot under both policies and return who is moved.

    Scores are those of `champion`; without one, as in a plan without a model, there are none.
    """
    tables: list[pa.Table] = []
    today = instants.business_date(instant, zone(lender.time_zone))
    positions = positions_of(snapshot, today, lender, threads)
    for policy in (old, new):
        inputs = PlanInputs(
            snapshot=snapshot, instant=instant, lender=lender, policy=policy, rules=rules,
            catalogue=catalogue, champion=champion,
        )  # fmt: skip
        plan = make_plan(inputs, clock=clock, threads=threads, computed=lambda: positions)
        tables.append(plan.decisions.select(["loan_id", "borrower_id", *_COMPARED]))
        plan.connection.close()
    return moves(*tables)


def moves(before: pa.Table, after: pa.Table) -> Moves:
    """Return who is moved between two tables of decisions, both sorted by loan."""
    assert before["loan_id"].equals(after["loan_id"]), "both plans decide every loan of one book"
    reached = [_reached(table) for table in (before, after)]
    found: dict[Kind, list[tuple[str, str, tuple[str | None, ...], tuple[str | None, ...]]]] = {}
    differing = _differing(before, after)
    rows = zip(before.take(differing).to_pylist(), after.take(differing).to_pylist(), strict=True)
    for old, new in rows:
        kind = _kind(old, new, reached[0].get(old["borrower_id"], ""))
        shown = tuple(tuple(row[name] for name in _SHOWN) for row in (old, new))
        found.setdefault(kind, []).append((old["loan_id"], old["borrower_id"], *shown))
    order: tuple[Kind, ...] = (*HARM, *LESS, "changed")
    return Moves(
        loans=before.num_rows,
        groups=tuple(_group(kind, found[kind]) for kind in order if kind in found),
    )


def _differing(before: pa.Table, after: pa.Table) -> pa.Array:
    """Return the places of the rows that differ in what is compared."""
    differs = None
    for name in _COMPARED:
        one, two = (pc.fill_null(table[name], "") for table in (before, after))
        unequal = pc.not_equal(one, two)
        differs = unequal if differs is None else pc.or_(differs, unequal)
    return pc.indices_nonzero(differs)


def _reached(table: pa.Table) -> Mapping[str, str]:
    """Return by borrower how a plan reaches them: by text, by call; not those whom it does not."""
    found: dict[str, str] = {}
    spoken = table.filter(pc.is_valid(table["channel"]))
    for row in spoken.select(["borrower_id", "decision"]).to_pylist():
        way = "text" if row["decision"] == "contact" else "call"
        if found.get(row["borrower_id"]) != "text":
            found[row["borrower_id"]] = way
    return found


def _way(row: Mapping[str, object]) -> str:
    if row["channel"] is None:
        return ""
    return "text" if row["decision"] == "contact" else "call"


def _kind(old: Mapping[str, object], new: Mapping[str, object], borrower: str) -> Kind:
    """Return what a move does; `borrower` says how the old plan reached the borrower at all."""
    before, after = _way(old), _way(new)
    cared, cares = (one["task_kind"] in _CARES for one in (old, new))
    if cared and not cares and after:
        return "care_lost"
    if cares and not cared and before:
        return "care_gained"
    if after == "text" and before == "text":
        return _tone(old, new)
    if after == "text" and before == "call":
        return "text_for_call"
    if after == "call" and before == "text":
        return "call_for_text"
    if after and not before:
        if borrower:  # Another loan of theirs spoke before: no contact more, another subject.
            return "changed"
        if after == "call":
            return "call_more"
        waited = old["decision"] == "wait" and old["reason"] in _LATER
        return "text_earlier" if waited else "text_more"
    if new["reason"] == "cap" and old["reason"] != "cap":
        return "meets_cap"
    if before and not after:
        return "text_less" if before == "text" else "call_less"
    return "changed"


def _tone(old: Mapping[str, object], new: Mapping[str, object]) -> Kind:
    one, two = (TONES.index(str(row["tone"])) for row in (old, new))
    return "tone_harsher" if two > one else "tone_gentler" if two < one else "changed"


def _group(
    kind: Kind, rows: Sequence[tuple[str, str, tuple[str | None, ...], tuple[str | None, ...]]]
) -> Group:
    counted: dict[tuple[tuple[str | None, ...], tuple[str | None, ...]], int] = {}
    for _, _, before, after in rows:
        counted[before, after] = counted.get((before, after), 0) + 1
    ordered = sorted(counted.items(), key=lambda item: (-item[1], str(item[0])))
    return Group(
        kind=kind,
        transitions=tuple(
            Transition(before=before, after=after, loans=count)
            for (before, after), count in ordered
        ),
        loan_ids=tuple(row[0] for row in rows),
        borrowers=len({row[1] for row in rows}),
    )
