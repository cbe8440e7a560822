"""What the tests of proofs share: the example lender, its law on one day, and a plan of a book."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from duly.book import Lender, load_lender
from duly.core.check_key import CheckKey
from duly.messages import Catalogue, load_templates
from duly.plan.inputs import rules_of
from duly.plan.making import Request, make_and_write
from duly.plan.replay import read_table
from duly.policy import load, places_of
from duly.proofs.draft import Moment
from duly.proofs.prove import Proof, prove
from duly.proofs.rerun import World
from duly.rules import Rule
from duly.rules.zones import zone

AT = datetime.fromisoformat("2026-03-10T10:00:00+08:00")
BAD = Path(__file__).parents[1] / "policy" / "bad"
_KEY = CheckKey(key_id="k1", secret=b"a key of thirty-two bytes, for us")


@cache
def lender() -> Lender:
    """Give the example lender."""
    return load_lender(None)


@cache
def rules() -> tuple[Rule, ...]:
    """Give the rules in force for the example lender."""
    return rules_of(lender(), AT.date())


@cache
def texts() -> Catalogue:
    """Give the texts of the example lender."""
    return load_templates(lender().templates)


def moment() -> Moment:
    """Give the moment of every proof here."""
    local = zone(lender().time_zone)
    return Moment(instant=AT, zone=local, lender_name=lender().name, jurisdiction=lender().licence)


def world(policy: str | Path) -> World:
    """Give everything around one policy."""
    return World(
        policy=load(policy, templates=texts().names, demands=texts().demands),
        lender=lender(),
        rules=rules(),
        catalogue=texts(),
        moment=moment(),
        clock=time.perf_counter,
    )


def proved(policy: str | Path) -> Proof:
    """Prove one policy."""
    return prove(world(policy), places_of(policy))


def decided(book: Path, out: Path, policy: str | Path) -> Mapping[str, Mapping[str, Any]]:
    """Make a plan as the command does and give its decisions by loan."""
    request = Request(
        book=book, instant=AT, out=out, lender_file=None, policy=str(policy), locale="en", threads=1
    )
    make_and_write(request, key=_KEY, clock=time.perf_counter)
    return {row["loan_id"]: row for row in read_table(out, "decisions").to_pylist()}
