"""What rules answered, so that nobody works out again what read the same facts.

An answer follows from the facts that were read on the way to it and from nothing else. Which they
are is watched while a rule is asked, never declared: a rule that reads more is remembered by more.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import suppress
from typing import Generic, TypeVar

Facts = Mapping[str, object]
Answer = TypeVar("Answer")

_ABSENT = object()
#: A fact that had so many values is another one for everybody: what else it had is not kept.
_VALUES_MAX = 64


class Watched(Mapping[str, object]):
    """Facts that note which of them are read, in the order of the first look at each."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self.read: dict[str, object] = {}
        self.whole = False  #: something went over all of them

    def __getitem__(self, name: str) -> object:
        """Return a fact, and note it also where it is missing."""
        found = self.read[name] = self._facts.get(name, _ABSENT)
        if found is _ABSENT:
            raise KeyError(name)
        return found

    def __contains__(self, name: object) -> bool:
        """Return whether a fact is there, and note it."""
        try:
            self[str(name)]
        except KeyError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        """Give all names: an answer that rests on all of them is not remembered."""
        self.whole = True
        return iter(self._facts)

    def __len__(self) -> int:
        """Count them, as one who looks at all of them."""
        self.whole = True
        return len(self._facts)


class _Question(Generic[Answer]):
    """Which fact is read next, and what follows from each value that it had."""

    __slots__ = ("name", "then")

    def __init__(self, name: str) -> None:
        self.name = name
        self.then: dict[Hashable, _Question[Answer] | _Answered[Answer]] = {}


class _Answered(Generic[Answer]):
    __slots__ = ("answer",)

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


def _key(fact: object) -> Hashable:
    """Return what two facts share only where they are the same: True is no 1, a list no tuple."""
    kind = fact.__class__
    if kind is bool:
        return (bool, fact)
    return (list, *map(_key, fact)) if kind is list else fact  # type: ignore[call-overload]


class Memory(Generic[Answer]):
    """Answers to one set of questions, each under what was read on the way to it.

    Keep it for one claim: it grows with new values. What reads a value without a hash (a list of
    contacts), or one that everybody has another of, is asked each time.
    """

    def __init__(self) -> None:
        self._first: dict[Hashable, _Question[Answer] | _Answered[Answer]] = {}

    def answer(self, question: Hashable, facts: Facts, work: Callable[[Facts], Answer]) -> Answer:
        """Return what `work` answers about the facts, worked out where it was not before."""
        at = last = self._first.get(question)
        try:
            while isinstance(at, _Question):
                last = at
                at = at.then.get(_key(facts.get(at.name, _ABSENT)))
        except TypeError:
            return work(facts)
        if at is not None:
            return at.answer
        if isinstance(last, _Question) and len(last.then) >= _VALUES_MAX:
            return work(facts)
        watched = Watched(facts)
        found = work(watched)
        if not watched.whole:
            # Where a value has no hash the way ends, and who comes so far is asked.
            with suppress(TypeError):
                self._keep(question, watched.read, found)
        return found

    def _keep(self, question: Hashable, read: Mapping[str, object], found: Answer) -> None:
        place, key = self._first, question
        for name, fact in read.items():
            value = _key(fact)
            at = place.get(key)
            if at is None:
                at = place[key] = _Question(name)
            if not isinstance(at, _Question) or at.name != name:
                return  # Read in another order than before: asked each time.
            place, key = at.then, value
        place[key] = _Answered(found)
