"""`duly plan`, `explain`, `replay`, `report`: what happens to each loan now, and why."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Literal

from duly.cli import arguments, output, settings
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.near import ID, near
from duly.core.visible import visible_lines
from duly.core.words import say

NEAR_MAX = 10_000  #: loan ids among which a near one is looked for


def plan(
    book: arguments.Book,
    /,
    *,
    at: arguments.At,
    out: arguments.Out,
    lender: arguments.LenderFile = None,
    policy: Annotated[str | None, arguments.worded("option.policy")] = None,
    engine: Annotated[Literal["duckdb", "spark"], arguments.worded("option.engine")] = "duckdb",
    threads: arguments.Threads = 0,
    form: arguments.Form = "parquet",
    json: arguments.Json = False,
) -> int:
    """Decide every loan of a book."""
    from duly.plan.making import Request, make_and_write

    if engine != "duckdb":
        raise Refused(Diagnostic(area="plan", code="engine_missing", values={"engine": engine}))
    locale = settings.locale()
    request = Request(
        book=book,
        instant=arguments.instant(at),
        out=out,
        lender_file=settings.lender_file(lender),
        policy=policy,
        locale=locale,
        threads=threads,
        form=form,
    )
    keys, alerts = settings.keys(make=True), list[Diagnostic]()
    with output.progress(say("cli", "planning", locale)):
        run = make_and_write(request, key=keys.first, clock=time.perf_counter, tell=alerts.extend)
    output.diagnostics(alerts, locale)
    if json:
        output.as_json(run)
    else:
        counts = ", ".join(
            f"{say('reasons', f'decision.{name}', locale)} {rows}"
            for name, rows in sorted(run["decisions"].items())
        )
        output.line(
            say("cli", "planned", locale, loans=run["loans"], date=run["business_date"],
                counts=counts, messages=run["messages"], out=out)
        )  # fmt: skip
    if run["quarantined_rows"]:
        output.error(say("cli", "quarantined", locale, rows=run["quarantined_rows"], out=out))
        return output.FOUND_WRONG
    return output.DONE


def explain(
    loan_id: Annotated[str, arguments.worded("option.loan")],
    /,
    *,
    plan_dir: arguments.PlanDir,
    json: arguments.Json = False,
) -> int:
    """Explain one decision."""
    from duly.plan.explain import explain_loan
    from duly.plan.explain_page import page

    locale = settings.locale()
    found = explain_loan(plan_dir, loan_id, clock=time.perf_counter)
    if json:
        output.as_json(found)
    else:
        output.line(visible_lines(page(found, locale)))
    return output.DONE


def replay(
    loan_id: Annotated[str | None, arguments.worded("option.loan")] = None,
    /,
    *,
    plan_dir: arguments.PlanDir,
    threads: arguments.Threads = 0,
    json: arguments.Json = False,
) -> int:
    """Work a plan out again from the inputs kept with it."""
    from duly.plan import kept
    from duly.plan.replay import replay as work_out_again

    locale = settings.locale()
    run = kept.read_run(plan_dir)
    if loan_id is not None:
        _known(plan_dir, loan_id)
    key = settings.keys(make=False).named(str(run.get("key_id")))
    with output.progress(say("cli", "replaying", locale)):
        found = work_out_again(
            plan_dir, key=key, loan_id=loan_id, clock=time.perf_counter, threads=threads
        )
    if json:
        output.as_json(
            {
                "equal": not found.differences,
                "rows": found.rows,
                "plan_sha256": found.plan_sha256,
                "differences": [dict(item.values) for item in found.differences],
            }
        )
    output.diagnostics((*found.notes, *found.differences), locale)
    if found.differences:
        return output.FOUND_WRONG
    if not json:
        output.line(say("plan", "replay_same", locale, rows=found.rows, sha256=found.plan_sha256))
    return output.DONE


def _known(plan_dir: Path, loan_id: str) -> None:
    """Refuse a loan that the plan does not have."""
    from duly.plan.replay import read_table

    ids = read_table(plan_dir, "decisions")["loan_id"].to_pylist()
    if loan_id not in ids:
        values = {"loan": loan_id, "near": near(loan_id, ids[:NEAR_MAX], likeness=ID)}
        raise Refused(Diagnostic(area="plan", code="unknown_loan", values=values))


def report(
    *,
    plan_dir: arguments.PlanDir,
    out: arguments.Out = Path("report.html"),
    locale: arguments.Locale = None,
) -> int:
    """Write the report of a plan as one HTML file."""
    from duly.plan import kept
    from duly.plan.report import write_report

    kept.read_run(plan_dir)
    chosen = locale or settings.locale()
    write_report(plan_dir, out, locale=chosen)
    output.line(say("cli", "report_written", settings.locale(), out=out))
    return output.DONE
