"""The normal distribution, from the standard library."""

from __future__ import annotations

from statistics import NormalDist

_STANDARD = NormalDist()


def quantile(probability: float) -> float:
    """Return the point below which a standard normal falls with this probability."""
    return _STANDARD.inv_cdf(probability)


def two_sided(level: float) -> float:
    """Return the half width, in standard errors, of a central interval.

    >>> round(two_sided(0.95), 4)
    1.96
    """
    return quantile(0.5 + level / 2)


def p_value(z: float) -> float:
    """Return the two-sided p-value of a standard score.

    >>> round(p_value(1.96), 3)
    0.05
    """
    return 2 * _STANDARD.cdf(-abs(z))
