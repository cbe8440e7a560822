"""A trained model as one file with a fingerprint: what it asks, what it looks at, what it says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from duly.core import digest
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.risk.calibrating import Steps, probability
from duly.risk.feature_table import FEATURES
from duly.risk.features import Scale, in_parts
from duly.risk.forest import Forest, of_plain
from duly.risk.scorecard import PERSONAL

FORM = 1
FILE = "model.json"
REASONS = 3
_LEAST = 1e-6  #: log odds; what moved a score by less is no reason

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a model says to one question."""

    columns: tuple[str, ...]
    forest: Forest
    slope: float
    shift: float
    steps: Steps | None = None  #: where they measured better than the logistic curve

    def probability(self, values: npt.NDArray[np.float32], threads: int = 1) -> Floats:
        """Return the calibrated probability of each row."""
        raw = np.zeros(values.shape[0])

        def write(begin: int, until: int) -> None:
            raw[begin:until] = self.forest.raw(values[begin:until])

        in_parts(write, raw.size, threads)
        if self.steps is not None:
            return self.steps.probability(raw)
        return probability(raw, self.slope, self.shift)

    def reasons(self, values: npt.NDArray[np.float32]) -> list[str]:
        """Return for each row the columns that moved it most, `+` where they raised it."""
        parts = self.forest.parts(values)
        largest = np.argsort(-np.abs(parts), axis=1, kind="stable")[:, :REASONS]
        return [
            " ".join(
                f"{'+' if parts[row, at] > 0 else '-'}{self.columns[at]}"
                for at in places
                if abs(parts[row, at]) > _LEAST
            )
            for row, places in enumerate(largest)
        ]


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model; `kind` is `book`, or `table` for one that learnt from a flat file."""

    kind: str
    until: str
    families: tuple[str, ...]
    scale: Scale
    answers: Mapping[str, Answer]
    fingerprint: str


def dump(
    *, kind: str, until: str, families: Sequence[str], scale: Scale, answers: Mapping[str, Answer]
) -> bytes:
    """Return the bytes of a model's file."""
    body = {
        "form": FORM,
        "kind": kind,
        "until": until,
        "families": list(families),
        "principal": dict(scale.principal),
        "products": list(scale.products),
        "answers": {
            name: {
                "columns": list(one.columns),
                "slope": one.slope,
                "shift": one.shift,
                **_steps(one.steps),
                "trees": one.forest.plain(),
            }
            for name, one in answers.items()
        },
    }
    whole = {"fingerprint": digest.of_value(body), **body}
    return (json.dumps(whole, ensure_ascii=False, indent=0) + "\n").encode()


def _steps(steps: Steps | None) -> dict[str, list[float]]:
    """Return the steps as they are kept; a model without them is kept as it always was."""
    if steps is None:
        return {}
    return {"knots": list(steps.knots), "levels": list(steps.levels)}


def fingerprint(made: bytes) -> str:
    """Return the fingerprint that a model's file says of itself."""
    return str(json.loads(made)["fingerprint"])


def load(folder: Path) -> Model:
    """Return the model of a directory.

    Refuses (Refused) what is no model, was altered, or looks at who the borrower is.
    """
    path = folder / FILE
    try:
        return _read(path, path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refused(_wrong(path, "no_model", why=error.strerror)) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(_wrong(path, "not_a_model", why=str(error))) from None


def _read(path: Path, text: str) -> Model:
    whole: dict[str, Any] = json.loads(text)
    personal = _personal(path, text, whole)
    if personal:
        raise Refused(*personal)
    told = whole.pop("fingerprint")
    if whole["form"] != FORM:
        raise ValueError(f"form {whole['form']}")
    if told != digest.of_value(whole):
        raise Refused(_wrong(path, "model_altered"))
    if whole["kind"] == "book" and not _known(whole):
        raise Refused(_wrong(path, "other_columns"))
    return _of(whole, told)


def _of(whole: Mapping[str, Any], fingerprint: str) -> Model:
    answers = {}
    for name, one in whole["answers"].items():
        columns = tuple(str(column) for column in one["columns"])
        slope, shift = float(one["slope"]), float(one["shift"])
        if not (np.isfinite(slope) and np.isfinite(shift) and slope > 0):
            raise ValueError("calibration")
        answers[str(name)] = Answer(
            columns=columns,
            forest=of_plain(one["trees"], len(columns)),
            slope=slope,
            shift=shift,
            steps=Steps(
                knots=tuple(float(knot) for knot in one["knots"]),
                levels=tuple(float(level) for level in one["levels"]),
            )
            if "knots" in one or "levels" in one
            else None,
        )
    return Model(
        kind=str(whole["kind"]),
        until=str(whole["until"]),
        families=tuple(whole["families"]),
        scale=Scale(principal=whole["principal"], products=tuple(whole["products"])),
        answers=answers,
        fingerprint=fingerprint,
    )


def _known(whole: Mapping[str, Any]) -> bool:
    """Say whether every question looks at the features of this release, in their order."""
    mine = [one.name for one in FEATURES if one.family in whole["families"]]
    return all(one["columns"] == mine for one in whole["answers"].values())


def _personal(path: Path, text: str, whole: Mapping[str, Any]) -> list[Diagnostic]:
    """Return a diagnostic for each column that says who the borrower is, where it stands."""
    found = []
    columns = {str(name) for one in whole["answers"].values() for name in one["columns"]}
    for name in sorted(one for one in columns if one.lower() in PERSONAL):
        place = text.find(json.dumps(name, ensure_ascii=False))
        line = text.count("\n", 0, place) + 1
        column = place - text.rfind("\n", 0, place)
        found.append(_wrong(path, "personal_attribute", line=line, column=column, name=name))
    return found


def _wrong(
    path: Path, code: str, *, line: int = 0, column: int | str = "", **values: object
) -> Diagnostic:
    return Diagnostic(
        area="risk", code=code, file=str(path), line=line, column=str(column), values=values
    )
