"""`Idempotency-Key`: the same request twice is done once and answered twice.

Work and answer are committed together. While one request runs, its key is locked, so that a second
one is told so; if the process dies, lock, work and answer go with it and the request may come
again. Answers are kept for 24 hours, for each owner of a key by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse

from duly.service.api.problems import Problem

HOURS = 24
_KEY_MAX = 255
_SWEPT_AT_ONCE = 100


def once(request: HttpRequest, owner: str, work: Callable[[], HttpResponse]) -> HttpResponse:
    """Do the work of a request unless its key has an answer already; return the answer.

    Refused: a key that is none, one whose request still runs, one that was used with another
    request. What is refused as a problem is not kept: nothing was done.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        with transaction.atomic():
            return work()
    if not 0 < len(key) <= _KEY_MAX or not key.isascii() or not key.isprintable():
        raise Problem("bad_idempotency_key", most=_KEY_MAX)
    asked = f"{request.method} {request.get_full_path()}\n".encode() + request.body
    digest = hashlib.sha256(asked).hexdigest()
    with transaction.atomic():
        _lock(owner, key)
        kept = _kept(owner, key)
        if kept is not None:
            if kept[0] != digest:
                raise Problem("other_body")
            response = HttpResponse(bytes(kept[3]), status=kept[1], content_type=kept[2])
            response["Idempotent-Replay"] = "true"
            return response
        response = work()
        _keep(owner, key, digest, response)
    return response


def _lock(owner: str, key: str) -> None:
    """Hold a key to the end of the transaction; refuse where another request holds it."""
    name = hashlib.sha256(f"idempotency\n{owner}\n{key}".encode()).digest()
    with connection.cursor() as cursor:
        number = int.from_bytes(name[:8], signed=True)
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        if not cursor.fetchone()[0]:
            raise Problem("still_running", headers={"Retry-After": "1"})


def _kept(owner: str, key: str) -> tuple[str, int, str, bytes] | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT request_sha256, status, content_type, body FROM store_idempotentanswer"
            " WHERE owner = %s AND key = %s AND at > now() - make_interval(hours => %s)",
            [owner, key, HOURS],
        )
        found: tuple[str, int, str, bytes] | None = cursor.fetchone()
    return found


def _keep(owner: str, key: str, digest: str, response: HttpResponse) -> None:
    """Keep an answer, and sweep a few that are too old."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM store_idempotentanswer WHERE id IN (SELECT id FROM store_idempotentanswer"
            " WHERE at <= now() - make_interval(hours => %s) ORDER BY at LIMIT %s"
            " FOR UPDATE SKIP LOCKED)",
            [HOURS, _SWEPT_AT_ONCE],
        )
        cursor.execute(
            "INSERT INTO store_idempotentanswer (owner, key, request_sha256, status, content_type,"
            " body) VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (owner, key) DO UPDATE SET"
            " request_sha256 = EXCLUDED.request_sha256, status = EXCLUDED.status,"
            " content_type = EXCLUDED.content_type, body = EXCLUDED.body, at = now()",
            [owner, key, digest, response.status_code, response["Content-Type"], response.content],
        )
