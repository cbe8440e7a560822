"""Is every part of a policy reached by somebody? Treatments, ceilings, cases of first contact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from duly.conditions import Condition
from duly.conditions.solver import Term, conjunction, disjunction, holds, negation
from duly.conditions.tree import And
from duly.policy.places import Path
from duly.proofs.question import Detail, Question, Shows, Theory, first
from duly.proofs.rerun import Outcome
from duly.proofs.search import Answer
from duly.proofs.truths import SECURITY_TEMPLATE, what_it_says


@dataclass(frozen=True, kw_only=True)
class Reached:
    """A part that somebody must reach, and who it is where somebody does."""

    name: str
    answer: Answer
    shows: Shows


@dataclass(frozen=True, kw_only=True)
class Unreached:
    """A part that nobody reaches: the question for the borrower who comes nearest, and why."""

    nearest: Question


def treatments(theory: Theory) -> Iterator[Reached | Unreached]:
    """Give for each treatment somebody for whom it acts, or why there is nobody."""
    one, state = theory.one, theory.state
    signal = disjunction([one.decided, state.value("security_signal")])
    for number, treatment in enumerate(theory.policy.treatments):
        # The notice about an account is decided before holds and floor; nothing else should be.
        notice = treatment.send is not None and treatment.send.template == SECURITY_TEMPLATE
        decided = signal if notice else one.decided
        said = None if treatment.send is None else what_it_says(theory, treatment.send.template)
        wishes = () if said is None else (said,)
        answer = theory.alone.ask(decided, one.chosen[number], wishes=wishes)
        if answer.verdict != "proved":
            yield Reached(name=treatment.id, answer=answer, shows=_acts(treatment.id))
            continue
        yield _unreached(theory, number, decided)


def _acts(step: str) -> Shows:
    def shows(outcomes: Sequence[Outcome]) -> bool:
        return outcomes[0].decision.get("rule") == step

    return shows


def _passes(step: str) -> Shows:
    """Return whether the plan decides the borrower by something else."""

    def shows(outcomes: Sequence[Outcome]) -> bool:
        decided = outcomes[0].decision
        return bool(decided) and decided.get("rule") != step

    return shows


def _unreached(theory: Theory, number: int, decided: Term) -> Unreached:
    """Tell apart: nobody meets the condition, or they are held; its day never comes; others act."""
    one, treatment = theory.one, theory.policy.treatments[number]
    can = conjunction([decided, one.applies, one.conditions[number]])
    ready = conjunction([can, one.days[number], one.fresh[number]])
    steps = theory.policy.treatments
    values: dict[str, object] = {"id": treatment.id, "day": treatment.from_day}
    path: Path = ("treatments", number, "if")
    if theory.alone.holds(ready):
        wanted: tuple[Term, ...] = (ready,)
        code = "shadowed"
    elif theory.alone.holds(can):
        wanted, code, path = (can,), "day_contradicts", ("treatments", number, "from_day")
    elif theory.alone.holds(one.applies, one.conditions[number], one.held):
        wanted = (one.applies, one.conditions[number], one.held, negation(one.decided))
        code = "held"
    elif theory.alone.holds(one.applies, one.conditions[number]):
        wanted, code = (one.applies, one.conditions[number]), "looked_past"
    else:
        parts = _largest_part(theory, treatment.condition, decided)
        wanted, code = (decided, *parts), "never_holds"

    def detail(answer: Answer) -> Detail:
        taken = {"other": steps[first(answer.seen)].id} if any(answer.seen) else {"other": ""}
        return Detail(code=code, path=path, values=values | taken)

    nearest = Question(
        claim="reached",
        asker=theory.alone,
        wanted=wanted,
        shows=lambda _answer: _passes(treatment.id),
        detail=detail,
        wishes=(disjunction(one.chosen),),
        see=one.chosen[:number],
    )
    return Unreached(nearest=nearest)


def _largest_part(theory: Theory, condition: Condition, decided: Term) -> list[Term]:
    """Return as many of the condition's parts as one borrower can meet, from the first on."""
    tree = condition.tree
    nodes = tree.items if isinstance(tree, And) else (tree,)
    kept: list[Term] = []
    for node in nodes:
        part = Condition(text=condition.text, tree=node, fields=condition.fields)
        term = holds(part, theory.state.row, theory.setting.symbols)
        if theory.alone.holds(decided, *kept, term):
            kept.append(term)
    return kept


def other_parts(theory: Theory) -> Iterator[Unreached]:
    """Give the ceilings, cases and the `for` that nobody meets."""
    one, policy = theory.one, theory.policy
    parts: list[tuple[Path, Term, Condition, str]] = []
    if policy.applies_to is not None:
        parts.append((("for",), one.applies, policy.applies_to, "never_for"))
    taken: list[Term] = []
    for place, (case, held) in enumerate(zip(policy.first_contact.cases, one.cases, strict=True)):
        reached = conjunction([held, *(negation(term) for term in taken)])
        parts.append(
            (("first_contact", "when", place, "if"), reached, case.condition, "never_case")
        )
        taken.append(held)
    for place, (ceiling, held) in enumerate(zip(policy.tone_ceilings, one.ceilings, strict=True)):
        parts.append((("tone_ceiling", place, "if"), held, ceiling.condition, "never_ceiling"))
    for path, reached, condition, code in parts:
        if theory.alone.holds(reached) is not False:
            continue
        detail = Detail(code=code, path=path, values={"condition": condition.text})
        kept = _largest_part(theory, condition, one.decided)
        yield Unreached(
            nearest=Question(
                claim="reached",
                asker=theory.alone,
                wanted=(one.decided, *kept),
                wishes=(one.tone > 0,),  # Somebody who is written to, for whom it would matter.
                shows=lambda _answer: _passes(""),
                detail=lambda _answer, found=detail: found,  # type: ignore[misc]
            ),
        )
