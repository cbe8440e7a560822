"""The shortest and the longest texts of messages that are alike: what holds of them holds of all.

Between fixed words stand typed values: a phrase that reaches over a value reaches over a shorter
one as well. So a ban that the shortest text keeps, and a demand that the longest one keeps, all
keep. What a value says itself (a day, an amount) is of one form for each kind of variable, and a
date of two: with its year it is the longest, so both are put beside short and long neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from duly.messages.bulk import Alike
from duly.messages.variables import VARIABLES


@dataclass(frozen=True, kw_only=True)
class Extreme:
    """One text at the edge of what its like may say, with its values by variable."""

    text: str
    values: Mapping[str, str]


def extremes(alike: Alike, rows: npt.NDArray[np.int64]) -> tuple[Extreme, ...]:
    """Return the extreme texts of some rows of what is alike; each a text once.

    `rows` count within `alike`, and there is one at least.
    """
    short, long = {}, {}
    for name in alike.shape.distinct:
        values = alike.values[name].take(pa.array(rows))
        lengths = pc.utf8_length(values).to_numpy()
        short[name] = values[int(lengths.argmin())].as_py()
        long[name] = values[int(lengths.argmax())].as_py()

    def mixed(is_long: Callable[[bool], bool]) -> Extreme:
        chosen = {name: (long if is_long(_is_date(name)) else short)[name] for name in short}
        text = alike.shape.pattern % tuple(chosen[name] for name in alike.shape.variables)
        return Extreme(text=text, values=chosen)

    found = (
        mixed(lambda _: False),
        mixed(lambda _: True),
        mixed(lambda date: date),
        mixed(lambda date: not date),
    )
    return tuple({one.text: one for one in found}.values())


def _is_date(name: str) -> bool:
    return VARIABLES[name] == "date"
