"""How well are replies read? Figures of the guide over labelled replies and their readings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from duly.replies.reading import Reading

#: What must not be missed; hardship counts where the row says that somebody is vulnerable.
DANGEROUS = ("opt_out", "dispute_identity", "deceased_or_incapacity", "legal_representation")


@dataclass(frozen=True, kw_only=True)
class Label:
    """What the guide says about one reply."""

    intent: str
    promise_date: date | None = None
    date_confidence: str | None = None
    amount: Decimal | None = None
    vulnerable: bool = False


@dataclass(frozen=True, kw_only=True)
class Count:
    """How many of how many."""

    right: int = 0
    of: int = 0

    @property
    def share(self) -> Fraction | None:
        """The share, or None of none."""
        return Fraction(self.right, self.of) if self.of else None

    def counted(self, right: bool) -> Count:
        """Return the count with one more."""
        return Count(right=self.right + right, of=self.of + 1)


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The figures over a set: each a count of right ones of those it is asked of.

    `firm_dates` and `soft_dates` are asked where the label has such a date, `no_dates` where it
    has none; `amounts` where it has a figure; `dangerous` is the recall on what must not be
    missed, `not_silent` counts of these those that at least a person reads; `vulnerable` the
    recall of vulnerability and `false_vulnerable` the rows without it that were marked.
    `macro_f1` is the mean F1 of the intents that labels have.
    """

    intents: Count
    firm_dates: Count
    soft_dates: Count
    no_dates: Count
    amounts: Count
    dangerous: Count
    not_silent: Count
    vulnerable: Count
    false_vulnerable: Count
    by_intent: Mapping[str, Count]
    macro_f1: Fraction | None


def label_of(row: Mapping[str, object]) -> Label:
    """Return the label of a row of labelled replies (keys of the guide)."""
    day, amount = row.get("promise_date"), row.get("amount")
    confidence = row.get("date_confidence")
    return Label(
        intent=str(row["intent"]),
        promise_date=date.fromisoformat(str(day)) if day else None,
        date_confidence=str(confidence) if confidence else None,
        amount=None if amount is None else Decimal(str(amount)),
        vulnerable=bool(row.get("vulnerable")),
    )


def score(rows: Iterable[tuple[Label, Reading]]) -> Scores:
    """Return the figures over labels and readings."""
    counts: dict[str, Count] = {}
    by_intent: dict[str, Count] = {}
    named: dict[str, int] = {}

    def count(name: str, right: bool) -> None:
        counts[name] = counts.get(name, Count()).counted(right)

    for label, reading in rows:
        right = reading.intent == label.intent
        named[reading.intent] = named.get(reading.intent, 0) + 1
        count("intents", right)
        by_intent[label.intent] = by_intent.get(label.intent, Count()).counted(right)
        if label.promise_date is not None:
            name = "soft_dates" if label.date_confidence == "soft" else "firm_dates"
            count(name, reading.promise_date == label.promise_date)
        else:
            count("no_dates", reading.promise_date is None)
        if label.amount is not None:
            count("amounts", reading.amount == label.amount)
        if label.intent in DANGEROUS or (label.intent == "hardship" and label.vulnerable):
            count("dangerous", right)
            count("not_silent", right or reading.needs_person)
        if label.vulnerable:
            count("vulnerable", reading.vulnerable)
        else:
            count("false_vulnerable", reading.vulnerable)
    names = ("intents", "firm_dates", "soft_dates", "no_dates", "amounts", "dangerous",
             "not_silent", "vulnerable", "false_vulnerable")  # fmt: skip
    macro_f1 = _macro_f1(by_intent, named)
    return Scores(
        by_intent=by_intent,
        macro_f1=macro_f1,
        **{name: counts.get(name, Count()) for name in names},
    )


def _macro_f1(by_intent: Mapping[str, Count], named: Mapping[str, int]) -> Fraction | None:
    """Return the mean F1 of the intents that labels have, or None of none."""
    if not by_intent:
        return None
    each = [
        Fraction(2 * count.right, count.of + named.get(intent, 0))
        for intent, count in by_intent.items()
    ]
    return sum(each, Fraction(0)) / len(each)


def values(scores: Scores) -> dict[str, object]:
    """Return the figures as JSON holds them, shares rounded to four decimals."""
    told: dict[str, object] = {"rows": scores.intents.of}
    for name in ("intents", "firm_dates", "soft_dates", "no_dates", "amounts", "dangerous",
                 "not_silent", "vulnerable", "false_vulnerable"):  # fmt: skip
        found: Count = getattr(scores, name)
        told[name] = _value(found)
    told["macro_f1"] = None if scores.macro_f1 is None else round(float(scores.macro_f1), 4)
    told["by_intent"] = {
        intent: _value(found) for intent, found in sorted(scores.by_intent.items())
    }
    return told


def _value(count: Count) -> dict[str, object]:
    share = count.share
    return {"right": count.right, "of": count.of,
            "share": None if share is None else round(float(share), 4)}  # fmt: skip
