"""What is looked for: the entries of all labels, and which of them a text must be asked about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache

from duly.messages.lint.files import data
from duly.messages.lint.model import CONTENT, STAGES
from duly.messages.lint.phrasing import Phrase, Phrasing


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One idea of a label: its phrases, the rule it breaks, and when the words are no breach."""

    label: str
    rule: str
    why: str
    also: Mapping[str, str]  #: further labels the same words get, each with its rule
    unless: tuple[str, ...]  #: contexts that make the words lawful
    needs: tuple[str, ...]  #: contexts without which they say nothing
    stages: frozenset[str] | None  #: None: all, and where the stage is not known
    unstaged: bool  #: asked where the stage is not known
    fact: str  #: a fact that makes the words true
    denied_by: str  #: a fact without whose denial the words are no breach
    always: bool  #: a negation before the words does not matter
    own: bool  #: words that hold the lender's own name are no breach
    hint: bool  #: broad words, asked only where no other words of content were found


@dataclass(frozen=True, kw_only=True)
class Lexicon:
    """The entries by key: a text is asked only about phrases of which it holds a key."""

    entries: Sequence[Entry]
    phrases: Sequence[tuple[Phrase, Entry]]
    #: For each alternative of a phrase the phrase's place, and what a text must hold beside a key.
    asked: Sequence[tuple[int, tuple[frozenset[str], ...]]]
    by_key: Mapping[str, tuple[int, ...]]  #: places in `asked` of what stands alone
    by_key_of_hint: Mapping[str, tuple[int, ...]]  #: places in `asked` of hints

    def candidates(self, held: Set[str], *, hint: bool) -> Iterator[tuple[Phrase, Entry]]:
        """Give the phrases that may stand in a text with these keys, each once, in their order."""
        by_key = self.by_key_of_hint if hint else self.by_key
        places: set[int] = set()
        for key in by_key.keys() & held:
            places.update(by_key[key])
        last = -1  # Alternatives of one phrase lie beside each other.
        for place in sorted(places):
            number, more = self.asked[place]
            if number == last:
                continue
            for keys in more:  # As in `may_stand`: a call for each is dear here.
                if keys.isdisjoint(held):
                    break
            else:
                last = number
                yield self.phrases[number]


@cache
def phrasing() -> Phrasing:
    """Return the reader of phrases with the groups and shapes of `words.yaml`."""
    words = data("lexicon", "words.yaml")
    return Phrasing(words["groups"], words["shapes"])


@cache
def lexicon() -> Lexicon:
    """Return all entries; refuse (PhraseBroken) a file with a phrase that cannot be read."""
    entries: list[Entry] = []
    phrases: list[tuple[Phrase, Entry]] = []
    by_key: dict[bool, dict[str, list[int]]] = {False: {}, True: {}}
    asked: list[tuple[int, tuple[frozenset[str], ...]]] = []
    read = phrasing()
    for label in CONTENT:
        content = data("lexicon", f"{label}.yaml")
        for item in content["entries"]:
            entry = _entry(item, content)
            entries.append(entry)
            for written in item["says"]:
                phrase = read.phrase(str(written))
                for keys, *more in phrase.each:
                    for key in keys:
                        by_key[entry.hint].setdefault(key, []).append(len(asked))
                    asked.append((len(phrases), tuple(more)))
                phrases.append((phrase, entry))
    return Lexicon(
        entries=entries,
        phrases=phrases,
        asked=asked,
        by_key=_frozen(by_key[False]),
        by_key_of_hint=_frozen(by_key[True]),
    )


def _frozen(by_key: Mapping[str, Sequence[int]]) -> Mapping[str, tuple[int, ...]]:
    return {key: tuple(places) for key, places in by_key.items()}


def _entry(item: Mapping[str, object], content: Mapping[str, object]) -> Entry:
    def several(name: str) -> tuple[str, ...]:
        own, shared = item.get(name, ()), content.get(name, ())
        assert isinstance(own, list | tuple)
        assert isinstance(shared, list | tuple)
        return tuple(dict.fromkeys(map(str, (*shared, *own))))

    stages = item.get("stages")
    also = item.get("also", {})
    assert isinstance(also, dict)
    return Entry(
        label=str(content["label"]),
        rule=str(item.get("rule", content["rule"])),
        why=str(item["why"]),
        also=also,
        unless=several("unless"),
        needs=several("needs"),
        stages=_stages(stages),
        unstaged=not isinstance(stages, dict) or "not" in stages,
        fact=str(item.get("facts", content.get("facts", ""))),
        denied_by=str(item.get("denied_by", "")),
        always=bool(item.get("always")),
        own=bool(item.get("own")),
        hint=bool(item.get("hint")),
    )


def _stages(found: object) -> frozenset[str] | None:
    if not isinstance(found, dict):
        return None
    if "only" in found:
        return frozenset(found["only"])
    return frozenset(STAGES) - frozenset(found["not"])
