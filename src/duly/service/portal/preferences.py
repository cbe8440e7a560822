"""'How we reach you': language, way, quiet hours, and to stop a way or every one."""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from duly.core.words import LOCALES
from duly.service.api.serving import present
from duly.service.api.slowing import DAY, is_too_often
from duly.service.faces.looks import look_of
from duly.service.faces.tags import address
from duly.service.portal import wishes
from duly.service.portal.burden import place_of
from duly.service.portal.limits import limits_of
from duly.service.portal.loans import TOLD_A_DAY
from duly.service.portal.numbers import numbers_of
from duly.service.portal.pages import page, problem, too_often
from duly.service.portal.signing_in import signed_in, who_of
from duly.service.portal.wishes import ALL, CHANNELS, Wish

_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_BAD, _SEE_OTHER, _TYPED_MAX = 422, 303, 20


@signed_in("GET")
def preferences(request: HttpRequest) -> HttpResponse:
    """Show what a person wishes, what he stopped, and what follows from it."""
    return _show(request, wishes.wish_of(who_of(request).borrower_id))


def _show(request: HttpRequest, wish: Wish, *, wrong: tuple[str, ...] = ()) -> HttpResponse:
    serving, who = present(), who_of(request).borrower_id
    stopped = {one.channel for one in wishes.stops_of(who, at=serving.now())}
    zone, region = place_of(who, lender=serving.lender)
    kept = wishes.wish_of(who)
    limits = limits_of(serving.lender, zone=zone, region=region, at=serving.now(),
                       quiet_from=kept.quiet_from, quiet_until=kept.quiet_until)  # fmt: skip
    return page(
        request, "preferences", status=_BAD if wrong else 200, wish=wish, kept=kept, wrong=wrong,
        text_hours=() if {"sms", "email"} <= stopped or ALL in stopped else limits.text_hours,
        call_hours=() if {"voice", ALL} & stopped else limits.call_hours,
        locales=LOCALES, channels=CHANNELS, stopped=stopped,
        all_stopped=ALL in stopped, numbers=numbers_of(who), done=request.GET.get("done", ""),
    )  # fmt: skip


@signed_in("POST")
def wish(request: HttpRequest) -> HttpResponse:
    """Take language, way and quiet hours as one wish."""
    if _too_much(request):
        return too_often(request, DAY)
    given = {name: request.POST.get(name, "").strip()[:_TYPED_MAX]
             for name in ("locale", "channel", "quiet_from", "quiet_until")}  # fmt: skip
    said = Wish(**given)
    wrong = [name for name, fits in (
        ("locale", said.locale in ("", *LOCALES)), ("channel", said.channel in ("", *CHANNELS)),
        ("quiet", _are_hours(said)),
    ) if not fits]  # fmt: skip
    if wrong:
        return _show(request, said, wrong=tuple(wrong))
    wishes.say_wish(who_of(request).borrower_id, said, at=present().now())
    return led(request, "wish")


def _are_hours(said: Wish) -> bool:
    """Return whether the hours are none, or two that differ: the whole day is a stop."""
    hours = (said.quiet_from, said.quiet_until)
    if not any(hours):
        return True
    return all(map(_CLOCK.fullmatch, hours)) and hours[0] != hours[1]


@signed_in("POST")
def stop(request: HttpRequest) -> HttpResponse:
    """Stop one way, or every one, from this second on."""
    channel = request.POST.get("channel", "")[:_TYPED_MAX]
    if channel not in (*CHANNELS, ALL):
        return problem(request, "nowhere", status=404)
    # Nobody is too often for this one: a stop is always taken.
    wishes.stop(who_of(request).borrower_id, channel, at=present().now())
    return led(request, "stop")


@signed_in("POST")
def allow(request: HttpRequest) -> HttpResponse:
    """End a stop of one's own wish."""
    channel = request.POST.get("channel", "")[:_TYPED_MAX]
    if channel not in (*CHANNELS, ALL):
        return problem(request, "nowhere", status=404)
    if _too_much(request):
        return too_often(request, DAY)
    wishes.allow(who_of(request).borrower_id, channel, at=present().now())
    return led(request, "allow")


def _too_much(request: HttpRequest) -> bool:
    return is_too_often("portal_told", who_of(request).borrower_id, TOLD_A_DAY, DAY)


def led(request: HttpRequest, done: str) -> HttpResponse:
    """Lead back to the page, which says what holds now."""
    where = address("preferences", look_of(request))
    response = HttpResponseRedirect(f"{where}{'&' if '?' in where else '?'}done={done}")
    response.status_code = _SEE_OTHER
    return response
