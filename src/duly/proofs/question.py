"""What is asked about a policy: one claim, its place in the file, and how a plan breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from duly.conditions.solver import Term, conjunction, disjunction, negation
from duly.policy import Policy
from duly.policy.places import Path
from duly.proofs.draft import Moment
from duly.proofs.meaning import Meaning
from duly.proofs.person import Built
from duly.proofs.rerun import Outcome
from duly.proofs.search import Answer, Asker
from duly.proofs.state import Setting, State
from duly.rules import Rule

#: Whether what the plan decided for the borrowers of a refutation is the harm that was found.
Shows: TypeAlias = Callable[[Sequence[Outcome]], bool]
#: What is added to the books of a refutation's borrowers: the reply, the earlier texts.
Prepare: TypeAlias = Callable[[Sequence[Built], Moment], None]


def nothing_more(_people: Sequence[Built], _moment: Moment) -> None:
    """Add nothing to the books."""


@dataclass(frozen=True, kw_only=True)
class Theory:
    """Everything that questions are made from: one borrower, and two that can be compared."""

    setting: Setting
    alone: Asker
    pair: Asker
    one: Meaning
    two: tuple[Meaning, Meaning]  #: the first is less late, or without the event
    rules: tuple[Rule, ...]
    classes: Mapping[str, str]  #: the class of each template

    @property
    def policy(self) -> Policy:
        """The policy asked about."""
        return self.setting.policy

    @property
    def state(self) -> State:
        """The single borrower."""
        return self.one.state


@dataclass(frozen=True, kw_only=True)
class Question:
    """One claim: no borrower has what is `wanted`.

    `shows` says what the real plan must decide for the borrowers found, `prepare` adds to their
    books what no feature holds. `detail` turns the answer into the code, the place and the
    values of the sentence.
    """

    claim: str  #: key of the sentence that says what is proved
    asker: Asker
    wanted: tuple[Term, ...]
    shows: Callable[[Answer], Shows]
    detail: Callable[[Answer], Detail]
    wishes: tuple[Term, ...] = ()
    see: tuple[Term, ...] = ()
    prepare: Callable[[Answer], Prepare] = field(default=lambda _answer: nothing_more)
    apart: bool = False  #: the plan may refuse the whole book: decided in a book of its own

    def ask(self, *without: Term) -> Answer:
        """Return the answer, with more that is wanted."""
        return self.asker.ask(*self.wanted, *without, wishes=self.wishes, see=self.see)


@dataclass(frozen=True, kw_only=True)
class Detail:
    """What a refutation is called, where it stands, and the values of its sentence."""

    code: str
    path: Path
    values: Mapping[str, object] = field(default_factory=dict)


def first(seen: Sequence[bool]) -> int:
    """Return the place of the first that is true, 0 where none is."""
    return next((place for place, true in enumerate(seen) if true), 0)


def same(one: State, two: State, names: Iterable[str]) -> list[Term]:
    """Return that two borrowers are alike in some features."""
    terms = []
    for name in names:
        left, right = one.row[name], two.row[name]
        alike = disjunction([left.null, left.value == right.value])
        terms.append(conjunction([left.null == right.null, alike]))
    return terms


def same_steps(one: State, two: State) -> list[Term]:
    """Return that two borrowers were told the same, on the same days."""
    terms = []
    for name, left in one.steps.items():
        right = two.steps[name]
        alike = disjunction([left.null, left.value == right.value])
        terms.append(conjunction([left.null == right.null, alike]))
    return terms


def unlike(answer: Answer, state: State, names: Iterable[str], setting: Setting) -> Term:
    """Return that a borrower differs from the first one of an answer in one of some features."""
    wanted = answer.people[0].features
    terms = []
    for name in names:
        pair, value = state.row[name], wanted[name]
        if value is None:
            terms.append(negation(pair.null))
            continue
        code = setting.symbols.code(value) if isinstance(value, str) else value
        terms.append(disjunction([pair.null, pair.value != code]))
    return disjunction(terms)
