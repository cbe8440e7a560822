"""The texts of a whole run, column by column: what `render_table` writes, without a row at a time.

Few values of a run differ (dates, days, names; amounts less so), and few shapes fill all texts. So
each distinct value is written once, by the same writers, and the texts are joined from columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from duly.book.lender import Lender
from duly.messages import parts
from duly.messages.catalog import Catalogue, builtin
from duly.messages.code import HOLE, LENGTH
from duly.messages.render import (
    _ASKED,
    _WRITERS,
    VARIANT_COLUMNS,
    Variant,
    least_of,
    variant_of,
)
from duly.messages.sayable import check_facts, check_there
from duly.messages.shape import CODE_GROWS, Shape, compile_shape
from duly.messages.values import mask_name
from duly.messages.variables import VARIABLES

Places = npt.NDArray[np.int64]

#: What a writer reads beside the variable's own column; the kinds named here are written once a
#: distinct value, the others a row at a time.
_BESIDE: Mapping[str, tuple[str, ...]] = {
    "money": ("currency",),
    "date": (),
    "days": (),
    "instant": (),
    "clock": (),
}


@dataclass(frozen=True, kw_only=True)
class Alike:
    """Messages that differ in nothing but their values: one shape, and what fills it."""

    variant: Variant
    places: Places  #: of its rows among the orders
    shape: Shape
    values: Mapping[str, pa.Array]  #: by variable, one a row


def render_columns(
    orders: pa.Table,
    lender: Lender,
    catalogue: Catalogue | None = None,
    *,
    as_of: date,
    as_of_time: str,
) -> dict[str, pa.Array]:
    """Write one message a row, as arrays `text`, `params` (JSON) and `segments` (int32).

    `orders` has the columns of an order and of its facts but `as_of` and `as_of_time`, which are
    the same for all. Texts, params, segments and refusals are those of `render_table`.
    """
    return render_alike(orders, lender, catalogue, as_of=as_of, as_of_time=as_of_time)[0]


def render_alike(
    orders: pa.Table,
    lender: Lender,
    catalogue: Catalogue | None = None,
    *,
    as_of: date,
    as_of_time: str,
) -> tuple[dict[str, pa.Array], tuple[Alike, ...]]:
    """Return what `render_columns` does, and which rows are alike in all but their values."""
    made: list[tuple[Places, Mapping[str, pa.Array]]] = []
    alike: list[Alike] = []
    for variant, places in _by_variant(orders):
        mine = _Orders(_taken(orders, places), as_of, as_of_time)
        for inner, shape, values, written in _write(variant, mine, lender, catalogue or builtin()):
            made.append((places[inner], written))
            alike.append(Alike(variant=variant, places=places[inner], shape=shape, values=values))
    kinds = {"text": pa.string(), "params": pa.string(), "segments": pa.int32()}
    if not made:
        return {name: pa.array((), kind) for name, kind in kinds.items()}, ()
    order = np.concatenate([places for places, _ in made])
    back = np.empty(order.size, np.int64)
    back[order] = np.arange(order.size)
    columns = {
        name: pa.concat_arrays([written[name] for _, written in made]).take(pa.array(back))
        for name in kinds
    }
    return columns, tuple(alike)


def _by_variant(orders: pa.Table) -> list[tuple[Variant, Places]]:
    """Return the variants of the orders, each with its places, in the order of their codes."""
    code = np.zeros(orders.num_rows, np.int64)
    names: list[list[str]] = []
    for name in VARIANT_COLUMNS:
        found = orders.column(name).combine_chunks().dictionary_encode()
        found = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
        names.append(found.dictionary.to_pylist())
        code = code * len(names[-1]) + found.indices.to_numpy()
    variants = []
    for one, places in _grouped(code):
        which = one
        parts_of: list[str] = []
        for known in reversed(names):
            which, place = divmod(which, len(known))
            parts_of.insert(0, known[place])
        template, locale, channel, tone = parts_of
        variants.append(((template, locale, channel, tone), places))
    return variants


def _grouped(code: npt.NDArray[np.int64]) -> list[tuple[int, Places]]:
    """Return each distinct code with the places that have it, places ascending."""
    if not code.size:
        return []
    order = np.argsort(code, kind="stable")
    values, first = np.unique(code[order], return_index=True)
    return list(zip(values.tolist(), np.split(order, first[1:]), strict=True))


def _taken(table: pa.Table, places: Places) -> pa.Table:
    return table.take(pa.array(places)).combine_chunks()


class _Orders(Mapping[str, Sequence[Any]]):
    """The orders of one shape: as arrays, and as lists where a check or a writer asks for them."""

    def __init__(self, table: pa.Table, as_of: date, as_of_time: str) -> None:
        self.size = table.num_rows
        self.table = table
        self.instant = (as_of, as_of_time)
        self._lists: dict[str, Sequence[Any]] = {
            "as_of": [as_of] * self.size,
            "as_of_time": [as_of_time] * self.size,
        }

    def array(self, name: str) -> pa.Array:
        """Return a column as one array, nulls where the orders have no such column."""
        if name not in self.table.schema.names:
            return pa.nulls(self.size)
        column = self.table.column(name)
        return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()

    def __getitem__(self, name: str) -> Sequence[Any]:
        if name not in self._lists:
            self._lists[name] = _listed(self.array(name))
        return self._lists[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.table.schema.names)

    def __len__(self) -> int:
        return len(self.table.schema.names)


def _listed(column: pa.Array) -> Sequence[Any]:
    kind = column.type
    if pa.types.is_list(kind):
        # Checks and questions ask how many loans there are; their ids are read by `_tails` alone.
        sizes = pc.list_value_length(column).to_numpy().tolist()
        known = {size: range(size) for size in set(sizes)}
        return [known[size] for size in sizes]
    if pa.types.is_integer(kind) and not column.null_count:
        listed: list[Any] = column.to_numpy().tolist()
        return listed
    if pa.types.is_date(kind):
        codes = column.dictionary_encode()
        values = [*codes.dictionary.to_pylist(), None]
        return [values[at] for at in codes.indices.fill_null(-1).to_numpy().tolist()]
    return column.to_pylist()  # type: ignore[no-any-return]


def _write(
    variant: Variant, orders: _Orders, lender: Lender, catalogue: Catalogue
) -> Iterator[tuple[Places, Shape, Mapping[str, pa.Array], Mapping[str, pa.Array]]]:
    """Yield each shape with the places of the orders that have it, its values and its texts."""
    template, body, voice = variant_of(variant, lender, catalogue)
    check_facts(template, body, orders, lender)
    masked = _distinct(orders.array("name"), lambda name: mask_name(name, template.locale))
    table = orders.table
    table = table.set_column(table.schema.get_field_index("name"), "name", masked)
    least = pa.array(least_of(_listed(orders.array("currency")), lender), pa.int64())
    table = table.append_column("least_payment", least)
    own = _Orders(table, *orders.instant)
    flags = [flag for flag in body.flags if flag in _ASKED]
    code = np.zeros(orders.size, np.int64)
    for flag in flags:
        code = code * 2 + np.fromiter(_ASKED[flag](own), np.int64, orders.size)
    for one, places in _grouped(code):
        answers = {flag: bool(one >> at & 1) for at, flag in enumerate(reversed(flags))}
        shape = compile_shape(template, body, voice, answers)
        mine = own if places.size == own.size else _Orders(_taken(table, places), *own.instant)
        check_there(template, shape.distinct, mine)
        values = {name: _written(name, mine, template.locale) for name in shape.distinct}
        yield places, shape, values, _fill(shape, values, mine.size)


def _fill(shape: Shape, written: Mapping[str, pa.Array], size: int) -> dict[str, pa.Array]:
    texts = _joined(shape.pattern, [written[name] for name in shape.variables], size)
    params = _joined(shape.params_pattern, [written[name] for name in shape.distinct], size)
    return {"text": texts, "params": params, "segments": _counted(shape, texts, written)}


def _written(name: str, orders: _Orders, locale: str) -> pa.Array:
    """Return the texts of one variable, by its writer, each distinct value written once."""
    kind = VARIABLES[name]
    write = _WRITERS[kind]
    if kind == "name":
        return orders.array(name)
    if kind == "tail":
        return _tails(pc.list_element(orders.array("loan_ids"), 0))
    if kind not in _BESIDE:
        return pa.array(write(name, orders, locale), pa.string())
    own = "days_past_due" if kind == "days" else name
    beside = _BESIDE[kind]
    if any(len(pc.unique(orders.array(other))) > 1 for other in beside):
        return pa.array(write(name, orders, locale), pa.string())
    if kind == "instant":
        codes = pa.DictionaryArray.from_arrays(np.zeros(orders.size, np.int32), pa.array([""]))
    else:
        codes = orders.array(own).dictionary_encode()
    size = len(codes.dictionary)
    as_of, time = orders.instant
    values: dict[str, Sequence[Any]] = {
        own: _listed(codes.dictionary),
        "as_of": [as_of] * size,
        "as_of_time": [time] * size,
        **{other: [orders.array(other)[0].as_py()] * size for other in beside},
    }
    return pa.array(write(name, values, locale), pa.string()).take(codes.indices)


def _tails(ids: pa.Array) -> pa.Array:
    """Return `tail_text` of each id: all differ, so they are written as a column."""
    plain = pc.replace_substring_regex(ids, "[^0-9A-Za-z]", "")
    shown = pc.utf8_slice_codeunits(plain, -4)
    tails = pc.replace_substring_regex(shown, "[A-Za-z]", "*")
    return pc.if_else(pc.equal(tails, ""), "****", tails)


def _distinct(column: pa.Array, write: Callable[[str], str]) -> pa.Array:
    codes = column.dictionary_encode()
    return pa.array(map(write, codes.dictionary.to_pylist()), pa.string()).take(codes.indices)


def _joined(pattern: str, columns: Sequence[pa.Array], size: int) -> pa.Array:
    """Return the pattern with its `%s` filled from the columns, one text a row."""
    pieces = [piece.replace("%%", "%") for piece in pattern.split("%s")]
    if not columns:
        return pa.array([pieces[0]] * size, pa.string())
    between = [item for pair in zip(columns, pieces[1:], strict=True) for item in pair]
    return pc.binary_join_element_wise(pieces[0], *between, "")


def recount(alike: Alike, rows: Places, texts: pa.Array, added: str) -> pa.Array:
    """Return the parts of texts of some rows that are alike, once the same was added to each."""
    fixed = parts.UCS2 if not parts.is_gsm(added) else alike.shape.encoding
    even = alike.shape.even and parts.units(added, fixed) == len(added)
    shape = replace(alike.shape, encoding=fixed, even=even)
    at = pa.array(rows)
    return _counted(shape, texts, {name: one.take(at) for name, one in alike.values.items()})


def _counted(shape: Shape, texts: pa.Array, written: Mapping[str, pa.Array]) -> pa.Array:
    if shape.subject is not None:
        return pa.array(np.ones(len(texts), np.int32))
    lengths = pc.utf8_length(texts).to_numpy().astype(np.int64) + CODE_GROWS
    sizes, back = np.unique(lengths, return_inverse=True)
    counts = np.array([parts.count(int(size), shape.encoding) for size in sizes], np.int32)[back]
    for place in _uneven(shape, written, len(texts)):
        text = texts[place].as_py().replace(HOLE, "2" * LENGTH)
        counts[place] = parts.segments(text)[1]
    return pa.array(counts)


def _uneven(shape: Shape, written: Mapping[str, pa.Array], size: int) -> Sequence[int]:
    """Return the places of texts in which a character may take two units."""
    if not shape.even:
        return range(size)
    if "name" not in written:
        return ()
    names = written["name"].dictionary_encode()
    wide = [not parts.is_even(name) for name in names.dictionary.to_pylist()]
    return np.flatnonzero(np.array(wide)[names.indices.to_numpy()]).tolist()
