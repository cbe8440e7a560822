"""`/runs`: load a plan of today, and see what became of it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from duly.core.errors import Refused
from duly.service.api.answers import answer
from duly.service.api.authentication import Scope, owner_of
from duly.service.api.cursors import page, place_of
from duly.service.api.idempotency import once
from duly.service.api.openapi import responses
from duly.service.api.problems import Problem, locale_of
from duly.service.api.schemas import (
    Cursor,
    Id,
    Limit,
    RunDetailOut,
    RunIn,
    RunLoadedOut,
    RunOut,
    RunsOut,
)
from duly.service.api.serving import present
from duly.service.operations import looking

router = Router(tags=["runs"])


@router.post(
    "/runs",
    auth=Scope("runs:write"),
    response=responses(RunLoadedOut, status=(200, 201)),
    operation_id="post_run",
)
def post_run(request: HttpRequest, body: RunIn) -> HttpResponse:
    """Load a plan that lies in the server's directory of plans: worked out again first, then once.

    201 where it was loaded, 200 where it was there.
    """

    def work() -> HttpResponse:
        # The engines that work a plan out again are loaded by whoever needs them.
        from duly.plan.proven import prove
        from duly.service.operations.loading import load

        try:
            loaded = load(
                prove(_plan(body.plan), clock=time.perf_counter, threads=1), at=present().now()
            )
        except Refused as refused:
            raise _refused(refused, locale_of(request)) from None
        row = looking.run(loaded.plan_sha256)
        assert row is not None, "it was loaded"
        found = RunLoadedOut(
            **_run(row), again=loaded.again, superseded=loaded.superseded,
            sent_before=loaded.sent_before,
        )  # fmt: skip
        return answer(found, status=200 if loaded.again else 201)

    return once(request, owner_of(request), work)


@router.get("/runs", auth=Scope("runs:read"), response=responses(RunsOut), operation_id="get_runs")
def get_runs(request: HttpRequest, cursor: Cursor = None, limit: Limit = 50) -> HttpResponse:
    """List runs, the newest business date first."""
    signer = present().signer
    after = place_of(signer, "runs", cursor)
    rows = looking.runs(after=after, limit=limit + 1)
    shown, following = page(signer, "runs", rows, limit, "plan_sha256")
    return answer(RunsOut(items=[RunOut(**_run(row)) for row in shown], next_cursor=following))


@router.get(
    "/runs/{run_id}",
    auth=Scope("runs:read"),
    response=responses(RunDetailOut),
    operation_id="get_run",
)
def get_run(request: HttpRequest, run_id: Id) -> HttpResponse:
    """Show one run: its state, its messages by state, what its plan decided."""
    row = looking.run(run_id)
    if row is None:
        raise Problem("not_found")
    summary = json.loads(row["summary"])
    return answer(
        RunDetailOut(
            **_run(row),
            states=json.loads(row["states"] or "{}"),
            decisions=summary.get("decisions", {}),
            versions=summary.get("versions", {}),
        )
    )


def _run(row: dict[str, Any]) -> dict[str, Any]:
    kept = ("business_date", "state", "approvals_needed", "approvals_given", "loaded_at")
    return {"id": row["plan_sha256"], "messages": row["messages_count"],
            **{name: row[name] for name in kept}}  # fmt: skip


def _plan(name: str) -> Path:
    """Return the directory of a plan; refuse a name that leads elsewhere."""
    plans = present().plans.resolve()
    found = (plans / name).resolve()
    if found.parent != plans or not found.is_dir():
        raise Problem("not_found")
    return found


def _refused(refused: Refused, locale: str) -> Problem:
    """Return why a plan is not loaded, without the server's own paths."""
    return Problem(
        "refused",
        errors=[
            {"pointer": "/plan", "code": one.code,
             "detail": one.sentence(locale).replace(str(present().plans.resolve()), "")}
            for one in refused.diagnostics
        ],
    )  # fmt: skip
