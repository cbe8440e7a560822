"""Which signals hold or block a loan, in which order, until which review (contract, section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Hold:
    """One reason not to contact.

    `since` is the SQL date at which it began (null = not open); it is reviewed `review_days`
    later; one that `lapses` then ends by itself, any other goes to a person.
    """

    reason: str
    since: str
    review_days: int
    lapses: bool = False
    blocks: bool = False
    review_on: str = ""  #: SQL date of the review where it is not since + review_days


def _signal(kind: str, review_days: int, **more: object) -> Hold:
    return Hold(
        reason=str(more.pop("reason", kind)),
        since=f"since_{kind}",
        review_days=review_days,
        **more,  # type: ignore[arg-type]
    )


#: Kinds that bind the person, whatever loan the signal names.
PERSON_KINDS = (
    "deceased",
    "incapacity",
    "bankruptcy",
    "legal_representation",
    "cease_contact",
    "opt_out",
    "identity_dispute",
)

#: Kinds of signals whose first open day the stages keep as `since_<kind>`.
SINCE_KINDS = (
    "deceased",
    "incapacity",
    "bankruptcy",
    "legal_representation",
    "cease_contact",
    "identity_dispute",
    "statute_barred",
    "agency",
    "legal_case",
    "plan",
    "dispute",
    "fraud_claim",
    "complaint",
    "hardship",
    "moratorium",
    "disaster",
    "payment_pending",
)

#: First match wins: what binds the person, then who else acts, then what was agreed or is open,
#: then money on its way or already here, then our own doubts about the figures.
HOLDS: tuple[Hold, ...] = (
    _signal("deceased", 90, blocks=True),
    _signal("incapacity", 90, blocks=True),
    _signal("bankruptcy", 90, blocks=True),
    _signal("legal_representation", 90, blocks=True),
    _signal("cease_contact", 90, blocks=True),
    _signal("identity_dispute", 15, blocks=True),
    _signal("statute_barred", 90, blocks=True),
    _signal("agency", 30, reason="placed"),
    _signal("legal_case", 30),
    _signal("plan", 90, review_on="coalesce(plan_next_on, since_plan + {days})"),
    _signal("dispute", 15),
    _signal("fraud_claim", 15),
    _signal("complaint", 15),
    _signal("hardship", 30),
    _signal("moratorium", 90),
    _signal("disaster", 30),
    _signal("payment_pending", 3, lapses=True),
    Hold(
        reason="promise",
        since="promise_since",
        review_days=30,
        lapses=True,
        review_on="promise_holds_through",
    ),
    Hold(
        reason="debit_pending",
        since="debit_submitted_on",
        review_days=1,
        lapses=True,
    ),
    Hold(
        reason="our_failure",
        since="case when debit_failed_cause in ('bank', 'ours') then debit_failed_on end",
        review_days=3,
    ),
    Hold(
        reason="credit_unapplied",
        since="case when unapplied_money then {business_date} end",
        review_days=3,
    ),
    Hold(
        reason="figures_disagree",
        since="case when figures_disagree then {business_date} end",
        review_days=3,
    ),
    Hold(
        reason="book_stale",
        since="case when {book_stale} then {business_date} end",
        review_days=1,
    ),
)

#: What a lender may set under `limits.review_days`, and the built-in numbers.
REVIEW_DAYS: Mapping[str, int] = {hold.reason: hold.review_days for hold in HOLDS}


def since_columns() -> str:
    """Return the SQL of `since_<kind>`: the day on which the open signal of each kind began.

    The first one counts; where the hold lapses by itself the last, so that none that has lapsed
    hides a later one.
    """
    lapsing = {hold.reason for hold in HOLDS if hold.lapses}
    return ",\n    ".join(
        f"{'max' if kind in lapsing else 'min'}(case when open and kind = '{kind}'"
        f" then starts_on end) as since_{kind}"
        for kind in SINCE_KINDS
    )


@dataclass(frozen=True, kw_only=True)
class HoldColumns:
    """The three SQL expressions that choose the hold of a loan."""

    reason: str
    since: str
    review_on: str


def columns(review_days: Mapping[str, int], **facts: str) -> HoldColumns:
    """Return the first-match expressions; `facts` fill the holes of the conditions.

    A hold that lapses is not open after its review date. Days come from the lender's file, else
    from the table above.
    """
    reasons, sinces, reviews = [], [], []
    for hold in HOLDS:
        since = hold.since.format(**facts)
        days = review_days.get(hold.reason, hold.review_days)
        review = (hold.review_on or "({since}) + {days}").format(since=since, days=days)
        is_open = f"({since}) is not null"
        if hold.lapses:
            is_open += f" and {facts['business_date']} <= ({review})"
        reasons.append(f"when {is_open} then '{hold.reason}'")
        sinces.append(f"when {is_open} then {since}")
        reviews.append(f"when {is_open} then {review}")
    return HoldColumns(
        reason=f"case {' '.join(reasons)} end",
        since=f"case {' '.join(sinces)} end",
        review_on=f"case {' '.join(reviews)} end",
    )
