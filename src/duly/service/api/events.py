"""`POST /events`: what the lender's systems tell, as CloudEvents, one or a batch."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from duly.service.api.answers import answer
from duly.service.api.authentication import Scope, owner_of
from duly.service.api.faults import ERRORS_MAX, fault
from duly.service.api.idempotency import once
from duly.service.api.limits import content_type
from duly.service.api.openapi import responses
from duly.service.api.problems import Problem, locale_of
from duly.service.api.reading import read_json
from duly.service.api.schemas import EventsOut
from duly.service.api.serving import present
from duly.service.operations.events import EventsRefused, accept

EVENTS_MAX = 1000
_ONE, _BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
_EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string"},
        "source": {"type": "string"},
        "type": {"type": "string"},
        "time": {"type": "string", "format": "date-time"},
        "data": {"type": "object"},
    },
}
_LIST = {"type": "array", "items": _EVENT, "minItems": 1, "maxItems": EVENTS_MAX}

router = Router(tags=["events"])


@router.post(
    "/events",
    auth=Scope("events:write"),
    response=responses(EventsOut),
    operation_id="post_events",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                _ONE: {"schema": _EVENT},
                _BATCH: {"schema": _LIST},
                "application/json": {"schema": {"anyOf": [_EVENT, _LIST]}},
            },
        }
    },
)
def post_events(request: HttpRequest) -> HttpResponse:
    """Take one event or a batch: all of it or nothing; the same (source, id) twice is one."""
    events, listed = _events(request)

    def work() -> HttpResponse:
        try:
            found = accept(events, at=present().now())
        except EventsRefused as refused:
            raise _refused(refused, locale_of(request), listed=listed) from None
        return answer(
            EventsOut(
                accepted=found.accepted,
                duplicates=found.duplicates,
                cancelled=list(found.cancelled),
                unread=list(found.unread),
            )
        )

    return once(request, owner_of(request), work)


def _events(request: HttpRequest) -> tuple[list[dict[str, Any]], bool]:
    """Return the events of a body and whether it is a batch; refuse one of another shape."""
    try:
        found = read_json(request.body)
    except ValueError:
        raise Problem("not_json") from None
    given = content_type(request)
    listed = isinstance(found, list)
    if (given == _ONE and listed) or (given == _BATCH and not listed):
        raise Problem("invalid", errors=[fault("", "wrong_type", locale_of(request))])
    events = found if listed else [found]
    if not 0 < len(events) <= EVENTS_MAX:
        found_many = fault("", "how_many", locale_of(request), most=EVENTS_MAX)
        raise Problem("invalid", errors=[found_many])
    if not all(isinstance(one, dict) for one in events):
        raise Problem("invalid", errors=[fault("", "wrong_type", locale_of(request))])
    return events, listed


def _refused(refused: EventsRefused, locale: str, *, listed: bool) -> Problem:
    """Return the problem that names the first hundred faults, and counts them all."""
    errors = [
        {
            "pointer": _pointer(one.index if listed else None, one.field),
            "code": one.code,
            "detail": one.sentence(locale),
        }
        for one in refused.problems[:ERRORS_MAX]
    ]
    return Problem("events_refused", count=len(refused.problems), errors=errors)


def _pointer(index: int | None, field: str) -> str:
    """Return the JSON pointer of a field of one event, of a batch by its place."""
    parts = [part.replace("~", "~0").replace("/", "~1") for part in field.split(".") if part]
    return "".join(f"/{part}" for part in (parts if index is None else [str(index), *parts]))
