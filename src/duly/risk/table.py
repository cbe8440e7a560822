"""A model from a flat file of numbers: for a lender whose history is not a book."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.near import near
from duly.risk.fitting import Examples, Fitted, TooLittleError, fit, grow
from duly.risk.measures import auc
from duly.risk.scorecard import PERSONAL

Values = npt.NDArray[np.float32]
Table = tuple[tuple[str, ...], Values, npt.NDArray[np.bool_]]  #: columns, values, label
_MADE = ": "  #: stands in the names of columns that were worked out
_NUMBERED = re.compile(r"(.*?)[0-9]+")
_SERIES_MIN = 3
_FOLDS = 100  #: rows have no time: they are told apart by their place, evenly


def read_table(path: Path, *, label: str, without: list[str]) -> Table:
    """Return columns, values and label of a CSV file; empty cells are no number.

    Refuses (Refused) columns that say who the borrower is unless they are left out, a label that
    is not there or not 0 or 1, and cells that are no number.
    """
    header, rows = _rows(path)
    _refuse_names(path, header, label, without)
    target = header.index(label)
    for line, row in enumerate(rows, start=2):
        if row[target] not in ("0", "1"):
            raise Refused(_wrong(path, "not_a_label", line, target, name=label))
    came = np.array([row[target] == "1" for row in rows], bool)
    taken = [name for name in header if name != label and name not in without]
    names, values = _widened(taken, _numbers(path, header, rows, taken))
    return names, values, came


def read_rows(path: Path, columns: Sequence[str]) -> Values:
    """Return the values of a model's columns; refuse (Refused) a file without one of them."""
    header, rows = _rows(path)
    plain = [name for name in columns if _MADE not in name]
    missing = [name for name in plain if name not in header]
    if missing:
        raise Refused(*(_no_column(path, name, header) for name in missing))
    names, values = _widened(plain, _numbers(path, header, rows, plain))
    if list(names) != list(columns):
        raise Refused(_wrong(path, "other_columns", 1, 0))
    return values


def _rows(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = list(csv.reader(file)) or [[]]
    for line, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise Refused(_wrong(path, "not_as_wide", line, 0, cells=len(row), width=len(header)))
    return header, rows


def _numbers(path: Path, header: list[str], rows: list[list[str]], taken: Sequence[str]) -> Values:
    values = np.empty((len(rows), len(taken)), np.float32)
    for at, name in enumerate(taken):
        place = header.index(name)
        for line, row in enumerate(rows):
            try:
                values[line, at] = float(row[place]) if row[place] else np.nan
            except ValueError:
                wrong = {"name": name, "value": row[place]}
                raise Refused(_wrong(path, "not_a_number", line + 2, place, **wrong)) from None
    return values


def _widened(names: Sequence[str], values: Values) -> tuple[tuple[str, ...], Values]:
    """Add what series of columns say together: `PAY_1 … PAY_6` is one thing over time.

    Of each series its mean, least, most and how many are above nought; of each against a column
    that stands alone and is above nought, or against a series as long, the shares.
    """
    series: dict[str, list[int]] = {}
    for at, name in enumerate(names):
        found = _NUMBERED.fullmatch(name)
        series.setdefault(found[1] if found else name, []).append(at)
    long = {stem: values[:, at] for stem, at in series.items() if len(at) >= _SERIES_MIN}
    alone = {names[at[0]]: values[:, at] for at in series.values() if len(at) == 1}
    made: dict[str, Values] = {}
    for stem, part in long.items():
        made[f"{stem}{_MADE}mean"] = part.mean(axis=1)
        made[f"{stem}{_MADE}least"] = part.min(axis=1)
        made[f"{stem}{_MADE}most"] = part.max(axis=1)
        made[f"{stem}{_MADE}positive"] = (part > 0).sum(axis=1).astype(np.float32)
        for name, other in (*alone.items(), *long.items()):
            if name != stem and other.shape[1] in (1, part.shape[1]):
                shares = (part / np.where(other > 0, other, np.nan)).astype(np.float32)
                for row in range(part.shape[1]):
                    made[f"{stem}{row}{_MADE}of {name}"] = shares[:, row]
    return (*names, *made), np.column_stack([values, *made.values()]).astype(np.float32)


def _refuse_names(path: Path, header: list[str], label: str, without: list[str]) -> None:
    wrong = [
        _wrong(path, "personal_attribute", 1, at, name=name)
        for at, name in enumerate(header)
        if name.lower() in PERSONAL and name not in without
    ]
    wrong += [_no_column(path, name, header) for name in (label, *without) if name not in header]
    if wrong:
        raise Refused(*wrong)


def _no_column(path: Path, name: str, header: list[str]) -> Diagnostic:
    return _wrong(path, "no_column", 1, 0, name=name, suggestion=near(name, header))


def _wrong(path: Path, code: str, line: int, place: int, **values: object) -> Diagnostic:
    return Diagnostic(
        area="risk", code=code, file=str(path), line=line, column=str(place + 1), values=values
    )


def train_table(values: Values, came: npt.NDArray[np.bool_]) -> Fitted:
    """Learn the label; as a flat file has no time, its rows are told apart by their place.

    Refuses (Refused) too few rows, or rows of one label alone.
    """
    examples = _examples(values, came, np.arange(came.size, dtype=np.int64) * 37 % _FOLDS)
    try:
        return fit(examples, ways=[0] * values.shape[1])
    except TooLittleError as error:
        told = {"rows": error.rows, "late": error.came, "until": "-"}
        raise Refused(Diagnostic(area="risk", code="too_little", values=told)) from None


def cross_measured(values: Values, came: npt.NDArray[np.bool_], *, folds: int = 3) -> float:
    """Return the mean AUC of rows that were not learnt from, each row once."""
    fold = np.arange(came.size, dtype=np.int64) % folds
    examples, ways = _examples(values, came, fold), [0] * values.shape[1]
    found = [
        auc(came[fold == one], grow(examples, fold != one, ways).raw(values[fold == one]))
        for one in range(folds)
    ]
    return float(np.mean(found))


def _examples(values: Values, came: npt.NDArray[np.bool_], time: npt.NDArray[np.int64]) -> Examples:
    place = np.arange(came.size, dtype=np.int64)
    return Examples(values=values, came=came, time=time, weight=np.ones(came.size), group=place)
