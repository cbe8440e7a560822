"""Does a reply stop what it must stop? What the file makes of it, and what the next plan does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from duly.policy import Response
from duly.policy.places import Path
from duly.proofs.draft import Moment, signal
from duly.proofs.person import Built
from duly.proofs.question import Detail, Prepare, Question, Shows, Theory
from duly.proofs.rerun import Outcome
from duly.proofs.truths import speaks

#: The hold that each reply opens (contract, section 3); the gravest first.
HOLDS: Mapping[str, str] = MappingProxyType(
    {
        "dispute": "dispute",
        "fraud": "fraud_claim",
        "hardship": "hardship",
        "complaint": "complaint",
        "paid_already": "payment_pending",
        "promise": "promise",
    }
)
#: Holds that end by themselves: what needs a person must not rest on them.
LAPSING = frozenset({"payment_pending", "promise"})
#: Tasks that ask a person who is on hold for money, or why there is none.
_ASKING = frozenset({"call", "ask_why"})
#: After so many days a payment said to be on its way is waited for no longer.
LAPSED_DAYS = 4


def questions(theory: Theory) -> Iterator[Question]:
    """Give the questions about replies, each about the borrower whom the file would contact."""
    said = {one.reply: (place, one) for place, one in enumerate(theory.policy.responses)
            if one.on == "reply"}  # fmt: skip
    ignored = [reply for reply in HOLDS if reply not in said or said[reply][1].hold is None]
    if ignored:
        yield _ignored(theory, ignored, said)
    for reply, (place, one) in said.items():
        wanted = HOLDS.get(reply)
        if wanted is None or one.hold is None:
            continue
        if one.hold in LAPSING and wanted not in LAPSING:
            yield _lapses(theory, place, one)
        if one.task is not None and one.task.kind in _ASKING:
            yield _asks(theory, place, one)


def _someone(theory: Theory, detail: Detail, shows: Shows, prepare: Prepare) -> Question:
    """Return the question whether anybody who replied is contacted at all."""
    state, steps = theory.state, theory.policy.treatments
    numbers = [number for number, one in enumerate(steps) if speaks(one)]
    return Question(
        claim=detail.code,
        asker=theory.alone,
        wanted=(
            theory.one.decided,
            theory.one.chosen_of(numbers),
            state.value("days_past_due") > 0,
            state.value("replied_since_arrears"),
            state.value("days_since_arrears") >= LAPSED_DAYS,
        ),
        shows=lambda _answer: shows,
        detail=lambda _answer: detail,
        prepare=lambda _answer: prepare,
    )


def _contacted(outcomes: Sequence[Outcome]) -> bool:
    return outcomes[0].decision.get("decision") in ("contact", "task")


def _held(outcomes: Sequence[Outcome]) -> bool:
    return outcomes[0].decision.get("decision") in ("hold", "blocked")


def _ignored(
    theory: Theory, replies: Sequence[str], said: Mapping[str, tuple[int, Response]]
) -> Question:
    path: Path = ("responses", said[replies[0]][0]) if replies[0] in said else ("responses",)
    detail = Detail(
        code="reply_ignored", path=path, values={"reply": replies[0], "replies": ", ".join(replies)}
    )

    def prepare(_people: Sequence[Built], _moment: Moment) -> None:
        """Add nothing: the file opens no hold, so the book has none."""

    return _someone(theory, detail, _contacted, prepare)


def _with_signal(kind: str, ago: int) -> Prepare:
    def prepare(people: Sequence[Built], moment: Moment) -> None:
        for one in people:
            for row in one.tables["contacts"]:
                if row["direction"] == "in":
                    row["at"] = moment.at(ago, 8)
            # What the file makes of the reply, at the moment at which it arrives.
            signal(
                one.tables, moment, one.borrower_id, kind, ago,
                detail={"amount": "1.00", "on": moment.day(ago - 1)} if kind == "promise" else None,
                loan_id=one.loan_id,
                hour=9,
            )  # fmt: skip

    return prepare


def _lapses(theory: Theory, place: int, one: Response) -> Question:
    assert one.hold is not None
    detail = Detail(
        code="reply_lapses",
        path=("responses", place, "hold"),
        values={"reply": one.reply, "hold": one.hold, "wanted": HOLDS[one.reply]},
    )
    return _someone(theory, detail, _contacted, _with_signal(one.hold, LAPSED_DAYS))


def _asks(theory: Theory, place: int, one: Response) -> Question:
    assert one.hold is not None
    assert one.task is not None
    detail = Detail(
        code="reply_asked",
        path=("responses", place, "task"),
        values={"reply": one.reply, "hold": one.hold, "kind": one.task.kind},
    )
    return _someone(theory, detail, _held, _with_signal(one.hold, 0))
