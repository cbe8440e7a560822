"""One text in, its findings out: fold, take off disguises, ask words, sender, figures and facts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from duly.messages.lint import figures, links, personal, sender, wording
from duly.messages.lint.disguise import restored
from duly.messages.lint.judging import Reading
from duly.messages.lint.known import Known
from duly.messages.lint.model import (
    AFTER_DUE,
    BEFORE_DUE,
    LABELS,
    PERSONAL,
    STAGES,
    THIRD_PARTY,
    Finding,
    Hit,
    Message,
)
from duly.messages.lint.placing import place_of, rule_at
from duly.spelling import Traced, is_turned, rewritten, traced, turned

#: Holes of a template: their names are no words of the text.
_HOLE = re.compile(r"[{][^{}\n]{1,40}[}]")
#: Eight characters by which a text is checked: VX345678 is no account of anybody.
_CODE = re.compile(r"(?:核验码|核驗碼|查证码|查證碼|check code)[: ]{0,2}([a-z0-9]{8})(?![a-z0-9])")


def lint(message: Message) -> tuple[Finding, ...]:
    """Return what a text breaks, by label and place; nothing where it breaks nothing.

    A text turned around for the eye (U+202E) is read as it is seen, or else as it is written.
    """
    known = Known(message.facts)
    found = _found(message, known, traced(message.text))
    if is_turned(message.text):
        seen = [one for one in _found(message, known, turned(message.text)) if one.words]
        found = [one for one in found if not (seen and one.words)] + seen
    place = place_of(message, known) if found else ""
    placed = [replace(one, rule=rule_at(place, one.label, one.rule)) for one in found]
    return tuple(sorted(placed, key=lambda one: (LABELS.index(one.label), one.start, one.end)))


def _found(message: Message, known: Known, plain: Traced) -> list[Finding]:
    codes = [(*code.span(1), "_" * 8) for code in _CODE.finditer(plain.text)]
    source = restored(rewritten(plain, codes) if codes else plain)
    stage = message.stage if message.stage in STAGES else ""
    if not stage and known.reader_is_another:
        stage = THIRD_PARTY
    reading = Reading(_HOLE.sub(_blank, source.text))
    shown = [
        Finding(label=PERSONAL, rule="CN-PI-4", words=message.text[start:end], start=start,
                end=end, why=why)
        for why, start, end in personal.capitals(message.text)
        if stage != THIRD_PARTY
    ]  # fmt: skip

    def raw(low: int, high: int) -> str:
        start, end = source.written(low, high)
        return message.text[start:end]

    hits = list(_content(reading, stage, known, raw))
    if not hits and not shown:
        hits = list(wording.hinted(reading, stage, known, after=sender.name_end(reading.text)))
    found = [_finding(hit, source, message.text) for hit in _apart(hits)] + shown
    found += [
        Finding(label=label, rule="", words="", start=0, end=0)
        for label in _missing(source.text, message.text, stage, known)
    ]  # fmt: skip
    return found


def _blank(hole: re.Match[str]) -> str:
    return "{" + "_" * (len(hole[0]) - 2) + "}"


def _content(
    reading: Reading, stage: str, known: Known, raw: Callable[[int, int], str]
) -> Iterator[Hit]:
    found = [
        *wording.worded(reading, stage, known),
        *links.linked(reading, known, raw),
        *personal.personal(reading.text, stage, known),
    ]
    baited = any(hit.label == "suspicious_link" for hit in found)
    found += sender.posing(reading.text, stage, known, raw, baited=baited)
    yield from found


def _missing(text: str, original: str, stage: str, known: Known) -> Iterator[str]:
    """Give what a text that asks for money lacks; nothing where its stage is not known."""
    if stage not in (*BEFORE_DUE, *AFTER_DUE):
        return
    late = stage in AFTER_DUE
    if not sender.named(text, original, known):
        yield "missing_identity"
    if not figures.says_amount(text):
        yield "missing_amount"
    if not figures.says_due(text, late=late):
        yield "missing_due_date"
    if late and not figures.says_opt_out(text):
        yield "missing_optout"


def _apart(hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits without those that lie in a longer one of the same label."""
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda one: (one.label, one.start, -one.end)):
        if kept and kept[-1].label == hit.label and hit.end <= kept[-1].end:
            continue
        kept.append(hit)
    return kept


def _finding(hit: Hit, source: Traced, original: str) -> Finding:
    label, rule, why, low, high = hit
    start, end = source.written(low, high)
    return Finding(label=label, rule=rule, words=original[start:end], start=start, end=end, why=why)
