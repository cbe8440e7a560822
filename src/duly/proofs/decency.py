"""Is anybody asked for money at a number in doubt, right after hardship, or day after day?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from duly.conditions.solver import FALSE, Term, conjunction, disjunction, negation
from duly.policy import ASKING, Send, Treatment
from duly.proofs.coverage import rule_decides
from duly.proofs.question import Detail, Question, Theory, first
from duly.proofs.search import Answer
from duly.proofs.state import DAYS_MAX
from duly.proofs.truths import SECURITY_TEMPLATE, one_of, speaks

#: So long after hardship has ended somebody cares before anybody asks for money.
HARDSHIP_DAYS = 7
#: So long after an agreed plan was broken somebody asks why first; as after a promise.
PLAN_DAYS = 3
#: Between two calls or visits of a person to one borrower lie so many days.
REST_DAYS = 2
#: Calls without an answer after which another is no help.
CALLS_MOST = 5
#: A notice so long before the due date is pressure and no help.
NOTICE_DAYS = 7
#: Tasks that look for the right number: they may come again the next day.
_LOOKING = frozenset({"verify_contact"})
_DOUBTS = ("number_in_doubt", "email_in_doubt")


def questions(theory: Theory) -> Iterator[Question]:
    """Give the questions about whom nobody may press for money today."""
    yield _doubted(theory)
    demands = [number for number, one in enumerate(theory.policy.treatments) if asks(theory, one)]
    hardship = theory.state.within("days_since_hardship_ended", 0, HARDSHIP_DAYS)
    yield one_of(theory, "hardship_demand", demands, hardship)
    broken = theory.state.within("days_since_plan_broken", 0, PLAN_DAYS)
    pressing = [
        number for number in demands
        if (task := theory.policy.treatments[number].task) is None or task.kind != "ask_why"
    ]  # fmt: skip
    yield one_of(theory, "plan_demand", pressing, broken)
    yield _daily(theory)
    yield from _calls(theory)
    notices = [
        number for number, one in enumerate(theory.policy.treatments)
        if one.send is not None and one.send.template != SECURITY_TEMPLATE
    ]  # fmt: skip
    far = theory.state.within("days_to_due", NOTICE_DAYS + 1, DAYS_MAX)
    yield one_of(theory, "notice_early", notices, theory.state.value("days_past_due") == 0, far)


def _calls(theory: Theory) -> Iterator[Question]:
    """Ask whether a call is the first word of the arrears, or one more after many in vain."""
    state = theory.state
    calls = [
        number for number, one in enumerate(theory.policy.treatments)
        if one.task is not None and one.task.kind == "call"
    ]  # fmt: skip
    yield one_of(theory, "call_first", calls, state.value("texts_since_arrears") == 0)
    in_vain = [
        state.value("calls_since_arrears") >= CALLS_MOST,
        negation(state.value("replied_since_arrears")),
        negation(state.value("answered_since_arrears")),
    ]
    yield one_of(theory, "calls_pile_up", calls, *in_vain)


def asks(theory: Theory, one: Treatment) -> bool:
    """Return whether a treatment asks for an overdue amount, in writing or by a person."""
    demands = one.send is not None and one.send.template in theory.setting.demands
    return demands or (one.task is not None and one.task.kind in ASKING)


def _doubted(theory: Theory) -> Question:
    """Ask whether a demand goes to a number or an address of which we doubt whose it is."""
    state, one = theory.state, theory.one
    doubt = {
        "sms": state.value("number_in_doubt"),
        "voice": state.value("number_in_doubt"),
        "email": state.value("email_in_doubt"),
    }
    steps = theory.policy.treatments
    numbers, terms = [], []
    for number, step in enumerate(steps):
        if not asks(theory, step):
            continue
        ways = {"voice": one.chosen[number]} if step.send is None else _ways(theory, step.send)
        numbers.append(number)
        reached = disjunction([conjunction([way, doubt[name]]) for name, way in ways.items()])
        terms.append(conjunction([one.chosen[number], reached]))

    def detail(answer: Answer) -> Detail:
        place = numbers[first(answer.seen)]
        part = "send" if steps[place].send is not None else "task"
        return Detail(
            code="doubted_demand", path=("treatments", place, part), values={"id": steps[place].id}
        )

    return Question(
        claim="doubted_demand",
        asker=theory.alone,
        wanted=(one.decided, disjunction(terms) if terms else FALSE),
        shows=lambda answer: rule_decides(
            steps[numbers[first(answer.seen)]].id, "contact", "task"
        ),
        detail=detail,
        see=tuple(terms),
        wishes=(state.within("days_since_contact_changed", 1, 1),),
    )  # fmt: skip


def _ways(theory: Theory, send: Send) -> dict[str, Term]:
    """Return by which channel a text goes: the first that reaches the borrower, else a call."""
    state, symbols = theory.state, theory.setting.symbols
    can = {name: state.value(f"can_{name}") for name in ("sms", "email")}
    taken: dict[str, list[Term]] = {"sms": [], "email": []}
    before: list[Term] = []
    for channel in send.channels:
        names = ("sms", "email") if channel == "preferred" else (channel,)
        usable = []
        for name in names:
            if name not in can:
                continue
            here = can[name]
            if channel == "preferred":
                here = conjunction([state.is_("preferred_channel", name, symbols), here])
            taken[name].append(conjunction([here, *(negation(term) for term in before)]))
            usable.append(here)
        before += usable
    ways = {name: disjunction(terms) if terms else FALSE for name, terms in taken.items()}
    ways["voice"] = conjunction([*(negation(term) for term in before), state.value("can_voice")])
    return ways


def _daily(theory: Theory) -> Question:
    """Ask whether a person calls a borrower again on the day after somebody spoke with him."""
    state, one, steps = theory.state, theory.one, theory.policy.treatments
    numbers, terms = [], []
    for number, step in enumerate(steps):
        if step.task is None or step.send is not None or not speaks(step):
            continue
        last = state.steps[step.id]
        rested = disjunction([last.null, last.value >= (step.every_days or 0)])
        # To look for the right number may go on daily, while some number is in doubt.
        sure = [negation(state.value(name)) for name in _DOUBTS if step.task.kind in _LOOKING]
        if sure and theory.alone.holds(one.chosen[number], *sure) is False:
            continue  # It looks only where there is a doubt, whatever its words.
        numbers.append(number)
        terms.append(conjunction([one.chosen[number], rested, *sure, *_yesterday(theory, step)]))

    def detail(answer: Answer) -> Detail:
        place = numbers[first(answer.seen)]
        part = "every" if steps[place].every_days is not None else "task"
        return Detail(
            code="asked_daily", path=("treatments", place, part), values={"id": steps[place].id}
        )

    return Question(
        claim="asked_daily",
        asker=theory.alone,
        wanted=(one.decided, disjunction(terms) if terms else FALSE),
        shows=lambda answer: rule_decides(steps[numbers[first(answer.seen)]].id, "task"),
        detail=detail,
        see=tuple(terms),
        wishes=(state.value("calls_since_arrears") >= 1,),
    )


def _yesterday(theory: Theory, step: Treatment) -> Sequence[Term]:
    """Return that a call was yesterday; of care and questions, that the same was."""
    state = theory.state
    assert step.task is not None
    if step.task.kind == "call":
        return [
            state.within("days_since_contact", 0, REST_DAYS - 1),
            state.value("days_since_arrears") >= REST_DAYS,
        ]
    return [negation(state.steps[step.id].null), state.steps[step.id].value < REST_DAYS]
