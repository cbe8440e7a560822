"""A gateway behind HTTP: one signed POST a message, in whichever words that gateway speaks.

Signed as Standard Webhooks are: `webhook-id`, `webhook-timestamp`, `webhook-signature`. The
message's id is the idempotency key, so that a gateway that keeps it takes a message once.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from duly.delivery.codes import meaning_of
from duly.delivery.pacing import Comeback, Pace
from duly.delivery.port import Answer, Incoming, Outcome, Outgoing, one_by_one, silent_until
from duly.delivery.records import printable
from duly.delivery.webhooks import part_id
from duly.messages.parts import segments

if TYPE_CHECKING:
    import aiohttp

_OK, _MULTIPLE, _BAD, _SERVER = 200, 300, 400, 500
_NOT_NOW = (429, 503)
_BODY_MAX = 65_536  #: bytes of an answer that are read
_CODE_MAX, _ID_MAX = 200, 200
_RETRY_SECONDS, _RETRY_MAX = 1, 86_400
_ADDRESS_MAX = 320


@dataclass(frozen=True, kw_only=True)
class HttpSettings:
    """One route by HTTP.

    `template_codes` names our templates in the gateway's words; empty sends the text itself.
    `id_field` of the answer is the gateway's name for the message; where `code_field` is set, an
    answer whose code is not `code_ok` is a refusal though its status is 200. With `by_part` the
    gateway reports on each part under one name, and the parts are those that we count.
    """

    url: str
    secret: bytes = field(repr=False)
    template_codes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    id_field: str = "id"
    code_field: str = ""
    code_ok: str = "OK"
    by_part: bool = False
    window: int = 20
    per_second: int = 0
    connect_seconds: float = 5.0
    response_seconds: float = 15.0
    close_seconds: float = 10.0
    retry_seconds: float = 0.5


class HttpGateway:
    """One route by HTTP; `clock` gives the instant of a signature.

    `tell` gives what the body says instead of the text alone.
    """

    def __init__(
        self, name: str, settings: HttpSettings, *, clock: Callable[[], datetime],
        tell: Callable[[Outgoing], Mapping[str, object]] | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self._tell = tell
        self.window = settings.window
        self._settings = settings
        self._clock = clock
        self._client: aiohttp.ClientSession | None = None
        self._places = asyncio.Semaphore(settings.window)
        self._sending: set[asyncio.Task[Answer]] = set()
        self._away = False
        self._closing = False
        self._closed = asyncio.Event()
        self.pace = Pace(settings.per_second)
        self._comeback = Comeback(self._come_back, first_seconds=settings.retry_seconds)

    @property
    def ready(self) -> bool:
        """Whether somebody listened when it was last tried."""
        return not (self._away or self._closing)

    async def open(self) -> None:
        """Make ready; nobody is asked: the first message finds out who listens."""
        import aiohttp

        self._client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self.window),
            timeout=aiohttp.ClientTimeout(
                total=self._settings.response_seconds,
                connect=self._settings.connect_seconds,
            ),
            # What we say is for that URL alone: no proxy of the environment, no cookies.
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def submit(self, batch: Sequence[Outgoing]) -> Sequence[Answer]:
        """Send a batch and return one answer a message, in its order."""
        assert len(batch) <= self.window, "the outbox keeps to the window"
        tasks = [asyncio.create_task(self._send(one)) for one in batch]
        self._sending.update(tasks)
        for task in tasks:
            task.add_done_callback(self._sending.discard)
        return list(await asyncio.gather(*tasks))

    def incoming(self) -> AsyncIterator[Incoming]:
        """Give nothing: receipts and replies come by webhook (`webhooks`); ends when closed."""
        return silent_until(self._closed)

    def incoming_batches(self) -> AsyncIterator[Sequence[Incoming]]:
        """Give the same, one at a time."""
        return one_by_one(self.incoming())

    async def close(self) -> None:
        """Wait for what is on the wire, a bounded time, and disconnect."""
        if self._closing:
            return
        self._closing = True
        await self._comeback.end()
        if self._sending:
            await asyncio.wait(list(self._sending), timeout=self._settings.close_seconds)
        if self._client is not None:
            await self._client.close()
        self._closed.set()

    async def _send(self, one: Outgoing) -> Answer:
        if not one.address or len(one.address) > _ADDRESS_MAX or not one.address.isprintable():
            return Answer(message_id=one.message_id, outcome="refused", code="DULY:address")
        body, why = _body(one, self._settings.template_codes, self._tell)
        if why:
            return Answer(message_id=one.message_id, outcome="refused", code=why)
        async with self._places:
            await self.pace.turn()
            if self._closing or self._away:
                return Answer(
                    message_id=one.message_id, outcome="not_sent", code="DULY:not_connected"
                )
            answer = await self._post(one, body)
        if answer.outcome == "throttled":
            self.pace.hold(min(answer.retry_after_seconds or 0, _RETRY_SECONDS))
        return answer

    async def _post(self, one: Outgoing, body: bytes) -> Answer:
        import aiohttp

        message_id = one.message_id
        assert self._client is not None, "open comes first"
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Idempotency-Key": header_id(message_id),
            **signature(
                self._settings.secret,
                message_id=header_id(message_id),
                timestamp=int(self._clock().timestamp()),
                body=body,
            ),
        }
        try:
            async with self._client.post(
                self._settings.url, data=body, headers=headers, allow_redirects=False
            ) as found:
                status, retry = found.status, found.headers.get("Retry-After", "")
                text = await _whole(found.content)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            # No connection was made: not a byte of the request can have been written.
            self._went_away()
            return Answer(message_id=message_id, outcome="not_sent", code=_why(error))
        except (aiohttp.ClientError, OSError) as error:
            return Answer(message_id=message_id, outcome="unknown", code=_why(error))
        if text is None and _OK <= status < _MULTIPLE:
            # Whoever says so much may have sent it all the same.
            return Answer(message_id=message_id, outcome="unknown", code="DULY:answer_too_long")
        answer = read_answer(message_id, status, retry, text or b"", self._settings)
        if self._settings.by_part and answer.provider_ids:
            name, parts = answer.provider_ids[0], segments(one.text)[1]
            names = tuple(part_id(name, part, parts) for part in range(1, parts + 1))
            answer = replace(answer, provider_ids=names)
        return answer

    def _went_away(self) -> None:
        self._away = True
        if not self._closing:
            self._comeback.begin()

    async def _come_back(self) -> bool:
        """Look whether somebody listens again; nothing is said to them."""
        parts = urlsplit(self._settings.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            async with asyncio.timeout(self._settings.connect_seconds):
                _, writer = await asyncio.open_connection(parts.hostname, port)
        except (OSError, TimeoutError):
            return False
        writer.close()
        self._away = False
        return True


async def _whole(content: aiohttp.StreamReader) -> bytes | None:
    """Return an answer's body, in however many pieces it comes; None: longer than is read."""
    found = bytearray()
    while len(found) <= _BODY_MAX:
        piece = await content.read(_BODY_MAX)
        if not piece:
            return bytes(found)
        found += piece
    return None


def _body(
    one: Outgoing,
    template_codes: Mapping[str, str],
    tell: Callable[[Outgoing], Mapping[str, object]] | None,
) -> tuple[bytes, str]:
    """Return the request's body, or why there is none."""
    told: dict[str, object] = {
        "id": one.message_id,
        "channel": one.channel,
        "to": one.address,
        "class": one.message_class,
        "locale": one.locale,
    }
    if not one.text and not template_codes:
        return b"", "DULY:text_empty"
    if tell is not None:
        told |= tell(one)
    elif template_codes:
        if one.template not in template_codes:
            return b"", "DULY:no_template_code"
        told |= {"template": template_codes[one.template], "params": dict(one.params)}
    else:
        told["text"] = one.text
    if one.not_after is not None:
        told["not_after"] = one.not_after.isoformat()
    try:
        return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode(), ""
    except UnicodeEncodeError:
        return b"", "DULY:text_unpaired_surrogate"


def header_id(message_id: str) -> str:
    """Return a message's id as a header may hold it; a strange one is hashed."""
    plain = message_id.isascii() and message_id.isprintable() and " " not in message_id
    return message_id if plain else hashlib.sha256(message_id.encode()).hexdigest()


def signature(secret: bytes, *, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the three headers of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`."""
    told = f"{message_id}.{timestamp}.".encode() + body
    digest = base64.b64encode(hmac.digest(secret, told, "sha256")).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{digest}",
    }


def read_answer(
    message_id: str, status: int, retry_after: str, body: bytes, settings: HttpSettings
) -> Answer:
    """Return what an answer means.

    2xx is accepted, 429 and 503 not now, other 4xx and redirections refused. 5xx is unknown: the
    gateway may have sent the message before it failed.
    """
    fields = _fields(body)
    code = str(fields.get(settings.code_field, "")) if settings.code_field else ""
    shown = printable(f"HTTP {status} {code or _first(fields)}".strip().encode())[:_CODE_MAX]
    retry = _seconds(retry_after) if status in _NOT_NOW else None
    outcome: Outcome
    if status in _NOT_NOW:
        outcome = "throttled"
    elif status >= _SERVER or status < _OK:
        outcome = "unknown"
    elif status >= _MULTIPLE:
        outcome = "refused"
    elif settings.code_field and code != settings.code_ok:
        frequent = meaning_of(code) == "frequency"
        outcome, retry = ("throttled", _RETRY_SECONDS) if frequent else ("refused", None)
    else:
        name = fields.get(settings.id_field)
        named = isinstance(name, str | int) and not isinstance(name, bool) and str(name) != ""
        return Answer(
            message_id=message_id,
            outcome="accepted",
            provider_ids=(printable(str(name).encode())[:_ID_MAX],) if named else (),
            code="" if named else "DULY:no_id",
        )
    return Answer(message_id=message_id, outcome=outcome, code=shown, retry_after_seconds=retry)


def _fields(body: bytes) -> Mapping[str, object]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _first(fields: Mapping[str, object]) -> str:
    """Return the word that an answer gives itself, by the names that are usual."""
    for name in ("code", "Code", "error", "title", "message"):
        value = fields.get(name)
        if isinstance(value, str | int):
            return str(value)
    return ""


def _seconds(text: str) -> int:
    """Return Retry-After in seconds; a date, or nothing, is one second."""
    if text.isascii() and text.isdigit():
        return min(int(text), _RETRY_MAX)
    return _RETRY_SECONDS


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "DULY:no_answer"
    return f"DULY:{type(error).__name__}"
