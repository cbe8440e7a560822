"""'Is it right?': a person's loans line by line, and what he says about a line."""

from __future__ import annotations

from datetime import date, timedelta

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from duly.core.money import major
from duly.service.api.serving import present
from duly.service.api.slowing import DAY, is_too_often
from duly.service.faces.looks import look_of, named
from duly.service.faces.tags import address
from duly.service.faces.views import shown
from duly.service.operations import verifying
from duly.service.operations.deriving import Derived, OpenSignal, derived
from duly.service.portal import asking, papers
from duly.service.portal.checking import asked_of
from duly.service.portal.forms import amount_of, day_of
from duly.service.portal.pages import page, problem, too_often
from duly.service.portal.receipts import Receipt, receipts_of
from duly.service.portal.signing_in import signed_in, who_of

#: What one person may tell by these pages in a day.
TOLD_A_DAY = 60
_LINE_MAX = 300
_BACK_DAYS = 400  #: how long ago a payment may have been
_BAD, _SEE_OTHER = 422, 303


def known_of(request: HttpRequest) -> tuple[Derived, tuple[Receipt, ...]]:
    """Return what is known of who has signed in, and the receipts of his loans."""
    serving = present()
    who = who_of(request).borrower_id
    found = derived(who, lender=serving.lender, at=serving.now(), clock=serving.clock())
    return found, receipts_of(found)


@signed_in("GET")
def loans(request: HttpRequest) -> HttpResponse:
    """Show the loans of who has signed in; of one alone its receipt."""
    found, receipts = known_of(request)
    if len(receipts) == 1:
        return _show(request, found, receipts[0])
    return page(request, "loans", receipts=receipts, as_of=found.as_of)


@signed_in("GET")
def loan(request: HttpRequest, place: int) -> HttpResponse:
    """Show the receipt of one loan."""
    found, receipts = known_of(request)
    if not 1 <= place <= len(receipts):
        return problem(request, "nowhere", status=404)
    return _show(request, found, receipts[place - 1])


def _show(request: HttpRequest, found: Derived, receipt: Receipt) -> HttpResponse:
    lender = present().lender
    pauses = [
        {"kind": one.kind, "since": one.starts_at, "id": one.signal_id,
         "mine": one.signal_id.startswith("portal-") and one.kind == "dispute",
         "answer_by": _answer_by(one, found.as_of)}
        for one in receipt.pauses
    ]  # fmt: skip
    return page(
        request, "loan", one=receipt, found=found, pauses=pauses,
        clause=lender.late_charge_clause, bureau=lender.bureau_reports,
        creditor=_creditor(request, receipt), several=len(found.loans) > 1,
        told=request.GET.get("told", ""),
    )  # fmt: skip


def _answer_by(one: OpenSignal, as_of: date) -> date | None:
    """Return the day by which a signal is answered, while it is to come; a promise's last day."""
    if one.kind == "promise":
        return one.holds_until
    if one.kind not in ("dispute", "payment_pending", "hardship"):
        return None
    day = asking.answer_by(one.kind, one.starts_at, lender=present().lender)
    return day if day >= as_of else None


def _creditor(request: HttpRequest, receipt: Receipt) -> str:
    """Return who lent, in the reader's language where it is the lender; empty: nobody told."""
    lender = present().lender
    if receipt.creditor in (None, lender.name):
        return str(named(lender, look_of(request).locale)["name"])
    return str(receipt.creditor)


def _of(request: HttpRequest, loan_id: str) -> tuple[Derived, Receipt | None]:
    found, receipts = known_of(request)
    return found, next((one for one in receipts if one.loan_id == loan_id), None)


def told(request: HttpRequest, receipt: Receipt, what: str) -> HttpResponse:
    """Lead back to the receipt, which says what holds now: a page that is loaded again tells it."""
    where = address("loan", look_of(request), receipt.place)
    response = HttpResponseRedirect(f"{where}{'&' if '?' in where else '?'}told={what}")
    response.status_code = _SEE_OTHER
    return response


def _talks_too_much(request: HttpRequest) -> bool:
    return is_too_often("portal_told", who_of(request).borrower_id, TOLD_A_DAY, DAY)


@signed_in("POST")
def question(request: HttpRequest) -> HttpResponse:
    """Take a question about a line: a dispute from this second on."""
    if _talks_too_much(request):
        return too_often(request, DAY)
    line = request.POST.get("line", "")[:_LINE_MAX]
    _, receipt = _of(request, request.POST.get("loan", ""))
    if receipt is None or not receipt.has(line):
        return problem(request, "nowhere", status=404)
    said = asking.Saying(
        borrower_id=who_of(request).borrower_id, loan_id=receipt.loan_id, kind="dispute",
        about=line, detail={"line": line, "by": "portal"},
    )  # fmt: skip
    serving = present()
    asking.tell(said, lender=serving.lender, at=serving.now())
    return told(request, receipt, "question")


@signed_in("POST")
def words(request: HttpRequest) -> HttpResponse:
    """Keep a sentence with a question of one's own."""
    name = request.POST.get("signal", "")[:_LINE_MAX]
    _, receipt = _of(request, request.POST.get("loan", ""))
    if receipt is None or name not in {one.signal_id for one in receipt.pauses}:
        return problem(request, "nowhere", status=404)
    if _talks_too_much(request):
        return too_often(request, DAY)
    said = papers.words(request.POST.get("words", ""))
    if said is not None:
        with transaction.atomic():
            papers.keep(who_of(request).borrower_id, name, [said])
    return told(request, receipt, "words")


@signed_in("POST")
def take_back(request: HttpRequest) -> HttpResponse:
    """End a question of one's own."""
    name = request.POST.get("signal", "")[:_LINE_MAX]
    _, receipt = _of(request, request.POST.get("loan", ""))
    who = who_of(request).borrower_id
    if receipt is None or not asking.take_back(name, borrower_id=who, at=present().now()):
        return problem(request, "nowhere", status=404)
    return told(request, receipt, "back")


@signed_in("GET", "POST")
def paid(request: HttpRequest) -> HttpResponse:
    """Take 'I have paid already', with the day, the amount and a paper."""
    given = request.POST if request.method == "POST" else request.GET
    found, receipt = _of(request, given.get("loan", ""))
    if receipt is None:
        return problem(request, "nowhere", status=404)
    if request.method != "POST":
        return page(request, "paid", one=receipt, wrong=(), on=found.as_of.isoformat(), amount="")
    if _talks_too_much(request):
        return too_often(request, DAY)
    on, amount, paper, wrong = _paid(request, found.as_of, receipt.currency)
    if wrong:
        return page(request, "paid", status=_BAD, one=receipt, wrong=wrong,
                    on=given.get("on", "")[:40], amount=given.get("amount", "")[:40])  # fmt: skip
    assert on is not None
    said = asking.Saying(
        borrower_id=who_of(request).borrower_id, loan_id=receipt.loan_id, kind="payment_pending",
        about=f"{on} {amount}", detail={"on": on.isoformat(), "amount": amount, "by": "portal"},
    )  # fmt: skip
    said_too = papers.words(request.POST.get("words", ""))
    handed = [one for one in (said_too, paper) if one is not None]
    serving = present()
    asking.tell(said, handed, lender=serving.lender, at=serving.now())
    return told(request, receipt, "paid")


def _paid(
    request: HttpRequest, as_of: date, currency: str
) -> tuple[date | None, str, papers.Paper | None, list[str]]:
    """Return the day, the amount and the paper of a form, and which of them cannot be."""
    wrong = []
    on = day_of(request.POST.get("on", ""))
    if on is None or not as_of - timedelta(days=_BACK_DAYS) <= on <= as_of:
        wrong.append("on")
    minor = amount_of(request.POST.get("amount", ""), currency) or 0
    if minor <= 0:
        wrong.append("amount")
    upload = request.FILES.get("paper")
    paper = None
    if isinstance(upload, UploadedFile) and upload.size:
        paper = papers.paper(upload.read()) if upload.size <= papers.BYTES_MAX else None
        if paper is None:
            wrong.append("paper")
    return on, major(minor, currency) if minor > 0 else "", paper, wrong


@shown("GET", "POST")
def not_me(request: HttpRequest) -> HttpResponse:
    """Take 'you have the wrong person' from whoever holds a message of ours; no sign-in."""
    asked = asked_of(request, "not_me")
    if isinstance(asked, HttpResponse):
        return asked
    code, last4 = asked
    found = verifying.message_of(code, last4, today=present().today)
    if found is not None:
        asking.not_me(found, at=present().now())
    return page(request, "not_me_done", found=found is not None)
