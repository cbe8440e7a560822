"""Positions are let go while a plan is made: less memory, the same plan."""

from __future__ import annotations

import time
from concurrent.futures import Future

import pyarrow as pa
import pytest
from plan_made import Made

from duly.plan import kept
from duly.plan.pipeline import OnTheirWay, make_plan


def test_a_plan_without_its_positions_is_the_same_plan(sample_plan: Made) -> None:
    inputs = kept.reopen(sample_plan.path)
    written: list[pa.Table] = []
    kept_whole = make_plan(inputs, clock=time.perf_counter, on_positions=written.append)
    let_go = make_plan(
        inputs, clock=time.perf_counter, keep_positions=False, on_positions=written.append
    )
    assert let_go.plan_sha256 == kept_whole.plan_sha256 == sample_plan.run["plan_sha256"]
    assert written[0].equals(written[1])
    assert written[0].equals(kept_whole.positions)
    assert let_go.positions.equals(kept_whole.positions.schema.empty_table())
    assert let_go.decisions.equals(kept_whole.decisions)
    assert let_go.messages.equals(kept_whole.messages)


def test_who_takes_the_positions_is_the_only_one_that_holds_them() -> None:
    computing: Future[pa.Table] = Future()
    computing.set_result(pa.table({"loan": [1]}))
    on_their_way = OnTheirWay(computing)
    assert on_their_way.take().num_rows == 1
    with pytest.raises(IndexError):
        on_their_way.take()
