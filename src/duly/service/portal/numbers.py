"""A new number: a code to it, a word to the old one before, and nothing changes until then."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse

from duly.book import Lender
from duly.core import digest
from duly.core.words import say
from duly.plan.addresses import key_of
from duly.service.api.serving import present
from duly.service.api.slowing import DAY, HOUR, is_too_often
from duly.service.faces.looks import look_of
from duly.service.operations.locking import lock_people
from duly.service.operations.tasks import open_tasks
from duly.service.portal import asking, codes, texting
from duly.service.portal.holders import Holder
from duly.service.portal.pages import page, too_often
from duly.service.portal.signing_in import signed_in, who_of
from duly.service.rows import as_dicts

#: New numbers that one person may ask codes for in a day, and codes he may try in an hour.
ASKED_A_DAY, TRIED_AN_HOUR = 6, 20
_NUMBER = re.compile(r"[0-9]{6,15}")
_BAD, _LONG = 422, 200
_TOLD_WITHIN = timedelta(hours=24)
_POINTS = """
SELECT channel, address, address_key, status, "use" FROM (
    SELECT DISTINCT ON (channel, address) * FROM (
        SELECT channel, address, address_key, status, "use", cut_at AS since, 0 AS place
        FROM store_book_contact_points WHERE borrower_id = %(who)s
        UNION ALL
        SELECT data->>'channel', data->>'address', address_key, data->>'status', data->>'use',
            time, 1
        FROM store_word WHERE kind = 'contact_point' AND borrower_id = %(who)s
    ) AS n ORDER BY channel, address, since DESC, place DESC
) AS p
WHERE coalesce(status, 'active') = 'active' AND channel IN ('sms', 'voice')
ORDER BY channel, address
"""
_WAITS = """
SELECT 1 FROM store_message WHERE borrower_id = %s AND params->>'about' = 'old_number'
    AND params->>'wish' = %s AND state IN ('planned', 'released', 'claimed') LIMIT 1
"""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One active number of a person, by one way."""

    channel: str
    address: str
    key: str
    use: str

    @property
    def end(self) -> str:
        """Return its last four digits."""
        return self.key[-4:]


def numbers_of(borrower_id: str) -> tuple[Point, ...]:
    """Return a person's active numbers, as the newest word about each has them."""
    with connection.cursor() as cursor:
        cursor.execute(_POINTS, {"who": borrower_id})
        return tuple(
            Point(channel=row["channel"], address=row["address"], key=row["address_key"],
                  use=row["use"] or "personal")
            for row in as_dicts(cursor)
        )  # fmt: skip


@signed_in("GET", "POST")
def number(request: HttpRequest) -> HttpResponse:
    """Take a new number: a code goes to it, and the old ones are told."""
    serving, who = present(), who_of(request).borrower_id
    can = texting.can_text(serving.lender)
    if request.method != "POST" or not can:
        return page(request, "number", number="", wrong=False, can=can)
    if is_too_often("number_asked", who, ASKED_A_DAY, DAY):
        return too_often(request, DAY)
    typed = request.POST.get("number", "").strip()[:_LONG]
    if not (typed.isascii() and _NUMBER.fullmatch(key_of(typed))):
        return page(request, "number", status=_BAD, number=typed, wrong=True, can=can)
    wish = ask(who, typed, locale=look_of(request).locale, lender=serving.lender, at=serving.now())
    return _code(request, wish, typed)


@signed_in("POST")
def confirm(request: HttpRequest) -> HttpResponse:
    """Take the code that came to the new number; only now it changes."""
    serving, who = present(), who_of(request).borrower_id
    if is_too_often("number_tried", who, TRIED_AN_HOUR, HOUR):
        return too_often(request, HOUR)
    given = {one: request.POST.get(one, "").strip()[:_LONG] for one in ("wish", "code", "number")}
    if _old_waits(who, given["wish"]):
        return _code(request, given["wish"], given["number"], wrong="wait")
    if not codes.check_new(given["wish"], given["code"], given["number"], borrower_id=who):
        return _code(request, given["wish"], given["number"], wrong="code")
    change(who, given["number"], on=serving.today, at=serving.now())
    return page(request, "number_done", end=key_of(given["number"])[-4:])


def _code(request: HttpRequest, wish: str, typed: str, *, wrong: str = "") -> HttpResponse:
    return page(request, "number_code", status=_BAD if wrong else 200, wish=wish, number=typed,
                wrong=wrong, minutes=codes.MINUTES)  # fmt: skip


def ask(borrower_id: str, typed: str, *, locale: str, lender: Lender, at: datetime) -> str:
    """Send a code to a new number and a word to each old one; return the name of the wish.

    The answer is the same whether somebody else has the number or it got too many codes.
    """
    with transaction.atomic():
        wish = codes.ask_new(borrower_id, typed, locale=locale, lender=lender, at=at)
        for place, one in enumerate(_texted(borrower_id, but=key_of(typed))):
            signature = texting.signature_of(lender, locale)
            text = say("portal", "text.old_number", locale, end=key_of(typed)[-4:],
                       signature=signature, hotline=lender.hotline)  # fmt: skip
            texting.keep(
                Holder(borrower_id=borrower_id, address=one.address), text,
                name=f"{wish} old {place}", locale=locale, lender=lender, at=at,
                until=at + _TOLD_WITHIN,
                params={"about": "old_number", "wish": digest.of_value(wish)[:16]},
            )  # fmt: skip
    return wish


def _texted(borrower_id: str, *, but: str) -> list[Point]:
    return [one for one in numbers_of(borrower_id)
            if one.channel == "sms" and one.use == "personal" and one.key != but]  # fmt: skip


def _old_waits(borrower_id: str, wish: str) -> bool:
    """Return whether the word to an old number has not left yet: it is told first."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITS, [borrower_id, digest.of_value(wish)[:16]])
        return cursor.fetchone() is not None


def change(borrower_id: str, typed: str, *, on: date, at: datetime) -> None:
    """Make a confirmed number the person's, and the old ones unusable, in one transaction.

    A person of the lender takes it over into the lender's own system.
    """
    key, told = key_of(typed), []
    # A landline that nobody was told about stays as it is.
    old = {one.key for one in _texted(borrower_id, but=key)}
    for channel in ("sms", "voice"):
        told.append({"channel": channel, "address": typed, "status": "active", "use": "personal",
                     "verified_on": on.isoformat(), "changed_on": on.isoformat()})  # fmt: skip
    told += [
        {"channel": one.channel, "address": one.address, "status": "invalid", "use": one.use}
        for one in numbers_of(borrower_id) if one.key in old and one.use == "personal"
    ]  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        lock_people(cursor, [borrower_id])
        asking.accept_new([
            asking.event("contact_point.changed", _name(borrower_id, one, at), at,
                         {"borrower_id": borrower_id, **one})
            for one in told
        ], at=at)  # fmt: skip
        open_tasks(["take_over_number"], borrower_id=borrower_id)


def _name(borrower_id: str, point: dict[str, str], at: datetime) -> str:
    told = [borrower_id, point["channel"], point["address"], point["status"], at.isoformat()]
    return f"portal-{digest.of_value(told)[:16]}"
