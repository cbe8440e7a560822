"""From inputs to decisions: every stage in order, in one DuckDB connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa

from duly.book import Lender, Snapshot, engine
from duly.core.diagnostic import Diagnostic
from duly.plan import (
    canonical,
    closing,
    compiled,
    figures,
    ordered,
    rates,
    required,
    scoring,
    slots,
    stages,
    texts,
)
from duly.plan.inputs import PlanInputs
from duly.plan.saying import Unlawful
from duly.position import compute, plan_broken_on

SNAPSHOT_TABLES = (
    "loans",
    "borrowers",
    "installments",
    "payments",
    "debits",
    "contact_points",
    "consents",
    "contacts",
    "signals",
    "agreed",
    "quotes",
    "relations",
    "stated",
)

#: DuckDB spills to `work` beyond this; the kernel's arrays and results come on top.
MEMORY_LIMIT = "2GB"

#: The first stage after the candidates are known.
_SCORED_BEFORE = "02_people"
#: The last stage that asks the positions; of a large book they are a quarter of what is in memory.
_POSITIONS_UNTIL = "05_money_held"

Clock = Callable[[], float]  #: seconds from any start; the caller owns the clock


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A plan in memory: its relations stand in `connection` until it is closed."""

    inputs: PlanInputs
    connection: duckdb.DuckDBPyConnection
    positions: pa.Table  #: without rows where they were not kept
    decisions: pa.Table  #: one row a loan, sorted by loan_id, in the contract's columns
    messages: pa.Table  #: `{code}` unfilled
    plan_sha256: str
    alerts: tuple[Diagnostic, ...]
    unlawful: tuple[Unlawful, ...] = ()  #: what was written and must not be sent
    seconds: Mapping[str, float] = field(default_factory=dict)


def make_plan(
    inputs: PlanInputs,
    *,
    clock: Clock,
    threads: int = 0,
    work: Path | None = None,
    keep_stages: bool = False,
    keep_positions: bool = True,
    computed: Callable[[], pa.Table] | None = None,
    on_positions: Callable[[pa.Table], None] = lambda _positions: None,
    on_decided: Callable[[pa.Table], None] = lambda _decisions: None,
    on_said: Callable[[pa.Table], None] = lambda _messages: None,
) -> Plan:
    """Decide every loan of a snapshot as of an instant.

    Equal inputs give equal rows on any number of threads (0 = as many as there are cores). With
    `keep_stages` every relation stays in the connection, for an explanation. Temporary files go
    under `work`. `computed` waits for the positions, if they are already on their way; without
    `keep_positions` they are let go once written and no longer asked. `on_…` get the tables.
    """
    connection = connect(inputs, threads=threads, work=work)
    seconds: dict[str, float] = {}
    timed = partial(_timed, seconds, clock)
    columns = canonical.decision_columns(with_arms=inputs.policy.is_experimental)

    def decide() -> tuple[pa.Table, list[bytes]]:
        made = connection.sql(stages.text(stages.STAGES[-1], holes)).to_arrow_table()
        rows = ordered.by_loan(made)
        hashed = canonical.leaves(rows, canonical.decision_sql(columns), threads=threads)
        on_decided(rows)
        return rows, hashed

    with ThreadPoolExecutor(max_workers=1) as beside:
        with timed("positions"):
            computed = computed or _begin(beside, inputs, threads).take
            # The kernel needs no interpreter: the conditions are compiled while it runs.
            holes = compiled.compile_fragments(inputs)
            positions = computed()
            written = beside.submit(on_positions, positions)
        with timed("figures"):
            compared = _prepare(connection, inputs, positions, threads)
            above = rates.alerts(connection, inputs)
        for stage in stages.STAGES[:-1]:
            _score_before(stage, timed, connection, inputs, threads)
            with timed(stage):
                _run_stage(connection, stage, holes, inputs, keep=keep_stages)
                if stage == _POSITIONS_UNTIL and not keep_positions:
                    positions = _let_go(connection, positions, written)
        with timed("messages"):
            orders = texts.read_orders(connection)
            # Texts are written by the interpreter; the rows, their fingerprints and files are not.
            deciding = beside.submit(decide)
            spoken = _say(connection, inputs, orders, holes, deciding, threads, work)
            if spoken.unlawful:
                deciding = beside.submit(decide)
            messages = spoken.messages
            said = canonical.leaves(messages, canonical.message_sql(), threads=threads)
            on_said(messages)
        with timed(stages.STAGES[-1]):
            decisions, hashed = deciding.result()
            written.result()
        stages.drop(connection, stages.STAGES[-1] if not keep_stages else "")
    for name, table in (("decisions", decisions), ("messages", messages)):
        connection.register(name, table)
    return Plan(
        inputs=inputs, connection=connection, positions=positions, decisions=decisions,
        messages=messages, unlawful=spoken.unlawful, seconds=seconds,
        plan_sha256=canonical.plan_sha256(hashed, said, columns),
        alerts=_placed(inputs, *compared.warnings, *compared.alerts, *above, *spoken.alerts),
    )  # fmt: skip


def _score_before(
    stage: str,
    timed: Callable[[str], AbstractContextManager[None]],
    connection: duckdb.DuckDBPyConnection,
    inputs: PlanInputs,
    threads: int,
) -> None:
    """Score the candidates as soon as they are known."""
    if stage == _SCORED_BEFORE:
        with timed("scores"):
            scoring.register(connection, inputs, threads)


def _placed(inputs: PlanInputs, *alerts: Diagnostic) -> tuple[Diagnostic, ...]:
    """Return the alerts of the book's age and the given ones, each table named as its file."""
    files, all_ = inputs.snapshot.sources, (*compiled.alerts(inputs), *alerts)
    return tuple(replace(one, file=files.get(one.file, one.file)) for one in all_)


class OnTheirWay:
    """Positions that are being computed; whoever takes them is the only one that holds them."""

    def __init__(self, computing: Future[pa.Table]) -> None:
        self._computing: list[Future[pa.Table]] = [computing]

    def take(self) -> pa.Table:
        """Wait for the positions and hand them over, once."""
        return self._computing.pop().result()


def _begin(beside: Executor, inputs: PlanInputs, threads: int) -> OnTheirWay:
    day = inputs.business_date
    return OnTheirWay(beside.submit(positions_of, inputs.snapshot, day, inputs.lender, threads))


def _let_go(
    connection: duckdb.DuckDBPyConnection, positions: pa.Table, written: Future[None]
) -> pa.Table:
    """Forget the positions once they are written; return their columns without rows."""
    written.result()
    connection.unregister("positions")
    return positions.schema.empty_table()


@contextmanager
def _timed(seconds: dict[str, float], clock: Clock, name: str) -> Iterator[None]:
    started = clock()
    yield
    seconds[name] = round(clock() - started, 3)


def _prepare(
    connection: duckdb.DuckDBPyConnection, inputs: PlanInputs, positions: pa.Table, threads: int
) -> figures.Compared:
    """Register what the stages read beside the snapshot; compare the lender's own figures."""
    steps = compiled.treatment_table(inputs.policy, inputs.catalogue.classes)
    connection.register("treatments", steps)
    connection.register("positions", positions)
    breaks = plan_broken_on(
        inputs.snapshot, as_of=inputs.business_date, time_zone=inputs.lender.time_zone
    )
    connection.register("plan_breaks", breaks)
    closing.prepare(connection)
    return figures.compare(connection, inputs, threads)


def _say(
    connection: duckdb.DuckDBPyConnection,
    inputs: PlanInputs,
    orders: pa.Table,
    holes: Mapping[str, str],
    deciding: Future[tuple[pa.Table, list[bytes]]],
    threads: int,
    work: Path | None,
) -> closing.Said:
    """Return messages that may be sent; where some may not, what was being decided is moot."""
    own = required.in_own_name(inputs, connection)
    said = closing.say(orders, inputs, own=own)
    if not said.unlawful:
        return said
    deciding.result()  # The stages are settled anew, and nobody may read them meanwhile.
    anew = partial(_outcomes, holes=holes, threads=threads, work=work)
    return closing.until_lawful(connection, inputs, holes, said, own=own, decide=anew, work=work)


def _outcomes(
    inputs: PlanInputs,
    closed: pa.Table,
    *,
    holes: Mapping[str, str],
    threads: int,
    work: Path | None,
) -> pa.Table:
    """Return the outcomes of a small book, its closed channels known."""
    connection = connect(inputs, threads=threads, work=work)
    try:
        positions = positions_of(inputs.snapshot, inputs.business_date, inputs.lender, threads)
        _prepare(connection, inputs, positions, threads)
        closing.prepare(connection, closed)
        for stage in stages.STAGES[: stages.STAGES.index(stages.SETTLING[0])]:
            if stage == _SCORED_BEFORE:
                scoring.register(connection, inputs, threads)
            _run_stage(connection, stage, holes, inputs, keep=False)
        return connection.sql("select * from outcomes order by loan").to_arrow_table()
    finally:
        connection.close()


def _run_stage(
    connection: duckdb.DuckDBPyConnection,
    stage: str,
    holes: Mapping[str, str],
    inputs: PlanInputs,
    *,
    keep: bool,
) -> None:
    stages.run(connection, stage, holes)
    if stage == "02_people":
        slots.register(connection, inputs)
    if not keep:
        stages.drop(connection, stage)


def positions_of(snapshot: Snapshot, as_of: date, lender: Lender, threads: int) -> pa.Table:
    """Return the positions of every loan at the close of a business date."""
    return compute(snapshot, as_of=as_of, time_zone=lender.time_zone, threads=threads).loans


def connect(
    inputs: PlanInputs, *, threads: int = 0, work: Path | None = None
) -> duckdb.DuckDBPyConnection:
    """Return a connection that sees the snapshot's tables as views."""
    connection = engine.connect()
    if threads:
        connection.execute(f"set threads = {threads}")
    if work is not None:
        connection.execute(f"set temp_directory = '{_quoted(work)}'")
    connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
    # Lists of constants stay comparisons: as joins they cost more to plan than to ask.
    connection.execute("set disabled_optimizers = 'in_clause'")
    for name in SNAPSHOT_TABLES:
        path = _quoted(inputs.snapshot.path / f"{name}.parquet")
        connection.execute(f"create view {name} as select * from read_parquet('{path}')")
    return connection


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
