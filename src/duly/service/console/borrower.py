"""A borrower: his figures as he sees them himself, and one line of time; masked."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from duly.service.api.serving import present
from duly.service.console import people
from duly.service.console.pages import page, problem
from duly.service.console.signing_in import allowed, who_of
from duly.service.console.timeline import timeline_of
from duly.service.faces.looks import look_of
from duly.service.operations.deriving import derived
from duly.service.portal.receipts import receipts_of

#: Characters of a reason for looking behind a mask.
REASON_MIN, REASON_MAX = 4, 200
_BAD, _NOWHERE = 422, 404


@allowed("borrower.see", "GET")
def borrower(request: HttpRequest, borrower_id: str) -> HttpResponse:
    """Show a borrower, masked; who looked is recorded under his key."""
    if not people.is_known(borrower_id):
        return problem(request, "nowhere", status=_NOWHERE)
    people.viewed(request, borrower_id, "borrower")
    return _show(request, borrower_id)


@allowed("borrower.reveal", "POST")
def reveal(request: HttpRequest, borrower_id: str) -> HttpResponse:
    """Show name and numbers once, for a reason that is written down before they are read."""
    if not people.is_known(borrower_id):
        return problem(request, "nowhere", status=_NOWHERE)
    reason = " ".join(request.POST.get("reason", "").split())[:REASON_MAX]
    if len(reason) < REASON_MIN:
        people.viewed(request, borrower_id, "borrower")
        return _show(request, borrower_id, status=_BAD, wrong=True)
    people.revealed(request, borrower_id, reason=reason)
    return _show(request, borrower_id, masked=False)


def _show(
    request: HttpRequest, borrower_id: str, *, status: int = 200, masked: bool = True,
    wrong: bool = False,
) -> HttpResponse:  # fmt: skip
    serving = present()
    found = derived(borrower_id, lender=serving.lender, at=serving.now(), clock=serving.clock())
    staff = who_of(request)
    return page(
        request, "borrower", status=status, found=found, receipts=receipts_of(found),
        person=people.person_of(borrower_id, locale=look_of(request).locale, masked=masked),
        moments=timeline_of(request, borrower_id, found),
        reveals=masked and staff.may("borrower.reveal"), wrong=wrong,
        works=staff.may("tasks.see"),
    )  # fmt: skip
