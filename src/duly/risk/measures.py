"""How good probabilities are: order, separation, calibration, stability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
BINS = 10
_PSI_FLOOR = 1e-4


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Rows of like probability: how many, what was said, what came."""

    rows: int
    said: float
    came: float


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The measures of one question on rows that were not learnt from."""

    rows: int
    came: float  #: the share for which it came
    auc: float
    ks: float
    brier: float
    psi: float  #: of the scores against those that were learnt from
    bins: tuple[Bin, ...]


def auc(came: Flags, said: Floats) -> float:
    """Return the chance that a row for which it came has the higher score; ties count half."""
    _, place, counts = np.unique(said, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[place]
    some, none = int(came.sum()), int((~came).sum())
    if not some or not none:
        return float("nan")
    return float((rank[came].sum() - some * (some + 1) / 2) / (some * none))


def ks(came: Flags, said: Floats) -> float:
    """Return the largest distance between the two distributions of scores."""
    order = np.argsort(said, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(said[order])), said.size - 1)
    some = np.cumsum(came[order])[ends] / max(1, came.sum())
    none = np.cumsum(~came[order])[ends] / max(1, (~came).sum())
    return float(np.abs(some - none).max())


def bins(came: Flags, said: Floats) -> tuple[Bin, ...]:
    """Return ten bins of like size, by score."""
    order = np.argsort(said, kind="stable")
    return tuple(
        Bin(rows=part.size, said=float(said[part].mean()), came=float(came[part].mean()))
        for part in np.array_split(order, BINS)
        if part.size
    )


def psi(before: Floats, now: Floats) -> float:
    """Return the population stability index over the tenths of `before`."""
    edges = np.unique(np.quantile(before, np.linspace(0, 1, BINS + 1)[1:-1]))
    shares = [
        np.maximum(
            np.bincount(np.searchsorted(edges, values, side="right"), minlength=edges.size + 1)
            / max(1, values.size),
            _PSI_FLOOR,
        )
        for values in (before, now)
    ]
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def measure(came: Flags, said: Floats, before: Floats) -> Measured:
    """Return all measures; `before` are the scores of what was learnt from."""
    return Measured(
        rows=came.size,
        came=float(came.mean()),
        auc=auc(came, said),
        ks=ks(came, said),
        brier=float(((said - came) ** 2).mean()),
        psi=psi(before, said),
        bins=bins(came, said),
    )
