"""Does every finished text keep the rules about texts? Asked of messages that are alike at once.

The extreme texts of each group are asked in full; where they keep every rule, so do all between.
What a value could turn (a name that completes a banned phrase, a text that some values make long)
is asked row by row. `rules.ask` on one row is the oracle.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from duly.messages import Broken, TextRules, amounts_in, longest_allowed
from duly.messages.lawful import finished
from duly.plan.required import Group
from duly.rules import Rule, Text
from duly.rules.phrases import claims
from duly.rules.wording import in_scope

Places = npt.NDArray[np.int64]
_TOLD = ("message_id", "borrower_id", "loan_ids", "channel", "locale", "template", "tone", "text")


@dataclass(frozen=True, kw_only=True)
class Unlawful:
    """A message that must not be sent, and every rule that its text breaks."""

    message_id: str
    borrower_id: str
    loan_ids: tuple[str, ...]
    channel: str
    locale: str
    template: str
    tone: str
    text: str  #: `{code}` unfilled
    broken: tuple[Broken, ...]


def unlawful(messages: pa.Table, groups: Sequence[Group], asked: TextRules) -> tuple[Unlawful, ...]:
    """Return the messages whose finished texts break a rule, by message id; most often none."""
    found: dict[int, tuple[Broken, ...]] = {}
    text = messages.column("text").combine_chunks()
    for group in groups:
        found |= _broken(group, text.take(pa.array(group.places)), messages, asked)
    places = sorted(found)
    rows = messages.select(_TOLD).take(pa.array(places, pa.int64())).to_pylist()
    told = [
        Unlawful(**{**row, "loan_ids": tuple(row["loan_ids"])}, broken=found[place])
        for place, row in zip(places, rows, strict=True)
    ]
    return tuple(sorted(told, key=lambda one: one.message_id))


def _broken(
    group: Group, texts: pa.Array, messages: pa.Table, asked: TextRules
) -> Mapping[int, tuple[Broken, ...]]:
    """Return what the texts of one group break, by their places among all messages."""
    places, lengths = group.places, _lengths(texts)
    said = _alike(group, asked)
    alone = set(range(places.size)) if said is None else _turned(group, asked)
    found: dict[int, tuple[Broken, ...]] = {}
    params = messages.column("params").take(pa.array(places[sorted(alone)]))
    for row, values in zip(sorted(alone), params.to_pylist(), strict=True):
        known = {**group.facts, "amounts": amounts_in(json.loads(values).values())}
        found[int(places[row])] = asked.broken(texts[row].as_py(), known)
    rules = [rule for rule in asked.rules if in_scope(_text_of(rule), group.facts)]
    limit = longest_allowed(rules)
    beyond = np.flatnonzero(lengths > limit).tolist() if limit is not None else ()
    for row in range(places.size) if said else beyond:
        if row not in alone:
            found[int(places[row])] = _joined(said or (), rules, int(lengths[row]))
    return {place: broken for place, broken in found.items() if broken}


def _lengths(texts: pa.Array) -> Places:
    """Return how many characters each finished text has."""
    first = texts[0].as_py()
    grows = len(finished(first)) - len(first)
    lengths: Places = pc.utf8_length(texts).to_numpy().astype(np.int64) + grows
    return lengths


def _alike(group: Group, asked: TextRules) -> tuple[Broken, ...] | None:
    """Return what all texts of a group break by their words; None where they may differ."""
    if group.tail is None:
        return None
    examples = [
        (one.text, {**group.facts, "amounts": amounts_in(one.values.values())})
        for one in group.extremes()
    ]
    loose = [_ids(asked.loose.broken(said, known)) for said, known in examples]
    if not any(loose):
        return ()
    exact = [asked.unmeasured.broken(said, known) for said, known in examples]
    same = len({*loose, *map(_ids, exact)}) == 1
    return exact[0] if same else None


def _ids(broken: Sequence[Broken]) -> tuple[str, ...]:
    return tuple(one.rule_id for one in broken)


def _turned(group: Group, asked: TextRules) -> set[int]:
    """Return the rows whose name might complete a phrase that is banned."""
    if "name" not in group.alike.values:
        return set()
    names = group.alike.values["name"].take(pa.array(group.rows)).dictionary_encode()
    shortest = group.extremes()[0]
    doubtful = [
        place
        for place, name in enumerate(names.dictionary.to_pylist())
        if any(
            claims(_with_name(group, shortest.values, name), phrase)
            for phrase in asked.may_turn(name)
        )
    ]
    return set(np.flatnonzero(np.isin(names.indices.to_numpy(), doubtful)).tolist())


def _with_name(group: Group, values: Mapping[str, str], name: str) -> str:
    shape = group.alike.shape
    filled = {**values, "name": name}
    return shape.pattern % tuple(filled[one] for one in shape.variables) + (group.tail or "")


def _joined(said: Sequence[Broken], rules: Sequence[Rule], length: int) -> tuple[Broken, ...]:
    """Return what a text breaks by its words and by its length, in the order of the rules."""
    by_words = {one.rule_id: one for one in said}
    return tuple(_of_rules(by_words, rules, length))


def _of_rules(
    by_words: Mapping[str, Broken], rules: Sequence[Rule], length: int
) -> Iterator[Broken]:
    for rule in rules:
        most = _text_of(rule).length_max
        over = max(0, length - most) if most is not None else 0
        if rule.id in by_words:
            yield replace(by_words[rule.id], length=length, over=over)
        elif over:
            yield Broken(rule_id=rule.id, reason="text", length=length, over=over)


def _text_of(rule: Rule) -> Text:
    assert isinstance(rule.primitive, Text), "only rules about texts are asked here"
    return rule.primitive
