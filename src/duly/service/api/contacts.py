"""`POST /contacts/reserve`: an agency asks before it contacts, and is counted."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router

from duly.service.api.answers import answer
from duly.service.api.authentication import Scope, owner_of
from duly.service.api.idempotency import once
from duly.service.api.openapi import responses
from duly.service.api.problems import Problem
from duly.service.api.schemas import ReserveIn, ReserveOut
from duly.service.api.serving import present
from duly.service.operations.reserving import ContactIdTaken, Wish, reserve

router = Router(tags=["contacts"])


@router.post(
    "/contacts/reserve",
    auth=Scope("contacts:write"),
    response=responses(ReserveOut),
    operation_id="reserve_contact",
    by_alias=True,
)
def reserve_contact(request: HttpRequest, body: ReserveIn) -> HttpResponse:
    """Ask whether a contact may be made now; what is allowed counts from this second on."""

    def work() -> HttpResponse:
        wish = Wish(
            contact_id=body.contact_id, loan_id=body.loan_id, channel=body.channel,
            address=body.address, contact_class=body.contact_class, agency=body.agency,
        )  # fmt: skip
        try:
            found = reserve(wish, lender=present().lender, at=present().now())
        except ContactIdTaken:
            raise Problem("contact_id_taken") from None
        if found is None:
            raise Problem("not_found")
        return answer(
            ReserveOut(
                contact_id=body.contact_id, allowed=found.effect == "allow", effect=found.effect,
                reason=found.reason, rules=list(found.rules), until=found.until,
            )
        )  # fmt: skip

    return once(request, owner_of(request), work)
