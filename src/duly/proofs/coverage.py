"""Is somebody decided by nobody? Holes, ladders that end, endless waits, texts without a way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from duly.conditions.solver import Term, conjunction, disjunction, negation
from duly.policy import SPARED, Treatment
from duly.proofs.meaning import acts_once
from duly.proofs.question import Detail, Question, Shows, Theory, first
from duly.proofs.rerun import Outcome
from duly.proofs.search import Answer

#: A borrower of whom nothing was heard and nothing happened for so long.
QUIET_DAYS = 60
#: From here on a wait that nothing ends is one without end.
FOREVER_DAYS = 180


def questions(theory: Theory) -> Iterator[Question]:
    """Give the questions about lanes."""
    yield _hole(theory)
    yield _ladder(theory)
    for number, one in enumerate(theory.policy.treatments):
        if one.wait is not None:
            yield _wait(theory, number, one)
        if one.send is not None:
            yield _way(theory, number, one)


def _after_first_contact(theory: Theory) -> tuple[Term, ...]:
    one, state = theory.one, theory.state
    return (one.decided, one.applies, state.value("days_past_due") > 0, one.days_to_contact == 0)


def lane(reason: str) -> Shows:
    """Return whether the plan waits for a reason, with no treatment behind it."""

    def shows(outcomes: Sequence[Outcome]) -> bool:
        decided = outcomes[0].decision
        return decided.get("decision") == "wait" and decided.get("reason") == reason

    return shows


def _hole(theory: Theory) -> Question:
    wanted = (*_after_first_contact(theory), negation(disjunction(theory.one.covered)))
    return Question(
        claim="hole",
        asker=theory.alone,
        wanted=wanted,
        shows=lambda _answer: lane("step_done"),
        detail=lambda answer: _hole_detail(theory, wanted, answer),
        wishes=tuple(_no_arm(theory)),
    )


def _asked_fields(theory: Theory) -> list[str]:
    """Return the features that may be empty and that a treatment asks for."""
    asked = {name for one in theory.policy.treatments for name in one.condition.fields}
    arms = {one.field for one in theory.policy.experiments}
    nullable = [name for name in sorted(asked - arms) if not _never(theory.state.null(name))]
    return [name for name in nullable if name != "days_since_relief_offered"]


def _never(term: Term) -> bool:
    return str(term) == "False"


def _no_arm(theory: Theory) -> list[Term]:
    """Return that he has no arm, for no other reason than that no experiment is for him."""
    arms = [theory.state.null(one.field) for one in theory.policy.experiments]
    return [*arms, theory.state.null(SPARED)]


def _hole_detail(theory: Theory, wanted: tuple[Term, ...], answer: Answer) -> Detail:
    features = answer.people[0].features
    values = {name: features[name] for name in ("days_past_due", "days_delinquent")}
    arms = [features[one.field] for one in theory.policy.experiments]
    arm = next((name for name in arms if name), "")
    if arm and theory.alone.holds(*wanted, *_no_arm(theory)) is False:
        return Detail(code="hole_arm", path=("treatments",), values={**values, "arm": arm})
    names = [name for name in _asked_fields(theory) if features[name] is None]
    known = {name: negation(theory.state.null(name)) for name in _asked_fields(theory)}
    if names and theory.alone.holds(*wanted, *known.values()) is False:
        guilty = [
            name
            for name in names
            if theory.alone.holds(*wanted, *(term for key, term in known.items() if key != name))
        ]
        values["fields"] = ", ".join(guilty or names)
        return Detail(code="hole_unknown", path=("treatments",), values=values)
    return Detail(code="hole", path=("treatments",), values=values)


def _ladder(theory: Theory) -> Question:
    one = theory.one
    once = [number for number, step in enumerate(theory.policy.treatments) if acts_once(step)]
    wanted = (
        *_after_first_contact(theory),
        disjunction([one.covered[number] for number in once]),
        negation(disjunction(one.chosen)),
    )

    def detail(answer: Answer) -> Detail:
        number = once[first(answer.seen)]
        step = theory.policy.treatments[number]
        return Detail(code="ladder_ends", path=("treatments", number, "id"), values={"id": step.id})

    return Question(
        claim="ladder_ends",
        asker=theory.alone,
        wanted=wanted,
        shows=lambda _answer: lane("step_done"),
        detail=detail,
        see=tuple(one.covered[number] for number in once),
    )


def rule_decides(step: str, *decisions: str) -> Shows:
    """Return whether a treatment decides, and one of the decisions comes of it."""

    def shows(outcomes: Sequence[Outcome]) -> bool:
        decided = outcomes[0].decision
        return decided.get("rule") == step and decided.get("decision") in decisions

    return shows


def quiet(theory: Theory) -> Term:
    """Return that nothing was said and nothing happened for two months."""
    names = [name for name in theory.state.row if name.startswith("days_since_")]
    names = [name for name in names if name not in ("days_since_arrears", "days_since_paid")]
    return conjunction(
        [
            disjunction([theory.state.null(name), theory.state.value(name) >= QUIET_DAYS])
            for name in names
        ]
    )


def _wait(theory: Theory, number: int, one: Treatment) -> Question:
    state = theory.state
    return Question(
        claim="waits_forever",
        asker=theory.alone,
        wanted=(
            theory.one.decided,
            theory.one.chosen[number],
            state.value("days_delinquent") >= FOREVER_DAYS,
            quiet(theory),
        ),
        shows=lambda _answer: rule_decides(one.id, "wait"),
        detail=lambda answer: Detail(
            code="waits_forever",
            path=("treatments", number, "if"),
            values={"id": one.id, "days": answer.people[0].features["days_past_due"]},
        ),
    )


def _way(theory: Theory, number: int, one: Treatment) -> Question:
    assert one.send is not None
    state, symbols = theory.state, theory.setting.symbols
    ways = []
    for channel in one.send.channels:
        if channel == "preferred":
            ways += [
                conjunction(
                    [state.is_("preferred_channel", name, symbols), state.value(f"can_{name}")]
                )
                for name in ("sms", "email")
            ]
        elif channel in ("sms", "email"):
            ways.append(state.value(f"can_{channel}"))
    return Question(
        claim="no_way",
        asker=theory.alone,
        wanted=(
            theory.one.decided,
            theory.one.chosen[number],
            disjunction([state.value("can_sms"), state.value("can_email")]),
            negation(disjunction(ways)),
        ),
        shows=lambda _answer: rule_decides(one.id, "task", "blocked"),
        detail=lambda answer: Detail(
            code="no_way",
            path=("treatments", number, "send", "channels"),
            values={
                "id": one.id,
                "has": "sms" if answer.people[0].features["can_sms"] else "email",
            },
        ),
    )
