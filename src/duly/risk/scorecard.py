"""A score from a loan's history: points that anybody can add up, in SQL and on one row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from duly.conditions import Condition, Field, Kind, Vocabulary, evaluate, to_sql

SCORE_MAX = 10_000
BANDS = ("low_risk", "medium_risk", "high_risk")

#: Who the borrower is: no score may look at it, under any of its names.
_PERSONAL = """
    age birth birth_date birth_year birthday children date_of_birth dependants disability
    education education_level ethnicity family_size family_status gender health income_source
    marital marital_status marriage married name nationality native_place occupation origin
    political_status pregnancy profession race religion schooling sex spouse surname zodiac
    年龄 性别 学历 教育 婚姻 婚姻状况 民族 籍贯 职业 宗教
"""
PERSONAL = frozenset(_PERSONAL.split())


def _history(kind: Kind, names: str, *, nullable: bool = False) -> dict[str, Field]:
    return {
        name: Field(name=name, kind=kind, doc_key=f"feature.{name}", nullable=nullable)
        for name in names.split()
    }


#: What a scorecard may look at: what the loan did.
HISTORY: Vocabulary = MappingProxyType(
    {
        **_history(
            "integer",
            "late_count_12m_after_grace late_count_12m days_past_due_max_12m days_past_due "
            "days_delinquent installments_overdue promises_broken_since_arrears",
        ),
        **_history("integer", "days_since_paid", nullable=True),
        **_history("money", "paid_total outstanding_total overdue_total"),
    }
)


@dataclass(frozen=True, kw_only=True)
class Line:
    """Points for the loans for which a condition holds; `reason` is a key of the words `risk`."""

    condition: Condition
    points: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Factor:
    """One thing looked at: the first line that holds counts, none counts 0."""

    name: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why a score is what it is: the factor, its points and the key of its sentence."""

    factor: str
    points: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Scorecard:
    """Points from history; scores and thresholds are basis points of being late next time."""

    name: str
    version: int
    base: int
    medium_from: int
    high_from: int
    factors: tuple[Factor, ...]
    fingerprint: str

    def sql(self, prefix: str = "") -> str:
        """Return the score as an INTEGER expression, 0…10000, over the history's columns."""
        terms = [str(self.base), *(_factor_sql(factor, prefix) for factor in self.factors)]
        return f"CAST(greatest(0, least({SCORE_MAX}, {' + '.join(terms)})) AS INTEGER)"

    def band_sql(self, score: str) -> str:
        """Return the band as a text expression over the expression of a score."""
        return (
            f"(CASE WHEN {score} >= {self.high_from} THEN 'high_risk' "
            f"WHEN {score} >= {self.medium_from} THEN 'medium_risk' ELSE 'low_risk' END)"
        )

    def score(self, row: Mapping[str, object]) -> int:
        """Return the score of one row; equal to the SQL's."""
        points = self.base + sum(reason.points for reason in self.reasons(row))
        return max(0, min(SCORE_MAX, points))

    def band(self, score: int) -> str:
        """Return the band of a score."""
        if score >= self.high_from:
            return "high_risk"
        return "medium_risk" if score >= self.medium_from else "low_risk"

    def reasons(self, row: Mapping[str, object]) -> tuple[Reason, ...]:
        """Return what counted for one row, the largest points first (then by factor)."""
        found = [_counted(factor, row) for factor in self.factors]
        made = [reason for reason in found if reason is not None]
        return tuple(sorted(made, key=lambda one: (-abs(one.points), one.factor)))


def _counted(factor: Factor, row: Mapping[str, object]) -> Reason | None:
    for line in factor.lines:
        if evaluate(line.condition, row) is True:
            return Reason(factor=factor.name, points=line.points, reason=line.reason)
    return None


def _factor_sql(factor: Factor, prefix: str) -> str:
    branches = " ".join(
        f"WHEN {to_sql(line.condition, prefix)} THEN {line.points}" for line in factor.lines
    )
    return f"(CASE {branches} ELSE 0 END)"
