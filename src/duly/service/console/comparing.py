"""Two policies compared on the book of this instant: `python -m duly.service.console.comparing`.

A process of its own, as a proof has: two plans take cores and memory that the pages need. What is
asked comes on standard input from the server, the answer goes out as JSON.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from duly.book import Lender, take_snapshot
from duly.core.errors import Refused
from duly.plan.making import wishes_of
from duly.proofs.moved import Group, Transition, compare
from duly.risk.registry import champion
from duly.rules.zones import zone
from duly.service import setting_up

#: The pages come first.
_NICE = 10
_SHOWN = ("decision", "reason", "tone", "channel")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which two policies are compared, for which lender, on the book of which legal instant."""

    url: str = field(repr=False)
    lender: Lender
    at: datetime
    old: tuple[str, bytes]
    new: tuple[str, bytes]
    locale: str


def answer(asked: Asked) -> dict[str, Any]:
    """Return whom the new policy moves, as JSON values; or with what the book was refused."""
    started = time.monotonic()
    setting_up.set_up(asked.url)
    # Models may be imported once Django's settings are read.
    from duly.service.operations.books import export_book

    lender, threads = asked.lender, 1
    try:
        today = asked.at.astimezone(zone(lender.time_zone)).date()
        old, rules, catalogue = wishes_of(*asked.old, lender, today)
        new, _, _ = wishes_of(*asked.new, lender, today)
        with tempfile.TemporaryDirectory(prefix="duly-compare-") as work:
            export_book(Path(work) / "book", lender=lender, at=asked.at)
            snapshot = take_snapshot(
                Path(work) / "book", Path(work) / "snapshot", lender=lender, needs="plan",
                locale=asked.locale, threads=threads,
            )  # fmt: skip
            found = compare(
                old, new, snapshot=snapshot, lender=lender, rules=rules, catalogue=catalogue,
                instant=asked.at, clock=time.perf_counter, threads=threads,
                champion=champion(lender.models),
            )  # fmt: skip
    except Refused as refused:
        return {"refused": [_plain(one) for one in refused.diagnostics]}
    return {
        "loans": found.loans, "moved": found.moved, "groups": list(map(_group, found.groups)),
        "moves": {one.kind: list(one.loan_ids) for one in found.groups},
        "seconds": round(time.monotonic() - started, 1),
    }  # fmt: skip


def _plain(one: Any) -> dict[str, Any]:
    return {"area": one.area, "code": one.code, "values": dict(one.values)}


def _group(one: Group) -> dict[str, Any]:
    return {
        "kind": one.kind, "loans": len(one.loan_ids), "borrowers": one.borrowers,
        "transitions": list(_transitions(one.transitions)),
    }  # fmt: skip


def _transitions(found: tuple[Transition, ...]) -> Iterator[Mapping[str, Any]]:
    for one in found:
        yield {
            "from": dict(zip(_SHOWN, one.before, strict=True)),
            "to": dict(zip(_SHOWN, one.after, strict=True)), "loans": one.loans,
        }  # fmt: skip


def main() -> None:
    """Answer the question on standard input."""
    os.nice(_NICE)
    asked = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 Our own server wrote it.
    sys.stdout.write(json.dumps(answer(asked), default=str))


if __name__ == "__main__":
    main()
