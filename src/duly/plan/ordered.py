"""Rows back into the order of the loans, without a sort of the whole book."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa

#: Above this the pieces are too small to be worth putting in place one by one.
PIECES_MAX = 1000


def by_loan(rows: pa.Table) -> pa.Table:
    """Return the rows by their column `loan`, each loan once, and without that column.

    Threads hand over a book read in order as a few long runs of adjacent loans: those are put
    in place of one another, and nothing is copied. Any other order is sorted.
    """
    loan = rows["loan"].to_numpy()
    breaks = np.flatnonzero(np.diff(loan) != 1) + 1
    if breaks.size > PIECES_MAX:
        ordered = rows.sort_by("loan")
    else:
        bounds = [0, *breaks.tolist(), rows.num_rows]
        pieces = sorted(pairwise(bounds), key=lambda piece: int(loan[piece[0]]) if loan.size else 0)
        ordered = pa.concat_tables([rows.slice(begin, end - begin) for begin, end in pieces])
    assert bool((np.diff(ordered["loan"].to_numpy()) > 0).all()), "a loan stands twice"
    return ordered.drop_columns(["loan"])
