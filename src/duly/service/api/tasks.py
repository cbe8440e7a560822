"""`/tasks`: what people of the lender have to do, and how it ended."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Path, Router

from duly.core.errors import Refused
from duly.service.api.answers import answer
from duly.service.api.authentication import Scope, owner_of
from duly.service.api.cursors import encode, place_of
from duly.service.api.faults import fault
from duly.service.api.idempotency import once
from duly.service.api.openapi import responses
from duly.service.api.problems import Problem, locale_of
from duly.service.api.schemas import CloseIn, Cursor, Limit, TaskOut, TasksOut
from duly.service.api.serving import present
from duly.service.operations import tasks
from duly.service.operations.calling import word_of
from duly.service.rows import Row

_NUMBER_MAX = 2**63 - 1
Number = Annotated[int, Path(ge=1, le=_NUMBER_MAX)]

router = Router(tags=["tasks"])


@router.get(
    "/tasks", auth=Scope("tasks:read"), response=responses(TasksOut), operation_id="list_tasks"
)
def list_tasks(request: HttpRequest, cursor: Cursor = None, limit: Limit = 50) -> HttpResponse:
    """List open tasks, the most urgent and oldest first."""
    signer = present().signer
    rows = tasks.listed(after=place_of(signer, "tasks", cursor), limit=limit + 1)
    shown, following = rows[:limit], None
    if len(rows) > limit:
        last = shown[-1]
        place = [str(last["priority"]), last["opened_at"].isoformat(), str(last["id"])]
        following = encode(signer, "tasks", place)
    return answer(TasksOut(items=[_with_word(row) for row in shown], next_cursor=following))


def _with_word(row: Row) -> TaskOut:
    """Return a task with the word of the day that its borrower compares a caller by."""
    serving, who = present(), row["borrower_id"]
    word = None if who is None else word_of(who, serving.today, signer=serving.signer)
    return TaskOut(**row, caller_word=word)


@router.post(
    "/tasks/{number}/close",
    auth=Scope("tasks:write"),
    response=responses(TaskOut),
    operation_id="close_task",
)
def close_task(request: HttpRequest, number: Number, body: CloseIn) -> HttpResponse:
    """Close an open task in a person's name."""
    empty = [name for name in ("by", "outcome") if not getattr(body, name).strip()]
    if empty:
        locale = locale_of(request)
        raise Problem("invalid", errors=[fault(f"/{one}", "wrong_form", locale) for one in empty])

    def work() -> HttpResponse:
        try:
            found = tasks.close(number, by=body.by, outcome=body.outcome, at=present().now())
        except Refused:
            raise Problem("not_found") from None
        return answer(TaskOut(**found))

    return once(request, owner_of(request), work)
