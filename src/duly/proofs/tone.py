"""Is the tone fair? Never harsher for who is less late, for bad luck or candor, nor early."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from duly.conditions.solver import Term, disjunction, negation
from duly.proofs.meaning import GENTLE, SERIOUS, rank
from duly.proofs.question import Detail, Question, Theory, first, same, same_steps
from duly.proofs.rerun import Outcome
from duly.proofs.search import Answer
from duly.proofs.state import State

#: Lateness in numbers: less in none of them is more late.
ORDERED = (
    "days_past_due", "days_delinquent", "installments_overdue", "late_count_12m",
    "late_count_12m_after_grace", "late_count_before_arrears", "days_past_due_max_12m", "score",
)  # fmt: skip
#: What follows from those numbers by the vocabulary's own axioms.
_FOLLOWS = frozenset(
    {"bucket", "score_band", "first_late", "long_arrears_plan_possible", "days_since_arrears"}
)
#: What happened to the second of two borrowers and not to the first; nothing of it is a reason
#: for harsher words.
EVENTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "promise": ("days_since_promise_broken", "promises_broken_since_arrears"),
        "plan": ("days_since_plan_broken",),
        "hardship": ("days_since_hardship_ended",),
        "reply": ("replied_since_arrears",),
        "undelivered": (
            "undelivered_last", "undelivered_count", "number_in_doubt", "email_in_doubt",
        ),
        "changed": ("days_since_contact_changed", "number_in_doubt", "email_in_doubt"),
        "returned": ("days_since_returned_payment",),
    }
)  # fmt: skip
#: Serious words before so many days that count are no help (borrower's view, stages of lateness).
SERIOUS_FROM_DAYS = 16


def questions(theory: Theory) -> Iterator[Question]:
    """Give the questions about tone."""
    yield _in_grace(theory)
    yield _early(theory)
    yield _first(theory)
    yield _monotone(theory)
    for event, names in EVENTS.items():
        yield _event(theory, event, names)


def _sends(theory: Theory) -> list[int]:
    steps = theory.policy.treatments
    return [number for number, one in enumerate(steps) if one.send is not None]


def _tone_at(theory: Theory, code: str, answer: Answer, **values: object) -> Detail:
    number = _sends(theory)[first(answer.seen)]
    one = theory.policy.treatments[number]
    assert one.send is not None
    return Detail(
        code=code,
        path=("treatments", number, "send", "tone"),
        values={"id": one.id, "tone": one.send.tone, **values},
    )


def _alone(theory: Theory, code: str, *wanted: Term, least: int) -> Question:
    chosen = tuple(theory.one.chosen[number] for number in _sends(theory))

    def shows(outcomes: Sequence[Outcome]) -> bool:
        decided = outcomes[0].decision
        return decided.get("decision") == "contact" and _rank(decided) >= least

    return Question(
        claim=code,
        asker=theory.alone,
        wanted=(theory.one.decided, theory.one.tone >= least, *wanted),
        shows=lambda _answer: shows,
        detail=lambda answer: _tone_at(
            theory, code, answer, days=answer.people[0].features["days_delinquent"]
        ),
        see=chosen,
    )


def _rank(decided: Mapping[str, object]) -> int:
    tone = decided.get("tone")
    return rank(str(tone)) if tone else 0


def _in_grace(theory: Theory) -> Question:
    return _alone(theory, "tone_in_grace", theory.state.in_grace, least=GENTLE + 1)


def _early(theory: Theory) -> Question:
    days = theory.state.value("days_delinquent")
    return _alone(theory, "serious_early", days >= 1, days < SERIOUS_FROM_DAYS, least=SERIOUS)


def _first(theory: Theory) -> Question:
    state = theory.state
    return _alone(
        theory,
        "serious_first",
        state.value("days_delinquent") >= SERIOUS_FROM_DAYS,
        state.value("texts_since_arrears") == 0,
        state.value("calls_since_arrears") == 0,
        *(step.null for step in state.steps.values()),
        least=SERIOUS,
    )


def _both_late(theory: Theory) -> list[Term]:
    one, two = theory.two
    late = [state.value("days_past_due") > 0 for state in (one.state, two.state)]
    return [one.decided, two.decided, *late]


def _harsher(outcomes: Sequence[Outcome]) -> bool:
    """Return whether the plan writes to both, and more harshly to the first."""
    one, two = (outcome.decision for outcome in outcomes)
    both = one.get("decision") == two.get("decision") == "contact"
    return both and _rank(one) > _rank(two)


def _monotone(theory: Theory) -> Question:
    one, two = theory.two
    less, more = one.state, two.state
    apart = {*ORDERED, *_FOLLOWS}
    alike = [name for name in less.row if name not in apart]

    def detail(answer: Answer) -> Detail:
        before, after = (people.features for people in answer.people)
        names = [name for name in ORDERED if before[name] != after[name]]
        told = [name for name in names if name != "score"] or names
        fields = ", ".join(f"{name} {before[name]} < {after[name]}" for name in told)
        return _tone_at(theory, "tone_not_monotone", answer, fields=fields)

    return Question(
        claim="tone_not_monotone",
        asker=theory.pair,
        wanted=(
            *_both_late(theory),
            *same(less, more, alike),
            *same_steps(less, more),
            *(less.value(name) <= more.value(name) for name in ORDERED),
            one.tone > two.tone,
            two.tone > 0,
        ),
        shows=lambda _answer: _harsher,
        detail=detail,
        wishes=tuple(less.value(name) == more.value(name) for name in ORDERED),
        see=tuple(one.chosen[number] for number in _sends(theory)),
    )


def _event(theory: Theory, event: str, names: tuple[str, ...]) -> Question:
    without, after = theory.two
    bare, struck = without.state, after.state
    alike = [name for name in bare.row if name not in names]

    def shows(outcomes: Sequence[Outcome]) -> bool:
        return _harsher(tuple(reversed(outcomes)))

    return Question(
        claim=f"harsher_after_{event}",
        asker=theory.pair,
        wanted=(
            *_both_late(theory),
            *same(bare, struck, alike),
            *same_steps(bare, struck),
            *_happened(event, bare, struck, names),
            after.tone > without.tone,
            without.tone > 0,
        ),
        shows=lambda _answer: shows,
        detail=lambda answer: _tone_at(theory, f"harsher_after_{event}", answer),
        see=tuple(after.chosen[number] for number in _sends(theory)),
    )


def _happened(event: str, bare: State, struck: State, names: Sequence[str]) -> list[Term]:
    """Return that something happened to the one and not to the other."""
    name = names[0]
    if event == "undelivered":  # Of the last text or of an earlier one in these arrears.
        count = "undelivered_count"
        return [
            negation(bare.value(name)),
            bare.value(count) == 0,
            disjunction([struck.value(name), struck.value(count) >= 1]),
        ]
    if str(struck.null(name)) != "False":
        return [bare.null(name), negation(struck.null(name))]
    return [negation(bare.value(name)), struck.value(name)]
