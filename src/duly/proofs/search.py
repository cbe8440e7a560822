"""A question to the solver: proved, refuted by a state that can be looked at, or not answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import z3

from duly.conditions.solver import Pair, Term, conjunction
from duly.policy import FEATURES
from duly.proofs import family
from duly.proofs.state import Setting, State

Clock: TypeAlias = Callable[[], float]  #: seconds from any start; the caller owns the clock
#: `proved_as_scored`: with the scorecard in use, not with every one.
Verdict: TypeAlias = Literal["proved", "proved_as_scored", "refuted", "unanswered"]
Value: TypeAlias = int | str | bool | None

#: How long one question may take; one that takes longer is not proved.
TIMEOUT_SECONDS = 10
#: How many other borrowers are asked for where a book does not come out as the solver said.
ATTEMPTS_MAX = 3
#: A text that no condition names.
OTHER = "another"


@dataclass(frozen=True, kw_only=True)
class Values:
    """What the solver chose for one borrower: features, and days since each treatment acted."""

    features: Mapping[str, Value]
    steps: Mapping[str, int | None]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The answer to one question; `people` are those of the refutation, in the order asked."""

    verdict: Verdict
    people: tuple[Values, ...] = ()
    buildable: bool = True  #: False: none of the refutation's borrowers can be built as a book
    seen: tuple[bool, ...] = ()  #: the truth of what was to be looked at, for these people


class Asker:
    """One solver that keeps the axioms of its states from question to question."""

    def __init__(
        self, setting: Setting, states: Sequence[State], *, usual: Mapping[str, str], seconds: float
    ) -> None:
        self.setting = setting
        self.states = tuple(states)
        arms = {one.field for one in setting.policy.experiments}
        self._texts = arms | {name for name, field in FEATURES.items() if field.kind == "text"}
        self._solver = z3.Solver()
        self._solver.set("timeout", int(seconds * 1000))
        self._solver.set("random_seed", 7)
        for one in states:
            self._solver.add(*one.axioms)
        self._family = [term for one in states for term in family.buildable(setting, one)]
        self._wishes = [term for one in states for term in family.preferred(setting, one, usual)]

    def ask(self, *wanted: Term, wishes: Iterable[Term] = (), see: Sequence[Term] = ()) -> Answer:
        """Return whether no state has what is `wanted`; else such states, short to read.

        First for every scorecard; a refutation keeps to the scorecard in use and, where it can,
        to borrowers that can be built as a book, with as many `wishes` as can be granted.
        """
        self._solver.push()
        try:
            self._solver.add(*wanted)
            found = self._solver.check()
            if found != z3.sat:
                return Answer(verdict="proved" if found == z3.unsat else "unanswered")
            self._solver.add(*(term for one in self.states for term in one.scored))
            found = self._solver.check()
            if found != z3.sat:
                verdict: Verdict = "proved_as_scored" if found == z3.unsat else "unanswered"
                return Answer(verdict=verdict)
            model = self._solver.model()
            self._solver.add(*self._family)
            buildable = self._solver.check() == z3.sat
            if buildable:
                model = self._shortened([*wishes, *self._wishes])
            return Answer(
                verdict="refuted",
                people=tuple(self._values(model, one) for one in self.states),
                buildable=buildable,
                seen=tuple(
                    bool(z3.is_true(model.eval(term, model_completion=True))) for term in see
                ),
            )
        finally:
            self._solver.pop()

    def holds(self, *wanted: Term) -> bool | None:
        """Return whether some state has what is wanted; None where the solver does not know."""
        found = self._solver.check(*wanted)
        return None if found == z3.unknown else bool(found == z3.sat)

    def _shortened(self, wishes: Sequence[family.Wish]) -> Term:
        """Return a model that grants each wish it can, in their order."""
        model = self._solver.model()
        for wish in wishes:
            together = conjunction(wish) if isinstance(wish, tuple) else wish
            granted = self._granted(model, together)
            if granted is not None:
                model = granted
                continue
            for one in wish if isinstance(wish, tuple) else ():
                model = self._granted(model, one) or model
        return model

    def _granted(self, model: Term, wish: Term) -> Term | None:
        """Return a model that grants one wish and keep to it; None where none does."""
        if not z3.is_true(model.eval(wish, model_completion=True)):
            if self._solver.check(wish) != z3.sat:
                return None
            model = self._solver.model()
        self._solver.add(wish)
        return model

    def _values(self, model: Term, one: State) -> Values:
        features = {
            name: self._value(model, pair, is_text=name in self._texts)
            for name, pair in one.row.items()
        }
        steps = {name: self._value(model, pair, is_text=False) for name, pair in one.steps.items()}
        return Values(
            features=features,
            steps={name: None if value is None else int(value) for name, value in steps.items()},
        )

    def _value(self, model: Term, pair: Pair, *, is_text: bool) -> Value:
        if z3.is_true(model.eval(pair.null, model_completion=True)):
            return None
        value = model.eval(pair.value, model_completion=True)
        if z3.is_bool(value):
            return bool(z3.is_true(value))
        number = int(value.as_long())
        if not is_text:
            return number
        return self.setting.symbols.text(number) or OTHER
