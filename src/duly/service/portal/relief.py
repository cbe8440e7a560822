"""'Ask for relief', its questions: one a page, kept sealed, and read for somebody in need."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import wraps
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from duly.core import digest
from duly.core.money import major
from duly.service.api.serving import present
from duly.service.api.slowing import DAY, is_too_often
from duly.service.faces.face import View
from duly.service.faces.looks import look_of
from duly.service.faces.tags import address
from duly.service.portal import agreeing, asking, drafts, papers
from duly.service.portal.forms import amount_of
from duly.service.portal.loans import TOLD_A_DAY, known_of
from duly.service.portal.offering import Standing, budget_of, offers_of, standing_of, wish_of
from duly.service.portal.pages import page, problem, too_often
from duly.service.portal.signing_in import signed_in, who_of

STEPS = ("wish", "income", "essentials", "loans", "day", "words")
WISHES = ("extension", "installments", "pause", "any")
_AMOUNTS = ("income", "essentials", "loans")
PAY_DAY_MAX = 28  #: a day that every month has
_TYPED_MAX = 40
_BAD, _SEE_OTHER = 422, 303


def standing_for(request: HttpRequest) -> Standing | None:
    """Return how the loan that a request names stands; None where it is nobody's, or another's."""
    given = request.POST if request.method == "POST" else request.GET
    found, receipts = known_of(request)
    receipt = next((one for one in receipts if one.loan_id == given.get("loan", "")), None)
    if receipt is None:
        return None
    return standing_of(found, receipt, lender=present().lender)


def led(request: HttpRequest, name: str, *args: object, **query: str) -> HttpResponse:
    """Lead on to a page of relief about the same loan."""
    where = address(name, look_of(request), *args)
    response = HttpResponseRedirect(f"{where}{'&' if '?' in where else '?'}{urlencode(query)}")
    response.status_code = _SEE_OTHER
    return response


def draft_of(request: HttpRequest, standing: Standing) -> dict[str, str]:
    """Return what somebody has filled in about a loan."""
    return drafts.load(who_of(request).borrower_id, standing.receipt.loan_id)


def missing(draft: dict[str, str]) -> int:
    """Return the number of the first question that is open, from 1; 0: none is."""
    return next((at for at, one in enumerate(STEPS, start=1) if one not in draft), 0)


def hardship_of(request: HttpRequest, standing: Standing) -> date | None:
    """Return by when a person answers a request that is with him; None where none is."""
    found, _ = known_of(request)
    lender = present().lender
    days = [
        asking.answer_by("hardship", one.starts_at, lender=lender)
        for one in found.signals
        if one.kind == "hardship" and one.loan_id in (None, standing.receipt.loan_id)
    ]
    return min((one for one in days if one >= standing.as_of), default=None)


def stopped(request: HttpRequest, standing: Standing) -> HttpResponse:
    """Show why no page agrees on a loan, and the way to a person; the schedule, where there is."""
    if standing.stop == "agreed":
        return led(request, "agreed", loan=standing.receipt.loan_id)
    return page(request, "relief_stop", one=standing.receipt, why=standing.stop,
                answer_by=hardship_of(request, standing))  # fmt: skip


def with_standing(view: Callable[[HttpRequest, Standing], HttpResponse]) -> View:
    """Return a view that is given how the loan stands, where a page may agree on it.

    Nobody's loan is nowhere; why no page agrees on one is said.
    """

    @wraps(view)
    def viewing(request: HttpRequest) -> HttpResponse:
        standing = standing_for(request)
        if standing is None:
            return problem(request, "nowhere", status=404)
        if standing.stop:
            return stopped(request, standing)
        return view(request, standing)

    return viewing


def with_draft(view: Callable[[HttpRequest, Standing, dict[str, str]], HttpResponse]) -> View:
    """Return a view `with_standing` that is given a draft as well; an open question is asked."""

    @with_standing
    @wraps(view)
    def viewing(request: HttpRequest, standing: Standing) -> HttpResponse:
        draft = draft_of(request, standing)
        if missing(draft):
            return led(request, "relief-ask", missing(draft), loan=standing.receipt.loan_id)
        return view(request, standing, draft)

    return viewing


@signed_in("GET")
@with_standing
def relief(request: HttpRequest, standing: Standing) -> HttpResponse:
    """Say what is asked and what comes of it, before the first question."""
    draft = draft_of(request, standing)
    answered = sum(one in draft for one in STEPS)
    return page(request, "relief", one=standing.receipt, questions=len(STEPS), answered=answered,
                next=missing(draft), days=drafts.KEPT_DAYS)  # fmt: skip


@signed_in("GET", "POST")
def ask(request: HttpRequest, step: int) -> HttpResponse:
    """Ask one question and keep its answer."""
    standing = standing_for(request)
    if standing is None or not 1 <= step <= len(STEPS):
        return problem(request, "nowhere", status=404)
    if standing.stop:
        return stopped(request, standing)
    name, draft = STEPS[step - 1], draft_of(request, standing)
    if request.method != "POST":
        return _asked(request, standing, step, _typed(name, draft, standing), wrong=False)
    if is_too_often("portal_told", who_of(request).borrower_id, TOLD_A_DAY, DAY):
        return too_often(request, DAY)
    typed = request.POST.get(name, "")
    value = _answer(name, typed, standing.receipt.currency)
    if value is None:
        return _asked(request, standing, step, typed[:_TYPED_MAX], wrong=True)
    draft[name] = value
    drafts.save(who_of(request).borrower_id, standing.receipt.loan_id, draft)
    loan = standing.receipt.loan_id
    if name == "words" and _in_need(request, standing, draft):
        return led(request, "relief-care", loan=loan)
    after = missing(draft)
    if after:
        return led(request, "relief-ask", after, loan=loan)
    return _worked_out(request, standing, draft)


def _asked(
    request: HttpRequest, standing: Standing, step: int, value: str, *, wrong: bool
) -> HttpResponse:
    due = standing.receipt.position
    return page(
        request, "relief_ask", status=_BAD if wrong else 200, one=standing.receipt, step=step,
        steps=len(STEPS), question=STEPS[step - 1], value=value, wrong=wrong, wishes=WISHES,
        before=step - 1, money=STEPS[step - 1] in _AMOUNTS, pay_day_max=PAY_DAY_MAX,
        words_max=papers.WORDS_MAX, next_due_on=due.get("next_due_on"),
    )  # fmt: skip


def _typed(name: str, draft: dict[str, str], standing: Standing) -> str:
    """Return an answer as it stands in its field again."""
    if name in _AMOUNTS and name in draft:
        return major(int(draft[name]), standing.receipt.currency)
    if name == "day" and name not in draft:
        assert standing.loan.trace is not None
        last = max(one.due_on for one in standing.loan.trace.installments)
        return str(min(last.day, PAY_DAY_MAX))
    return draft.get(name, "")


def _answer(name: str, typed: str, currency: str) -> str | None:
    """Return an answer as it is kept; None for one that cannot be."""
    if name == "wish":
        return typed if typed in WISHES else None
    if name == "day":
        day = typed.strip()
        fits = day.isascii() and day.isdigit() and len(day) < 3 and 1 <= int(day) <= PAY_DAY_MAX
        return str(int(day)) if fits else None
    if name == "words":
        said = papers.words(typed)
        return "" if said is None else said.data.decode()
    amount = amount_of(typed, currency)
    return None if amount is None else str(amount)


def _in_need(request: HttpRequest, standing: Standing, draft: dict[str, str]) -> bool:
    """Return whether somebody's words put a person first; he is told then, before any figure."""
    serving, look = present(), look_of(request)
    name = digest.of_value([standing.receipt.loan_id, draft["words"]])[:16]
    said = agreeing.heard(draft["words"], locale=look.locale, name=name, at=serving.now())
    if not said.first:
        return False
    agreeing.to_a_person(
        standing, agreeing.statement(None, "", standing.receipt.currency, draft["words"]),
        borrower_id=who_of(request).borrower_id, why="care", lender=serving.lender,
        at=serving.now(), first=said.tasks, about=f"care {name}",
    )  # fmt: skip
    return True


def _worked_out(request: HttpRequest, standing: Standing, draft: dict[str, str]) -> HttpResponse:
    """Work out the offers; where none fits, a person has the request before the page says so."""
    serving = present()
    budget, wish = budget_of(draft, standing), wish_of(draft)
    found = offers_of(standing, budget, wish, lender=serving.lender, at=serving.now())
    if not found.offers:
        said = agreeing.heard(draft["words"], locale=look_of(request).locale, name="words",
                              at=serving.now())  # fmt: skip
        agreeing.to_a_person(
            standing,
            agreeing.statement(budget, wish.kind, standing.receipt.currency, draft["words"]),
            borrower_id=who_of(request).borrower_id, why="no_offer", lender=serving.lender,
            at=serving.now(), first=said.tasks,
        )  # fmt: skip
    return led(request, "relief-offers", loan=standing.receipt.loan_id)


@signed_in("GET")
def care(request: HttpRequest) -> HttpResponse:
    """Say to somebody in need that a person comes first, and that nothing else is pressing."""
    standing = standing_for(request)
    if standing is None:
        return problem(request, "nowhere", status=404)
    ready = not missing(draft_of(request, standing)) and not standing.stop
    return page(request, "relief_care", one=standing.receipt, ready=ready)


@signed_in("POST")
def person(request: HttpRequest) -> HttpResponse:
    """Hand the request to a person, with what was filled in."""
    standing = standing_for(request)
    if standing is None:
        return problem(request, "nowhere", status=404)
    if is_too_often("portal_told", who_of(request).borrower_id, TOLD_A_DAY, DAY):
        return too_often(request, DAY)
    draft, serving = draft_of(request, standing), present()
    whole = not missing(draft)
    handed = agreeing.statement(
        budget_of(draft, standing) if whole else None, draft.get("wish", ""),
        standing.receipt.currency, draft.get("words", ""),
    )  # fmt: skip
    agreeing.to_a_person(
        standing, handed, borrower_id=who_of(request).borrower_id, why=standing.stop or "asked",
        lender=serving.lender, at=serving.now(),
    )  # fmt: skip
    return page(request, "relief_person", one=standing.receipt,
                answer_by=hardship_of(request, standing))  # fmt: skip


@signed_in("POST")
def forget(request: HttpRequest) -> HttpResponse:
    """Forget what somebody has filled in."""
    standing = standing_for(request)
    if standing is None:
        return problem(request, "nowhere", status=404)
    drafts.drop(who_of(request).borrower_id, standing.receipt.loan_id)
    return led(request, "relief", loan=standing.receipt.loan_id)
