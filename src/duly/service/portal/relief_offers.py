"""'Ask for relief', its offers: beside the present plan, the cost sheet, the agreement."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from duly.care import Offer, Relief
from duly.service.api.serving import present
from duly.service.api.slowing import DAY, is_too_often
from duly.service.faces.looks import look_of
from duly.service.portal import agreeing, documents, drafts
from duly.service.portal.agreeing import FactsChangedError, Shown
from duly.service.portal.loans import TOLD_A_DAY
from duly.service.portal.offering import (
    PARTS,
    READ,
    Standing,
    agreed_kind,
    budget_of,
    forbidden,
    name_of,
    offers_of,
    wish_of,
)
from duly.service.portal.pages import page, problem, too_often
from duly.service.portal.relief import (
    hardship_of,
    led,
    standing_for,
    with_draft,
)
from duly.service.portal.signing_in import signed_in, who_of

_BAD, _CONFLICT = 422, 409
_NAME_MAX = 40
PDFS_A_DAY = 30


@dataclass(frozen=True, kw_only=True)
class Named:
    """An offer under its name, and what it costs beyond the present plan."""

    name: str
    offer: Offer
    extra: int


def _found(standing: Standing, draft: dict[str, str]) -> tuple[Relief, list[Named]]:
    serving = present()
    found = offers_of(standing, budget_of(draft, standing), wish_of(draft), lender=serving.lender,
                      at=serving.now())  # fmt: skip
    present_plan = found.present.total
    return found, [
        Named(name=name_of(standing, one), offer=one, extra=one.total - present_plan)
        for one in found.offers
    ]


@signed_in("GET")
@with_draft
def offers(request: HttpRequest, standing: Standing, draft: dict[str, str]) -> HttpResponse:
    """Show what fits beside the present plan, and why the rest does not."""
    found, named = _found(standing, draft)
    return page(
        request, "relief_offers", one=standing.receipt, present_plan=found.present, offers=named,
        without=found.without, budget=budget_of(draft, standing),
        counted=standing.elsewhere > int(draft["loans"]),
        answer_by=hardship_of(request, standing), changed=request.GET.get("changed", ""),
    )  # fmt: skip


@signed_in("GET")
@with_draft
def sheet(request: HttpRequest, standing: Standing, draft: dict[str, str]) -> HttpResponse:
    """Show the cost sheet of one offer; from its first showing on its seconds count."""
    found, named = _found(standing, draft)
    chosen = _chosen(request, named)
    if chosen is None:
        return led(request, "relief-offers", loan=standing.receipt.loan_id, changed="1")
    if draft.get("sheet") != chosen.name:
        now = str(int(present().clock().timestamp()))
        draft |= {"sheet": chosen.name, "sheet_at": now}
        drafts.save(who_of(request).borrower_id, standing.receipt.loan_id, draft)
    return _sheet(request, standing, found, chosen)


def _chosen(request: HttpRequest, named: list[Named]) -> Named | None:
    given = request.POST if request.method == "POST" else request.GET
    wanted = given.get("offer", "")[:_NAME_MAX]
    return next((one for one in named if one.name == wanted), None)


def _sheet(
    request: HttpRequest, standing: Standing, found: Relief, chosen: Named, *, wrong: str = "",
    wait: int = 0,
) -> HttpResponse:  # fmt: skip
    lender = present().lender
    return page(
        request, "relief_sheet", status=_BAD if wrong else 200, one=standing.receipt,
        present_plan=found.present, chosen=chosen, offer=chosen.offer, extra=chosen.extra,
        wrong=wrong, wait=wait, seconds=lender.relief.read_seconds, bureau=lender.bureau_reports,
        clause=lender.late_charge_clause,
    )  # fmt: skip


@signed_in("POST")
@with_draft
def agree(request: HttpRequest, standing: Standing, draft: dict[str, str]) -> HttpResponse:
    """Agree on an offer that was read and confirmed; nothing is written on any other way.

    The second tap of the same hand sees the agreement.
    """
    if is_too_often("portal_told", who_of(request).borrower_id, TOLD_A_DAY, DAY):
        return too_often(request, DAY)
    serving, loan = present(), standing.receipt.loan_id
    found, named = _found(standing, draft)
    chosen = _chosen(request, named)
    if chosen is None:
        return led(request, "relief-offers", loan=loan, changed="1")
    seen = draft.get("sheet_at", "") if draft.get("sheet") == chosen.name else ""
    if not seen:
        return led(request, "relief-sheet", loan=loan, offer=chosen.name)
    seconds = int(serving.clock().timestamp()) - int(seen)
    wait = serving.lender.relief.read_seconds - seconds
    if wait > 0 or request.POST.get("confirm") != "yes":
        wrong = "read" if wait > 0 else "confirm"
        return _sheet(request, standing, found, chosen, wrong=wrong, wait=max(0, wait))
    parts = (*PARTS, READ)
    if forbidden(standing, chosen.offer, parts, lender=serving.lender, at=serving.now()):
        return led(request, "relief-offers", loan=loan, changed="1")
    said = agreeing.heard(draft["words"], locale=look_of(request).locale, name="words",
                          at=serving.now())  # fmt: skip
    handed = agreeing.statement(
        budget_of(draft, standing), draft["wish"], standing.receipt.currency, draft["words"]
    )
    try:
        agreeing.agree(
            standing, chosen.offer, Shown(offer=chosen.name, seconds=seconds, parts=parts), handed,
            borrower_id=who_of(request).borrower_id, lender=serving.lender, at=serving.now(),
            tasks=said.tasks,
        )  # fmt: skip
    except FactsChangedError:
        again = standing_for(request)
        if again is None or again.plan is None:
            return led(request, "relief-offers", loan=loan, changed="1")
    return led(request, "agreed", loan=loan)


@signed_in("GET")
def agreed(request: HttpRequest) -> HttpResponse:
    """Show the schedule that was agreed, and truly whether charges stop."""
    standing = standing_for(request)
    if standing is None:
        return problem(request, "nowhere", status=404)
    if standing.plan is None:
        return led(request, "relief", loan=standing.receipt.loan_id)
    return page(
        request, "agreed", one=standing.receipt, plan=standing.plan,
        stops=standing.plan.detail.get("accrual") == "stops", printable=documents.can_print(),
        relief=agreed_kind(standing.plan.detail), bureau=present().lender.bureau_reports,
        total=sum(row.amount for row in standing.plan.rows),
        paid=sum(row.paid for row in standing.plan.rows),
    )  # fmt: skip


@signed_in("GET")
def agreement(request: HttpRequest) -> HttpResponse:
    """Give the agreement as a PDF, equal bytes for equal facts."""
    standing = standing_for(request)
    if standing is None or standing.plan is None or not documents.can_print():
        return problem(request, "nowhere", status=404)
    if is_too_often("portal_pdf", who_of(request).borrower_id, PDFS_A_DAY, DAY):
        return too_often(request, DAY)
    pdf = documents.agreement(
        standing.receipt, standing.plan, lender=present().lender, locale=look_of(request).locale
    )
    response = HttpResponse(pdf, content_type="application/pdf")
    name = f"agreement-{standing.receipt.place}.pdf"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
