"""Growing the trees and calibrating what they say: the only module that needs LightGBM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duly.risk.calibrating import Calibration, calibrate
from duly.risk.forest import Forest, of_lightgbm
from duly.risk.measures import Measured, measure

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
LEARN_SHARE, CALIBRATE_SHARE = 0.7, 0.15  #: of the rows in the order of time; the rest measures
ROWS_MIN, CLASS_MIN = 200, 30
#: Chosen on the training years alone. One thread: equal rows give equal trees on every machine.
_SETTINGS = {
    "objective": "binary", "learning_rate": 0.04, "num_leaves": 12, "min_data_in_leaf": 40,
    "feature_fraction": 0.5, "bagging_fraction": 0.7, "bagging_freq": 1, "lambda_l2": 5.0,
    "num_threads": 1, "deterministic": True, "force_row_wise": True, "seed": 1, "verbose": -1,
}  # fmt: skip
_ROUNDS = 160


class TooLittleError(ValueError):
    """The rows are too few, or all of one kind: nothing can be learnt from them."""

    def __init__(self, rows: int, came: int) -> None:
        self.rows, self.came = rows, came
        super().__init__(rows, came)


@dataclass(frozen=True, kw_only=True)
class Examples:
    """Rows to learn from, in any order."""

    values: npt.NDArray[np.float32]
    came: Flags
    time: npt.NDArray[np.int64]  #: what the rows are split by: earlier teaches, later judges
    weight: Floats
    group: npt.NDArray[np.int64]  #: rows of one group fall on one side of a split


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """Trees, the calibration of their log odds, and how they did on later rows."""

    forest: Forest
    calibration: Calibration
    measured: Measured
    split: tuple[int, int]  #: the times from which rows calibrated, and from which they judged
    judged: npt.NDArray[np.int64]  #: the rows that judged, and what was said of them
    said: Floats


def fit(examples: Examples, *, ways: Sequence[int]) -> Fitted:
    """Grow trees whose probabilities only rise in columns of way 1 and only fall in those of -1.

    What is measured was grown on the earlier rows alone; what is returned was then grown on all.
    Refuses (TooLittleError) too few rows or one class alone, in all or in a slice of time.
    """
    order = np.lexsort((examples.group, examples.time))
    middle_from, judge = _splits(examples, order)
    learn = examples.time < middle_from
    middle = (examples.time >= middle_from) & (examples.time < judge)
    late = examples.time >= judge
    for part in (learn, middle, late):
        _enough(examples.came[part], least=CLASS_MIN if part is learn else CLASS_MIN // 3)
    early = grow(examples, learn, ways)
    raw = early.raw(examples.values)
    calibration = calibrate(
        raw[middle], examples.came[middle], examples.weight[middle], examples.group[middle]
    )
    said = calibration.probability(raw)
    return Fitted(
        forest=grow(examples, np.ones(learn.size, bool), ways),
        calibration=calibration,
        measured=measure(examples.came[late], said[late], said[learn]),
        split=(middle_from, judge),
        judged=np.flatnonzero(late),
        said=said[late],
    )


def _splits(examples: Examples, order: npt.NDArray[np.int64]) -> tuple[int, int]:
    if order.size < ROWS_MIN:
        raise TooLittleError(order.size, int(examples.came.sum()))
    times = examples.time[order]
    first = int(times[int(order.size * LEARN_SHARE)])
    second = int(times[int(order.size * (LEARN_SHARE + CALIBRATE_SHARE))])
    return first, max(second, first + 1)


def _enough(came: Flags, *, least: int) -> None:
    if min(int(came.sum()), int((~came).sum())) < least:
        raise TooLittleError(came.size, int(came.sum()))


def grow(examples: Examples, wanted: Flags, ways: Sequence[int]) -> Forest:
    """Grow trees on the wanted rows."""
    import lightgbm

    data = lightgbm.Dataset(
        examples.values[wanted],
        examples.came[wanted].astype(np.int8),
        weight=examples.weight[wanted],
        free_raw_data=True,
    )
    settings = {**_SETTINGS, "monotone_constraints": list(ways)}
    return of_lightgbm(lightgbm.train(settings, data, _ROUNDS).dump_model())
