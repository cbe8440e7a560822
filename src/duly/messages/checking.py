"""Everything that must hold of a text before people approve it: its words under every answer."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from duly.book.lender import Lender
from duly.core.diagnostic import Diagnostic
from duly.messages.catalog import body_of, template_of
from duly.messages.elements import violations
from duly.messages.facts import TemplateBroken
from duly.messages.forbidden import forbidden
from duly.messages.front import Notes
from duly.messages.samples import complete, sample
from duly.messages.shape import compile_shape
from duly.messages.stages import KINDS, pattern
from duly.messages.template_file import Text
from duly.messages.variables import FACT_FLAGS, LENDER_FLAGS
from duly.messages.voice import Voice, voice_of

#: What stands in a text for a value, a phrase or a question; no words of its own.
_HOLE = re.compile(r"\[\[.*?\]\]|\{\{.*?\}\}|\{%.*?%\}|\{[a-z_]+\}", re.DOTALL)
_FIGURE = re.compile(r"\d(?:[\d.,:：/%％-]*\d)?[%％]?")
_HAN_DIGITS = "零〇一二两兩三四五六七八九十百千万萬亿億壹贰貳叁參肆伍陆陸柒捌玖拾佰仟"
_EN_NUMBERS = (
    "(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|"
    "sixty|seventy|eighty|ninety|hundred|thousand|million)"
)
#: The same in words: 壹仟元, 百分之五, five hundred dollars.
_IN_WORDS = re.compile(
    rf"[{_HAN_DIGITS}][{_HAN_DIGITS}点]{{0,11}}(?:元|块|塊|圆|圓|港[币幣]|美[元金]|人民[币幣])"
    rf"|百分之[{_HAN_DIGITS}点]{{1,6}}"
    rf"|(?<![a-z]){_EN_NUMBERS}(?:[ -](?:and )?{_EN_NUMBERS}){{0,5}}"
    r" (?:yuan|rmb|dollars?|pounds?|euros?|rupees?|pence|cents?|percent|per cent)(?![a-z])",
    re.IGNORECASE,
)
#: Lines of the public that are the same for everybody; the lender's own come from its file.
_PUBLIC_LINES = frozenset(
    {"12378", "12363", "12345", "12315", "12348", "12386", "96110", "110", "120", "911", "988",
     "999", "112", "116123", "1930", "14567"}
)  # fmt: skip
#: A period that a law or a promise of ours sets, not the days that a loan is late.
_PERIOD = re.compile(
    r"\s?(?:日内|天内|日內|天內|日之内|天之内|个?工作日|小时|個?工作日|小時|个月|個月|年(?!\d|利率|化)"
    r"|(?:working |business |calendar )?days?(?! late| overdue| past)|hours?|months?|years?)"
)
_PERIOD_DIGITS = 2
_LATE_BEFORE = re.compile(r"(?:逾期|晚了?|迟了?|遲了?|拖欠?|late|overdue)\s?(?:by )?$")
#: Says what is wrong with one finished text: its words, and the text that it was made from.
Lint = Callable[[str, Text], tuple[str, ...]]


def floor(said: str, text: Text) -> tuple[str, ...]:
    """Return what the table of stages and the lexicon find in a finished text."""
    return violations(said, text.locale, text.stage, channel=text.channel)


#: Asked of every sample of a text; a fuller lint takes its place in this list.
LINTS: tuple[Lint, ...] = (floor,)


def check(text: Text, lender: Lender, lints: tuple[Lint, ...] = LINTS) -> tuple[Diagnostic, ...]:
    """Return what is wrong with a text under any answer to its questions, each at its place.

    Words that the lender file lacks are replaced by samples: the text is checked, not the lender.
    """
    lender = complete(lender)
    broken = [*_shapes(text, lender)]
    said = "" if broken else sample(text, lender).text
    problems = broken or [problem for lint in lints for problem in lint(said, text)]
    notes = Notes(text.file)
    for problem in dict.fromkeys(problems):
        _note(problem, text, notes)
    if not problems:
        for rule, words in forbidden(said, text, lender):
            place, shown = _found(text, "", words)
            notes.wrong(place, "words_of_rule", rule=rule, words=shown)
    for place, figure in _constants(text):
        notes.wrong(place, "constant_figure", figure=figure)
    return tuple(sorted(notes.found, key=lambda one: (one.line, int(one.column))))


def _constants(text: Text) -> Iterator[tuple[tuple[int, int], str]]:
    """Give the figures that stand in the words themselves: each loan would get the same.

    Money, days, rates and telephones come by variables (contract, section 3).
    """
    plain = _HOLE.sub(lambda hole: re.sub(r"[^\n]", " ", hole[0]), text.raw)
    for number, line in enumerate(plain.split("\n"), start=text.body_line):
        for found in _FIGURE.finditer(line):
            before, start, end = line[: found.start()], found.start(), found.end()
            few = found[0].isdigit() and len(found[0]) <= _PERIOD_DIGITS
            period = few and _PERIOD.match(line, end) and not _LATE_BEFORE.search(before)
            if found[0] not in _PUBLIC_LINES and not period:
                yield (number, start + 1), found[0]
        yield from (((number, one.start() + 1), one[0]) for one in _IN_WORDS.finditer(line))


def _shapes(text: Text, lender: Lender) -> Iterator[str]:
    """Give the problems of each shape that the text can take."""
    template, body = template_of(text), body_of(text, text.tones[0])
    for voice in _voices(text, lender):
        asked = [flag for flag in FACT_FLAGS if flag in text.flags]
        for answers in itertools.product((True, False), repeat=len(asked)):
            try:
                compile_shape(template, body, voice, dict(zip(asked, answers, strict=True)))
            except TemplateBroken as broken:
                yield from broken.problems


def _voices(text: Text, lender: Lender) -> Iterator[Voice]:
    """Give the lender's voice under each answer that a lender file may give."""
    voice = voice_of(lender, text.locale, text.channel, text.message_class)
    asked = [flag for flag in LENDER_FLAGS if flag in text.flags]
    for answers in itertools.product((True, False), repeat=len(asked)):
        flags = dict(voice.flags) | {"opt_out": True} | dict(zip(asked, answers, strict=True))
        yield replace(voice, flags=flags)


def _note(problem: str, text: Text, notes: Notes) -> None:
    kind, _, rest = problem.partition(":")
    place = (text.body_line, 1)
    if kind == "missing":
        notes.wrong(place, "words_missing", element=rest, stage=text.stage)
    elif kind == "forbidden":
        category, _, words = rest.partition(":")
        at, shown = _found(text, category, words)
        notes.wrong(at, "words_forbidden", kind=category, words=shown)
    else:
        notes.wrong(place, "words_wrong", problem=problem)


def _found(text: Text, category: str, words: str) -> tuple[tuple[int, int], str]:
    """Return where forbidden words stand in the file, and the words.

    What only a phrase or a value says is placed on the body's first line.
    """
    known = re.compile(re.escape(words), re.IGNORECASE) if words else None
    if not words and category in KINDS:
        known = pattern(text.locale, category)
    for number, line in enumerate(text.raw.split("\n"), start=text.body_line):
        hit = known.search(line) if known is not None else None
        if hit is not None:
            return (number, hit.start() + 1), hit[0]
    return (text.body_line, 1), words or category
