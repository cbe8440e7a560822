"""Sentences that the packs demand of every message, added where a template does not say them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from duly.messages import Alike, Extreme, TextRules, extremes, message_locale, recount, segments
from duly.plan.inputs import PlanInputs
from duly.rules import Rule, Text, required_texts
from duly.spelling import traditional

#: What holds of every message of a plan.
_ALWAYS: Mapping[str, object] = MappingProxyType(
    {"purpose": "dunning", "recipient": "borrower", "voicemail": False, "ai_voice": False}
)
_MARKS = (".", "!", "?", "。", "！", "？")


@dataclass(frozen=True, kw_only=True)
class Group:
    """Messages that are alike and of which the rules are asked with the same facts."""

    alike: Alike
    rows: npt.NDArray[np.int64]  #: within `alike`
    facts: Mapping[str, object]
    tail: str | None = ""  #: what was added to each text; None: not the same to all

    @property
    def places(self) -> npt.NDArray[np.int64]:
        """Where its messages stand among all."""
        return self.alike.places[self.rows]

    def extremes(self) -> tuple[Extreme, ...]:
        """Return its extreme texts, with what was added to all."""
        found = extremes(self.alike, self.rows)
        if not self.tail:
            return found
        return tuple(replace(one, text=one.text.rstrip("\n") + self.tail) for one in found)


def grouped(
    alike: Sequence[Alike], orders: pa.Table, inputs: PlanInputs, asked: TextRules, *, own: bool
) -> Iterator[Group]:
    """Give the messages by what the rules about texts are asked of them.

    Who had a text before does not get his first one; whether somebody else's is the first is not
    known of a book. `own`: every loan is owed to the lender itself.
    """
    met = orders.column("met_before").to_numpy()
    for one in alike:
        name, _, channel, tone = one.variant
        known = {"template": name, "tone": tone, "in_own_name": own}
        kind = inputs.catalogue.classes[name]
        for again in (False, True):
            rows = np.flatnonzero(met[one.places] == again)
            if rows.size:
                first = {"first_contact": False} if again else {}
                facts = asked.facts(kind, channel, **known, **first)
                yield Group(alike=one, rows=rows, facts=facts)


def add_required(
    messages: pa.Table, groups: Sequence[Group], rules: Sequence[Rule]
) -> tuple[pa.Table, tuple[Group, ...]]:
    """Return the messages with each demanded sentence that they lack, their segments, the groups.

    The fixed words of a template decide, so the extreme texts of each group are asked first.
    """
    wanted = demanding(rules)
    if not wanted or messages.num_rows == 0:
        return messages, tuple(groups)
    text = messages.column("text").combine_chunks()
    parts = messages.column("segments").combine_chunks()
    done = []
    for group in groups:
        locale = group.alike.variant[1]
        tails = {_tail(wanted, group.facts, one.text, locale) for one in group.extremes()}
        tail = tails.pop() if len(tails) == 1 else None
        done.append(replace(group, tail=tail))
        if tail == "":
            continue
        places = pa.array(group.places)
        said = text.take(places)
        if tail is None:
            longer = pa.array([_completed(wanted, group.facts, one, locale)
                               for one in said.to_pylist()])  # fmt: skip
        else:
            longer = pc.binary_join_element_wise(pc.utf8_rtrim(said, "\n"), tail, "")
        text = _replaced(text, places, longer)
        if group.facts["channel"] == "sms":
            parts = _replaced(parts, places, _parts(group, longer, tail))
    place = messages.schema.get_field_index
    messages = messages.set_column(place("text"), "text", text)
    return messages.set_column(place("segments"), "segments", parts), tuple(done)


def _parts(group: Group, texts: pa.Array, tail: str | None) -> pa.Array:
    if tail is None:
        return pa.array([segments(one)[1] for one in texts.to_pylist()], pa.int32())
    return recount(group.alike, group.rows, texts, tail)


def demanding(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Return the rules that have a sentence of their own for a text about a debt."""
    return tuple(
        rule
        for rule in rules
        if isinstance(rule.primitive, Text)
        and "dunning" in rule.primitive.classes
        and any(words.add for words in rule.primitive.must)
        and required_texts((rule,), {**_ALWAYS, "in_own_name": False}, "en")
    )


def in_own_name(inputs: PlanInputs, connection: duckdb.DuckDBPyConnection) -> bool:
    """Return whether every loan of the book is owed to the lender itself."""
    # The stages may still run beside: a cursor of its own does not wait for them.
    with connection.cursor() as beside:
        found = beside.execute(
            "select count(*) from loans where coalesce(creditor, ?) <> ?", [inputs.lender.name] * 2
        ).fetchone()
    return found is not None and found[0] == 0


def _completed(rules: Sequence[Rule], facts: Mapping[str, object], said: str, locale: str) -> str:
    tail = _tail(rules, facts, said, locale)
    return said.rstrip("\n") + tail if tail else said


def _tail(rules: Sequence[Rule], facts: Mapping[str, object], said: str, locale: str) -> str:
    """Return what has to follow a text: the sentences that it lacks, as its language joins them."""
    served = message_locale(locale)
    added = required_texts(rules, {**facts, "text": said}, "en" if served == "en" else "zh-CN")
    if not added:
        return ""
    if served == "zh-TW":
        added = tuple(traditional(sentence) for sentence in added)
    gap, stop = (" ", ".") if served == "en" else ("", "。")
    begun = said.rstrip("\n")
    ends = begun.endswith(_MARKS) or "\n" in begun[-40:]
    return ("" if ends else stop) + gap + _joined(added, gap, stop)


def _joined(sentences: Sequence[str], gap: str, stop: str) -> str:
    """Return sentences one after another; what is last may end as a text message ends."""
    *first, last = sentences
    closed = [one if one.endswith(_MARKS) else one + stop for one in first]
    return gap.join((*closed, last))


def _replaced(column: pa.Array, places: pa.Array, values: pa.Array) -> pa.Array:
    chosen = np.zeros(len(column), bool)
    chosen[places.to_numpy()] = True
    # What replaces stands in the order of its places.
    ordered = values.take(pa.array(np.argsort(places.to_numpy(), kind="stable")))
    return pc.replace_with_mask(column, pa.array(chosen), ordered.cast(column.type))
