"""From a snapshot to a model: what was known by the close of a day, and nothing later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from duly.book import Snapshot
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.position.arrays import Days
from duly.risk.fairness import Gap, Groups, gaps, read_groups
from duly.risk.feature_table import FAMILIES, FEATURES, Family, Feature
from duly.risk.features import Scale, Seen, look
from duly.risk.fitting import Examples, Fitted, TooLittleError, fit
from duly.risk.model import Answer, Model
from duly.risk.outcomes import NEXT, QUESTIONS, Known, days_to_learn_from, known_by, outcome
from duly.risk.past import Coded, Names, Past, read_past

_EPOCH = date(1970, 1, 1)
_GROUP_MIN = 30


@dataclass(frozen=True, kw_only=True)
class Group:
    """What was said and what came of the loans of one product."""

    rows: int
    said: float
    came: float


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What was learnt of each question, and from what."""

    scale: Scale
    answers: Mapping[str, Answer]
    fitted: Mapping[str, Fitted]
    rows: Mapping[str, int]
    groups: Mapping[str, Mapping[str, Group]]  #: by question and product, on the rows that judged
    fairness: Mapping[str, Mapping[str, Mapping[str, Gap]]]  #: by question, attribute, group
    skipped: Mapping[str, TooLittleError]  #: questions of which the book says too little


def number(day: date) -> int:
    """Return days since 1970-01-01."""
    return (day - _EPOCH).days


def day_of(days: int) -> date:
    """Return the date of days since 1970-01-01."""
    return _EPOCH + timedelta(days=int(days))


def columns_of(families: Sequence[str]) -> list[int]:
    """Return the columns of families of features."""
    return [at for at, one in enumerate(FEATURES) if one.family in families]


def train(
    snapshot: Snapshot,
    until: date,
    *,
    time_zone: str,
    families: Sequence[Family] = FAMILIES,
    questions: Sequence[str] = QUESTIONS,
) -> Trained:
    """Learn each question from what was known by the close of `until`.

    Refuses (Refused) a book that says too little of the next installment.
    """
    past, names = read_past(snapshot.path, time_zone)
    known = known_by(past, names, number(until))
    loans, days = days_to_learn_from(known)
    scale = Scale.known_by(past, names, number(until))
    seen = look(past, names, loans, days, scale=scale, relations="relations" in families)
    columns = columns_of(families)
    fitted: dict[str, Fitted] = {}
    skipped: dict[str, TooLittleError] = {}
    rows: dict[str, int] = {}
    groups: dict[str, Mapping[str, Group]] = {}
    fairness: dict[str, Mapping[str, Mapping[str, Gap]]] = {}
    people = read_groups(snapshot.path, past.income.size)
    for question in questions:
        examples = _examples(known, question, seen, columns)
        rows[question] = examples.came.size
        try:
            fitted[question] = fit(examples, ways=_ways(question, [FEATURES[at] for at in columns]))
        except TooLittleError as error:
            skipped[question] = error
            continue
        groups[question] = _groups(examples, fitted[question], names.product, known.loan)
        fairness[question] = _fairness(examples, fitted[question], known, people)
    if NEXT in skipped:
        why = skipped[NEXT]
        values = {"rows": why.rows, "late": why.came, "until": until}
        raise Refused(Diagnostic(area="risk", code="too_little", values=values))
    names_of = tuple(FEATURES[at].name for at in columns)
    answers = {
        question: Answer(
            columns=names_of,
            forest=one.forest,
            slope=one.calibration.slope,
            shift=one.calibration.shift,
            steps=one.calibration.steps,
        )
        for question, one in fitted.items()
    }
    return Trained(
        scale=scale,
        answers=answers,
        fitted=fitted,
        rows=rows,
        groups=groups,
        fairness=fairness,
        skipped=skipped,
    )


def _groups(examples: Examples, fitted: Fitted, product: Coded, loan: Days) -> Mapping[str, Group]:
    """Return what was said and what came, by product, where there are rows enough to say so."""
    of = product.code[loan[examples.group[fitted.judged]]]
    came = examples.came[fitted.judged]
    found = {}
    for place, name in enumerate(product.words):
        mine = of == place
        if mine.sum() >= _GROUP_MIN:
            found[name] = Group(
                rows=int(mine.sum()),
                said=float(fitted.said[mine].mean()),
                came=float(came[mine].mean()),
            )
    return found


def _fairness(
    examples: Examples, fitted: Fitted, known: Known, people: Groups
) -> Mapping[str, Mapping[str, Gap]]:
    """Return the gaps of the groups of people, on the rows that judged."""
    loan = known.loan[examples.group[fitted.judged]]
    borrower = known.past.terms.borrower[loan]
    return gaps(fitted.said, examples.came[fitted.judged], borrower, people)


def _ways(question: str, features: list[Feature]) -> list[int]:
    """Return how each column may move the answer: late one way, a cure the other."""
    return [one.late if question == NEXT else -one.late for one in features]


def _examples(known: Known, question: str, seen: Seen, columns: list[int]) -> Examples:
    installment = seen.coming if question == NEXT else seen.oldest
    told, came = outcome(known, question, seen.day, installment)
    group = installment[told]
    _, place, counts = np.unique(group, return_inverse=True, return_counts=True)
    weight = 1.0 / counts[place]
    return Examples(
        values=seen.values[told][:, columns],
        came=came[told],
        time=known.past.schedule.due_on[group].astype(np.int64),
        weight=weight * (weight.size / max(weight.sum(), 1.0)),
        group=group,
    )


@dataclass(frozen=True, kw_only=True)
class Score:
    """The answer to one question about one installment."""

    as_of: date
    loan_id: str
    number: int
    question: str
    probability: float
    reasons: str


def score(snapshot: Snapshot, model: Model, days: list[date], *, time_zone: str) -> list[Score]:
    """Answer every question of a model for each loan on each day, from what was known by then."""
    past, names = read_past(snapshot.path, time_zone)
    ids = names.loan_id.to_pylist()
    found: list[Score] = []
    for day in days:
        found += _score_day(past, names, ids, model, day)
    return found


def _score_day(
    past: Past, names: Names, ids: Sequence[str], model: Model, day: date
) -> list[Score]:
    begun = (past.terms.disbursed_on <= number(day)) & ~names.quarantined
    loans: Days = np.flatnonzero(begun).astype(np.int32)
    on = np.full(loans.size, number(day), np.int32)
    seen = look(past, names, loans, on, scale=model.scale, relations="relations" in model.families)
    columns = columns_of(model.families)
    found: list[Score] = []
    for question, answer in model.answers.items():
        installment = seen.coming if question == NEXT else seen.oldest
        asked = np.flatnonzero(installment >= 0)
        values: npt.NDArray[np.float32] = seen.values[asked][:, columns]
        said, reasons = answer.probability(values), answer.reasons(values)
        if not np.isfinite(said).all():
            raise Refused(Diagnostic(area="risk", code="no_probability", values={"as_of": day}))
        for row, at in enumerate(asked):
            found.append(
                Score(
                    as_of=day,
                    loan_id=ids[seen.loan[at]],
                    number=int(past.schedule.number[installment[at]]),
                    question=question,
                    probability=float(said[row]),
                    reasons=reasons[row],
                )
            )
    return found
