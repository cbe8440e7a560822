"""`/messages`: one message, its proof, and the way to take it back."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from duly.service.api.answers import answer
from duly.service.api.authentication import Scope, owner_of
from duly.service.api.idempotency import once
from duly.service.api.openapi import responses
from duly.service.api.problems import Problem
from duly.service.api.schemas import (
    AttemptOut,
    CancelOut,
    EvidenceOut,
    EvidenceRowOut,
    Id,
    MessageDetailOut,
    MessageOut,
    ReceiptOut,
    RootOut,
)
from duly.service.operations import looking, proving
from duly.service.operations.taking_back import cancel
from duly.service.sealing import instant_of

_SHOWN = 100  #: receipts of a message in one answer
_TAIL = 4  #: characters of an address that are shown

router = Router(tags=["messages"], by_alias=True)


@router.get(
    "/messages/{message_id}",
    auth=Scope("messages:read"),
    response=responses(MessageDetailOut),
    operation_id="get_message",
)
def get_message(request: HttpRequest, message_id: Id) -> HttpResponse:
    """Show a message: its words, state, submissions and receipts."""
    row = looking.message(message_id)
    if row is None:
        raise Problem("not_found")
    return answer(
        MessageDetailOut(
            **_message(row),
            locale=row["locale"],
            text=row["text"],
            segments=row["segments"],
            attempts=[AttemptOut(**one) for one in looking.attempts(message_id)],
            receipts=[ReceiptOut(**one) for one in looking.receipts(message_id, limit=_SHOWN)],
        )
    )


@router.post(
    "/messages/{message_id}/cancel",
    auth=Scope("messages:write"),
    response=responses(CancelOut),
    operation_id="cancel_message",
)
def cancel_message(request: HttpRequest, message_id: Id) -> HttpResponse:
    """Take a message back; refused where it was submitted already."""

    def work() -> HttpResponse:
        found = cancel(message_id, by=f"key:{owner_of(request)}")
        if found is None:
            raise Problem("not_found")
        if not found.done:
            raise Problem("not_cancellable", state=found.state)
        return answer(CancelOut(id=message_id, state=found.state))

    return once(request, owner_of(request), work)


@router.get(
    "/messages/{message_id}/evidence",
    auth=Scope("evidence:read"),
    response=responses(EvidenceOut),
    operation_id="get_evidence",
)
def get_evidence(request: HttpRequest, message_id: Id) -> HttpResponse:
    """Show the record of a message: each row with its place in the log and the path to its root."""
    if looking.message(message_id) is None:
        raise Problem("not_found")
    found = proving.evidence(message_id)
    return answer(
        EvidenceOut(
            message_id=message_id,
            rows=[_row(row) for row in found.rows],
            root=RootOut(
                size=found.size,
                root=found.root.hex(),
                at=found.root_at,
                key_id=found.key_id,
                signature=None if found.signature is None else found.signature.hex(),
            ),
        )
    )


def message_out(row: dict[str, Any]) -> MessageOut:
    """Return a message as lists show it."""
    return MessageOut(**_message(row))


def _message(row: dict[str, Any]) -> dict[str, Any]:
    kept = (
        "run_id", "borrower_id", "business_date", "channel", "message_class", "template", "tone",
        "not_before", "not_after", "state", "reason", "state_at", "route",
    )  # fmt: skip
    return {
        "id": row["message_id"],
        "loan_ids": json.loads(row["loan_ids"]),
        "address_masked": _masked(row["address"]),
        **{name: row[name] for name in kept},
    }


def _masked(address: str) -> str:
    """Return an address of which only the end can be read.

    >>> _masked("+8613800000001"), _masked("ann@example.com")
    ('**********0001', '***@example.com')
    """
    name, at, domain = address.rpartition("@")
    if at:
        return "*" * len(name) + at + domain
    return "*" * max(len(address) - _TAIL, 0) + address[-_TAIL:]


def _row(row: proving.Row) -> EvidenceRowOut:
    return EvidenceRowOut(
        number=row.number,
        at=instant_of(row.at),
        kind=row.kind,
        payload=None if row.payload is None else row.payload.text,
        salt=None if row.payload is None else row.payload.salt.hex(),
        payload_sha256=row.payload_sha256,
        leaf_index=row.index,
        proof=[one.hex() for one in row.proof],
    )
