"""`/loans`: what was decided about a loan, day by day, and what was said."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from duly.service.api.answers import answer
from duly.service.api.authentication import Scope
from duly.service.api.cursors import page, place_of
from duly.service.api.messages import message_out
from duly.service.api.openapi import responses
from duly.service.api.problems import Problem
from duly.service.api.schemas import (
    Cursor,
    DecisionOut,
    DecisionsOut,
    FiguresOut,
    Id,
    Limit,
    LoanOut,
    SignalOut,
)
from duly.service.api.serving import present
from duly.service.operations import looking

_SHOWN = 50  #: signals and messages of a loan in one answer, the newest

router = Router(tags=["loans"], by_alias=True)


@router.get(
    "/loans/{loan_id}",
    auth=Scope("loans:read"),
    response=responses(LoanOut),
    operation_id="get_loan",
)
def get_loan(request: HttpRequest, loan_id: Id) -> HttpResponse:
    """Show a loan: its latest decision and figures, signals, messages."""
    rows = looking.decisions(loan_id, after=(), limit=1)
    if not rows:
        raise Problem("not_found")
    latest = rows[0]
    borrower = latest["borrower_id"]
    return answer(
        LoanOut(
            loan_id=loan_id,
            borrower_id=borrower,
            latest=_decision(latest),
            figures=_figures(latest["figures"]),
            signals=[SignalOut(**row) for row in
                     looking.signals_of(loan_id, borrower, limit=_SHOWN)],
            messages=[message_out(row) for row in
                      looking.messages_of(loan_id, borrower, limit=_SHOWN)],
        )
    )  # fmt: skip


@router.get(
    "/loans/{loan_id}/decisions",
    auth=Scope("loans:read"),
    response=responses(DecisionsOut),
    operation_id="get_decisions",
)
def get_decisions(
    request: HttpRequest, loan_id: Id, cursor: Cursor = None, limit: Limit = 50
) -> HttpResponse:
    """List what was decided about a loan, the newest first; superseded runs say so."""
    signer = present().signer
    listing = f"decisions {loan_id}"
    after = place_of(signer, listing, cursor)
    rows = looking.decisions(loan_id, after=after, limit=limit + 1)
    if not rows and not after:
        raise Problem("not_found")
    shown, following = page(signer, listing, rows, limit, "run_id")
    return answer(DecisionsOut(items=[_decision(row) for row in shown], next_cursor=following))


def _decision(row: dict[str, Any]) -> DecisionOut:
    return DecisionOut(**{**row, "legal": json.loads(row["legal"])})


def _figures(text: str | None) -> FiguresOut | None:
    """Return the figures of a decision; a quarantined loan has none."""
    return None if text is None else FiguresOut(**json.loads(text))
