"""`/dead-letters`: messages that were certainly not sent; what a person does about them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.http import HttpRequest, HttpResponse
from ninja import Router

from duly.core.errors import Refused
from duly.service.api.answers import answer
from duly.service.api.authentication import Scope, owner_of
from duly.service.api.cursors import encode, place_of
from duly.service.api.faults import fault
from duly.service.api.idempotency import once
from duly.service.api.openapi import responses
from duly.service.api.problems import Problem, locale_of
from duly.service.api.schemas import (
    Cursor,
    DeadLetterEndedOut,
    DeadLetterOut,
    DeadLettersOut,
    DecideIn,
    Id,
    Limit,
)
from duly.service.api.serving import present
from duly.service.operations import dead_letters
from duly.service.rows import Row

router = Router(tags=["messages"], by_alias=True)

#: What a name or a reason is refused for, and the field that says it.
_WORDS = {"no_name": "/by", "dead_words": "/reason"}


@router.get(
    "/dead-letters",
    auth=Scope("messages:read"),
    response=responses(DeadLettersOut),
    operation_id="list_dead_letters",
)
def list_dead_letters(
    request: HttpRequest, cursor: Cursor = None, limit: Limit = 50
) -> HttpResponse:
    """List open dead letters, the oldest first; a person sends them again or closes them."""
    signer = present().signer
    place = place_of(signer, "dead-letters", cursor)
    rows = dead_letters.listed(after=place, limit=limit + 1)
    shown, following = rows[:limit], None
    if len(rows) > limit:
        last = shown[-1]
        following = encode(signer, "dead-letters", [last["at"].isoformat(), str(last["id"])])
    items = [DeadLetterOut(**row) for row in shown]
    return answer(DeadLettersOut(items=items, next_cursor=following))


@router.post(
    "/dead-letters/{message_id}/retry",
    auth=Scope("messages:write"),
    response=responses(DeadLetterEndedOut),
    operation_id="retry_dead_letter",
)
def retry_dead_letter(request: HttpRequest, message_id: Id, body: DecideIn) -> HttpResponse:
    """Send a message again through the door, in a name; only what certainly was not sent."""
    return _decide(request, partial(dead_letters.retry, message_id, at=present().now()), body)


@router.post(
    "/dead-letters/{message_id}/close",
    auth=Scope("messages:write"),
    response=responses(DeadLetterEndedOut),
    operation_id="close_dead_letter",
)
def close_dead_letter(request: HttpRequest, message_id: Id, body: DecideIn) -> HttpResponse:
    """Close a dead letter in a name: nothing more is done about it."""
    return _decide(request, partial(dead_letters.close, message_id), body)


def _decide(request: HttpRequest, act: Callable[..., Row], body: DecideIn) -> HttpResponse:
    key = owner_of(request)

    def work() -> HttpResponse:
        try:
            return answer(DeadLetterEndedOut(**act(by=body.by, reason=body.reason, key=key)))
        except Refused as refused:
            raise _problem(refused, locale_of(request)) from None

    return once(request, key, work)


def _problem(refused: Refused, locale: str) -> Problem:
    code = refused.diagnostics[0].code
    if code == "no_dead_letter":
        return Problem("not_found")
    if code in _WORDS:
        return Problem("invalid", errors=[fault(_WORDS[code], "wrong_form", locale)])
    return Problem("not_retriable", errors=[fault("", code, locale)])
