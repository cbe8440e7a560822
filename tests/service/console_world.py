"""Staff of the lender before the running server's console."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from browsing import Browser
from django.db import connection, transaction
from prepared import SECRET_KEYS
from serving import Served

from duly.core.check_key import read_keys
from duly.service.console.signing_in import COOKIE
from duly.service.operations import one_time, staff
from duly.service.operations.proving import ROWS, proven
from duly.service.operations.staff import SESSIONS, Given
from duly.service.store.models import Staff

KEYS = [key.secret for key in read_keys(SECRET_KEYS)]
#: What the plan knew of the ways to a person.
WAYS = {"sms": {}, "voice": {"opted_out": False, "servicing_withdrawn": False}}
ROLES = ("agent", "team_lead", "strategy", "compliance", "auditor", "admin")


def added(name: str = "li.na", role: str = "agent") -> Given:
    return staff.add(name, role=role, keys=KEYS)


def code_of(given: Given, *, steps: int = 0) -> str:
    """Return the code that the authenticator shows now, or some steps later."""
    step = int(datetime.now(UTC).timestamp()) // one_time.STEP_SECONDS
    return one_time.code_at(given.secret, step + steps)


def at_door(served: Served, path: str = "/staff/sign-in", *, language: str = "en") -> Browser:
    browser = Browser(served, language=language)
    browser.go(path)
    return browser


def tried(browser: Browser, given: Given, **other: str) -> Any:
    """Fill in the door as a person does."""
    told = {"name": given.name, "password": given.password, "code": code_of(given)} | other
    return browser.submit("/staff/sign-in", **told)


def seated(served: Served, role: str = "agent", *, language: str = "en") -> Browser:
    """Return a browser of somebody of a role who has signed in, without the slow door."""
    name = f"{role.replace('_', '.')}.1"
    Staff.objects.get_or_create(
        name=name, defaults={"role": role, "password": "!", "secret": b"", "recovery": []}
    )
    with transaction.atomic():
        _, token = SESSIONS.begin(name, by="code")
    return Browser(served, language=language, cookies={COOKIE: token}, at="/staff/")


def since() -> int:
    """Return the number of the last row of the record: what is there so far is of other tests."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM store_audit")
        return int(cursor.fetchone()[0])


def rows_since(number: int, kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Return subject and payload of the rows of a kind after one, in their order."""
    with connection.cursor() as cursor:
        cursor.execute(ROWS + "WHERE a.kind = %s AND a.id > %s ORDER BY a.id", [kind, number])
        return [
            (row.subject, json.loads(row.payload.text))
            for row in proven(cursor.fetchall(), 0)
            if row.payload is not None
        ]


def same(body: bytes) -> bytes:
    """Return a page without what is random in each: the marks of its forms."""
    return re.sub(rb'(name="csrfmiddlewaretoken" value=")[^"]*', rb"\1", body)


def seat_of(browser: Any, cookies: dict[str, str], here: str, **given: Any) -> Any:
    seat = browser.new_context(**given)
    seat.add_cookies([{"name": name, "value": value, "url": here.replace("http:", "https:"),
                       "secure": True, "httpOnly": True, "sameSite": "Strict"}
                      for name, value in cookies.items()])  # fmt: skip
    return seat
