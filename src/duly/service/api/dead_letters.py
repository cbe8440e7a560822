"""`/dead-letters`: messages that were certainly not sent and that are not tried again."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router

from duly.service.api.answers import answer
from duly.service.api.authentication import Scope
from duly.service.api.cursors import encode, place_of
from duly.service.api.openapi import responses
from duly.service.api.schemas import Cursor, DeadLetterOut, DeadLettersOut, Limit
from duly.service.api.serving import present
from duly.service.operations import dead_letters

router = Router(tags=["messages"], by_alias=True)


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
