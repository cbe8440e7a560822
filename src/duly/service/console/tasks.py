"""The worklist, and one case that fills the screen: whom, why, when, with which words."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from duly.core.money import NotMoney, to_minor
from duly.rules import lenders_rules
from duly.service.api.serving import present
from duly.service.console import people
from duly.service.console.pages import page, problem
from duly.service.console.signing_in import allowed, who_of
from duly.service.console.timeline import timeline_of
from duly.service.faces.looks import look_of
from duly.service.faces.tags import address
from duly.service.operations import working
from duly.service.operations.call_hours import hours_of
from duly.service.operations.calling import word_of
from duly.service.operations.deriving import derived
from duly.service.operations.reserving import Reserved, Wish, asked
from duly.service.operations.working import TaskGone, Worker
from duly.service.portal.receipts import Receipt, receipts_of
from duly.service.rows import Row
from duly.service.store.staff_models import ROLES

SHOWN = 100
_LATEST = 12
_BAD, _GONE, _NOT_NOW, _SEE_OTHER, _NOWHERE = 422, 409, 409, 303, 404
_MARK_BYTES = 9
#: As the form wrote it; it may begin with any of these.
_MARK = re.compile(r"[A-Za-z0-9_-]{1,40}")
#: Tasks in which we ask for money; in all others somebody is answered.
_ASKING = frozenset({"agree_date", "agree_earlier_date", "agree_amount", "say_how_to_pay"})
#: To whom a task may be handed.
HANDED_TO = ("agent", "team_lead", "compliance")
#: Why a call may not be made, where only who may know hears it.
RESTRICTED = frozenset({"fraud_claim", "abnormal_transaction", "security_restricted"})
_LOAN = """
SELECT d.loan_id FROM store_decision AS d JOIN store_run AS r ON r.plan_sha256 = d.run_id
WHERE d.borrower_id = %s AND r.state NOT IN ('superseded', 'missed')
ORDER BY d.business_date DESC, d.facts IS NULL, d.loan_id LIMIT 1
"""


def worker_of(request: HttpRequest) -> Worker:
    """Return who works, as the tasks know him."""
    staff = who_of(request)
    return Worker(name=staff.name, role=staff.role, sees_all=staff.may("tasks.all"))


@allowed("tasks.see", "GET")
def tasks(request: HttpRequest) -> HttpResponse:
    """List what is open for somebody, the most urgent first."""
    rows = [_timed(row) for row in working.mine(worker_of(request), limit=SHOWN)]
    count = rows[0]["of"] if rows else 0
    return page(request, "tasks", open="tasks", rows=rows, count=count, shown=len(rows))


@allowed("tasks.see", "GET")
def task(request: HttpRequest, number: int) -> HttpResponse:
    """Show one case."""
    found = working.one(number, worker_of(request))
    if found is None:
        return problem(request, "nowhere", status=_NOWHERE)
    return _case(request, found)


def _timed(row: Row) -> Row:
    """Return a task with the day by which it is due and whether that is over."""
    serving = present()
    due = working.due_on(row["kind"], row["opened_at"], lender=serving.lender)
    left = None if due is None else (due - serving.today).days
    return {**row, "due": due, "left": left, "late": left is not None and left < 0}


def _case(request: HttpRequest, row: Row, *, status: int = 200, **more: Any) -> HttpResponse:
    """Return the page of a case; who saw it is recorded under the borrower's key."""
    who, serving, locale = row["borrower_id"], present(), look_of(request).locale
    staff = who_of(request)
    values: dict[str, Any] = {
        "row": _timed(row), "does": staff.may("tasks.do"), "done": request.GET.get("done", ""),
        "ended": list(enumerate(working.ENDED, start=1)), "called": working.CALLED,
        "roles": [one for one in HANDED_TO if one != staff.role],
    }  # fmt: skip
    if who is not None:
        people.viewed(request, who, "task", task=row["id"])
        at = serving.now()
        found = derived(who, lender=serving.lender, at=at, clock=serving.clock())
        values |= {
            "person": people.person_of(who, locale=locale),
            "receipts": receipts_of(found),
            "word": word_of(who, serving.today, signer=serving.signer),
            "call": working.calling(row["id"], who),
            "mark": secrets.token_urlsafe(_MARK_BYTES),
            "latest": timeline_of(request, who, found)[:_LATEST],
            "reveals": staff.may("borrower.reveal"),
        }
        values |= _hours(request, row)
    return page(request, "task", open="tasks", status=status, **{**values, **more})


def _hours(request: HttpRequest, row: Row) -> dict[str, Any]:
    serving = present()
    loan, number = loan_of(row), people.first_number(row["borrower_id"])
    if loan is None or number is None:
        return {"hours": None}
    wish = Wish(
        contact_id="", loan_id=loan, channel="voice", address=number,
        contact_class=class_of(row["kind"]), agency="lender", own=True,
    )  # fmt: skip
    at = serving.now()
    found = asked(wish, lender=serving.lender, at=at)
    if found is None:
        return {"hours": None}
    hours = hours_of(found, lender=serving.lender, at=at)
    return {"hours": hours, "why": _why(request, hours.now)}


def _why(request: HttpRequest, answer: Reserved) -> list[dict[str, str]]:
    """Return what speaks against a call, in words; a matter that only some may know is unnamed."""
    if answer.effect == "allow":
        return []
    if answer.reason in RESTRICTED and not who_of(request).may("investigation.know"):
        return [{"code": "matter"}]
    lender = present().lender
    said = _says(lender.packs, lender.switched_off, look_of(request).locale)
    told = [{"says": said[one], "rule": one} for one in answer.rules if one in said]
    return told or [{"code": answer.reason if answer.reason in _CODES else "other"}]


_CODES = ("nothing_to_contact_about", "facts_too_old", "address_unusable")


@lru_cache(maxsize=8)
def _says(packs: tuple[str, ...], switched_off: tuple[str, ...], locale: str) -> dict[str, str]:
    return {rule.id: rule.says[locale] for rule in lenders_rules(packs, switched_off)}


def loan_of(row: Row) -> str | None:
    """Return the loan that a task is about; where it names none, the person's leading one."""
    if row["loan_id"] is not None:
        return str(row["loan_id"])
    with connection.cursor() as cursor:
        cursor.execute(_LOAN, [row["borrower_id"]])
        found = cursor.fetchone()
    return None if found is None else str(found[0])


def class_of(kind: str) -> str:
    """Return what a call about a task is: a demand for money, or an answer."""
    return "dunning" if kind in _ASKING else "answer"


def _done(request: HttpRequest, number: int, what: str) -> HttpResponse:
    """Lead back to the case, which says what was done: a page loaded again does nothing."""
    where = address("task", look_of(request), number)
    response = HttpResponseRedirect(f"{where}{'&' if '?' in where else '?'}done={what}")
    response.status_code = _SEE_OTHER
    return response


def _on(request: HttpRequest, number: int, work: Callable[[Row], HttpResponse]) -> HttpResponse:
    """Do something about an open task; who finds it gone is told so, and nothing is done."""
    found = working.one(number, worker_of(request))
    if found is None:
        return problem(request, "nowhere", status=_NOWHERE)
    try:
        return work(found)
    except TaskGone:
        return problem(request, "changed", status=_GONE)


@allowed("tasks.do", "POST")
def call(request: HttpRequest, number: int) -> HttpResponse:
    """Ask every rule for a call now; what is allowed is counted before anybody dials."""

    def work(row: Row) -> HttpResponse:
        who, serving = row["borrower_id"], present()
        place, mark = request.POST.get("point", ""), request.POST.get("mark", "")
        loan = None if who is None else loan_of(row)
        number_to_call = people.address_at(who, int(place)) if who and place.isdigit() else None
        if loan is None or number_to_call is None or not _MARK.fullmatch(mark):
            return _case(request, row, status=_BAD, wrong=("call",))
        answer = working.call(
            number, worker_of(request), loan_id=loan, address=number_to_call, mark=mark,
            contact_class=class_of(row["kind"]), lender=serving.lender, at=serving.now(),
        )  # fmt: skip
        if answer is None or answer.effect != "allow":
            return _case(request, row, status=_NOT_NOW, refused=True)
        return _done(request, number, "call")

    return _on(request, number, work)


@allowed("tasks.do", "POST")
def called(request: HttpRequest, number: int) -> HttpResponse:
    """Take how the call ended."""

    def work(row: Row) -> HttpResponse:
        outcome = request.POST.get("outcome", "")
        if outcome not in working.CALLED or row["borrower_id"] is None:
            return _case(request, row, status=_BAD, wrong=("called",))
        working.called(number, worker_of(request), outcome=outcome,
                       note=request.POST.get("note", ""), at=present().now())  # fmt: skip
        return _done(request, number, "called")

    return _on(request, number, work)


@allowed("tasks.do", "POST")
def promise(request: HttpRequest, number: int) -> HttpResponse:
    """Take a promise: an amount and a day."""

    def work(row: Row) -> HttpResponse:
        who, serving = row["borrower_id"], present()
        given = {one: request.POST.get(one, "").strip()[:40] for one in ("on", "amount")}
        loan = None if who is None else loan_of(row)
        receipt = None if loan is None else _receipt(who, loan)
        on = _day(given["on"])
        amount = 0 if receipt is None else _amount(given["amount"], receipt.currency)
        last = serving.today + timedelta(days=working.PROMISE_DAYS_MAX)
        wrong = [
            name
            for name, right in (("on", on is not None and serving.today <= on <= last),
                                ("amount", amount > 0))
            if not right
        ]  # fmt: skip
        if wrong or on is None or loan is None or receipt is None:
            return _case(request, row, status=_BAD, wrong=wrong or ("amount",), given=given)
        working.promise(number, worker_of(request), loan_id=loan, on=on, amount=amount,
                        currency=receipt.currency, at=serving.now())  # fmt: skip
        return _done(request, number, "promise")

    return _on(request, number, work)


def _receipt(who: str, loan: str) -> Receipt | None:
    serving = present()
    found = derived(who, lender=serving.lender, at=serving.now(), clock=serving.clock())
    return next((one for one in receipts_of(found) if one.loan_id == loan), None)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _amount(text: str, currency: str) -> int:
    try:
        return to_minor(text.replace(",", "").replace("，", ""), currency)
    except NotMoney:
        return 0


@allowed("tasks.do", "POST")
def close(request: HttpRequest, number: int) -> HttpResponse:
    """Close a task with how it ended; the next one follows."""

    def work(row: Row) -> HttpResponse:
        outcome = request.POST.get("outcome", "")
        if outcome not in working.ENDED:
            return _case(request, row, status=_BAD, wrong=("close",))
        working.close(number, worker_of(request), outcome=outcome,
                      note=request.POST.get("note", ""), at=present().now())  # fmt: skip
        return _onward(request, row)

    return _on(request, number, work)


@allowed("tasks.do", "POST")
def hand_over(request: HttpRequest, number: int) -> HttpResponse:
    """Hand a task to another role, with what it has to know."""

    def work(row: Row) -> HttpResponse:
        to, note = request.POST.get("to", ""), request.POST.get("note", "").strip()
        if to not in HANDED_TO or not note:
            return _case(request, row, status=_BAD, wrong=("hand_over",))
        working.hand_over(number, worker_of(request), to=to, note=note)
        return _onward(request, row)

    assert set(HANDED_TO) <= set(ROLES)
    return _on(request, number, work)


def _onward(request: HttpRequest, row: Row) -> HttpResponse:
    look = look_of(request)
    after = row["after"] or row["before"]
    where = address("tasks", look) if after is None else address("task", look, after)
    response = HttpResponseRedirect(where)
    response.status_code = _SEE_OTHER
    return response
