"""The leaves of a plan's fingerprint: SHA-256 of 4,096 canonical rows each."""

from __future__ import annotations

import hashlib

import pyarrow as pa
import pytest

from duly.plan import canonical


@pytest.mark.parametrize("slices", [1, 2, 256])
@pytest.mark.parametrize("rows", [0, 1, 4096, 4097, 12_289])
def test_leaves_do_not_depend_on_how_much_is_read_at_once(rows, slices, monkeypatch):
    names = [f"L{place}" for place in range(rows)]
    table = pa.table({"loan_id": pa.array(names, pa.string())})
    monkeypatch.setattr(canonical, "ROWS_PER_SLICE", slices * canonical.ROWS_PER_LEAF)
    expected = [
        hashlib.sha256("".join(f"{name}\x1e" for name in names[start : start + 4096]).encode())
        for start in range(0, rows, 4096)
    ]
    found = canonical.leaves(table, canonical.row_sql(["loan_id"]), threads=2)
    assert found == [leaf.digest() for leaf in expected]
