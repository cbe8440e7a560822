"""'Choose another date': a day and an amount, the same promise as a reply makes."""

from __future__ import annotations

from datetime import date, timedelta

from django.http import HttpRequest, HttpResponse

from duly.care.promising import DAYS_MAX, IN_A_ROW, last_day, may_promise
from duly.core.money import major
from duly.service.api.serving import present
from duly.service.api.slowing import DAY, is_too_often
from duly.service.portal import asking
from duly.service.portal.forms import amount_of, day_of
from duly.service.portal.loans import TOLD_A_DAY, told
from duly.service.portal.offering import Standing
from duly.service.portal.pages import page, problem, too_often
from duly.service.portal.relief import standing_for, stopped
from duly.service.portal.signing_in import signed_in, who_of

#: Under these no day is noted: an agreement says the days, or a person has to look first.
_STOPS = ("agreed", "person", "nothing", "question")
_USUAL_DAYS = 7  #: from today, in the field of a new form
_BAD, _TYPED_MAX = 422, 40


@signed_in("GET", "POST")
def promise(request: HttpRequest) -> HttpResponse:
    """Take a day and an amount; where no other would hold, lead to relief and to a person."""
    standing = standing_for(request)
    if standing is None:
        return problem(request, "nowhere", status=404)
    if standing.stop in _STOPS:
        return stopped(request, standing)
    currency = standing.receipt.currency
    if request.method == "POST" and _is_there(request, standing):
        return told(request, standing.receipt, "promise")  # The second tap of the same hand.
    if not room_of(standing):
        return page(request, "promise_full", one=standing.receipt, most=IN_A_ROW)
    if request.method != "POST":
        on = standing.as_of + timedelta(days=_USUAL_DAYS)
        return _form(request, standing, on.isoformat(), major(due_of(standing), currency), ())
    if is_too_often("portal_told", who_of(request).borrower_id, TOLD_A_DAY, DAY):
        return too_often(request, DAY)
    typed = {one: request.POST.get(one, "")[:_TYPED_MAX] for one in ("on", "amount")}
    day, amount = day_of(typed["on"]), amount_of(typed["amount"], currency) or 0
    wrong = []
    if day is None or not standing.as_of <= day <= standing.as_of + timedelta(days=DAYS_MAX):
        wrong.append("on")
    if not 0 < amount <= int(str(standing.receipt.position["outstanding_total"])):
        wrong.append("amount")
    if wrong:
        return _form(request, standing, typed["on"], typed["amount"], tuple(wrong))
    assert day is not None
    said = asking.Saying(
        borrower_id=who_of(request).borrower_id, loan_id=standing.receipt.loan_id, kind="promise",
        about=f"{day} {amount}",
        detail={"on": day.isoformat(), "amount": major(amount, currency), "by": "portal"},
    )  # fmt: skip
    serving = present()
    asking.tell(said, lender=serving.lender, at=serving.now())
    return told(request, standing.receipt, "promise")


def _is_there(request: HttpRequest, standing: Standing) -> bool:
    """Return whether this very day and amount were named today already."""
    on, amount = (request.POST.get(one, "")[:_TYPED_MAX] for one in ("on", "amount"))
    said = (day_of(on), amount_of(amount, standing.receipt.currency))
    today = [one for one in standing.loan.promises if one.since == standing.as_of]
    return any((one.on, one.amount) == said for one in today)


def room_of(standing: Standing) -> int:
    """Return how many more promises about a loan would hold."""
    loan = standing.loan
    return may_promise(loan.promises, loan.paid, arrears_since=loan.arrears_since,
                       as_of=standing.as_of)  # fmt: skip


def due_of(standing: Standing) -> int:
    """Return what is overdue, else what falls due next."""
    position = standing.receipt.position
    return int(str(position["overdue_total"])) or int(str(position["next_due_amount"]))


def _form(
    request: HttpRequest, standing: Standing, on: str, amount: str, wrong: tuple[str, ...]
) -> HttpResponse:
    as_of: date = standing.as_of
    latest = as_of + timedelta(days=DAYS_MAX)
    return page(
        request, "promise", status=_BAD if wrong else 200, one=standing.receipt, on=on,
        amount=amount, wrong=wrong, first=as_of, latest=latest, due=due_of(standing),
        held=last_day(latest, since=as_of), most=DAYS_MAX, room=room_of(standing),
        charged=standing.receipt.rate not in ("", "0") and not standing.receipt.charge_stopped,
    )  # fmt: skip
