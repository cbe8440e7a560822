"""A gateway that speaks SMPP 3.4: signs in, keeps its window, and comes back when cut off."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.delivery.pacing import Comeback, Pace
from duly.delivery.port import Answer, Incoming, Outgoing, Reply
from duly.delivery.records import record
from duly.delivery.smpp import pdu, texts
from duly.delivery.smpp.answers import answer_of, outcome_of
from duly.delivery.smpp.joining import Joined, Joiner
from duly.delivery.smpp.pdu import MalformedError, Pdu
from duly.delivery.smpp.receipts import is_receipt, raw_of, read_receipt, read_said
from duly.delivery.smpp.session import LOST, NOT_WRITTEN, SILENT, Ended, Session
from duly.delivery.smpp.settings import SmppSettings, destination_of, source_of, validity_of

_UNBIND_SECONDS = 2.0
_BATCH_MAX = 500  #: reports that are given at a time
#: Where so many have come at once, more are waited for as long as they come, but not for longer.
_STREAM_FROM, _GATHER_EACH_SECONDS, _GATHER_SECONDS = 8, 0.005, 0.05
#: deliver_sm_resp has an empty message_id (4.6.2).
_NO_ID = b"\0"


@dataclass(frozen=True, kw_only=True)
class _HandedOver:
    """A message and where its parts are; `refused` says why it did not come so far."""

    message_id: str
    parts: tuple[asyncio.Future[Ended], ...] = ()
    left: int = 0  #: parts of which no byte was written
    refused: str = ""


class SmppGateway:
    """One route by SMPP; `label` tells this process's sessions from every other's."""

    def __init__(self, name: str, settings: SmppSettings, *, label: str) -> None:
        self.name = name
        self.window = settings.window
        self._settings = settings
        self._label = label
        self._source = source_of(settings)
        self._session: Session | None = None
        self._sessions = 0
        self._joined = 0
        self._closing = False
        self._reading = False
        self.pace = Pace(settings.per_second)
        self._joiner = Joiner(patience_seconds=settings.reply_seconds)
        self._queue: asyncio.Queue[tuple[Incoming, Callable[[], None]] | None] = asyncio.Queue()
        self._comeback = Comeback(self._come_back, first_seconds=settings.retry_seconds)

    @property
    def ready(self) -> bool:
        """Whether it is signed in."""
        return self._session is not None and not self._closing

    async def open(self) -> None:
        """Connect and sign in; refused (Refused) where the center does not let us in."""
        await self._connect()

    async def submit(self, batch: Sequence[Outgoing]) -> Sequence[Answer]:
        """Send a batch and return one answer a message, in its order."""
        assert len(batch) <= self.window, "the outbox keeps to the window"
        handed_over = [await self._hand_over(one) for one in batch]
        return [await self._answer(one) for one in handed_over]

    async def incoming(self) -> AsyncIterator[Incoming]:
        """Give receipts and replies until closed.

        The center is told that it was taken when the next one is asked for: whoever reads has
        written it down by then. What was not is brought again.
        """
        async for batch in self._batches(most=1):
            for report in batch:
                yield report

    def incoming_batches(self) -> AsyncIterator[Sequence[Incoming]]:
        """Give the same, as many as have come; the center is told of a batch when it is written."""
        return self._batches(most=_BATCH_MAX)

    async def _batches(self, *, most: int) -> AsyncIterator[Sequence[Incoming]]:
        self._reading = True
        ended = False
        while not ended:
            taken = await self._gathered(most)
            found = [one for one in taken if one is not None]
            ended = len(found) < len(taken)
            try:
                if found:
                    yield [report for report, _ in found]
                    for _, told in found:
                        told()
            finally:
                for _ in taken:
                    self._queue.task_done()

    async def _gathered(self, most: int) -> list[tuple[Incoming, Callable[[], None]] | None]:
        """Wait for what has come; where it comes in a stream, for a moment's more of it.

        Many written down at once cost less than a few. A center that brings the next when one was
        taken is never kept waiting.
        """
        taken = [await self._queue.get()]
        loop = asyncio.get_running_loop()
        until = loop.time() + _GATHER_SECONDS
        while True:
            before = len(taken)
            while len(taken) < most and not self._queue.empty():
                taken.append(self._queue.get_nowait())
            streams = len(taken) >= _STREAM_FROM and (len(taken) > before or before == 1)
            if not streams or len(taken) == most or self._closing or loop.time() > until:
                return taken
            await asyncio.sleep(_GATHER_EACH_SECONDS)

    async def close(self) -> None:
        """Wait for what is on the wire, sign out and disconnect; each a bounded time."""
        if self._closing:
            return
        self._closing = True
        await self._comeback.end()
        session = self._session
        if session is not None:
            await session.settled(self._settings.close_seconds)
        self._put_joined(self._joiner.rest())
        if self._reading:
            reading = asyncio.create_task(self._queue.join())
            await asyncio.wait([reading], timeout=self._settings.close_seconds)
            reading.cancel()
        if session is not None and session.alive:
            parting = session.request(pdu.UNBIND)
            await asyncio.wait([parting], timeout=_UNBIND_SECONDS)
            session.close()
        self._session = None
        self._queue.put_nowait(None)

    # Sending.

    async def _hand_over(self, one: Outgoing) -> _HandedOver:
        """Write the parts of a message, each when there is room for it."""
        destination = destination_of(one.address)
        if destination is None:
            return _HandedOver(message_id=one.message_id, refused="DULY:address")
        try:
            written = texts.write(one.text, message_id=one.message_id)
        except texts.UnsayableError as error:
            return _HandedOver(message_id=one.message_id, refused=str(error))
        head = pdu.submit_head(
            source=self._source,
            destination=destination,
            esm_class=written.esm_class,
            validity=validity_of(one.not_after) if self._settings.validity else "",
            data_coding=written.data_coding,
        )
        session, parts = self._session, []
        for part in written.parts:
            await self.pace.turn()
            if session is None or self._closing or not await session.room():
                break
            body = pdu.submit_body(head, part)
            parts.append(session.request(pdu.SUBMIT_SM, body, tag=one.message_id))
        left = len(written.parts) - len(parts)
        return _HandedOver(message_id=one.message_id, parts=tuple(parts), left=left)

    async def _answer(self, one: _HandedOver) -> Answer:
        if one.refused:
            return Answer(message_id=one.message_id, outcome="refused", code=one.refused)
        ended: list[Ended] = [await part for part in one.parts] + [NOT_WRITTEN] * one.left
        seconds = self._settings.throttled_seconds
        if any(outcome_of(part) == "throttled" for part in ended):
            self.pace.hold(seconds)
        return answer_of(one.message_id, ended, ids=self._settings.ids, retry_seconds=seconds)

    # Connecting.

    async def _connect(self) -> None:
        settings = self._settings
        self._sessions += 1
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(settings.connect_seconds):
                _, session = await loop.create_connection(
                    lambda: Session(
                        self,
                        window=settings.window,
                        response_seconds=settings.response_seconds,
                        enquire_seconds=settings.enquire_seconds,
                    ),
                    settings.host,
                    settings.port,
                    ssl=settings.tls,
                )
        except (OSError, TimeoutError) as error:
            raise self._refused("smpp_no_connection", why=str(error) or "timeout") from error
        body = pdu.bind_body(
            system_id=settings.system_id,
            password=settings.password,
            system_type=settings.system_type,
        )
        try:
            answer = session.request(pdu.BIND_TRANSCEIVER, body)
            await asyncio.wait([answer], timeout=settings.connect_seconds)
            why = _not_bound(answer.result() if answer.done() else SILENT)
            if why or not session.alive:
                raise self._refused("smpp_bind_refused", status=why or LOST)
            self._session = session
        finally:
            if self._session is not session:
                session.abort()

    def _refused(self, code: str, **values: object) -> Refused:
        where = {"route": self.name, "host": self._settings.host, "port": self._settings.port}
        return Refused(Diagnostic(area="service", code=code, values=where | values))

    async def _come_back(self) -> bool:
        try:
            await self._connect()
        except Refused:
            return False
        return True

    # What comes of itself (session.Listener).

    def requested(self, session: Session, request: Pdu) -> None:
        """Take what the center brings."""
        if request.command == pdu.ALERT_NOTIFICATION:
            return
        if request.command != pdu.DELIVER_SM:
            session.respond(pdu.GENERIC_NACK, request.sequence, status=pdu.RINVCMDID)
            self.survived(f"command 0x{request.command:08x}", request.body)
            return
        try:
            delivered = pdu.read_deliver(request.body)
        except MalformedError as error:
            session.respond(
                pdu.DELIVER_SM_RESP, request.sequence, body=_NO_ID, status=pdu.RX_R_APPN
            )
            self.survived(str(error), request.body)
            return

        def taken() -> None:
            if session.alive:
                session.respond(pdu.DELIVER_SM_RESP, request.sequence, body=_NO_ID)

        if is_receipt(delivered):
            receipt = read_receipt(delivered, ids=self._settings.ids, zone=self._settings.zone)
            self._queue.put_nowait((receipt, taken))
            return
        said = read_said(delivered, default_coding=self._settings.default_coding)
        # A person may write the same twice: the counters tell the two apart.
        raw = raw_of(delivered, session=self._session_label(), sequence=request.sequence)
        if said.piece is None:
            reply = Reply(address=said.address, to=said.to, text=said.text, raw=raw)
            self._queue.put_nowait((reply, taken))
            return
        # A center may hold the next piece back until this one is taken, so each is kept by itself.
        self._queue.put_nowait((record("DULY:piece_of_reply", raw), taken))
        loop = asyncio.get_running_loop()
        self._put_joined(self._joiner.add(said, at=loop.time()))
        loop.call_later(self._settings.reply_seconds, self._give_overdue)

    def late(self, tag: str, answer: Pdu) -> None:
        """Keep an answer that came after its message was written down as unknown."""
        told = {
            "message_id": tag,
            "status": pdu.status_name(answer.status),
            "provider_id": pdu.read_message_id(answer.body),
        }
        self._put(record("DULY:late_answer", json.dumps(told)))

    def survived(self, what: str, raw: bytes) -> None:
        """Keep something that makes no sense."""
        told = {"what": what, "octets": raw.hex(), "session": self._session_label()}
        self._put(record("DULY:malformed", json.dumps(told)))

    def lost(self, session: Session) -> None:
        """Come back, unless this was meant."""
        if session is self._session:
            self._session = None
            if not self._closing:
                self._comeback.begin()

    def _give_overdue(self) -> None:
        self._put_joined(self._joiner.overdue(at=asyncio.get_running_loop().time()))

    def _put_joined(self, joined: Sequence[Joined]) -> None:
        for one in joined:
            self._joined += 1
            told = {"from": one.address, "to": one.to, "text": one.text}
            raw = json.dumps(told | {"session": self._session_label(), "joined": self._joined})
            self._put(Reply(address=one.address, to=one.to, text=one.text, raw=raw))

    def _put(self, report: Incoming) -> None:
        self._queue.put_nowait((report, lambda: None))

    def _session_label(self) -> str:
        return f"{self._label}.{self._sessions}"


def _not_bound(ended: Ended) -> str:
    """Return why a bind did not succeed; empty where it did."""
    if isinstance(ended, str):
        return ended
    bound = ended.command == pdu.BIND_TRANSCEIVER_RESP and ended.status == pdu.ROK
    return "" if bound else pdu.status_name(ended.status)
