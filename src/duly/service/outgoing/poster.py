"""The lane that posts events: claims what is due, posts it, writes down what was answered.

An event is posted at least once: whoever dies between post and note leaves it due again after its
lease. Its `webhook-id` stays the same, by which the other side knows it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import dict_row

from duly.delivery.http import signature
from duly.service.outgoing.places import Network, NoPlace, check_url
from duly.service.outgoing.secrets import UnreadableSecret, unseal
from duly.service.resting import rest
from duly.service.rows import Row

if TYPE_CHECKING:
    import aiohttp

#: Seconds from one try to the next; after the last the event is dead, three days after it began.
BACK_OFF_SECONDS = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 68_400, 77_095)
BATCH = 50
_LEASE_SECONDS = 120
_TIMEOUT_SECONDS = 15
_ANSWER_MAX = 200
_KEPT_DAYS = 30
_IDLE_SECONDS = 1.0
_SWEEP_SECONDS = 3600.0
_OK, _MULTIPLE, _GONE = 200, 300, 410

#: What is due is leased to us: nobody else takes it meanwhile. The oldest waits first.
_CLAIM = """
WITH due AS (
    SELECT p.id FROM store_eventpost AS p
    WHERE p.state = 'waiting' AND p.due_at <= now() ORDER BY p.due_at, p.id LIMIT %s
    FOR UPDATE SKIP LOCKED
)
UPDATE store_eventpost AS p SET due_at = now() + make_interval(secs => %s)
FROM due, store_outgoingevent AS o, store_endpoint AS e
WHERE p.id = due.id AND o.id = p.event_id AND e.name = p.endpoint_id
RETURNING p.id, p.attempts, o.id AS event, o.type, o.at, o.data::text AS data, e.name, e.url,
    e.secret, CASE WHEN e.former_until > now() THEN e.former_secret END AS former
"""
_NOTE = """
UPDATE store_eventpost SET attempts = attempts + 1, last_at = now(), last_answer = %(answer)s,
    state = %(state)s, due_at = now() + make_interval(secs => %(wait)s)
WHERE id = %(id)s AND state = 'waiting'
"""
_SWEEP = """
DELETE FROM store_outgoingevent WHERE id IN (SELECT o.id FROM store_outgoingevent AS o
    WHERE o.at < now() - make_interval(days => %s) AND NOT EXISTS (SELECT 1 FROM store_eventpost
    AS p WHERE p.event_id = o.id AND p.state <> 'delivered') ORDER BY o.at LIMIT 1000)
"""


@dataclass
class Posted:
    """How many posts were taken, and how many were not, this time."""

    delivered: int = 0
    failed: int = 0


class Poster:
    """Posts events until stopped; `clock` dates the signatures."""

    def __init__(
        self,
        url: str,
        *,
        keys: Sequence[bytes],
        clock: Callable[[], datetime],
        allowed: Sequence[Network] = (),
    ) -> None:
        self._url = url
        self._keys = tuple(keys)
        self._clock = clock
        self._allowed = tuple(allowed)
        self._stopping = asyncio.Event()
        self.posted = Posted()

    def stop(self) -> None:
        """Claim nothing more; what is on the wire is waited for."""
        self._stopping.set()

    async def run(self) -> Posted:
        """Post what is due until stopped; what is due at the stop is posted once more."""
        client = self._client()
        try:
            while True:
                try:
                    return await self._post_until_stopped(client)
                except psycopg.OperationalError:
                    # What was posted and not noted is due again after its lease.
                    if self._stopping.is_set():
                        raise
                    await rest(self._stopping, _IDLE_SECONDS)
        finally:
            await client.close()

    async def _post_until_stopped(self, client: aiohttp.ClientSession) -> Posted:
        """Post over one connection, until stopped or until it breaks (OperationalError)."""
        loop = asyncio.get_running_loop()
        connection = await asyncio.to_thread(self._connect)
        swept = loop.time() - _SWEEP_SECONDS
        try:
            while True:
                last = self._stopping.is_set()
                if loop.time() - swept >= _SWEEP_SECONDS:
                    await asyncio.to_thread(connection.execute, _SWEEP, (_KEPT_DAYS,))
                    swept = loop.time()
                while await self._round(connection, client):
                    pass
                if last:
                    return self.posted
                await rest(self._stopping, _IDLE_SECONDS)
        finally:
            await asyncio.to_thread(connection.close)

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self._url, autocommit=True, application_name="duly poster")

    def _client(self) -> aiohttp.ClientSession:
        import aiohttp

        from duly.service.outgoing.resolver import CheckedResolver

        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=CheckedResolver(self._allowed), limit=BATCH, use_dns_cache=False
            ),
            timeout=aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS),
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def _round(self, connection: psycopg.Connection[Any], client: Any) -> bool:
        """Post a batch; return whether there may be more."""
        rows = await asyncio.to_thread(_claim, connection)
        answers = await asyncio.gather(*(self._post(client, row) for row in rows))
        await asyncio.to_thread(_note, connection, list(zip(rows, answers, strict=True)))
        taken = sum(1 for delivered, _ in answers if delivered is True)
        self.posted.delivered += taken
        self.posted.failed += len(rows) - taken
        return len(rows) == BATCH

    async def _post(self, client: Any, row: Row) -> tuple[bool | None, str]:
        """Return whether an event was taken, and the answer; None: nobody will ever take it."""
        import aiohttp

        try:
            check_url(row["url"], self._allowed)
            body, headers = self._written(row)
            async with client.post(
                row["url"], data=body, headers=headers, allow_redirects=False
            ) as found:
                if found.status == _GONE:
                    return None, "HTTP 410"
                return _OK <= found.status < _MULTIPLE, f"HTTP {found.status}"
        except UnreadableSecret:
            return False, "secret unreadable"
        except NoPlace as error:
            return False, str(error)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return False, _why(error)

    def _written(self, row: Row) -> tuple[bytes, dict[str, str]]:
        """Return body and headers, signed by the present secret and the former while it counts."""
        told = {"type": row["type"], "timestamp": row["at"].isoformat(),
                "data": json.loads(row["data"])}  # fmt: skip
        body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
        marks = []
        headers: dict[str, str] = {}
        for sealed in (row["secret"], row["former"]):
            if sealed is None:
                continue
            secret = unseal(bytes(sealed), keys=self._keys, name=row["name"])
            headers = signature(
                secret, message_id=row["event"], timestamp=int(self._clock().timestamp()), body=body
            )
            marks.append(headers["webhook-signature"])
        headers["webhook-signature"] = " ".join(marks)
        return body, {**headers, "Content-Type": "application/json", "User-Agent": "duly"}


def _why(error: BaseException) -> str:
    """Return the refusal behind an error, or the kind of the error."""
    cause = error.__cause__
    while cause is not None and not isinstance(cause, NoPlace):
        cause = cause.__cause__
    return type(error).__name__ if cause is None else str(cause)


def _claim(connection: psycopg.Connection[Any]) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_CLAIM, (BATCH, _LEASE_SECONDS)).fetchall()


def _note(
    connection: psycopg.Connection[Any], found: Sequence[tuple[Row, tuple[bool | None, str]]]
) -> None:
    """Write down how each post ended: taken, to be tried again, or dead."""
    with connection.transaction():
        for row, (delivered, answer) in found:
            wait = 0
            if delivered:
                state = "delivered"
            elif delivered is None or row["attempts"] >= len(BACK_OFF_SECONDS):
                state = "dead"
            else:
                state, wait = "waiting", BACK_OFF_SECONDS[row["attempts"]]
            told = {"id": row["id"], "state": state, "wait": wait, "answer": answer[:_ANSWER_MAX]}
            connection.execute(_NOTE, told)
