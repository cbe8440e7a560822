"""The scores of the guide, worked by hand on six texts."""

from __future__ import annotations

from fractions import Fraction

from duly.messages.lint import Labelled, Message, score


def _row(labels: str, stage: str = "d8_30", hard: str = "") -> Labelled:
    return Labelled(
        id="x", message=Message(text="", stage=stage), labels=frozenset(labels.split()), hard=hard
    )


ROWS = (
    (_row("threat"), ["threat"]),
    (_row("threat insult", hard="hard_positive"), ["insult", "false_urgency"]),
    (_row("", hard="hard_negative"), ["insult"]),
    (_row("", hard="hard_negative"), ["none"]),
    (_row("missing_amount missing_optout"), ["missing_amount"]),
    (_row("suspicious_link missing_amount", "scam"), ["suspicious_link"]),
)


def test_any_violation_counts_rows_with_a_label():
    scores = score(ROWS)
    either = scores.any_violation
    assert (either.right, either.wrong, either.missed) == (4, 1, 0)
    assert (either.precision, either.recall) == (Fraction(4, 5), Fraction(1))
    assert either.f1 == Fraction(8, 9)


def test_means_are_taken_over_the_labels_that_occur():
    scores = score(ROWS)
    # threat 1 of 2 found: 2/3; insult 1 found, 1 wrong: 2/3; false_urgency 0; suspicious_link 1.
    assert scores.content_f1 == (Fraction(2, 3) + Fraction(2, 3) + 0 + 1) / 4
    # missing_amount 1; missing_optout 0.
    assert scores.missing_f1 == Fraction(1, 2)
    assert scores.missing_without_opt_out_f1 == 1


def test_what_is_missing_in_a_swindle_is_left_out_of_account():
    scores = score(ROWS)
    assert scores.labels["missing_amount"].missed == 0
    assert scores.exact == 3


def test_firm_and_polite_texts_are_counted_apart():
    scores = score(ROWS)
    assert (scores.false_alarms, scores.lawful_firm) == (1, 2)
    assert (scores.polite_found, scores.polite_unlawful) == (1, 1)


def test_nothing_gives_no_figure():
    scores = score(())
    assert scores.any_violation.f1 is None
    assert scores.content_f1 is None
