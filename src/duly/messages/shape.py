"""Shapes: a body with its questions answered, compiled once to fixed text with typed holes.

The template engine answers a body's questions (is the name known, does a charge accrue, …) once
per distinct answer. What is left is fixed text with holes, checked as a whole before the first
message uses it; filling the holes needs no engine, so a value can carry no syntax.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from duly.messages import parts, values
from duly.messages.catalog import Body, Template, environment
from duly.messages.code import HOLE, LENGTH
from duly.messages.elements import elements_of, holds, violations
from duly.messages.facts import TemplateBroken
from duly.messages.lint import broken
from duly.messages.locales import is_chinese
from duly.messages.stages import STAGES
from duly.messages.variables import FACT_FLAGS, OF_CASE, OF_LENDER, VARIABLES
from duly.messages.voice import Voice

_FIRST_HOLE = 0xE000
_HOLES = {name: chr(_FIRST_HOLE + place) for place, name in enumerate(VARIABLES)}
_NAMES = {hole: name for name, hole in _HOLES.items()}
_HOLE = re.compile(f"([{chr(_FIRST_HOLE)}-{chr(_FIRST_HOLE + len(VARIABLES) - 1)}])")
_SPACES = re.compile(r"  +")
_EMPTY_LINES = re.compile(r"\n{3,}")
#: What a text grows by when its code is filled in.
CODE_GROWS = LENGTH - len(HOLE)

_SAMPLE_DAY = date(2026, 3, 13)
_SAMPLES: Mapping[str, Callable[[str], str]] = {
    "money": lambda locale: values.money_text(73410, "CNY", locale),
    "date": lambda locale: values.date_text(_SAMPLE_DAY, locale),
    "instant": lambda locale: values.instant_text(_SAMPLE_DAY, "09:30", locale),
    "clock": lambda locale: values.clock_text("17:30", locale),
    "days": lambda locale: values.days_text(7, locale),
    "name": lambda locale: values.mask_name("张三" if is_chinese(locale) else "Zhang", locale),
    "tail": lambda _: "1234",
    "count": lambda _: "3",
    "number": lambda _: "3",
    "agency": lambda locale: "示例信用服务" if is_chinese(locale) else "Example Servicing",
    "court": lambda locale: "甲市乙区人民法院" if is_chinese(locale) else "Example County Court",
    "case": lambda locale: "（2026）甲0101民初1号" if is_chinese(locale) else "K12 345",
    "code": lambda _: "D2603-18",
    "staff": lambda locale: values.staff_text(
        "李明 1001" if is_chinese(locale) else "Li Ming 1001", locale
    ),
    "channel": lambda locale: values.channel_text("sms", locale),
}


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Fixed text with `%s` holes for the `variables`, in order; a variable may come twice."""

    pattern: str
    subject: str | None
    variables: tuple[str, ...]  #: one a hole
    distinct: tuple[str, ...]  #: sorted
    encoding: str  #: of the fixed text; no value changes it
    even: bool  #: every fixed character has one unit, and no value is of the case file
    params_pattern: str  #: canonical JSON with `%s` holes for `distinct`


def compile_shape(template: Template, body: Body, voice: Voice, answers: dict[str, bool]) -> Shape:
    """Return the shape of a body under these answers; raise TemplateBroken where a check fails."""
    flags = {name: answers.get(name, False) for name in FACT_FLAGS} | dict(voice.flags)
    text = _fixed(body, voice, flags)
    pieces = _HOLE.split(text)
    holes = tuple(_NAMES[hole] for hole in pieces[1::2])
    if not body.looked_at:
        found = _faults(template, body, pieces, flags)
        found += _labels(template, body, voice, flags, _with_samples(pieces, template.locale))
        if found:
            raise TemplateBroken(body.key, *found)
    distinct = tuple(sorted(set(holes)))
    fixed = "".join(pieces[0::2]).replace(HOLE, "")
    return Shape(
        pattern=_HOLE.sub("%s", text.replace("%", "%%")),
        subject=body.subject,
        variables=holes,
        distinct=distinct,
        encoding=parts.GSM if parts.is_gsm(fixed) else parts.UCS2,
        even=parts.units(fixed, parts.segments(fixed)[0]) == len(fixed)
        and not any(VARIABLES[name] in OF_CASE for name in distinct),
        params_pattern="{" + ",".join(f'{json.dumps(name)}:"%s"' for name in distinct) + "}",
    )


def _fixed(body: Body, voice: Voice, flags: dict[str, bool]) -> str:
    text = environment().render_str(body.source, **(_HOLES | dict(voice.words) | flags))
    if body.subject is None:
        return _SPACES.sub(" ", text).strip()
    return _EMPTY_LINES.sub("\n\n", text).strip()


def _with_samples(pieces: list[str], locale: str) -> str:
    return "".join(
        _SAMPLES[VARIABLES[_NAMES[piece]]](locale) if place % 2 else piece
        for place, piece in enumerate(pieces)
    )


def neutral_shape(template: Template, body: Body, flags: dict[str, bool]) -> str:
    """Return the text of a body under these answers: samples in the holes, no lender's words."""
    nobody = Voice(words={name: f"{{{name}}}" for name in sorted(OF_LENDER)}, flags={})
    return _with_samples(_HOLE.split(_fixed(body, nobody, flags)), template.locale)


def _labels(
    template: Template, body: Body, voice: Voice, flags: dict[str, bool], filled: str
) -> list[str]:
    """Return the labels that a text earns and that no text of ours may have."""
    found = broken(
        filled,
        STAGES[template.stage].like,
        tuple(filter(None, voice.words.values())),
        filed=template.stage == "legal",  # No such text is written without a case that was filed.
        neutral=neutral_shape(template, body, flags),
    )
    return [f"forbidden:{words}" for words in found]


def _faults(template: Template, body: Body, pieces: list[str], flags: dict[str, bool]) -> list[str]:
    """Return what a text lacks of its stage, and what its stage or the facts forbid."""
    locale, channel = template.locale, body.key.split(".")[2]
    filled = _with_samples(pieces, locale)
    found = list(
        violations(filled, locale, template.stage, channel=channel, opt_out=flags["opt_out"])
    )
    held = elements_of(filled, locale, channel=channel)
    found += [
        f"missing:{element}"
        for element in body.elements
        if element not in (*held, *STAGES[template.stage].must)
        and not (element == "opt_out" and not flags["opt_out"])
    ]
    if any(not piece for piece in pieces[2:-1:2]):
        found.append("adjacent variables")
    # What is not late yet has no late charge, whatever the contract says.
    accrues = flags["accrues"] and (flags["late"] or "late" not in body.flags)
    if accrues != holds(filled, locale, "charge") and "accrues" in body.flags:
        found.append("the late charge is named where none accrues, or the other way round")
    if "accrues" not in body.flags and holds(filled, locale, "charge"):
        found.append("a late charge is named whether it accrues or not")
    if not flags["opt_out"] and holds(filled, locale, "opt_out"):
        found.append("the opt-out stands where the route forbids it")
    prevents = template.stage == "credit_notice" and flags["paying_prevents"]
    if prevents != holds(filled, locale, "prevents"):
        found.append("paying prevents the report is said against the lender file")
    return found
