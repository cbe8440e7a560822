"""The whole of `duly plan`: book or snapshot in, plan directory out, at once or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from duly import book as books
from duly.core.check_key import CheckKey
from duly.messages import template_names
from duly.plan import instants, kept, write
from duly.plan.inputs import PlanInputs
from duly.plan.pipeline import Clock, make_plan
from duly.policy import load as load_policy
from duly.rules import active, load_packs
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


def make_and_write(request: Request, *, key: CheckKey, clock: Clock) -> Mapping[str, Any]:
    """Make a plan and write it; return run.json. Refuses what its inputs refuse."""
    started = clock()
    lender = books.load_lender(request.lender_file)
    chosen = request.policy or lender.policy
    policy = load_policy(chosen, templates=template_names())
    today = instants.business_date(request.instant, zone(lender.time_zone))
    rules = active(load_packs(lender.packs), today)
    run: dict[str, Any] = {}

    def fill(half: Path) -> None:
        folder = half / "inputs"
        folder.mkdir()
        if books.is_snapshot(request.book):
            kept.link_snapshot(request.book, folder / "snapshot")
            snapshot = books.open_snapshot(folder / "snapshot")
        else:
            snapshot = books.take_snapshot(
                request.book,
                folder / "snapshot",
                lender=lender,
                needs="plan",
                locale=request.locale,
                threads=request.threads or None,
            )
        inputs = PlanInputs(
            snapshot=snapshot, instant=request.instant, lender=lender, policy=policy, rules=rules
        )
        kept.keep(
            inputs,
            folder,
            lender_bytes=kept.lender_bytes(request.lender_file),
            policy_bytes=kept.policy_bytes(chosen),
        )
        book_seconds = round(clock() - started, 3)
        plan = make_plan(inputs, clock=clock, threads=request.threads, work=half)
        run.update(
            write.write_plan(
                plan, half, key=key, form=request.form, clock=clock, before={"book": book_seconds}
            )
        )
        plan.connection.close()

    write.write_whole(request.out, fill)
    return run
