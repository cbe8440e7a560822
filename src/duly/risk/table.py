"""A model from a flat file of numbers: for a lender whose history is not a book."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.near import near
from duly.risk.fitting import Examples, Fitted, TooLittleError, fit
from duly.risk.scorecard import PERSONAL

_FOLDS = 100  #: rows have no time: they are told apart by their place, evenly


def read_table(
    path: Path, *, label: str, without: list[str]
) -> tuple[tuple[str, ...], npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Return columns, values and label of a CSV file; empty cells are no number.

    Refuses (Refused) columns that say who the borrower is unless they are left out, a label that
    is not there or not 0 or 1, and cells that are no number.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    header = rows[0] if rows else []
    _refuse_names(path, header, label, without)
    taken = [at for at, name in enumerate(header) if name != label and name not in without]
    values = np.empty((len(rows) - 1, len(taken)), np.float32)
    came = np.empty(len(rows) - 1, bool)
    target = header.index(label)
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(header) or row[target] not in ("0", "1"):
            raise Refused(_wrong(path, "not_a_label", line, target, name=label))
        came[line - 2] = row[target] == "1"
        for at, place in enumerate(taken):
            try:
                values[line - 2, at] = float(row[place]) if row[place] else np.nan
            except ValueError:
                raise Refused(
                    _wrong(path, "not_a_number", line, place, name=header[place], value=row[place])
                ) from None
    return tuple(header[at] for at in taken), values, came


def _refuse_names(path: Path, header: list[str], label: str, without: list[str]) -> None:
    wrong = [
        _wrong(path, "personal_attribute", 1, at, name=name)
        for at, name in enumerate(header)
        if name.lower() in PERSONAL and name not in without
    ]
    for name in (label, *without):
        if name not in header:
            suggestion = near(name, header)
            wrong.append(_wrong(path, "no_column", 1, 0, name=name, suggestion=suggestion))
    if wrong:
        raise Refused(*wrong)


def _wrong(path: Path, code: str, line: int, place: int, **values: object) -> Diagnostic:
    return Diagnostic(
        area="risk", code=code, file=str(path), line=line, column=str(place + 1), values=values
    )


def train_table(values: npt.NDArray[np.float32], came: npt.NDArray[np.bool_]) -> Fitted:
    """Learn the label; as a flat file has no time, every hundredth place judges with the last 15.

    Refuses (Refused) too few rows, or rows of one label alone.
    """
    place = np.arange(came.size, dtype=np.int64)
    examples = Examples(
        values=values,
        came=came,
        time=place * 37 % _FOLDS,
        weight=np.ones(came.size),
        group=place,
    )
    try:
        return fit(examples, ways=[0] * values.shape[1])
    except TooLittleError as error:
        told = {"rows": error.rows, "late": error.came, "until": "-"}
        raise Refused(Diagnostic(area="risk", code="too_little", values=told)) from None
