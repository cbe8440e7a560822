"""'My records': each contact beside the limits that bind us, the loan on paper, that it is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.http import HttpRequest, HttpResponse

from duly.service.api.serving import present
from duly.service.api.slowing import DAY, is_too_often
from duly.service.faces.looks import look_of
from duly.service.operations.deriving import Derived, derived
from duly.service.portal import statements
from duly.service.portal.burden import DAYS, SHOWN, burden_of, place_of
from duly.service.portal.documents import can_print
from duly.service.portal.forms import day_of
from duly.service.portal.holders import name_of
from duly.service.portal.limits import limits_of
from duly.service.portal.pages import page, problem, too_often
from duly.service.portal.receipts import Receipt, receipts_of
from duly.service.portal.signing_in import signed_in, who_of

_OPEN_DAYS = 90  #: what is older is folded
_BAD, _TYPED_MAX = 422, 40
PDFS_A_DAY = 30


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The loan and the day that a request names; `wrong` where the day cannot be."""

    found: Derived
    receipt: Receipt
    typed: str
    wrong: bool


def _asked(request: HttpRequest) -> Asked | None:
    """Return which loan of his somebody asks for, as of which day; None: none of his.

    A day that cannot be (before the loan, after today) is answered as of today.
    """
    serving, who = present(), who_of(request).borrower_id
    typed = request.GET.get("as_of", "")[:_TYPED_MAX]
    as_of = day_of(typed) if typed else serving.today
    today = serving.today
    found = derived(who, lender=serving.lender, at=serving.now(), clock=serving.clock())
    receipt = _receipt(request, found)
    if receipt is None:
        return None
    wrong = as_of is None or not receipt.disbursed_on <= as_of <= today
    if not wrong and as_of != today:
        found = derived(who, lender=serving.lender, at=serving.now(), clock=serving.clock(),
                        as_of=as_of)  # fmt: skip
        receipt = _receipt(request, found)
        assert receipt is not None, "the same facts have the same loans"
    return Asked(found=found, receipt=receipt, typed=typed or found.as_of.isoformat(), wrong=wrong)


def _receipt(request: HttpRequest, found: Derived) -> Receipt | None:
    loan = request.GET.get("loan", "")
    return next((one for one in receipts_of(found) if one.loan_id == loan), None)


@signed_in("GET")
def messages(request: HttpRequest) -> HttpResponse:
    """Show each contact with a person, the limits that bind us, and how much of them is used."""
    serving, who = present(), who_of(request).borrower_id
    at = serving.now()
    burden = burden_of(who, lender=serving.lender, at=at)
    zone, region = place_of(who, lender=serving.lender)
    limits = limits_of(serving.lender, zone=zone, region=region, at=at)
    recent = at - timedelta(days=_OPEN_DAYS)
    over = (
        burden.texts_today > limits.texts_a_day
        or burden.texts_this_week > limits.texts_a_week
        or (limits.reached_a_day is not None and burden.reached_today > limits.reached_a_day)
    )
    return page(
        request, "messages", burden=burden, limits=limits, over=over, days=DAYS,
        recent_days=_OPEN_DAYS, cut=len(burden.contacts) == SHOWN,
        recent=[one for one in burden.contacts if one.at > recent],
        older=[one for one in burden.contacts if one.at <= recent],
    )  # fmt: skip


@signed_in("GET")
def statement(request: HttpRequest) -> HttpResponse:
    """Show a loan as of a day: schedule, payments, and what they add up to."""
    asked = _asked(request)
    if asked is None:
        return problem(request, "nowhere", status=404)
    told = statements.statement_of(asked.receipt) if asked.receipt.known else None
    return page(
        request, "statement", status=_BAD if asked.wrong else 200, one=asked.receipt, told=told,
        full_name=name_of(who_of(request).borrower_id), on=asked.typed, wrong=asked.wrong,
        as_of=asked.found.as_of, today=present().today, known=_known_on(asked.found),
        printable=can_print(),
    )  # fmt: skip


@signed_in("GET")
def statement_pdf(request: HttpRequest) -> HttpResponse:
    """Give the statement as a PDF, equal bytes for equal facts."""
    asked = _asked(request)
    if asked is None or asked.wrong or not asked.receipt.known or not can_print():
        return problem(request, "nowhere", status=404)
    if is_too_often("portal_pdf", who_of(request).borrower_id, PDFS_A_DAY, DAY):
        return too_often(request, DAY)
    pdf = statements.statement_pdf(
        statements.statement_of(asked.receipt), name=name_of(who_of(request).borrower_id),
        lender=present().lender, known_on=_known_on(asked.found), locale=look_of(request).locale,
    )  # fmt: skip
    return as_file(pdf, "application/pdf",
                   f"statement-{asked.receipt.place}-{asked.found.as_of}.pdf")  # fmt: skip


@signed_in("GET")
def settled(request: HttpRequest) -> HttpResponse:
    """Say whether a loan is settled, and give the letter only where it truly is."""
    asked = _asked(request)
    if asked is None:
        return problem(request, "nowhere", status=404)
    return page(request, "settled", one=asked.receipt, printable=can_print(),
                end=statements.settled_of(asked.found, asked.receipt))  # fmt: skip


@signed_in("GET")
def settled_pdf(request: HttpRequest) -> HttpResponse:
    """Give the letter that a loan is settled; nowhere where it is not."""
    asked = _asked(request)
    if asked is None or not can_print():
        return problem(request, "nowhere", status=404)
    end = statements.settled_of(asked.found, asked.receipt)
    if end.since is None or asked.found.as_of != present().today:
        return problem(request, "nowhere", status=404)
    if is_too_often("portal_pdf", who_of(request).borrower_id, PDFS_A_DAY, DAY):
        return too_often(request, DAY)
    pdf = statements.settled_pdf(
        asked.receipt, end.since, name=name_of(who_of(request).borrower_id),
        lender=present().lender, as_of=asked.found.as_of, known_on=_known_on(asked.found),
        locale=look_of(request).locale,
    )  # fmt: skip
    return as_file(pdf, "application/pdf", f"settled-{asked.receipt.place}.pdf")


def _known_on(found: Derived) -> date:
    return present().lender.day_of(found.known_at)


def as_file(data: bytes, kind: str, name: str) -> HttpResponse:
    """Return what a browser keeps as a file."""
    response = HttpResponse(data, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
