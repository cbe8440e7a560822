"""Does each text say what is so, and is nobody asked for money where that does harm?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from duly.conditions.solver import Term, conjunction, disjunction, negation
from duly.policy import Treatment
from duly.proofs.coverage import rule_decides
from duly.proofs.question import Detail, Question, Shows, Theory, first
from duly.proofs.rerun import Outcome
from duly.proofs.search import Answer
from duly.proofs.state import State

#: A promise that was found broken so few days ago: first somebody asks why.
PROMISE_DAYS = 3
SECURITY_TEMPLATE = "verify_security"


def questions(theory: Theory) -> Iterator[Question]:
    """Give the questions about what texts say and what comes first."""
    for number, one in enumerate(theory.policy.treatments):
        if one.send is not None:
            says = what_it_says(theory, one.send.template)
            if says is not None:
                yield _untrue(theory, number, one, says)
    yield _security(theory)
    yield _promise(theory)
    for number, one in enumerate(theory.policy.treatments):
        if one.task is not None and one.task.kind == "call":
            yield _call_in_grace(theory, number, one)


def what_it_says(theory: Theory, template: str) -> Term | None:
    """Return what a built-in template says of the loan; None for one that we do not know."""
    state, symbols = theory.state, theory.setting.symbols
    late, due = state.value("days_past_due") >= 1, state.row["days_to_due"]
    not_late = conjunction([negation(late), negation(due.null)])
    said = {
        "due_soon": lambda: conjunction([not_late, due.value >= 1]),
        "due_today": lambda: conjunction([not_late, due.value == 0]),
        "first_late": lambda: conjunction([late, state.value("first_late")]),
        "overdue": lambda: late,
        "plan_offer": lambda: conjunction([late, state.value("long_arrears_plan_possible")]),
        "credit_notice": lambda: state.value("bureau_notice_due"),
        "card_refused": lambda: disjunction(
            [
                state.is_("debit_failed_cause", name, symbols)
                for name in ("card", "limit", "mandate")
            ]
        ),
        "returned_payment": lambda: negation(state.null("days_since_returned_payment")),
        SECURITY_TEMPLATE: lambda: state.value("security_signal"),
        "check_details": lambda: disjunction(
            [state.value("undelivered_last"), negation(state.null("days_since_contact_changed"))]
        ),
    }
    if template in said:
        return said[template]()
    return late if template in theory.setting.demands else None


def _untrue(theory: Theory, number: int, one: Treatment, says: Term) -> Question:
    assert one.send is not None
    template = one.send.template

    def shows(outcomes: Sequence[Outcome]) -> bool:
        found = outcomes[0]
        sent = found.decision.get("decision") == "contact"
        return bool(found.refused) or (sent and found.decision.get("template") == template)

    return Question(
        claim="text_untrue",
        asker=theory.alone,
        wanted=(
            disjunction([theory.one.decided, theory.state.value("security_signal")]),
            theory.one.chosen[number],
            negation(says),
        ),
        shows=lambda _answer: shows,
        apart=True,
        detail=lambda _answer: Detail(
            code="text_untrue",
            path=("treatments", number, "send", "template"),
            values={"id": one.id, "template": template},
        ),
    )


def speaks(one: Treatment) -> bool:
    """Return whether a treatment reaches the borrower."""
    return one.send is not None or (
        one.task is not None and one.task.kind not in ("review", "security_restricted")
    )


def one_of(theory: Theory, code: str, numbers: Sequence[int], *wanted: Term) -> Question:
    """Return the question whether one of some treatments acts where it should not."""
    steps = theory.policy.treatments

    def step(answer: Answer) -> Treatment:
        return steps[numbers[first(answer.seen)]]

    def shows(answer: Answer) -> Shows:
        return rule_decides(step(answer).id, "contact", "task")

    def detail(answer: Answer) -> Detail:
        one, place = step(answer), numbers[first(answer.seen)]
        part = "send" if one.send is not None else "task"
        return Detail(code=code, path=("treatments", place, part), values={"id": one.id})

    return Question(
        claim=code,
        asker=theory.alone,
        wanted=(theory.one.decided, theory.one.chosen_of(numbers), *wanted),
        shows=shows,
        detail=detail,
        see=tuple(theory.one.chosen[number] for number in numbers),
    )


def _security(theory: Theory) -> Question:
    """Ask whether anything but a notice about the account goes out under a security signal."""
    numbers = [
        number
        for number, one in enumerate(theory.policy.treatments)
        if speaks(one) and (one.send is None or one.send.template != SECURITY_TEMPLATE)
    ]
    return one_of(theory, "security_demand", numbers, theory.state.value("security_signal"))


def _promise(theory: Theory) -> Question:
    """Ask whether a demand or a call goes out before somebody asks why a promise was broken."""
    numbers = [
        number
        for number, one in enumerate(theory.policy.treatments)
        if (one.send is not None and one.send.template in theory.setting.demands)
        or (one.task is not None and one.task.kind == "call")
    ]
    fresh = theory.state.within("days_since_promise_broken", 1, PROMISE_DAYS)
    return one_of(theory, "promise_demand", numbers, fresh)


def _call_in_grace(theory: Theory, number: int, one: Treatment) -> Question:
    state: State = theory.state
    return Question(
        claim="call_in_grace",
        asker=theory.alone,
        wanted=(
            theory.one.decided,
            theory.one.chosen[number],
            state.in_grace,
        ),
        shows=lambda _answer: rule_decides(one.id, "task"),
        detail=lambda _answer: Detail(
            code="call_in_grace", path=("treatments", number, "task"), values={"id": one.id}
        ),
    )
