"""How long does a word count? Until a later book has its key, or 72 hours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from duly.delivery.door import FACT_OF, Told
from duly.service.facts.cells import instant_of

IN_FORCE = timedelta(hours=72)
#: Only these holds lapse by themselves (contract, section 3); other signals wait for a book.
LAPSING_SIGNALS = ("payment_pending", "promise")
#: The same as SQL over a word `w`: does it say something that a lost export must not undo?
LASTING_SQL = (
    f"(w.kind = 'signal' AND w.data->>'kind' NOT IN {LAPSING_SIGNALS}"
    " OR w.kind = 'consent' AND w.data->>'granted' = 'withdrawn'"
    " OR w.kind = 'preference'"
    " OR w.kind = 'contact_point' AND w.data->>'status' IN ('wrong_person', 'invalid'))"
)
#: Holds that are no fact of a rule: a plan never writes to such a loan.
HOLDS = {"agency": "placed"}


def is_lasting(kind: str, data: Mapping[str, Any]) -> bool:
    """Return whether a word stays in force beyond 72 hours: to be left alone, or his own wish."""
    if kind == "signal":
        return data["kind"] not in LAPSING_SIGNALS
    if kind == "consent":
        return bool(data["granted"] == "withdrawn")
    if kind == "preference":
        return True
    return kind == "contact_point" and data["status"] in ("wrong_person", "invalid")


def in_force(word: Mapping[str, Any], *, at: datetime, cut_at: datetime | None) -> bool:
    """Return whether a word counts at an instant; `cut_at` is of the newest book with its key."""
    if cut_at is not None and cut_at > word["time"]:
        return False
    return at - word["time"] < IN_FORCE or is_lasting(word["kind"], word["data"])


def signal_of(data: Mapping[str, Any], ended: Mapping[str, Any] | None) -> Told:
    """Return a signal as the door takes it; `ended` are the data of the word that cleared it."""
    starts = instant_of(data["starts_at"])
    ends = [instant_of(one["ends_at"]) for one in (data, ended) if one and one["ends_at"]]
    detail = json.loads(data["detail"] or "{}")
    if data["kind"] == "promise":
        last = date.fromisoformat(detail["on"]) + timedelta(days=2)
        ends.append(datetime.combine(last, time(), UTC))
    return Told(
        kind=data["kind"],
        loan_id=data["loan_id"],
        starts_at=starts,
        ends_at=max(starts, min(ends)) if ends else None,
        channel=detail.get("channel") if data["kind"] == "opt_out" else None,
    )


def reason_of(kind: str) -> str | None:
    """Return why nothing is sent while a signal of a kind is open, None where it stops nothing."""
    return HOLDS.get(kind) or (kind if kind in FACT_OF else None)
