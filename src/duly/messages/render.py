"""From orders to texts, many at a time: group by shape, format column by column, fill."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from itertools import repeat
from typing import Any

from duly.book.lender import Lender
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.words import known_locale
from duly.messages import parts, values
from duly.messages.catalog import FACT_FLAGS, VARIABLES, Template, templates
from duly.messages.code import HOLE, LENGTH
from duly.messages.facts import Facts, Order, Rendered
from duly.messages.sayable import check_facts
from duly.messages.shape import CODE_GROWS, Shape, compile_shape
from duly.messages.voice import voice_of

#: The columns of `render_table`: those of an order, then those of its facts.
FACT_COLUMNS = tuple(field.name for field in fields(Facts))
COLUMNS = ("message_id", "template", "tone", "channel", "locale", *FACT_COLUMNS)
OUT_COLUMNS = ("text", "subject", "segments", "encoding", "class", "params")

Columns = Mapping[str, Sequence[Any]]
Variant = tuple[str, str, str, str]  # template, locale, channel, tone


def render(orders: Sequence[Order], lender: Lender) -> list[Rendered]:
    """Write one message an order, in their order; `{code}` stays a hole.

    Refuses (CannotSay) an order whose facts lack what its template says, (Refused) an unknown
    template, locale, channel or tone and a lender file whose words no text may carry.
    """
    columns: dict[str, list[Any]] = {
        name: [getattr(order, name) for order in orders]
        for name in ("message_id", "template", "tone", "channel", "locale")
    }
    for name in FACT_COLUMNS:
        columns[name] = [getattr(order.params, name) for order in orders]
    table = render_table(columns, lender)
    rows = zip(columns["message_id"], *(table[name] for name in OUT_COLUMNS), strict=True)
    return [
        Rendered(
            message_id=message_id,
            text=text,
            subject=subject,
            segments=segments,
            encoding=encoding,
            message_class=message_class,
            params=json.loads(params),
        )
        for message_id, text, subject, segments, encoding, message_class, params in rows
    ]


def render_table(columns: Columns, lender: Lender) -> dict[str, list[Any]]:
    """Write one message a row of `COLUMNS`, as columns `OUT_COLUMNS`; `params` is JSON text.

    `paid_on, paid_amount, corrects_on, report_on` may be absent. Refuses like `render`.
    """
    size = len(columns["message_id"])
    out: dict[str, list[Any]] = {name: [None] * size for name in OUT_COLUMNS}
    whole = {name: columns[name] if name in columns else [None] * size for name in COLUMNS}
    variants: dict[Variant, list[int]] = {}
    wanted = zip(*(whole[name] for name in ("template", "locale", "channel", "tone")), strict=True)
    for row, variant in enumerate(wanted):
        variants.setdefault(variant, []).append(row)
    for variant, rows in variants.items():
        picked = {name: [column[row] for row in rows] for name, column in whole.items()}
        _write_variant(variant, rows, picked, lender, out)
    return out


def _write_variant(
    variant: Variant, rows: list[int], columns: Columns, lender: Lender, out: dict[str, list[Any]]
) -> None:
    name, wanted_locale, channel, tone = variant
    template = _template(name, known_locale(wanted_locale))
    locale = template.locale
    body = template.bodies.get((channel, tone))
    if body is None:
        known = ", ".join(sorted(f"{one}/{other}" for one, other in template.bodies))
        raise Refused(_problem("no_such_variant", f"{name} {locale} {channel} {tone}", known))
    check_facts(template, columns, lender)
    voice = voice_of(lender, locale, channel, template.message_class)
    names = [values.mask_name(one, locale) for one in columns["name"]]
    flags = [flag for flag in body.flags if flag in _ASKED]
    for answers, places in _by_answers(flags, {**columns, "name": names}).items():
        shape = compile_shape(template, body, voice, dict(zip(flags, answers, strict=True)))
        whole = len(places) == len(rows)
        own = {
            key: column if whole else [column[place] for place in places]
            for key, column in {**columns, "name": names}.items()
        }
        written = _fill(shape, own, locale)
        written["class"] = [template.message_class] * len(places)
        for key, column in written.items():
            target = out[key]
            for place, value in zip(places, column, strict=True):
                target[rows[place]] = value


def _by_answers(flags: list[str], columns: Columns) -> dict[tuple[bool, ...], list[int]]:
    size = len(columns["message_id"])
    asked = [_ASKED[flag](columns) for flag in flags]
    shapes: dict[tuple[bool, ...], list[int]] = {}
    for place, answers in enumerate(zip(*asked, strict=True) if asked else repeat((), size)):
        shapes.setdefault(answers, []).append(place)
    return shapes


def _fill(shape: Shape, columns: Columns, locale: str) -> dict[str, list[Any]]:
    written = {name: _WRITERS[VARIABLES[name]](name, columns, locale) for name in shape.distinct}
    size = len(columns["message_id"])
    texts = _format(shape.pattern, [written[name] for name in shape.variables], size)
    encodings = [shape.encoding] * size
    counts = [parts.count(len(text) + CODE_GROWS, shape.encoding) for text in texts]
    wide = {name for name in set(written.get("name", ())) if not parts.is_even(name)}
    if wide or not shape.even:
        for place, text in enumerate(texts):
            if not shape.even or written["name"][place] in wide:
                encodings[place], counts[place] = parts.segments(text.replace(HOLE, "2" * LENGTH))
    return {
        "text": texts,
        "subject": [shape.subject] * size,
        "segments": counts,
        "encoding": encodings,
        "params": _format(shape.params_pattern, [written[name] for name in shape.distinct], size),
    }


def _format(pattern: str, columns: list[list[str]], size: int) -> list[str]:
    if not columns:
        return [pattern % ()] * size
    return [pattern % row for row in zip(*columns, strict=True)]


_ASKED: Mapping[str, Callable[[Columns], Iterable[bool]]] = {
    "named": lambda columns: map(bool, columns["name"]),
    "several": lambda columns: [len(ids) > 1 for ids in columns["loan_ids"]],
    "accrues": lambda columns: map(bool, columns["accrues"]),
    "late": lambda columns: [total > 0 for total in columns["overdue_total"]],
    "paid_known": lambda columns: [bool(amount) for amount in columns["paid_amount"]],
    "corrects_known": lambda columns: [day is not None for day in columns["corrects_on"]],
}
assert set(_ASKED) == set(FACT_FLAGS)


def _money(name: str, columns: Columns, locale: str) -> list[str]:
    text = values.money_text
    pairs = zip(columns[name], columns["currency"], strict=True)
    return [text(minor, currency, locale) for minor, currency in pairs]


def _dates(name: str, columns: Columns, locale: str) -> list[str]:
    text = values.date_text
    pairs = zip(columns[name], columns["as_of"], strict=True)
    return [text(day, locale, as_of) for day, as_of in pairs]


def _instants(_: str, columns: Columns, locale: str) -> list[str]:
    pairs = zip(columns["as_of"], columns["as_of_time"], strict=True)
    return [values.instant_text(day, time, locale) for day, time in pairs]


#: One writer a type of variable: there is none that lets prose through.
_WRITERS: Mapping[str, Callable[[str, Columns, str], list[str]]] = {
    "money": _money,
    "date": _dates,
    "instant": _instants,
    "days": lambda _, columns, locale: [
        values.days_text(days, locale) for days in columns["days_past_due"]
    ],
    "count": lambda _, columns, __: [str(len(ids)) for ids in columns["loan_ids"]],
    "tail": lambda _, columns, __: [values.tail_text(ids[0]) for ids in columns["loan_ids"]],
    "name": lambda _, columns, __: list(columns["name"]),
}


def _template(name: str, locale: str) -> Template:
    found = templates().get((name, locale))
    if found is None:
        known = ", ".join(sorted({one for one, _ in templates()}))
        raise Refused(_problem("no_such_template", name, known))
    return found


def _problem(code: str, value: str, known: str) -> Diagnostic:
    return Diagnostic(area="messages", code=code, values={"value": value, "known": known})
