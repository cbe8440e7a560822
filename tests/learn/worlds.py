"""Simulated worlds in which the truth is known, and how far a share may be off by chance."""

from __future__ import annotations

from math import sqrt

import numpy as np
import numpy.typing as npt


def generator(seed: int) -> np.random.Generator:
    """Return the source of a world; the same seed gives the same world."""
    return np.random.default_rng(seed)


def off_by(share: float, worlds: int) -> float:
    """Return three standard deviations of a share that is estimated from so many worlds."""
    return 3 * sqrt(share * (1 - share) / worlds)


def people(
    rng: np.random.Generator, count: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Return covariates, a fair draw and outcomes; contact helps where the first covariate is high.

    The effect of contact is 0.2 above nought and nothing below.
    """
    x = rng.normal(size=(count, 3))
    treated = rng.random(count) < 0.5
    chance = 0.4 + 0.05 * x[:, 1].clip(-2, 2) + 0.2 * (treated & (x[:, 0] > 0))
    return x, treated, (rng.random(count) < chance).astype(np.float64)
