"""What a model may look at: each feature, its family, its direction and when it is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: `schedule`: what was agreed; `history`: what came and when; `ability` and `willingness`: the two
#: other questions; `relations`: only under that consent, and only where it is asked for;
#: `amounts`: sizes and rates, which name a product's seller as well as his name would.
Family = Literal["schedule", "amounts", "history", "ability", "willingness", "relations"]
#: What a model looks at unless it is told otherwise.
FAMILIES: tuple[Family, ...] = ("schedule", "history", "ability", "willingness")
#: Known by the close of the day asked about: dated `rows` of the book up to it; the `terms` of a
#: loan that began by then; `undated` columns, which the book gives as of its own cut.
Moment = Literal["terms", "rows", "undated"]


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One number about a loan on a day; `late` is how it may move the chance of being late."""

    name: str
    family: Family
    moment: Moment
    late: Literal[-1, 0, 1]  #: 1: more of it never lowers the chance of being late; 0: free


def _family(family: Family, moment: Moment, lines: str) -> tuple[Feature, ...]:
    ways: dict[str, Literal[-1, 0, 1]] = {"+": 1, "-": -1, "0": 0}
    return tuple(
        Feature(name=word[1:], family=family, moment=moment, late=ways[word[0]])
        for word in lines.split()
    )


#: The order is that of the columns which the kernel writes (kernel.py names them so).
FEATURES: tuple[Feature, ...] = (
    *_family(
        "schedule",
        "terms",
        """0installments_total 0next_number 0days_to_due 0gap_days 0loan_age_days 0due_weekday
        0due_day_of_month 0days_to_first_due 0product""",
    ),
    *_family(
        "amounts",
        "terms",
        "0annual_rate 0next_share 0next_interest_share 0principal_relative 0next_relative",
    ),
    *_family(
        "history",
        "rows",
        """0due_count 0late_count +late_share +any_late_share +late_days_mean +late_days_max
        +last_late_days +last_two_late_days 0open_count +open_days -on_time_streak
        0paid_share_of_open 0paid_share 0paid_share_of_due 0days_since_paid 0payments_count
        +returned_count -next_prepaid_share 0late_days_change 0late_days_spread
        +overdue_share 0open_number 0late_days_least 0open_days_over_usual
        0other_loans +others_open +others_late_share +others_open_days""",
    ),
    *_family("ability", "undated", "+income_load -income_relative"),
    *_family("ability", "rows", "0payment_size +parts_share"),
    *_family(
        "willingness",
        "rows",
        """0texts_90d -answers_90d -days_since_answer_near 0promises_made -promises_kept_share
        +promises_broken 0promise_open""",
    ),
    *_family("relations", "undated", "0related_count +related_late_share"),
)
NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
