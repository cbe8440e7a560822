"""'Your data': a copy, who looked, consents, and what a person may ask for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from duly.messages.values import tail_text
from duly.rules import lenders_rules
from duly.service.api.serving import present
from duly.service.api.slowing import DAY, is_too_often
from duly.service.borrower_keys import COLUMNS, payload_of
from duly.service.faces.looks import look_of
from duly.service.faces.tags import address
from duly.service.operations import requests
from duly.service.operations.locking import lock_people
from duly.service.operations.recording import record
from duly.service.portal import asking, copying, papers
from duly.service.portal.documents import can_print
from duly.service.portal.holders import name_of
from duly.service.portal.loans import TOLD_A_DAY
from duly.service.portal.pages import page, problem, too_often
from duly.service.portal.records import as_file
from duly.service.portal.signing_in import signed_in, who_of
from duly.service.privacy.deleting import standing_against
from duly.service.rows import as_dicts

COPIES_A_DAY = 10
_SEE_OTHER, _BAD, _TYPED_MAX, _LOOKS_MAX = 303, 422, 40, 100
#: Looks that are told; who may know of an investigation is never among them.
_LOOKS = ("record.viewed", "record.revealed", "task.papers_seen")
_TOLD_ROLES = frozenset({"agent", "team_lead"})
_LOOKED = f"""
SELECT a.at, {COLUMNS} FROM store_audit AS a JOIN store_borrowerkey AS k ON k.id = a.key_id
WHERE k.borrower_id = %s AND a.kind = ANY(%s) ORDER BY a.id DESC LIMIT %s
"""
_CONSENTS = """
SELECT purpose, channel, granted_at FROM (
    SELECT DISTINCT ON (purpose, channel) purpose, channel, granted_at, withdrawn_at FROM (
        SELECT purpose, coalesce(channel, '') AS channel, granted_at, withdrawn_at,
            cut_at AS since, 0 AS place
        FROM store_book_consents WHERE borrower_id = %(who)s
        UNION ALL
        SELECT data->>'purpose', coalesce(data->>'channel', ''),
            (data->>'granted_at')::timestamptz, (data->>'withdrawn_at')::timestamptz, time, 1
        FROM store_word WHERE kind = 'consent' AND borrower_id = %(who)s
    ) AS n ORDER BY purpose, channel, since DESC, place DESC
) AS c WHERE withdrawn_at IS NULL ORDER BY purpose, channel
"""


@dataclass(frozen=True, kw_only=True)
class Looked:
    """Who of the staff saw a person's data: when, in which role, what for."""

    at: datetime
    clock: str
    role: str
    what: str


@signed_in("GET")
def privacy(request: HttpRequest) -> HttpResponse:
    """Show what a person may ask, what he asked, what he agreed to, and who looked."""
    return _show(request)


def _show(request: HttpRequest, *, wrong: str = "") -> HttpResponse:
    serving, who = present(), who_of(request).borrower_id
    lender = serving.lender
    asked = [
        {**row, "answer_on": requests.answer_on(lender.day_of(row["opened_at"]), lender=lender)}
        for row in requests.requests_of(who)
    ]
    return page(
        request, "privacy", status=_BAD if wrong else 200, wrong=wrong, asked=asked,
        open={row["kind"] for row in asked if row["closed_at"] is None},
        answer_on=requests.answer_on(serving.today, lender=lender),
        consents=_consents(who), looks=looks_of(who),
        against=_against(who, look_of(request).locale),
        printable=can_print(), words_max=papers.WORDS_MAX, done=request.GET.get("done", ""),
    )  # fmt: skip


def _consents(borrower_id: str) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(_CONSENTS, {"who": borrower_id})
        return as_dicts(cursor)


def looks_of(borrower_id: str) -> list[Looked]:
    """Return who looked at a person's data, the newest first; never who may investigate."""
    with connection.cursor() as cursor:
        cursor.execute(_LOOKED, [borrower_id, list(_LOOKS), _LOOKS_MAX])
        rows = cursor.fetchall()
    zone, found = ZoneInfo(present().lender.time_zone), []
    for at, *cells in rows:
        payload = payload_of(cells)
        told = json.loads(payload.text) if payload is not None else {}
        role = str(told.get("role", "agent"))
        if payload is not None and role in _TOLD_ROLES:
            found.append(Looked(at=at, clock=f"{at.astimezone(zone):%H:%M}", role=role,
                                what=cells[0].partition(".")[2]))  # fmt: skip
    return found


def _against(borrower_id: str, locale: str) -> list[dict[str, Any]]:
    """Return why nothing can be deleted yet; what is open is not named, a court's hold is like it.

    Each reason once.
    """
    serving = present()
    rules = lenders_rules(serving.lender.packs, serving.lender.switched_off)
    says = {rule.id: rule.says[locale] for rule in rules}
    found: list[dict[str, Any]] = []
    for one in standing_against(borrower_id, lender=serving.lender, at=serving.now()):
        code = "open" if one.code in ("legal_hold", "open_case") else one.code
        told = {"code": code, **({} if code == "open" else one.values)}
        if "rule" in told:
            told["says"] = says[str(told["rule"])]
        if "loan" in told:
            told["tail"] = tail_text(str(told["loan"]))
        if told not in found:
            found.append(told)
    return found


@signed_in("POST")
def copy(request: HttpRequest) -> HttpResponse:
    """Give a copy of everything that is held, as data or as a document; recorded."""
    serving, who = present(), who_of(request).borrower_id
    form = request.POST.get("form", "")
    if form not in ("json", "pdf") or (form == "pdf" and not can_print()):
        return problem(request, "nowhere", status=404)
    if is_too_often("portal_copy", who, COPIES_A_DAY, DAY):
        return too_often(request, DAY)
    made = copying.copy_of(who, lender=serving.lender, at=serving.now())
    with transaction.atomic():
        record("record.copied", [(who, {"form": form, "by": "portal"})], about={who: who})
    if form == "json":
        return as_file(made.data, "application/json", "my-data.json")
    pdf = copying.as_document(made, lender=serving.lender, name=name_of(who),
                              locale=look_of(request).locale)  # fmt: skip
    return as_file(pdf, "application/pdf", "my-data.pdf")


@signed_in("POST")
def request_(request: HttpRequest) -> HttpResponse:
    """Take a request about the data or a decision: a task with its last day."""
    who, kind = who_of(request).borrower_id, request.POST.get("kind", "")[:_TYPED_MAX]
    if kind not in requests.KINDS:
        return problem(request, "nowhere", status=404)
    if is_too_often("portal_told", who, TOLD_A_DAY, DAY):
        return too_often(request, DAY)
    said = papers.words(request.POST.get("words", ""))
    if kind == "correct_data" and said is None:
        return _show(request, wrong=kind)
    serving = present()
    with transaction.atomic(), connection.cursor() as cursor:
        lock_people(cursor, [who])
        number = requests.ask(who, kind, lender=serving.lender, at=serving.now())
        papers.keep(who, f"request-{number}", [said] if said else [])
    return _led(request, kind)


@signed_in("POST")
def withdraw(request: HttpRequest) -> HttpResponse:
    """Withdraw a consent that was given, from this second on."""
    who = who_of(request).borrower_id
    wanted = tuple(request.POST.get(one, "")[:_TYPED_MAX] for one in ("purpose", "channel"))
    if wanted not in {(one["purpose"], one["channel"]) for one in _consents(who)}:
        return problem(request, "nowhere", status=404)
    at = present().now()
    data = {"borrower_id": who, "purpose": wanted[0], "channel": wanted[1],
            "withdrawn_at": at.isoformat()}  # fmt: skip
    name = f"portal-withdrawn-{wanted[0]}-{wanted[1]}-{who_of(request).number}-{at:%Y%m%d%H%M%S%f}"
    with transaction.atomic(), connection.cursor() as cursor:
        lock_people(cursor, [who])
        asking.accept_new([asking.event("consent.withdrawn", name, at, data)], at=at)
    return _led(request, "withdrawn")


def _led(request: HttpRequest, done: str) -> HttpResponse:
    where = address("privacy", look_of(request))
    response = HttpResponseRedirect(f"{where}{'&' if '?' in where else '?'}done={done}")
    response.status_code = _SEE_OTHER
    return response
