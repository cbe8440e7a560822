"""Who will repay by themselves? A scorecard over what a loan did, never over who somebody is."""

from functools import cache

from duly.risk.reader import load_scorecard
from duly.risk.scorecard import (
    BANDS,
    HISTORY,
    PERSONAL,
    SCORE_MAX,
    Factor,
    Line,
    Reason,
    Scorecard,
)


@cache
def _built_in() -> Scorecard:
    return load_scorecard()


def sql(prefix: str = "") -> str:
    """Return the built-in score as an INTEGER expression, 0…10000."""
    return _built_in().sql(prefix)


def bands() -> tuple[int, int]:
    """Return the built-in thresholds: low risk lies below the first, high risk from the second."""
    return _built_in().medium_from, _built_in().high_from


def band_sql(score: str) -> str:
    """Return the built-in band as a text expression over the expression of a score."""
    return _built_in().band_sql(score)


def scorecard_sha256() -> str:
    """Return the fingerprint of the built-in scorecard's file."""
    return _built_in().fingerprint


__all__ = [
    "BANDS",
    "HISTORY",
    "PERSONAL",
    "SCORE_MAX",
    "Factor",
    "Line",
    "Reason",
    "Scorecard",
    "band_sql",
    "bands",
    "load_scorecard",
    "scorecard_sha256",
    "sql",
]
