"""From orders to texts, many at a time: group by shape, format column by column, fill."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from duly.book.lender import Lender
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.messages import parts, values
from duly.messages.catalog import Body, Catalogue, Template, builtin
from duly.messages.code import HOLE, LENGTH
from duly.messages.facts import Facts, Order, Rendered
from duly.messages.rows import Columns, Rows, pick
from duly.messages.sayable import check_facts, check_there
from duly.messages.shape import CODE_GROWS, Shape, compile_shape
from duly.messages.variables import FACT_FLAGS, VARIABLES
from duly.messages.voice import Voice, voice_of

#: The columns of `render_table`: those of an order, then those of its facts.
FACT_COLUMNS = tuple(field.name for field in fields(Facts))
VARIANT_COLUMNS = ("template", "locale", "channel", "tone")
COLUMNS = ("message_id", *VARIANT_COLUMNS, *FACT_COLUMNS)
OUT_COLUMNS = ("text", "subject", "segments", "encoding", "class", "params")

#: Rows written at a time: few enough that their values stay in the cache of the processor.
_CHUNK_ROWS = 4096

Variant = tuple[str, str, str, str]  # template, locale, channel, tone


def render(
    orders: Sequence[Order], lender: Lender, catalogue: Catalogue | None = None
) -> list[Rendered]:
    """Write one message an order, in their order; `{code}` stays a hole.

    `catalogue` None means the built-in templates. Refuses (CannotSay) an order whose facts lack
    what its template says, (Refused) an unknown template, locale, channel or tone and a lender
    file whose words no text may carry.
    """
    columns: dict[str, list[Any]] = {
        name: [getattr(order, name) for order in orders]
        for name in ("message_id", *VARIANT_COLUMNS)
    }
    for name in FACT_COLUMNS:
        columns[name] = [getattr(order.params, name) for order in orders]
    table = render_table(columns, lender, catalogue)
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


def render_table(
    columns: Columns, lender: Lender, catalogue: Catalogue | None = None
) -> dict[str, list[Any]]:
    """Write one message a row of `COLUMNS`, as columns `OUT_COLUMNS`; `params` is JSON text.

    Facts that no template of the rows names may be absent. Refuses like `render`.
    """
    size = len(columns["message_id"])
    absent = {name: [None] * size for name in COLUMNS if name not in columns}
    pen = _Pen(lender, catalogue or builtin())
    out: dict[str, list[Any]] = {name: [] for name in OUT_COLUMNS}
    for first in range(0, size, _CHUNK_ROWS):
        last = first + _CHUNK_ROWS
        chunk = {name: (absent.get(name) or columns[name])[first:last] for name in COLUMNS}
        for name, column in pen.write(chunk).items():
            out[name] += column
    return out


class _Pen:
    """Writes rows for one lender; what a variant and its shapes need is made once."""

    def __init__(self, lender: Lender, catalogue: Catalogue) -> None:
        self._lender = lender
        self._catalogue = catalogue
        self._variants: dict[Variant, tuple[Template, Body, Voice]] = {}
        self._shapes: dict[tuple[str, tuple[bool, ...]], Shape] = {}

    def write(self, columns: Columns) -> dict[str, Sequence[Any]]:
        variants: dict[Variant, list[int]] = {}
        wanted = zip(*(columns[name] for name in VARIANT_COLUMNS), strict=True)
        for row, variant in enumerate(wanted):
            variants.setdefault(variant, []).append(row)
        order: list[int] = []
        out: dict[str, list[Any]] = {name: [] for name in OUT_COLUMNS}
        for variant, rows in variants.items():
            for places, written in self._write_variant(variant, columns, rows):
                order += pick(rows, places)
                for name, column in written.items():
                    out[name] += column
        back = [0] * len(order)
        for place, row in enumerate(order):
            back[row] = place
        return {name: pick(column, back) for name, column in out.items()}

    def _write_variant(
        self, variant: Variant, columns: Columns, rows: list[int]
    ) -> Iterator[tuple[list[int], dict[str, list[Any]]]]:
        if variant not in self._variants:
            self._variants[variant] = variant_of(variant, self._lender, self._catalogue)
        template, body, voice = self._variants[variant]
        locale = template.locale
        names = [values.mask_name(name, locale) for name in pick(columns["name"], rows)]
        least = least_of(pick(columns["currency"], rows), self._lender)
        own = Rows(columns, rows, name=names, least_payment=least)
        check_facts(template, body, own, self._lender)
        flags = [flag for flag in body.flags if flag in _ASKED]
        for answers, places in _by_answers(flags, own).items():
            shape = self._shapes.get((body.key, answers))
            if shape is None:
                asked = dict(zip(flags, answers, strict=True))
                shape = compile_shape(template, body, voice, asked)
                self._shapes[body.key, answers] = shape
            whole = len(places) == own.size
            mine = own if whole else Rows(own, places)
            check_there(template, shape.distinct, mine)
            written = _fill(shape, mine, locale)
            yield places, written | {"class": [template.message_class] * len(places)}


def variant_of(
    variant: Variant, lender: Lender, catalogue: Catalogue
) -> tuple[Template, Body, Voice]:
    """Return what writes one variant; refuse (Refused) one that is not there or lacks words."""
    name, wanted_locale, channel, tone = variant
    template = catalogue.served(name, wanted_locale, lender.locale)
    if template is None:
        raise Refused(_problem("no_such_template", name, ", ".join(sorted(catalogue.names))))
    body = template.bodies.get((channel, tone))
    if body is None:
        known = ", ".join(sorted(f"{one}/{other}" for one, other in template.bodies))
        wanted = f"{name} {template.locale} {channel} {tone}"
        raise Refused(_problem("no_such_variant", wanted, known))
    voice = voice_of(lender, template.locale, channel, template.message_class)
    lacking = [name for name in sorted(body.of_lender) if not voice.words[name]]
    if lacking:
        raise Refused(_problem("lender_lacks", name, ", ".join(lacking)))
    return template, body, voice


def least_of(currencies: Sequence[str], lender: Lender) -> list[int]:
    """Return the least to pay a month in hardship; 0 in a currency the lender states none in."""
    return [lender.relief_least.get(one, 0) for one in currencies]


def _by_answers(flags: list[str], columns: Rows) -> dict[tuple[bool, ...], list[int]]:
    if not flags:
        return {(): list(range(columns.size))}
    shapes: dict[tuple[bool, ...], list[int]] = {}
    asked = (_ASKED[flag](columns) for flag in flags)
    for place, answers in enumerate(zip(*asked, strict=True)):
        shapes.setdefault(answers, []).append(place)
    return shapes


def _fill(shape: Shape, columns: Rows, locale: str) -> dict[str, list[Any]]:
    written = {name: _WRITERS[VARIABLES[name]](name, columns, locale) for name in shape.distinct}
    size = columns.size
    texts = _format(shape.pattern, [written[name] for name in shape.variables], size)
    if shape.subject is None:
        encodings, counts = _counted(shape, texts, written.get("name", ()))
    else:
        encodings, counts = ["UTF-8"] * size, [1] * size
    return {
        "text": texts,
        "subject": [shape.subject] * size,
        "segments": counts,
        "encoding": encodings,
        "params": _format(shape.params_pattern, [written[name] for name in shape.distinct], size),
    }


def _counted(shape: Shape, texts: list[str], names: Sequence[str]) -> tuple[list[str], list[int]]:
    encodings = [shape.encoding] * len(texts)
    counts = [parts.count(len(text) + CODE_GROWS, shape.encoding) for text in texts]
    wide = {name for name in set(names) if not parts.is_even(name)}
    if wide or not shape.even:
        for place, text in enumerate(texts):
            if not shape.even or names[place] in wide:
                encodings[place], counts[place] = parts.segments(text.replace(HOLE, "2" * LENGTH))
    return encodings, counts


def _format(pattern: str, columns: list[list[str]], size: int) -> list[str]:
    if not columns:
        return [pattern % ()] * size
    return [pattern % row for row in zip(*columns, strict=True)]


def _left_known(columns: Columns) -> list[bool]:
    """Say where a receipt may name what principal is left.

    Of one loan, with the payment in it. Never where anything is late: then what is left holds an
    overdue amount, and a text that names one is a demand, not a receipt. Never 0: interest or a
    charge may still be owed, and the text would read as if all were settled.
    """
    names = ("outstanding_principal", "overdue_total", "loan_ids", "paid_on", "as_of")
    return [
        bool(left) and not overdue and len(ids) == 1 and paid_on is not None and paid_on <= as_of
        for left, overdue, ids, paid_on, as_of in zip(
            *(columns[name] for name in names), strict=True
        )
    ]


_ASKED: Mapping[str, Callable[[Columns], Iterable[bool]]] = {
    "named": lambda columns: map(bool, columns["name"]),
    "several": lambda columns: [len(ids) > 1 for ids in columns["loan_ids"]],
    "several_due": lambda columns: [
        bool(several) or len(ids) > 1
        for several, ids in zip(columns["several_due"], columns["loan_ids"], strict=True)
    ],
    "accrues": lambda columns: map(bool, columns["accrues"]),
    "late": lambda columns: [total > 0 for total in columns["overdue_total"]],
    "paid_known": lambda columns: [bool(amount) for amount in columns["paid_amount"]],
    "corrects_known": lambda columns: [day is not None for day in columns["corrects_on"]],
    "borrowed_known": lambda columns: [
        bool(principal) and day is not None and len(ids) == 1
        for principal, day, ids in zip(
            columns["principal"], columns["disbursed_on"], columns["loan_ids"], strict=True
        )
    ],
    "accrual_stops": lambda columns: map(bool, columns["accrual_stops"]),
    "plan_even": lambda columns: [
        bool(count) and first * count == total
        for first, count, total in zip(
            columns["plan_amount"], columns["plan_count"], columns["plan_total"], strict=True
        )
    ],
    "least_known": lambda columns: map(bool, columns["least_payment"]),
    "left_known": _left_known,
    "debit_known": lambda columns: [time is not None for time in columns["debit_time"]],
    "plan_free": lambda columns: [cost == 0 for cost in columns["plan_cost"]],
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
    "clock": lambda name, columns, locale: [
        values.clock_text(time, locale) for time in columns[name]
    ],
    "days": lambda _, columns, locale: [
        values.days_text(days, locale) for days in columns["days_past_due"]
    ],
    "count": lambda _, columns, __: [str(len(ids)) for ids in columns["loan_ids"]],
    "tail": lambda _, columns, __: [values.tail_text(ids[0]) for ids in columns["loan_ids"]],
    "name": lambda _, columns, __: list(columns["name"]),
    "number": lambda name, columns, __: list(map(str, columns[name])),
    "agency": lambda name, columns, _: list(columns[name]),
    "court": lambda name, columns, _: list(columns[name]),
    "case": lambda name, columns, _: list(columns[name]),
    "code": lambda name, columns, _: list(columns[name]),
    "staff": lambda name, columns, locale: [
        values.staff_text(who, locale) for who in columns[name]
    ],
    "channel": lambda name, columns, locale: [
        values.channel_text(channel, locale) for channel in columns[name]
    ],
}


def _problem(code: str, value: str, known: str) -> Diagnostic:
    return Diagnostic(area="messages", code=code, values={"value": value, "known": known})
