"""Does a model say too much of some people? What was said against what came, by group.

Only groups that the book lawfully knows and that no feature looks at: region, language, thirds of
the stated income. Nothing else about who somebody is stands in a book at all. They are looked at
here to find harm, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from duly.position.arrays import Days

Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.str_]
#: Fewer borrowers than these say nothing of a group.
PEOPLE_MIN = 30
LEVEL = 0.95
_INCOMES = ("low", "middle", "high")


@dataclass(frozen=True, kw_only=True)
class Gap:
    """One group: `gap` is what came less what was said, with an interval; `off` beyond chance."""

    people: int
    rows: int
    said: float
    came: float
    gap: float
    low: float
    high: float
    off: bool


@dataclass(frozen=True, kw_only=True)
class Groups:
    """The group of each borrower index by attribute; an empty text is nobody's group."""

    of: Mapping[str, Texts]


def read_groups(path: Path, size: int) -> Groups:
    """Return the groups of a snapshot's borrowers, of whom there are `size`."""
    names = ["borrower", "region", "locale", "monthly_income"]
    table = pq.read_table(path / "borrowers.parquet", columns=names)
    at = np.array(table["borrower"].cast(pa.int64()).to_numpy(), np.int64)
    known = (at >= 0) & (at < size)
    made: dict[str, Texts] = {}
    for name, short in (("region", _region), ("locale", _language)):
        words = np.full(size, "", dtype="U16")
        told = np.array([short(one or "") for one in table[name].to_pylist()], dtype="U16")
        words[at[known]] = told[known]
        made[name] = words
    income = np.full(size, np.nan)
    income[at[known]] = table["monthly_income"].cast(pa.float64()).to_numpy()[known]
    made["income"] = _thirds(income)
    return Groups(of=made)


def _region(text: str) -> str:
    """Return the province of a GB/T 2260 number; a code of ISO 3166-2 as it is."""
    return text[:2] if text.isdigit() else text[:16]


def _language(text: str) -> str:
    return text.partition("-")[0]


def _thirds(income: Floats) -> Texts:
    made = np.full(income.size, "", dtype="U16")
    known = np.flatnonzero(np.isfinite(income))
    if known.size:
        edges = np.quantile(income[known], (1 / 3, 2 / 3))
        made[known] = np.array(_INCOMES)[np.searchsorted(edges, income[known], side="left")]
    return made


def gaps(
    said: Floats, came: npt.NDArray[np.bool_], borrower: Days, groups: Groups
) -> dict[str, dict[str, Gap]]:
    """Return the gap of each group that has people enough, by attribute.

    Rows of one borrower go together: the interval counts people, not rows, and holds for all
    groups of an attribute at once (Bonferroni).
    """
    found: dict[str, dict[str, Gap]] = {}
    for name, of in groups.of.items():
        words = of[borrower]
        kept = [
            str(word)
            for word in np.unique(words)
            if word and np.unique(borrower[words == word]).size >= PEOPLE_MIN
        ]
        # With one group there is nobody to be unfair against.
        if len(kept) > 1:
            z = NormalDist().inv_cdf(1 - (1 - LEVEL) / 2 / len(kept))
            found[name] = {
                word: _gap(said[words == word], came[words == word], borrower[words == word], z)
                for word in kept
            }
    return found


def _gap(said: Floats, came: npt.NDArray[np.bool_], borrower: Days, z: float) -> Gap:
    rest = came - said
    gap = float(rest.mean())
    _, place = np.unique(borrower, return_inverse=True)
    people = int(place.max()) + 1
    sums = np.bincount(place, weights=rest - gap)
    se = sqrt(float((sums**2).sum()) * people / (people - 1)) / rest.size
    low, high = gap - z * se, gap + z * se
    return Gap(
        people=people, rows=rest.size, said=float(said.mean()), came=float(came.mean()), gap=gap,
        low=low, high=high, off=low > 0 or high < 0,
    )  # fmt: skip
