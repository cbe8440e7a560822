"""`duly send|approve|stop|lift|worker|status`: from a plan to messages that left, once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from duly.cli import arguments, output, settings
from duly.cli.opening import legal_now, opened_store, store, watched
from duly.core import prices
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.words import say

if TYPE_CHECKING:
    from duly.service.operations.braking import Brake
    from duly.service.outbox.spending import Budget

By = Annotated[str, arguments.worded("option.by")]
At = Annotated[str | None, arguments.worded("option.at_legal")]
_LANES_MAX = 64


def send(
    plan_dir: Annotated[Path, arguments.worded("option.plan")],
    /,
    *,
    at: At = None,
    json: arguments.Json = False,
) -> int:
    """Load a plan: worked out again first, then once."""
    from duly.plan.proven import prove
    from duly.service.operations import loading

    now = legal_now(at)
    proven = prove(plan_dir, clock=time.perf_counter)
    with opened_store():
        loaded = loading.load(proven, at=now())
    if json:
        output.as_json(
            {
                "plan_sha256": loaded.plan_sha256,
                "state": loaded.state,
                "messages": loaded.messages,
                "superseded": loaded.superseded,
                "sent_before": loaded.sent_before,
                "again": loaded.again,
                "brakes": [_brake(one) for one in loaded.brakes],
            }
        )
        return _held(loaded.state, loaded.brakes)
    key = "loaded_again" if loaded.again else f"loaded_{loaded.state}"
    output.line(
        say("service", key, settings.locale(), count=loaded.messages, run=loaded.plan_sha256,
            superseded=loaded.superseded, before=loaded.sent_before)
    )  # fmt: skip
    _tell(loaded.brakes)
    return _held(loaded.state, loaded.brakes)


def approve(
    run: Annotated[str, arguments.worded("option.run")],
    /,
    *,
    by: By,
    json: arguments.Json = False,
) -> int:
    """Approve a run in a person's name; it is named by its plan's directory or its SHA-256."""
    from duly.plan import kept
    from duly.service.operations import releasing

    sha = str(kept.read_run(Path(run))["plan_sha256"]) if Path(run).is_dir() else run
    with opened_store():
        found = releasing.approve(sha, by=by)
    if json:
        output.as_json(
            {
                "given": found.given,
                "needed": found.needed,
                "released": found.released,
                "broken": [_brake(one) for one in found.broken],
            }
        )
        return output.DONE
    key = "approved_released" if found.released else "approved_waiting"
    output.line(
        say("service", key, settings.locale(), given=found.given, needed=found.needed, by=by)
    )
    _tell(found.broken)
    return output.DONE


def stop(
    *,
    by: By,
    all_: Annotated[bool, Parameter(name="--all", negative=())] = False,
    run: str | None = None,
    template: str | None = None,
    route: str | None = None,
    lift: Annotated[bool, arguments.named("--lift", "option.lift")] = False,
) -> int:
    """Hold what is not submitted, at once; or lift a stop in a second person's name."""
    from duly.service.operations import releasing

    named = {"run": run, "template": template, "route": route}
    given = [(scope, name) for scope, name in named.items() if name is not None]
    given += [("all", "")] if all_ else []
    if len(given) != 1:
        raise Refused(Diagnostic(area="service", code="one_scope"))
    scope, name = given[0]
    words = {"scope": scope, "name": name or "*", "by": by}
    with opened_store():
        if lift:
            releasing.lift(scope, name, by=by)
            output.line(say("service", "lifted", settings.locale(), **words))
        else:
            count = releasing.stop(scope, name, by=by)
            output.line(say("service", "stopped", settings.locale(), count=count, **words))
    return output.DONE


def status(*, json: arguments.Json = False) -> int:
    """Say where every message stands."""
    from duly.service.operations.asking import standing

    with opened_store():
        found = standing()
    if json:
        output.as_json(
            {
                "states": found.states,
                "routes": found.routes,
                "outcomes": found.outcomes,
                "stopped": list(found.stopped),
                "budget": _budget(found.budget),
                "dead_letters": dict(found.dead_letters),
                "waiting": [
                    {
                        "run": one.run,
                        "kind": one.kind,
                        "business_date": one.business_date.isoformat(),
                        "messages": one.messages,
                        "approvals_needed": one.needed,
                        "approved_by": list(one.approved_by),
                        "brakes": [_brake(brake) for brake in one.brakes],
                    }
                    for one in found.waiting
                ],
            }
        )
        return output.DONE
    for state, count in found.states.items():
        output.line(f"{say('service', f'state.{state}', settings.locale()):<16} {count:>10}")
    for name in found.stopped:
        output.line(say("service", "is_stopped", settings.locale(), name=name))
    _tell_budget(found.budget)
    if found.dead_letters:
        count = sum(found.dead_letters.values())
        output.line(say("service", "dead_letters_open", settings.locale(), count=count))
    for one in found.waiting:
        output.line(
            say("service", f"waits_{one.kind}", settings.locale(), run=one.run[:12],
                day=one.business_date, count=one.messages, given=len(one.approved_by),
                needed=one.needed)
        )  # fmt: skip
        _tell(one.brakes)
    return output.DONE


def _budget(one: Budget | None) -> dict[str, object] | None:
    if one is None:
        return None
    return {
        "day": one.day.isoformat(),
        "limit": prices.shown(one.limit),
        "spent": prices.shown(one.spent),
        "beyond": prices.shown(one.beyond),
        "leased": prices.shown(one.granted - one.spent),
        "exhausted_at": one.exhausted_at.isoformat() if one.exhausted_at else None,
    }


def _tell_budget(one: Budget | None) -> None:
    """Say what a day has cost, and whether messages waited for money."""
    if one is None:
        return
    words = {"day": one.day, "limit": prices.shown(one.limit), "spent": prices.shown(one.spent),
             "beyond": prices.shown(one.beyond)}  # fmt: skip
    output.line(say("service", "budget_stands", settings.locale(), **words))
    if one.beyond:
        output.line("  " + say("service", "budget_beyond", settings.locale(), **words))
    if one.exhausted_at is not None:
        output.line("  " + say("service", "budget_exhausted", settings.locale(), **words))


def _brake(one: Brake) -> dict[str, object]:
    return {"brake": one.name, "state": one.state, "figures": dict(one.figures)}


def _tell(brakes: tuple[Brake, ...]) -> None:
    """Say each brake that holds, with both its figures, and each that could not be asked."""
    for one in brakes:
        if one.state != "passed":
            key = f"brake.{one.name}" if one.state == "broken" else f"brake.{one.name}_unasked"
            output.line("  " + say("service", key, settings.locale(), **one.figures))


def _held(state: str, brakes: tuple[Brake, ...]) -> int:
    """Return the exit code of a load: something was found wrong where a brake holds the plan."""
    holds = state == "planned" and any(one.state == "broken" for one in brakes)
    return output.FOUND_WRONG if holds else output.DONE


def worker(
    *,
    once: Annotated[bool, arguments.named("--once", "option.once")] = False,
    concurrency: Annotated[
        int, arguments.worded("option.concurrency"), arguments.between(1, _LANES_MAX)
    ] = 1,
    at: At = None,
    lender: arguments.LenderFile = None,
    json: arguments.Json = False,
) -> int:
    """Send what is released, lawfully and once, until stopped."""
    import asyncio
    import signal
    from dataclasses import asdict

    from duly import book as books
    from duly.cli.audit import signing_key
    from duly.cli.endpoints import networks, secrets
    from duly.service import postgres
    from duly.service.operations import hearing
    from duly.service.outbox.worker import Worker
    from duly.service.outgoing.poster import Poster

    watched("worker")
    file = books.load_lender(settings.lender_file(lender))
    with postgres.opened(settings.home(), settings.database_url()) as url, store(url):
        working = Worker(
            url, file, now=legal_now(at), concurrency=concurrency, signing=signing_key(make=True),
            clock=legal_now(None), hear=lambda now: hearing.hear_beside(lender=file, at=now),
        )  # fmt: skip
        hearing.warm()
        posting = Poster(url, keys=secrets(), clock=legal_now(None), allowed=networks())

        async def run() -> None:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, working.stop)
            # Events are posted beside the sending, and once more when it has ended.
            posted = asyncio.create_task(posting.run())
            # A lane that broke must not be missed until the end: the worker ends and says why.
            posted.add_done_callback(lambda _: working.stop())
            try:
                await working.run(once=once)
            finally:
                posting.stop()
                await posted

        asyncio.run(run())
    if json:
        output.as_json(asdict(working.tally))
    else:
        output.line(say("service", "worked", settings.locale(), **asdict(working.tally)))
    return output.DONE
