"""Is anybody treated more harshly for where he lives, what he earns or speaks, or by lot?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import z3

from duly.conditions.solver import Term, conjunction, disjunction, negation
from duly.proofs.meaning import SERIOUS, Meaning
from duly.proofs.question import Detail, Question, Theory, first, same, same_steps
from duly.proofs.rerun import Outcome
from duly.proofs.search import Answer
from duly.proofs.state import DAYS_MAX

#: What says who somebody is and not what he owes: no reason for a harsher word, a call, less time.
ORIGIN = ("monthly_income", "region", "locale", "preferred_channel")


def questions(theory: Theory) -> Iterator[Question]:
    """Give the questions about two borrowers alike in everything but what must not matter."""
    arms = tuple(one.field for one in theory.policy.experiments)
    yield _serious(theory, "serious_by_origin", ORIGIN)
    if arms:
        yield _serious(theory, "serious_by_arm", arms)
    yield _called(theory)
    yield _sooner(theory)
    yield _oftener(theory)


def _alike(theory: Theory, apart: Sequence[str]) -> list[Term]:
    one, two = (meaning.state for meaning in theory.two)
    return [
        theory.two[0].decided,
        theory.two[1].decided,
        one.value("days_past_due") > 0,
        *same(one, two, [name for name in one.row if name not in apart]),
        *same_steps(one, two),
        one.in_grace == two.in_grace,
    ]


def _wishes(theory: Theory, apart: Sequence[str]) -> tuple[Term, ...]:
    """Return that the two differ in as little as can be: what differs is what is told."""
    one, two = (meaning.state for meaning in theory.two)
    return tuple(conjunction(same(one, two, [name])) for name in apart)


def _differs(answer: Answer, apart: Sequence[str]) -> str:
    one, two = (people.features for people in answer.people)
    return ", ".join(name for name in apart if one[name] != two[name])


def _serious(theory: Theory, code: str, apart: Sequence[str]) -> Question:
    harsh, mild = theory.two
    sends = [n for n, one in enumerate(theory.policy.treatments) if one.send is not None]

    def shows(outcomes: Sequence[Outcome]) -> bool:
        one, two = (outcome.decision for outcome in outcomes)
        both = one.get("decision") == two.get("decision") == "contact"
        return both and one.get("tone") == "serious" != two.get("tone")

    def detail(answer: Answer) -> Detail:
        number = sends[first(answer.seen)]
        values = {"id": theory.policy.treatments[number].id, "fields": _differs(answer, apart)}
        return Detail(code=code, path=("treatments", number, "send", "tone"), values=values)

    return Question(
        claim=code,
        asker=theory.pair,
        wanted=(*_alike(theory, apart), harsh.tone >= SERIOUS, mild.tone > 0, mild.tone < SERIOUS),
        shows=lambda _answer: shows,
        detail=detail,
        wishes=_wishes(theory, apart),
        see=tuple(harsh.chosen[number] for number in sends),
    )


def _called(theory: Theory) -> Question:
    """Ask whether one is rung and another written to, for who they are."""
    rung, written = theory.two
    calls = [
        number
        for number, one in enumerate(theory.policy.treatments)
        if one.task is not None and one.task.kind == "call"
    ]

    def shows(outcomes: Sequence[Outcome]) -> bool:
        one, two = (outcome.decision for outcome in outcomes)
        return (one.get("task_kind"), two.get("decision")) == ("call", "contact")

    def detail(answer: Answer) -> Detail:
        number = calls[first(answer.seen)]
        values = {"id": theory.policy.treatments[number].id, "fields": _differs(answer, ORIGIN)}
        return Detail(code="call_by_origin", path=("treatments", number, "task"), values=values)

    return Question(
        claim="call_by_origin",
        asker=theory.pair,
        wanted=(*_alike(theory, ORIGIN), rung.chosen_of(calls), written.tone > 0),
        shows=lambda _answer: shows,
        detail=detail,
        wishes=_wishes(theory, ORIGIN),
        see=tuple(rung.chosen[number] for number in calls),
    )


def _sooner(theory: Theory) -> Question:
    """Ask whether the first contact comes sooner to one for who he is."""
    soon, later = theory.two

    def shows(outcomes: Sequence[Outcome]) -> bool:
        one, two = (outcome.decision for outcome in outcomes)
        waits = two.get("decision") == "wait" and two.get("reason") in ("patience", "grace")
        return waits and one.get("decision") == "contact"

    def detail(answer: Answer) -> Detail:
        values = {"fields": _differs(answer, ORIGIN)}
        return Detail(code="sooner_by_origin", path=("first_contact",), values=values)

    return Question(
        claim="sooner_by_origin",
        asker=theory.pair,
        wanted=(
            *_alike(theory, ORIGIN),
            soon.tone > 0,
            soon.days_to_contact == 0,
            later.days_to_contact > 0,
            later.tone == 0,
        ),
        shows=lambda _answer: shows,
        detail=detail,
        wishes=_wishes(theory, ORIGIN),
    )


def _oftener(theory: Theory) -> Question:
    """Ask whether one is written to again where the other still has rest, for who they are."""
    again, rests = theory.two
    sends = [n for n, one in enumerate(theory.policy.treatments) if one.send is not None]
    acts = [conjunction([again.chosen[n], negation(_rests(theory, again, n))]) for n in sends]
    waits = [conjunction([rests.chosen[n], _rests(theory, rests, n)]) for n in sends]

    def shows(outcomes: Sequence[Outcome]) -> bool:
        one, two = (outcome.decision for outcome in outcomes)
        return (one.get("decision"), two.get("decision")) == ("contact", "wait")

    def detail(answer: Answer) -> Detail:
        number = sends[first(answer.seen)]
        values = {"id": theory.policy.treatments[number].id, "fields": _differs(answer, ORIGIN)}
        return Detail(code="oftener_by_origin", path=("treatments", number, "every"), values=values)

    return Question(
        claim="oftener_by_origin",
        asker=theory.pair,
        wanted=(
            *_alike(theory, ORIGIN),
            disjunction(acts),
            disjunction(waits),
            _every(theory, again, sends) < _every(theory, rests, sends),
            # No limit of the policy stops both.
            again.state.value("days_since_text") >= theory.policy.limits.cooldown_days,
            again.state.value("texts_since_arrears") <= 1,
        ),
        shows=lambda _answer: shows,
        detail=detail,
        wishes=_wishes(theory, ORIGIN),
        see=tuple(acts),
    )


def _every(theory: Theory, meaning: Meaning, numbers: Sequence[int]) -> Term:
    """Return after how many days the chosen step acts again; one that acts once, never."""
    days: Term = z3.IntVal(0)
    for number in numbers:
        every = theory.policy.treatments[number].every_days
        days = z3.If(meaning.chosen[number], DAYS_MAX if every is None else every, days)
    return days


def _rests(theory: Theory, meaning: Meaning, number: int) -> Term:
    """Return whether a step waits out its days after it acted."""
    one = theory.policy.treatments[number]
    last = meaning.state.steps[one.id]
    return conjunction([negation(last.null), last.value < (one.every_days or 0)])
