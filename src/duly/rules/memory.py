"""What rules answered, so that nobody works out again what read the same facts.

An answer follows from the facts that were read on the way to it and from nothing else. Which they
are is watched while a rule is asked, never declared: a rule that reads more is remembered by more.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import repeat
from typing import Generic, TypeAlias, TypeVar

Facts = Mapping[str, object]
Answer = TypeVar("Answer")
Asked: TypeAlias = tuple[Hashable, Callable[[Facts], Answer]]  #: a question, and what works it out

_ABSENT = object()
#: A fact that had so many values is another one for everybody: what else it had is not kept.
_VALUES_MAX = 64
#: What reads a fact that had so many values is not asked together with the others.
_ALIKE_MAX = 8
#: So many sets of facts are known that were answered together; others are asked one by one.
_TOGETHER_MAX = 64


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

    def reads(self, question: Hashable, facts: Facts) -> tuple[str, ...] | None:
        """Return which facts lead to an answer that is remembered of these facts.

        None: it is not remembered, or rests on a fact that is another one for everybody.
        """
        names: list[str] = []
        at = self._first.get(question)
        while isinstance(at, _Question):
            if len(at.then) >= _ALIKE_MAX:
                return None
            names.append(at.name)
            try:
                at = at.then.get(_key(facts.get(at.name, _ABSENT)))
            except TypeError:
                return None
        return None if at is None else tuple(names)

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


class Together(Generic[Answer]):
    """Answers to several questions at once, where all that any of them reads is as before.

    A question that reads what differs for everybody is left out, for good, and asked by itself.
    """

    def __init__(self, memory: Memory[Answer], questions: Sequence[Asked[Answer]]) -> None:
        self._memory = memory
        self._questions = questions
        self._read: dict[int, frozenset[str]] = dict.fromkeys(range(len(questions)), frozenset())
        self._alone: list[int] = []
        self._names: tuple[str, ...] = ()  # All that those read which are asked together.
        self._known: dict[Hashable, Sequence[Answer]] = {}

    def answers(self, facts: Facts) -> list[Answer]:
        """Return what each question answers, in their order."""
        memory, key = self._memory, self._key_of(facts)
        known = self._known.get(key) if key is not None else None
        if known is None:
            found = [memory.answer(one, facts, work) for one, work in self._questions]
            self._learn(facts, found)
            return found
        found = list(known)
        for place in self._alone:
            one, work = self._questions[place]
            found[place] = memory.answer(one, facts, work)
        return found

    def _key_of(self, facts: Facts) -> Hashable:
        """Return what two sets of facts share only where all that is read is the same (`_key`)."""
        values = list(map(facts.get, self._names, repeat(_ABSENT)))
        try:
            key = (
                tuple([_key(one) if one.__class__ is list else one for one in values]),
                tuple(map(type, values)),
            )
            hash(key)
        except TypeError:
            return None
        return key

    def _learn(self, facts: Facts, found: Sequence[Answer]) -> None:
        """Keep the answers under all that was read for them; more is read by some ways than others.

        What is kept of the questions that are asked by themselves is never looked at.
        """
        for place in list(self._read):
            read = self._memory.reads(self._questions[place][0], facts)
            if read is None:
                del self._read[place]
                self._alone.append(place)
            else:
                self._read[place] |= frozenset(read)
        names = tuple(sorted(frozenset().union(*self._read.values())))
        if names != self._names:
            self._names = names
            self._known.clear()
        if len(self._known) < _TOGETHER_MAX:
            key = self._key_of(facts)
            if key is not None:
                self._known[key] = tuple(found)
