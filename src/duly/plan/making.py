"""The whole of `duly plan`: book or snapshot in, plan directory out, at once or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from duly import book as books
from duly.core.check_key import CheckKey
from duly.core.diagnostic import Diagnostic
from duly.messages import Catalogue, load_templates
from duly.plan import instants, kept, sendable, write
from duly.plan.inputs import PlanInputs, rules_of
from duly.plan.pipeline import Clock, OnTheirWay, make_plan, positions_of
from duly.policy import Places, Policy, named_bytes, read_stops, with_stops
from duly.policy import read as read_policy
from duly.position import warm
from duly.risk.registry import champion
from duly.rules import Rule
from duly.rules.zones import zone


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked for; `policy` None is the lender's, `lender_file` None the built-in one."""

    book: Path
    instant: datetime
    out: Path
    lender_file: Path | None
    policy: str | None
    locale: str
    threads: int = 0
    form: write.Format = "parquet"


def make_and_write(
    request: Request,
    *,
    key: CheckKey,
    clock: Clock,
    tell: Callable[[Sequence[Diagnostic]], None] = lambda _alerts: None,
) -> Mapping[str, Any]:
    """Make a plan and write it; return run.json. Refuses what its inputs refuse.

    `tell` hears the alerts of the run, for who speaks another language than the lender's file.
    """
    run: dict[str, Any] = {}

    def fill(half: Path) -> None:
        record, alerts = _fill(request, half, key, clock)
        run.update(record)
        tell(alerts)

    write.write_whole(request.out, fill)
    return run


def _fill(
    request: Request, half: Path, key: CheckKey, clock: Clock
) -> tuple[Mapping[str, object], Sequence[Diagnostic]]:
    started = clock()
    folder = half / "inputs"
    folder.mkdir()
    lender = books.load_lender(request.lender_file)
    chosen = request.policy or lender.policy
    today = instants.business_date(request.instant, zone(lender.time_zone))
    with ThreadPoolExecutor(max_workers=2) as beside:
        told = None
        if not books.is_snapshot(request.book):
            told = wishes(chosen, lender, today)  # Mistakes, before a large book is read.
        snapshot, proved = _snapshot(request, lender, folder / "snapshot", beside)
        warm()
        computed = OnTheirWay(beside.submit(positions_of, snapshot, today, lender, request.threads))
        # The kernel needs no interpreter: the lender's files are read while it runs.
        policy, rules, catalogue = told or wishes(chosen, lender, today)
        proved.result()
        inputs = PlanInputs(
            snapshot=snapshot,
            instant=request.instant,
            lender=lender,
            policy=policy,
            rules=rules,
            catalogue=catalogue,
            champion=champion(lender.models),
        )
        kept.keep(
            inputs,
            folder,
            lender_bytes=kept.lender_bytes(request.lender_file),
            policy_bytes=kept.policy_bytes(chosen),
        )
        before = {"book": round(clock() - started, 3)}
        plan = make_plan(
            inputs,
            clock=clock,
            threads=request.threads,
            work=half,
            keep_positions=False,
            computed=computed.take,
            on_positions=lambda positions: write.write_positions(positions, half, request.form),
            on_decided=lambda decisions: write.write_decisions(decisions, half, request.form),
            on_said=lambda messages: write.write_messages(messages, half, key, request.form),
        )
    try:
        record = write.write_plan(plan, half, key=key, clock=clock, before=before)
        return record, write.all_alerts(plan)
    finally:
        plan.connection.close()


def wishes(
    policy: str, lender: books.Lender, today: date
) -> tuple[Policy, tuple[Rule, ...], Catalogue]:
    """Return the lender's policy, the rules in force and the texts; refuse files with mistakes."""
    return wishes_of(*named_bytes(policy), lender, today)


def wishes_of(
    file: str, data: bytes, lender: books.Lender, today: date
) -> tuple[Policy, tuple[Rule, ...], Catalogue]:
    """Return what `wishes` returns, of the bytes of a policy file."""
    catalogue = load_templates(lender.templates)
    read = read_policy(file, data, templates=catalogue.names, demands=catalogue.demands)
    sendable.check(read, Places(file, data), catalogue, lender)
    if lender.stops is not None:
        read = with_stops(read, read_stops(lender.stops))
    return read, rules_of(lender, today), catalogue


def _snapshot(
    request: Request, lender: books.Lender, target: Path, beside: Executor
) -> tuple[books.Snapshot, Future[None]]:
    """Return the snapshot that the plan keeps, and the proof, on its way, that its files are whole.

    A snapshot given is linked; a book's is taken.
    """
    if books.is_snapshot(request.book):
        kept.link_snapshot(request.book, target)
        return books.read_snapshot(target), beside.submit(books.verify_snapshot, target)
    taken = books.take_snapshot(
        request.book,
        target,
        lender=lender,
        needs="plan",
        locale=request.locale,
        threads=request.threads or None,
    )
    proved: Future[None] = Future()
    proved.set_result(None)
    return taken, proved
