"""Arms that ended because they harmed: a file that only grows, read with each plan.

`duly learn report --stops FILE` adds to it, the lender file names it (`stops`), and whoever was
drawn into an ended arm gets what the control gets from the next plan on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

from duly.core import files
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.policy.model import Policy

_KEYS = ("experiment", "arm", "harm", "on")


@dataclass(frozen=True, kw_only=True, order=True)
class Stop:
    """One ended arm: which harm ended it, and the day of the book on which it did (ISO)."""

    experiment: str
    arm: str
    harm: str
    on: str


def read_stops(path: Path) -> tuple[Stop, ...]:
    """Return the arms that ended; refuse (Refused) a file that is missing or is none.

    A lost file must not start an arm again that harmed.
    """
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["stops"]
        made = tuple(Stop(**{name: str(row[name]) for name in _KEYS}) for row in rows)
        for one in made:
            date.fromisoformat(one.on)
    except (OSError, ValueError, KeyError, TypeError) as error:
        values = {"problem": str(error)}
        raise Refused(
            Diagnostic(area="policy", code="no_stops", file=str(path), values=values)
        ) from error
    return made


def add_stops(path: Path, found: Iterable[Stop]) -> tuple[Stop, ...]:
    """Add ended arms to a file and return those that are new; nothing is ever taken out.

    An arm that ended already keeps its first day. Refuses what `read_stops` refuses, save that
    there is no file yet.
    """
    before = read_stops(path) if path.exists() else ()
    known = {(one.experiment, one.arm) for one in before}
    new: list[Stop] = []
    for one in sorted(found, key=lambda stop: (stop.on, stop)):
        if (one.experiment, one.arm) not in known:
            known.add((one.experiment, one.arm))
            new.append(one)
    rows = [asdict(one) for one in (*before, *new)]
    text = json.dumps({"stops": rows}, ensure_ascii=False, indent=1) + "\n"
    files.put(path, text.encode())
    return tuple(new)


def with_stops(policy: Policy, stops: Iterable[Stop]) -> Policy:
    """Return a policy whose ended arms give what their control gives."""
    over: dict[str, set[str]] = {}
    for stop in stops:
        over.setdefault(stop.experiment, set()).add(stop.arm)
    experiments = tuple(
        replace(
            one,
            ended=tuple(
                arm.name
                for arm in one.arms
                if arm.name in over.get(one.id, ()) and arm.name != one.control
            ),
        )
        for one in policy.experiments
    )
    return replace(policy, experiments=experiments)
