"""What the champion says of each candidate; where it says nothing, the scorecard does."""

from __future__ import annotations

import os

import duckdb
import numpy as np
import pyarrow as pa

from duly import risk
from duly.core.diagnostic import Diagnostic
from duly.plan.inputs import PlanInputs
from duly.risk.scorecard import SCORE_MAX

_SCHEMA = pa.schema([("scored_loan", pa.int32()), ("model_score", pa.int32())])


def sql() -> str:
    """Return the score as an expression: the champion's, else the scorecard's."""
    return f"coalesce(z.model_score, {risk.sql()})"


def alerts(inputs: PlanInputs) -> tuple[Diagnostic, ...]:
    """Return what the run must say of a champion that is no longer in force."""
    if inputs.champion is None or inputs.champion.in_force(inputs.business_date):
        return ()
    values = {"expires": inputs.champion.expires}
    return (Diagnostic(area="risk", code="model_expired", severity="warning", values=values),)


def register(connection: duckdb.DuckDBPyConnection, inputs: PlanInputs, threads: int) -> None:
    """Register the champion's scores of the candidates as `model_scores`."""
    table = _SCHEMA.empty_table()
    if inputs.scores_by_model:
        table = _scored(connection, inputs, threads)
    connection.register("model_scores", table)


def _scored(connection: duckdb.DuckDBPyConnection, inputs: PlanInputs, threads: int) -> pa.Table:
    from duly.risk.features import look
    from duly.risk.outcomes import NEXT
    from duly.risk.past import read_past
    from duly.risk.training import columns_of, number

    assert inputs.champion is not None
    model, day = inputs.champion.model, number(inputs.business_date)
    past, names = read_past(inputs.snapshot.path, inputs.lender.time_zone)
    found = connection.sql("select loan from candidates order by loan").to_arrow_table()
    loans = np.array(found["loan"].to_numpy(), np.int32)
    loans = loans[past.terms.disbursed_on[loans] <= day]
    days = np.full(loans.size, day, np.int32)
    count = threads or len(os.sched_getaffinity(0))
    seen = look(past, names, loans, days, scale=model.scale, threads=count)
    asked = np.flatnonzero(seen.coming >= 0)
    values = seen.values[asked][:, columns_of(model.families)]
    said = model.answers[NEXT].probability(values, threads=count)
    whole = np.isfinite(said)  # Of what is no number, nothing is said.
    score = np.floor(np.where(whole, said, 0.0) * SCORE_MAX + 0.5).astype(np.int32)
    return pa.table([loans[asked][whole], score[whole]], schema=_SCHEMA)
