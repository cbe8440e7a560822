"""Does a reply stop what it must stop? What is done of the file's responses, and the next plan.

A response is credited with what the service does of it (`duly.policy.following`), no more. What
the service does without any policy is not counted here: the file alone has to hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from duly.policy import ASKING, Response, follows
from duly.policy.following import Event
from duly.policy.places import Path
from duly.proofs.draft import Moment, signal
from duly.proofs.person import Built
from duly.proofs.question import Detail, Prepare, Question, Shows, Theory, nothing_more
from duly.proofs.rerun import Outcome
from duly.proofs.truths import speaks
from duly.replies import HEARD, TOLD

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
#: What follows from other replies whatever the file says, and keeps from contact.
STOPS: Mapping[str, str] = MappingProxyType(
    {"wrong_person": "identity_dispute", "opt_out": "opt_out"}
)
#: Holds that end by themselves: what needs a person must not rest on them.
LAPSING = frozenset({"payment_pending", "promise"})
#: After so many days a payment said to be on its way is waited for no longer.
LAPSED_DAYS = 4
#: What a plan finds broken → the feature that counts the days since, and the claim.
_BREACHES: Mapping[Event, tuple[str, str]] = MappingProxyType(
    {
        "promise_broken": ("days_since_promise_broken", "promise_demand"),
        "plan_broken": ("days_since_plan_broken", "plan_demand"),
    }
)


def questions(theory: Theory) -> Iterator[Question]:
    """Give the questions about replies, each about the borrower whom the file would contact."""
    responses = theory.policy.responses
    opened = {reply: _opened(responses, reply) for reply in HOLDS}
    ignored = [reply for reply, holds in opened.items() if not holds]
    if ignored:
        yield _ignored(theory, ignored)
    for place, one in enumerate(responses):
        wanted = HOLDS.get(one.reply)
        lapses = frozenset() < opened.get(one.reply, frozenset()) <= LAPSING
        if one.hold in LAPSING and wanted not in LAPSING and lapses:
            yield _lapses(theory, place, one)
        asks = one.task is not None and one.task.kind in ASKING
        if asks and one.reply in {**HOLDS, **STOPS}:
            yield _asks(theory, place, one)
        if one.on in _BREACHES and one.task is not None and one.task.kind == "call":
            yield _calls(theory, place, one)


def unheard(theory: Theory) -> Iterator[Detail]:
    """Give the responses to what nobody hears: they never act."""
    for place, one in enumerate(theory.policy.responses):
        if one.on == "reply" and one.reply not in {*HEARD.values(), *TOLD.values()}:
            yield Detail(
                code="not_heard", path=("responses", place, "on"), values={"reply": one.reply}
            )


def _opened(responses: Sequence[Response], reply: str) -> frozenset[str]:
    """Return the holds that a reply opens by the file: those that are done.

    A promise is held where it names a day, as the service hears it.
    """
    floor = [HOLDS[reply]] if HOLDS[reply] == "promise" else []
    done = follows(responses, "reply", replies=[reply], opened=floor)
    said = {one.hold for one in responses if one.reply == reply} & set(floor)
    return frozenset({*done.holds, *(one for one in said if one)})


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


def _ignored(theory: Theory, replies: Sequence[str]) -> Question:
    said = [place for place, one in enumerate(theory.policy.responses) if one.reply == replies[0]]
    path: Path = ("responses", said[0]) if said else ("responses",)
    detail = Detail(
        code="reply_ignored", path=path, values={"reply": replies[0], "replies": ", ".join(replies)}
    )
    # The file opens no hold, so the book has none.
    return _someone(theory, detail, _contacted, nothing_more)


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
    assert one.task is not None
    hold = one.hold or {**HOLDS, **STOPS}[one.reply]
    detail = Detail(
        code="reply_asked",
        path=("responses", place, "task"),
        values={"reply": one.reply, "hold": hold, "kind": one.task.kind},
    )
    return _someone(theory, detail, _held, _with_signal(hold, 0))


def _calls(theory: Theory, place: int, one: Response) -> Question:
    """Return the question for somebody of whom a plan finds today what was broken."""
    assert one.on != "reply"
    name, code = _BREACHES[one.on]

    def shows(outcomes: Sequence[Outcome]) -> bool:
        found = outcomes[0]
        free = found.decision.get("decision") in ("contact", "task", "wait")
        return free and found.features.get(name) == 1

    detail = Detail(code=code, path=("responses", place, "task"), values={"id": one.on})
    return Question(
        claim=code,
        asker=theory.alone,
        wanted=(
            theory.one.decided,
            theory.one.applies,
            theory.state.value("days_past_due") > 0,
            theory.state.within(name, 1, 1),
        ),
        shows=lambda _answer: shows,
        detail=lambda _answer: detail,
    )
