"""What happens to the loans of the sample book: who pays how, and which signals there are.

Days are counted from the business date: -6 is six days before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Agreed = tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class Story:
    """One signal on one late loan, and what was paid because of it (day, minor units)."""

    kind: str
    days_late: int
    starts: int
    ends: int | None = None
    detail: Mapping[str, str] = field(default_factory=dict)  #: `{-4}` in a value is that day
    paid: Agreed = ()
    agreed: Agreed = ()


@dataclass(frozen=True, kw_only=True)
class Case:
    """One loan of the deck.

    `days` is days past due of the oldest unpaid installment, below zero the days to the next one.
    """

    paying: str
    days: int
    story: Story | None = None
    points: str = "usual"  #: how the borrower can be reached
    debit: str = ""  #: outcome of the last debit: a cause of failure, or `submitted`
    home: str = "cn"
    shared: str = ""  #: loans with the same word have the same borrower
    late_times: int = 0  #: earlier installments that were paid late, with their charge
    creditor: str = ""
    unapplied: bool = False
    costly: bool = False  #: late rate above the cost cap of 24 % a year

    @property
    def simple(self) -> bool:
        """Tell whether nothing but payments is special about it, so a second loan may join it."""
        return self == Case(paying=self.paying, days=self.days, late_times=self.late_times)


def _told(kind: str, *rows: tuple[int, int] | tuple[int, int, int]) -> tuple[Story, ...]:
    """Return stories without detail from (days late, starts, ends)."""
    return tuple(
        Story(kind=kind, days_late=row[0], starts=row[1], ends=row[2] if len(row) > 2 else None)
        for row in rows
    )


def _promise(days_late: int, starts: int, on: int, *paid: tuple[int, int]) -> Story:
    detail = {"amount": "500.00", "on": f"{{{on}}}"}
    return Story(kind="promise", days_late=days_late, starts=starts, detail=detail, paid=paid)


_ON_TRACK = ((-20, 50_000), (10, 50_000), (40, 50_000))
_BROKEN = ((-8, 40_000), (22, 40_000), (52, 40_000))

STORIES: tuple[Story, ...] = (
    *_told("dispute", (12, -6), (47, -25)),
    Story(kind="dispute", days_late=20, starts=-4, detail={"accrual": "stops"}),
    *_told("complaint", (9, -3), (35, -18)),
    _promise(14, -3, 4),
    _promise(26, -1, 9),
    _promise(22, -9, -4, (-4, 50_000)),
    _promise(36, -12, -5, (-6, 30_000), (-5, 20_000)),
    _promise(24, -9, -4, (-3, 30_000)),
    _promise(18, -10, -5),
    _promise(33, -11, -6),
    Story(kind="plan", days_late=65, starts=-30, paid=((-21, 50_000),), agreed=_ON_TRACK),
    Story(
        kind="plan",
        days_late=95,
        starts=-28,
        detail={"accrual": "stops"},
        paid=((-20, 50_000),),
        agreed=_ON_TRACK,
    ),
    Story(kind="plan", days_late=80, starts=-25, agreed=_BROKEN),
    Story(kind="plan", days_late=55, starts=-22, paid=((-7, 10_000),), agreed=_BROKEN),
    *_told("hardship", (31, -12), (62, -40), (45, -90, -20)),
    *_told("payment_pending", (6, -1), (15, -5)),
    *_told("legal_representation", (70, -15), (130, -60)),
    *_told("cease_contact", (28, -7), (55, -30)),
    *(
        Story(kind="opt_out", days_late=days, starts=starts, detail={"channel": "sms"})
        for days, starts in ((10, -30), (24, -5), (41, -100))
    ),
    *_told("deceased", (88, -50), (19, -8)),
    *_told("incapacity", (44, -21), (102, -33)),
    *_told("bankruptcy", (160, -45), (75, -14)),
    *_told("disaster", (13, -10, 20), (38, -16, 14)),
    *_told("fraud_claim", (8, -2), (52, -27)),
    *_told("identity_dispute", (16, -4), (29, -13)),
    *_told("moratorium", (48, -30, 30), (66, -60, -20)),
    *(
        Story(kind="abnormal_transaction", days_late=days, starts=starts, detail={"kind": kind})
        for days, starts, kind in (
            (11, -2, "account_security"),
            (17, -3, "account_security"),
            (21, -2, "other"),
            (34, -4, "other"),
        )
    ),
    *_told("contact_changed", (14, -3), (27, -5)),
    *(
        Story(kind="agency", days_late=days, starts=-20, detail={"agency": "示例调解服务"})
        for days in (115, 145)
    ),
    *(
        Story(
            kind="legal_case",
            days_late=days,
            starts=-30,
            detail={"stage": "filed", "case_no": f"(2026)示0101民初{days}号"},
        )
        for days in (185, 210)
    ),
    Story(kind="bureau_reporting", days_late=39, starts=-5, detail={"report_on": "{10}"}),
    Story(
        kind="bureau_reporting",
        days_late=32,
        starts=-5,
        detail={"report_on": "{10}", "notified_on": "{-5}"},
    ),
    *_told("statute_barred", (1250, -30), (1400, -60)),
)

#: Days past due of the late loans about which nothing else is known; the deck takes them in turn.
PLAIN_DAYS = (
    *(1, 155, 3, 95, 2, 240, 4, 125, 34, 170, 8, 18, 65, 140, 12, 22, 10, 45, 28, 110),
    *(5, 14, 190, 25, 40, 7, 74, 11, 30, 20, 58, 15, 88, 6, 26, 52, 13, 17, 300, 9),
)

POINTS = ("invalid_sms", "wrong_person", "work", "none", "email", "two_numbers")
HOMES = ("urumqi", "hotan", "lhasa", "nyingchi", "london", "singapore", "new_york", "tokyo")
DEBITS = ("bank", "ours", "submitted", "funds", "card", "limit", "mandate")


def deck(loans: int) -> tuple[Case, ...]:
    """Return the cases of a book of so many loans, about 12 in 100 of them late."""
    special = (*_late(), *_settled())
    plain = max(0, loans * 12 // 100 - sum(case.days > 0 for case in _late()))
    late = tuple(
        Case(
            paying="exact",
            days=PLAIN_DAYS[index % len(PLAIN_DAYS)],
            late_times=(0, 0, 1, 4)[index % 4],
        )
        for index in range(plain)
    )
    rest = loans - len(special) - len(late)
    assert rest >= 0, "each story needs a loan of its own"
    return (*special, *late, *(_current(index) for index in range(rest)))


def _late() -> tuple[Case, ...]:
    return (
        *(Case(paying="exact", days=story.days_late, story=story) for story in STORIES),
        *(Case(paying="exact", days=10 + 5 * i, points=p) for i, p in enumerate(POINTS * 2)),
        *(Case(paying="exact", days=6 + 4 * i, home=home) for i, home in enumerate(HOMES)),
        *(Case(paying="exact", days=2 + i, debit=cause) for i, cause in enumerate(DEBITS * 2)),
        *(Case(paying="exact", days=days, costly=True) for days in (10, 26, 50)),
        *(Case(paying="part", days=days) for days in (5, 9, 12, 16, 23, 29, 41, 57, 83, 132)),
        *(Case(paying="reversed", days=days) for days in (6, 11, 19, 37)),
        *(Case(paying="waived", days=days) for days in (14, 21, 43, 72, 98)),
        *(Case(paying="crumb", days=-days) for days in range(5, 17)),
        *_shared(),
        *(Case(paying="exact", days=days, unapplied=True) for days in (8, 31)),
    )


def _shared() -> tuple[Case, ...]:
    """Return borrowers with two late loans, and two who overpaid another loan."""
    pairs = ((9, 16), (12, 40), (8, 71), (20, 22), (3, 33))
    return (
        *(
            Case(paying="exact", days=days, shared=f"pair-{index}")
            for index, pair in enumerate(pairs)
            for days in pair
        ),
        Case(paying="exact", days=15, shared="funders"),
        Case(paying="exact", days=18, shared="funders", creditor="示例信托有限公司"),
        Case(paying="exact", days=13, shared="credit-0"),
        Case(paying="overpaid", days=-40, shared="credit-0"),
        Case(paying="exact", days=27, shared="credit-1"),
        Case(paying="overpaid", days=-90, shared="credit-1"),
    )


def _settled() -> tuple[Case, ...]:
    return (
        *(Case(paying="closed", days=-20 - 7 * index) for index in range(50)),
        *(Case(paying="settled_early", days=-index) for index in range(4, 16)),
        *(Case(paying="written_off", days=days) for days in range(380, 540, 20)),
        *(Case(paying="tolerated", days=-days) for days in range(5, 13)),
        *(Case(paying="ahead", days=-days) for days in range(4, 28)),
        *(Case(paying="exact", days=-3 - index, home=home) for index, home in enumerate(HOMES)),
    )


def _current(index: int) -> Case:
    """Return a loan with nothing late: due today, soon or later; one in five was late before."""
    if index % 25 == 3:
        return Case(paying="new", days=-(1 + index % 27))
    ahead = (0, 1, 3, 3)[index // 40 % 4] if index % 40 < 3 else 4 + index % 24
    return Case(paying="exact", days=-ahead, late_times=(1, 3)[index % 2] if index % 5 == 0 else 0)
