"""Can he, and does he want to? Two answers out of one, kept apart, for who speaks with somebody.

The trees' log odds of being late are sums of what each column moved. What the columns of ability
moved is one answer, what those of willingness moved is the other; the past itself is in neither.
Both are told as the chance of paying on time if everything else were even: 0.5 says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt

from duly.book import Snapshot
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.risk.calibrating import probability
from duly.risk.feature_table import FEATURES
from duly.risk.features import look
from duly.risk.model import REASONS, Answer, Model
from duly.risk.outcomes import NEXT
from duly.risk.past import read_past
from duly.risk.training import columns_of, number

Floats = npt.NDArray[np.float64]
Side = Literal["ability", "willingness"]
SIDES: tuple[Side, ...] = ("ability", "willingness")
#: Log odds; what moved an answer by less is no reason, and no sign.
_LEAST = 0.02
_FAMILY = {one.name: one.family for one in FEATURES}


@dataclass(frozen=True, kw_only=True)
class Told:
    """One of the two answers about a loan; `sign` is `good`, `bad`, `none` or `not_known`."""

    chance: float
    sign: str
    reasons: tuple[str, ...]  #: columns with `+` where they speak for paying, `-` against it


@dataclass(frozen=True, kw_only=True)
class Apart:
    """What is said of one loan on a day."""

    as_of: date
    loan_id: str
    ability: Told
    willingness: Told


def told(answer: Answer, values: npt.NDArray[np.float32], side: Side) -> list[Told]:
    """Return one side of the answer to NEXT for each row of the columns of the model."""
    mine = [at for at, name in enumerate(answer.columns) if _FAMILY.get(name) == side]
    # The trees say 'late': what speaks for paying is the other way round.
    parts: Floats = -answer.slope * answer.forest.parts(values)[:, mine]
    moved = parts.sum(axis=1)
    chance = probability(moved, 1.0, 0.0)
    nothing: npt.NDArray[np.bool_] = np.isnan(values[:, mine]).min(axis=1)
    names = [answer.columns[at] for at in mine]
    return [
        Told(chance=float(chance[row]), sign=_sign(float(moved[row]), unknown=bool(nothing[row])),
             reasons=_reasons(parts[row], names))
        for row in range(values.shape[0])
    ]  # fmt: skip


def _sign(moved: float, *, unknown: bool) -> str:
    if unknown:
        return "not_known"
    if abs(moved) < _LEAST:
        return "none"
    return "good" if moved > 0 else "bad"


def _reasons(parts: Floats, names: Sequence[str]) -> tuple[str, ...]:
    largest = np.argsort(-np.abs(parts), kind="stable")[:REASONS]
    return tuple(
        f"{'+' if parts[at] > 0 else '-'}{names[at]}" for at in largest if abs(parts[at]) >= _LEAST
    )


def apart(snapshot: Snapshot, model: Model, days: Sequence[date], *, time_zone: str) -> list[Apart]:
    """Return both answers for each loan with an installment to come, on each day.

    Refuses (Refused) a model that was not asked of the next installment, or looks at neither side.
    """
    answer = model.answers.get(NEXT)
    sides = {_FAMILY[name] for name in answer.columns if name in _FAMILY} if answer else set()
    if answer is None or not {*SIDES} <= sides:
        raise Refused(Diagnostic(area="risk", code="not_apart"))
    past, names = read_past(snapshot.path, time_zone)
    ids, found = names.loan_id.to_pylist(), []
    for day in days:
        begun = (past.terms.disbursed_on <= number(day)) & ~names.quarantined
        loans = np.flatnonzero(begun).astype(np.int32)
        on = np.full(loans.size, number(day), np.int32)
        related = "relations" in model.families
        seen = look(past, names, loans, on, scale=model.scale, relations=related)
        asked = np.flatnonzero(seen.coming >= 0)
        values: npt.NDArray[np.float32] = seen.values[asked][:, columns_of(model.families)]
        both = [told(answer, values, side) for side in SIDES]
        found += [
            Apart(as_of=day, loan_id=ids[seen.loan[at]], ability=ability, willingness=willingness)
            for at, ability, willingness in zip(asked, *both, strict=True)
        ]
    return found
