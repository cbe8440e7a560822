"""One-time codes: asked for by anybody, sent to a verified number, good once and for minutes.

Who asks is answered before anybody looks whose number it is: neither words, nor time, nor the
number of questions to the store tell a customer's number from a stranger's.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db import DatabaseError, connection, transaction

from duly.book import Lender
from duly.core.words import say
from duly.plan.addresses import key_of
from duly.service import journal
from duly.service.api.serving import present
from duly.service.api.slowing import DAY, MINUTE, is_too_often
from duly.service.portal import texting
from duly.service.portal.holders import Holder, holder_of, name_of, plain_name

MINUTES = 10  #: that a code is good for
TRIES = 5
#: Codes to one number: in a quarter of an hour, in a day.
NUMBER_A_QUARTER, NUMBER_A_DAY = 3, 6
_NAME_BYTES = 24
_DIGITS = 6
_SWEPT_AT_ONCE = 50

_ASK = f"""
INSERT INTO store_portalcode (name_sha256, state, number, locale, code_mark, ends_at)
VALUES (%s, %s, %s, %s, %s, now() + interval '{MINUTES} minutes')
"""
_SWEEP = """
DELETE FROM store_portalcode WHERE ctid = ANY(ARRAY(SELECT ctid FROM store_portalcode
    WHERE ends_at < now() - interval '1 day' LIMIT %s FOR UPDATE SKIP LOCKED))
"""
_NEXT = """
SELECT name_sha256, number, locale FROM store_portalcode
WHERE state = 'asked' AND ends_at > now()
ORDER BY asked_at, name_sha256 LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_LOOKED = """
UPDATE store_portalcode SET state = %s, number = '', borrower_id = %s,
    code_mark = coalesce(%s, code_mark) WHERE name_sha256 = %s
"""
_TRY = f"""
UPDATE store_portalcode SET tries = tries + 1
WHERE name_sha256 = %s AND tries < {TRIES} AND ends_at > now()
RETURNING state, borrower_id, code_mark
"""
_USE = "UPDATE store_portalcode SET state = 'used' WHERE name_sha256 = %s AND state = 'sent'"


def ask(number: str, *, locale: str) -> str:
    """Note that somebody wants a code for a number, and return the name of the wish."""
    key = key_of(number)
    often = [is_too_often("code_quarter", key, NUMBER_A_QUARTER, 15 * MINUTE),
             is_too_often("code_day", key, NUMBER_A_DAY, DAY)]  # fmt: skip
    name = secrets.token_urlsafe(_NAME_BYTES)
    state = "none" if any(often) else "asked"
    with transaction.atomic(), connection.cursor() as cursor:
        number = "" if state == "none" else key
        cursor.execute(_ASK, [_sha(name), state, number, locale, secrets.token_hex(16)])
        cursor.execute(_SWEEP, [_SWEPT_AT_ONCE])
    return name


def send_beside(*, lender: Lender, at: datetime) -> None:
    """Send what was asked for, beside the answer that is on its way."""
    _hands().submit(_send, lender, at)


@cache
def _hands() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="duly-codes")


def _send(lender: Lender, at: datetime) -> None:
    try:
        send_waiting(lender=lender, at=at)
    except DatabaseError as error:  # Whoever asks next sends it too, while it is good.
        journal.broken("codes.waiting", error)
    finally:
        connection.close()


def send_waiting(*, lender: Lender, at: datetime) -> int:
    """Look whose number each wish is for and write the text, one transaction each; return them."""
    done = 0
    while _send_next(lender, at):
        done += 1
    return done


def _send_next(lender: Lender, at: datetime) -> bool:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_NEXT)
        row = cursor.fetchone()
        if row is None:
            return False
        name, number, locale = row
        holder = holder_of(number)
        code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
        if holder is not None and texting.write(
            holder, code, name=name, locale=locale, lender=lender, at=at, minutes=MINUTES
        ):
            cursor.execute(_LOOKED, ["sent", holder.borrower_id, _mark(name, code), name])
        else:
            cursor.execute(_LOOKED, ["none", None, None, name])
    return True


def check(name: str, code: str, full_name: str) -> str | None:
    """Return who signs in with a code and his name; None whichever of them is wrong.

    A code that was right once is used up; a wish has five tries, whatever is wrong with them.
    """
    sha = _sha(name)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TRY, [sha])
        row: tuple[Any, ...] = cursor.fetchone() or ("none", None, "")
        state, borrower, mark = row
        known = plain_name(name_of(borrower or ""))
        right = [
            state == "sent",
            hmac.compare_digest(_mark(sha, code.strip()), mark),
            bool(known) and hmac.compare_digest(known.encode(), plain_name(full_name).encode()),
        ]
        if not all(right):
            return None
        cursor.execute(_USE, [sha])
        return str(borrower) if cursor.rowcount else None


def ask_new(borrower_id: str, number: str, *, locale: str, lender: Lender, at: datetime) -> str:
    """Send a code to a number that somebody who has signed in gives as his; return the wish's name.

    In the caller's transaction. What makes it good for this number and person alone is in its mark.
    """
    key = key_of(number)
    often = [is_too_often("code_quarter", key, NUMBER_A_QUARTER, 15 * MINUTE),
             is_too_often("code_day", key, NUMBER_A_DAY, DAY)]  # fmt: skip
    name = secrets.token_urlsafe(_NAME_BYTES)
    sha, code = _sha(name), f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
    with connection.cursor() as cursor:
        cursor.execute(_ASK, [sha, "none", "", locale, secrets.token_hex(16)])
        text = say("portal", "text.new_number", locale, code=code, minutes=MINUTES,
                   signature=texting.signature_of(lender, locale))  # fmt: skip
        written = not any(often) and texting.keep(
            Holder(borrower_id=borrower_id, address=number), text, name=sha, locale=locale,
            lender=lender, at=at, until=at + timedelta(minutes=MINUTES),
            params={"about": "new_number"},
        )  # fmt: skip
        if written:
            cursor.execute(_LOOKED, ["sent", borrower_id, _mark_new(sha, code, key), sha])
    return name


def check_new(name: str, code: str, number: str, *, borrower_id: str) -> bool:
    """Return whether a code is that of this new number and person; right once, five tries."""
    sha = _sha(name)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TRY, [sha])
        row: tuple[Any, ...] = cursor.fetchone() or ("none", None, "")
        state, borrower, mark = row
        right = [
            state == "sent", borrower == borrower_id,
            hmac.compare_digest(_mark_new(sha, code.strip(), key_of(number)), mark),
        ]  # fmt: skip
        if not all(right):
            return False
        cursor.execute(_USE, [sha])
        return bool(cursor.rowcount)


def _sha(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _mark(name_sha: str, code: str) -> str:
    return present().signer.sign("sign-in code", f"{name_sha}\n{code}".encode()).hex()


def _mark_new(name_sha: str, code: str, key: str) -> str:
    """Return the mark of a code for a new number: no code to sign in with has the same."""
    told = f"{name_sha}\n{code}\n{key}".encode()
    return present().signer.sign("new number code", told).hex()
