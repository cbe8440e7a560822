"""The arrays that the kernels take, checked: whole, finite, enough of them, not all alike."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

#: Below so many people in an arm the normal approximation of these intervals is not to be trusted.
ARM_MIN = 30


def refused(code: str, **values: object) -> Refused:
    """Return the refusal of a question that cannot be answered; the caller raises it."""
    return Refused(Diagnostic(area="learn", code=code, values=values))


def floats(values: npt.ArrayLike, what: str) -> Floats:
    """Return numbers in double precision; refuse (Refused) NaN and infinity."""
    made = np.asarray(values, np.float64)
    if not np.isfinite(made).all():
        raise refused("not_finite", what=what, count=int((~np.isfinite(made)).sum()))
    return made


def same_length(**arrays: npt.NDArray[np.generic]) -> int:
    """Return the length that arrays have in common; refuse (Refused) lengths that differ."""
    lengths = {name: len(one) for name, one in arrays.items()}
    if len(set(lengths.values())) != 1:
        raise refused("lengths", told=", ".join(f"{name} {n}" for name, n in lengths.items()))
    return next(iter(lengths.values()))


def enough(count: int, what: str, *, least: int = ARM_MIN) -> None:
    """Refuse (Refused) fewer people than an interval needs."""
    if count < least:
        raise refused("too_few", what=what, count=count, least=least)
