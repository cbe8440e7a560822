"""The features of loans on days, as one matrix, from what was known by the close of each day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from duly.position.arrays import Days
from duly.risk import kernel
from duly.risk.feature_table import NAMES
from duly.risk.past import Names, Past

Rows = npt.NDArray[np.int64]
_AMOUNTS = (kernel.PRINCIPAL_RELATIVE, kernel.NEXT_RELATIVE)


def in_parts(work: Callable[[int, int], None], size: int, threads: int) -> None:
    """Do rows begin <= row < until on several threads; the parts do not depend on each other."""
    bounds = [size * at // threads for at in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, bounds[:-1], bounds[1:]))


@dataclass(frozen=True, kw_only=True)
class Scale:
    """What amounts and products are compared with: learnt once, kept with the model."""

    principal: Mapping[str, float]  #: the median principal of each currency, in minor units
    products: tuple[str, ...]

    @classmethod
    def known_by(cls, past: Past, names: Names, until: int) -> Scale:
        """Return the medians and products of the loans that had begun by the close of a day."""
        begun = (past.terms.disbursed_on <= until) & ~names.quarantined
        medians = {
            names.currency.words[one]: float(
                np.median(past.terms.principal[begun & (names.currency.code == one)])
            )
            for one in np.unique(names.currency.code[begun])
        }
        sold = np.unique(names.product.code[begun])
        return cls(
            principal=MappingProxyType(medians),
            products=tuple(names.product.words[one] for one in sold),
        )


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Loans on days: a row of features each, and the installments that may be asked about."""

    loan: Days
    day: Days
    values: npt.NDArray[np.float32]  #: a column a feature, in the order of FEATURES
    coming: Rows  #: the schedule's row of the next installment, -1 for none
    oldest: Rows  #: that of the oldest unpaid one due before the day, -1 for none


def look(
    past: Past,
    names: Names,
    loan: Days,
    day: Days,
    *,
    scale: Scale,
    relations: bool = False,
    threads: int = 1,
) -> Seen:
    """Return the features of each loan on its day; relations only where they are asked for."""
    values = np.empty((loan.size, len(NAMES)), np.float32)
    targets = np.empty((loan.size, 2), np.int32)
    longest = kernel.longest_loan(past.schedule.offset)

    def write(begin: int, until: int) -> None:
        kernel.features(past, loan, day, relations, values, targets, longest, begin, until)

    in_parts(write, loan.size, threads)
    known = [scale.principal.get(one, 0.0) for one in names.currency.words]
    median = names.currency.of_each([one if one > 0 else np.nan for one in known])
    for column in _AMOUNTS:
        values[:, column] /= median[loan]
    place = {name: at for at, name in enumerate(scale.products)}
    product = names.product.of_each([place.get(one, np.nan) for one in names.product.words])
    values[:, kernel.PRODUCT] = product[loan]
    first = past.schedule.offset[loan]
    return Seen(
        loan=loan,
        day=day,
        values=values,
        coming=np.where(targets[:, 0] >= 0, first + targets[:, 0], -1),
        oldest=np.where(targets[:, 1] >= 0, first + targets[:, 1], -1),
    )
