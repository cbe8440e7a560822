"""How well do the labels agree with those of people? The scores that the labelling guide names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from duly.messages.lint.model import (
    CONTENT,
    LABELS,
    MISSING,
    PERSONAL,
    SCAM,
    THIRD_PARTY,
    Labelled,
)

_OPT_OUT = "missing_optout"


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How often something was found rightly, found wrongly, and not found."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def precision(self) -> Fraction | None:
        """Return the share of what was found that is right; None where nothing was found."""
        return _share(self.right, self.right + self.wrong)

    @property
    def recall(self) -> Fraction | None:
        """Return the share of what there is that was found; None where there is nothing."""
        return _share(self.right, self.right + self.missed)

    @property
    def f1(self) -> Fraction | None:
        """Return the harmonic mean of both; None where there is nothing and nothing was found."""
        return _share(2 * self.right, 2 * self.right + self.wrong + self.missed)


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The scores of one set of texts."""

    rows: int
    exact: int  #: rows whose labels agree altogether
    any_violation: Counts
    labels: Mapping[str, Counts]
    lawful_firm: int  #: rows marked hard_negative
    false_alarms: int  #: of them, those with a label
    polite_unlawful: int  #: rows marked hard_positive
    polite_found: int  #: of them, those with a label

    @property
    def content_f1(self) -> Fraction | None:
        """Return the mean F1 of the labels of content and personal data, as far as they occur."""
        return self._mean((*CONTENT, PERSONAL))

    @property
    def missing_f1(self) -> Fraction | None:
        """Return the mean F1 of what is missing, the opt-out among it, as far as it occurs."""
        return self._mean(MISSING)

    @property
    def missing_without_opt_out_f1(self) -> Fraction | None:
        """Return the mean F1 of what is missing beside the opt-out: that one is our own policy."""
        return self._mean(tuple(label for label in MISSING if label != _OPT_OUT))

    def _mean(self, names: tuple[str, ...]) -> Fraction | None:
        found = [f1 for name in names if (f1 := self.labels[name].f1) is not None]
        return sum(found, Fraction()) / len(found) if found else None


def score(rows: Iterable[tuple[Labelled, Iterable[str]]]) -> Scores:
    """Return the scores of texts beside the labels found for them; `none` counts as no label.

    What is missing is left out of account where the text goes to somebody else or is a swindle.
    """
    counted = dict.fromkeys(LABELS, (0, 0, 0))
    either, exact, size = (0, 0, 0), 0, 0
    hard = {"hard_negative": [0, 0], "hard_positive": [0, 0]}
    for row, given in rows:
        masked = set(MISSING) if row.message.stage in (THIRD_PARTY, SCAM) else set[str]()
        wanted = row.labels - masked
        found = (set(given) & set(LABELS)) - masked
        size += 1
        exact += found == wanted
        either = _counted(either, bool(found), bool(wanted))
        for label in LABELS:
            counted[label] = _counted(counted[label], label in found, label in wanted)
        if row.hard in hard:
            hard[row.hard][0] += 1
            hard[row.hard][1] += bool(found)
    return Scores(
        rows=size,
        exact=exact,
        any_violation=_counts(either),
        labels={label: _counts(found) for label, found in counted.items()},
        lawful_firm=hard["hard_negative"][0],
        false_alarms=hard["hard_negative"][1],
        polite_unlawful=hard["hard_positive"][0],
        polite_found=hard["hard_positive"][1],
    )


def _counted(so_far: tuple[int, int, int], found: bool, wanted: bool) -> tuple[int, int, int]:
    right, wrong, missed = so_far
    return right + (found and wanted), wrong + (found and not wanted), missed + (wanted > found)


def _counts(three: tuple[int, int, int]) -> Counts:
    return Counts(right=three[0], wrong=three[1], missed=three[2])


def _share(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None
