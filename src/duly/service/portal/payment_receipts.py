"""Receipts of payments: the list, one of them, its paper, and whether one is ours.

Any payment that the borrower's record holds has one. The check says when it was issued and over how
much; it names no person and no loan.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

import segno
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from duly.messages.code import plain
from duly.service.api.serving import present
from duly.service.api.slowing import (
    ADDRESS_A_MINUTE,
    CODE_AN_HOUR,
    DAY,
    HOUR,
    MINUTE,
    address_of,
    is_too_often,
)
from duly.service.faces.looks import look_of
from duly.service.faces.views import shown
from duly.service.portal import documents, receipt_codes
from duly.service.portal.loans import known_of
from duly.service.portal.pages import page, problem, too_often
from duly.service.portal.receipt_codes import Issued
from duly.service.portal.receipts import PaymentLine, Receipt
from duly.service.portal.relief_offers import PDFS_A_DAY
from duly.service.portal.signing_in import signed_in, who_of

_CODE_MAX = 60
_BAD = 422
_QUIET = 4  #: modules of white around a picture code: what holds one needs them (ISO/IEC 18004)


@dataclass(frozen=True, kw_only=True)
class PaymentReceipt:
    """One payment as its receipt shows it, issued today."""

    loan: Receipt
    line: PaymentLine
    issued_on: date
    code: str  #: empty: its day or amount has no room in a code
    address: str  #: where a reader of the picture code arrives; empty: nobody said where we are

    @property
    def check_at(self) -> str:
        """Return where the code is typed in."""
        return self.address.partition("?")[0]


@signed_in("GET")
def receipts(request: HttpRequest) -> HttpResponse:
    """Show every payment of who has signed in, loan by loan, the newest first."""
    found, loans = known_of(request)
    told = [
        (one, sorted((line for line in one.payments if line.kind == "payment"),
                     key=lambda line: (line.paid_on, line.payment_id), reverse=True))
        for one in loans
    ]  # fmt: skip
    return page(request, "receipts", loans=told, as_of=found.as_of)


@signed_in("GET")
def receipt(request: HttpRequest) -> HttpResponse:
    """Show the receipt of one payment."""
    found = _asked(request)
    if found is None:
        return problem(request, "nowhere", status=404)
    return page(
        request, "receipt", one=found.loan, pay=found.line, receipt=found,
        picture=picture_of(found.address), printable=documents.can_print(),
    )  # fmt: skip


@signed_in("GET")
def receipt_pdf(request: HttpRequest) -> HttpResponse:
    """Give the receipt of one payment as a PDF, equal bytes for equal facts of a day."""
    found = _asked(request)
    if found is None or not documents.can_print():
        return problem(request, "nowhere", status=404)
    if is_too_often("portal_pdf", who_of(request).borrower_id, PDFS_A_DAY, DAY):
        return too_often(request, DAY)
    pdf = documents.payment_receipt(
        found.loan, found.line, code=found.code, check_at=found.check_at,
        picture=str(picture_of(found.address)), issued_on=found.issued_on,
        lender=present().lender, locale=look_of(request).locale,
    )  # fmt: skip
    response = HttpResponse(pdf, content_type="application/pdf")
    name = f"receipt-{found.line.paid_on.isoformat()}.pdf"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _asked(request: HttpRequest) -> PaymentReceipt | None:
    """Return the receipt that a request names; None: no such payment, another's, or taken back."""
    _, loans = known_of(request)
    loan, name = request.GET.get("loan", ""), request.GET.get("payment", "")
    for one in loans:
        for line in one.payments:
            if (one.loan_id, line.payment_id) == (loan, name):
                fits = line.kind == "payment" and line.counts
                return _receipt_of(one, line) if fits else None
    return None


def _receipt_of(loan: Receipt, line: PaymentLine) -> PaymentReceipt:
    serving = present()
    issued = Issued(issued_on=serving.today, received_on=line.paid_on, amount=line.amount,
                    currency=loan.currency)  # fmt: skip
    code = receipt_codes.code_of(issued, serving.signer) or ""
    begins = serving.lender.portal.begins
    where = f"{begins.removesuffix(serving.lender.portal.prefix)}{reverse('receipt-check')}"
    address = f"{where}?{urlencode([('receipt', code)])}" if begins and code else ""
    return PaymentReceipt(loan=loan, line=line, issued_on=serving.today, code=code, address=address)


def picture_of(address: str) -> SafeString:
    """Return an address as a picture code, drawn as SVG; empty for none."""
    if not address:
        return mark_safe("")
    made = segno.make(address, error="m", micro=False)
    drawn = made.svg_inline(border=_QUIET, omitsize=True, svgclass=None, lineclass=None)
    return mark_safe(drawn)  # noqa: S308 Squares alone: nothing of the address stands in it.


@shown("GET")
def check(request: HttpRequest) -> HttpResponse:
    """Say whether a receipt is ours, by its code; whatever is wrong with a code, one answer."""
    typed = request.GET.get("receipt", "").strip()[:_CODE_MAX]
    if not typed:
        return page(request, "receipt_check", code="", wrong=False)
    if is_too_often("verify_address", address_of(request), ADDRESS_A_MINUTE, MINUTE):
        return too_often(request, MINUTE)
    code = plain(typed)
    if not receipt_codes.is_formed(code):
        return page(request, "receipt_check", status=_BAD, code=typed, wrong=True)
    if is_too_often("receipt_code", code, CODE_AN_HOUR, HOUR):
        return too_often(request, HOUR)
    return page(request, "receipt_checked", issued=receipt_codes.read(code, present().signer))
