"""Sentences that the packs demand of every message, added where a template does not say them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from duly.messages import message_locale, segments
from duly.plan.inputs import PlanInputs
from duly.rules import Rule, Text, required_texts
from duly.spelling import traditional

#: What holds of every message of a plan.
_ALWAYS: Mapping[str, object] = MappingProxyType(
    {"purpose": "dunning", "recipient": "borrower", "voicemail": False, "ai_voice": False}
)
_KINDS = ("class", "channel", "locale", "template", "tone")


def add_required(
    messages: pa.Table, inputs: PlanInputs, connection: duckdb.DuckDBPyConnection
) -> pa.Table:
    """Return the messages with each demanded sentence that they lack, and their segments.

    The fixed words of a template decide, so one message of each kind is asked first. Whether a
    contact is the first is not known of a book: the demands on first and on later ones both hold.
    """
    rules = demanding(inputs.rules)
    if not rules or messages.num_rows == 0:
        return messages
    facts = {**_ALWAYS, "in_own_name": in_own_name(inputs, connection)}
    kinds = messages.select(_KINDS).group_by(list(_KINDS)).aggregate([]).to_pylist()
    text, parts = messages.column("text"), messages.column("segments")
    for kind in sorted(kinds, key=lambda row: tuple(str(row[name]) for name in _KINDS)):
        chosen = _rows_of(messages, kind)
        said = pc.take(text, chosen).to_pylist()
        if not required_texts(rules, facts | kind | {"text": said[0]}, str(kind["locale"])):
            continue
        longer = [_completed(rules, facts | kind, one, str(kind["locale"])) for one in said]
        text, parts = _replaced(text, parts, chosen, longer, by_parts=kind["channel"] == "sms")
    place = messages.schema.get_field_index
    messages = messages.set_column(place("text"), "text", text)
    return messages.set_column(place("segments"), "segments", parts)


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


def _rows_of(messages: pa.Table, kind: Mapping[str, object]) -> pa.Array:
    mask = None
    for name in _KINDS:
        value = kind[name]
        column = messages.column(name)
        same = pc.is_null(column) if value is None else pc.equal(column, value)
        mask = same if mask is None else pc.and_(mask, same)
    return pc.indices_nonzero(pc.fill_null(mask, fill_value=False))


def _completed(rules: Sequence[Rule], facts: Mapping[str, object], said: str, locale: str) -> str:
    served = message_locale(locale)
    added = required_texts(rules, {**facts, "text": said}, "en" if served == "en" else "zh-CN")
    if not added:
        return said
    if served == "zh-TW":
        added = tuple(traditional(sentence) for sentence in added)
    gap, stop = (" ", ".") if served == "en" else ("", "。")
    begun = said.rstrip("\n")
    ends = begun.endswith((".", "!", "?", "。", "！", "？")) or "\n" in begun[-40:]
    return begun + ("" if ends else stop) + gap + gap.join(added)


def _replaced(
    text: pa.ChunkedArray,
    parts: pa.ChunkedArray,
    chosen: pa.Array,
    longer: Sequence[str],
    *,
    by_parts: bool,
) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Return both columns with the chosen rows replaced; only text messages come in parts."""
    words, counts = text.to_pylist(), parts.to_pylist()
    for place, said in zip(chosen.to_pylist(), longer, strict=True):
        words[place] = said
        if by_parts:
            counts[place] = segments(said)[1]
    return (
        pa.chunked_array([pa.array(words, text.type)]),
        pa.chunked_array([pa.array(counts, parts.type)]),
    )
