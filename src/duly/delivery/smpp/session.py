"""One connection: requests and their answers brought together, the window kept, silence noticed.

Nothing is known here of messages. What is written waits for the end of the loop's turn, so that a
batch leaves in few writes; until then no byte of it has left.
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from duly.delivery.smpp import pdu
from duly.delivery.smpp.pdu import MalformedError, Pdu

#: How a request ended without an answer.
LOST, SILENT, NOT_WRITTEN = "DULY:connection_lost", "DULY:no_answer", "DULY:not_written"
Ended: TypeAlias = Pdu | str

_LATE_MAX = 10_000  #: requests given up whose answer would still be recognized
_SHOWN_BYTES = 256
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)  #: Linux has it.


class Listener(Protocol):
    """Who is told what comes of itself."""

    def requested(self, session: Session, request: Pdu) -> None:
        """Take a request of the other side."""
        ...

    def late(self, tag: str, answer: Pdu) -> None:
        """Take an answer to a request that was given up."""
        ...

    def survived(self, what: str, raw: bytes) -> None:
        """Take note of something that makes no sense."""
        ...

    def lost(self, session: Session) -> None:
        """Take note that the connection is gone."""
        ...


@dataclass(slots=True)
class _Waiting:
    command: int
    tag: str
    until: float
    answer: asyncio.Future[Ended]


class Session(asyncio.Protocol):
    """One connection to a center, from connecting to parting."""

    def __init__(
        self, listener: Listener, *, window: int, response_seconds: float, enquire_seconds: float
    ) -> None:
        self.alive = False
        self._listener = listener
        self._window = asyncio.Semaphore(window)
        self._response_seconds = response_seconds
        self._enquire_seconds = enquire_seconds
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._socket: socket.socket | None = None
        self._buffer = bytearray()
        self._outgoing: list[bytes] = []
        self._unwritten: list[int] = []
        self._waiting: dict[int, _Waiting] = {}
        self._late: dict[int, str] = {}
        self._sequence = 0
        self._heard_at = self._loop.time()
        self._writable = asyncio.Event()
        self._writable.set()
        self._timer: asyncio.TimerHandle | None = None

    async def room(self) -> bool:
        """Wait for a place in the window; False where the connection is gone instead."""
        await self._window.acquire()
        try:
            await self._writable.wait()
        except asyncio.CancelledError:
            self._window.release()
            raise
        if not self.alive:
            self._window.release()
        return self.alive

    def request(self, command: int, body: bytes = b"", *, tag: str = "") -> asyncio.Future[Ended]:
        """Send a request; one with a tag takes the place in the window that was waited for."""
        self._sequence = self._sequence % pdu.SEQUENCE_MAX + 1
        answer: asyncio.Future[Ended] = self._loop.create_future()
        until = self._loop.time() + self._response_seconds
        self._waiting[self._sequence] = _Waiting(command, tag, until, answer)
        self._unwritten.append(self._sequence)
        self._write(pdu.encode(command, self._sequence, body))
        if not self.alive:
            self._fail_all()
        return answer

    def respond(
        self, command: int, sequence: int, body: bytes = b"", status: int = pdu.ROK
    ) -> None:
        """Answer a request of the other side."""
        self._write(pdu.encode(command, sequence, body, status))

    async def settled(self, seconds: float) -> None:
        """Wait, so long at most, until every request has ended."""
        answers = [one.answer for one in self._waiting.values()]
        if answers:
            await asyncio.wait(answers, timeout=seconds)

    def close(self) -> None:
        """Disconnect; what is written leaves before."""
        if self._transport is not None:
            self._flush()
            self._transport.close()

    def abort(self) -> None:
        """Disconnect at once."""
        if self._transport is not None:
            self._transport.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._socket = transport.get_extra_info("socket")
        self.alive = True
        self._tick()

    def data_received(self, data: bytes) -> None:
        """Take every PDU that is whole."""
        self._heard_at = self._loop.time()
        self._acknowledge()
        self._buffer += data
        while self.alive:
            try:
                found = pdu.take(self._buffer)
            except MalformedError as error:
                # Where the next PDU begins is lost, so the connection is of no more use.
                self._listener.survived(str(error), bytes(self._buffer[:_SHOWN_BYTES]))
                self.abort()
                return
            if found is None:
                return
            self._take(found)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 asyncio names it.
        """End every request."""
        self.alive = False
        if self._timer is not None:
            self._timer.cancel()
        self._outgoing.clear()
        self._fail_all()
        self._writable.set()
        self._listener.lost(self)

    def pause_writing(self) -> None:
        """Write no more requests."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Write requests again."""
        self._writable.set()

    # What is ours.

    def _take(self, found: Pdu) -> None:
        if found.command & pdu.RESPONSE:
            self._answered(found)
        elif found.command == pdu.ENQUIRE_LINK:
            self.respond(pdu.ENQUIRE_LINK_RESP, found.sequence)
        elif found.command == pdu.UNBIND:
            self.respond(pdu.UNBIND_RESP, found.sequence)
            self.close()
        else:
            self._listener.requested(self, found)

    def _answered(self, found: Pdu) -> None:
        waiting = self._waiting.get(found.sequence)
        if waiting is None:
            tag = self._late.pop(found.sequence, None)
            if tag is None:
                self._listener.survived("answer to nothing", _shown(found))
            else:
                self._listener.late(tag, found)
        elif found.command not in (waiting.command | pdu.RESPONSE, pdu.GENERIC_NACK):
            self._listener.survived("answer of another kind", _shown(found))
        else:
            self._end(found.sequence, found)

    def _end(self, sequence: int, how: Ended) -> None:
        waiting = self._waiting.pop(sequence)
        if waiting.tag:
            self._window.release()
        # A lane that was cancelled waits for nothing any more.
        if not waiting.answer.done():
            waiting.answer.set_result(how)

    def _fail_all(self) -> None:
        unwritten = set(self._unwritten)
        for sequence in list(self._waiting):
            self._end(sequence, NOT_WRITTEN if sequence in unwritten else LOST)
        self._unwritten.clear()

    def _tick(self) -> None:
        """Give up what was not answered in time; ask a silent peer whether it is there."""
        now = self._loop.time()
        for sequence, waiting in list(self._waiting.items()):
            if waiting.until > now:
                break  # They stand in the order in which they were sent.
            if waiting.command == pdu.ENQUIRE_LINK:
                self._listener.survived("enquire_link was not answered", b"")
                self.abort()
                return
            if waiting.tag:
                self._late[sequence] = waiting.tag
                if len(self._late) > _LATE_MAX:
                    del self._late[next(iter(self._late))]
            self._end(sequence, SILENT)
        asked = any(one.command == pdu.ENQUIRE_LINK for one in self._waiting.values())
        if now - self._heard_at >= self._enquire_seconds and not asked:
            self.request(pdu.ENQUIRE_LINK)
        each = min(1.0, self._response_seconds / 4, self._enquire_seconds / 4)
        self._timer = self._loop.call_later(each, self._tick)

    def _acknowledge(self) -> None:
        """Let the kernel say at once that something came.

        A center that writes answer by answer and gathers small packets waits for it, and the
        kernel of a side that has nothing to say waits 40 ms. The option holds for one packet.
        """
        if self._socket is not None and _QUICKACK is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def _write(self, octets: bytes) -> None:
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append(octets)

    def _flush(self) -> None:
        if self._transport is None or self._transport.is_closing() or not self._outgoing:
            return
        octets = b"".join(self._outgoing)
        self._outgoing.clear()
        self._unwritten.clear()
        self._transport.write(octets)


def _shown(found: Pdu) -> bytes:
    return pdu.encode(found.command, found.sequence, found.body[:_SHOWN_BYTES], found.status)
