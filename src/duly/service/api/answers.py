"""Answers that succeed: JSON as the schemas write it."""

from __future__ import annotations

from django.http import HttpResponse
from pydantic import BaseModel


def answer(body: BaseModel, *, status: int = 200) -> HttpResponse:
    """Return an answer with a body."""
    return HttpResponse(
        body.model_dump_json(by_alias=True), status=status, content_type="application/json"
    )
