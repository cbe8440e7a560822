"""A short-message center for the tests, written from the SMPP 3.4 specification by itself.

It shares no code with the client under test, and does wrong whatever a test asks for.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

_TAKES = 0x80000000


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """One submit_sm as it came."""

    nth: int  #: from 1, over all sessions
    sequence: int
    source: tuple[int, int, str]
    destination: tuple[int, int, str]
    esm_class: int
    validity: str
    receipt: int
    data_coding: int
    message: bytes


@dataclass(frozen=True, kw_only=True)
class Act:
    """What the center does about one submit_sm."""

    status: int = 0
    name: str | None = None  #: the message_id; None: one of its own
    after: float = 0.0  #: seconds until the answer
    answers: int = 1  #: how often it answers; 0 says nothing
    cut: bool = False  #: cuts the connection instead
    garbage: bytes = b""  #: sent before the answer
    receipts: tuple[str, ...] = ("DELIVRD",)


def always(act: Act) -> Callable[[Submitted], Act]:
    """Return what does the same about each."""

    def chosen(submitted: Submitted) -> Act:
        return act

    return chosen


@dataclass
class Center:
    """A center at a free port of 127.0.0.1."""

    act: Callable[[Submitted], Act] = field(default_factory=lambda: always(Act()))
    bind_status: int = 0
    silent_to: tuple[int, ...] = ()  #: commands that are never answered
    port: int = 0
    submitted: list[Submitted] = field(default_factory=list)
    binds: list[tuple[str, str, str, int]] = field(default_factory=list)
    answers: list[tuple[int, int, int]] = field(default_factory=list)  #: command, status, sequence
    heard: list[int] = field(default_factory=list)
    most_open: int = 0
    _open: int = 0
    _sequence: int = 0
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Center:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Cut everybody off and listen no more."""
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=5)
        await self._server.wait_closed()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()
        self._open = 0

    def send(self, octets: bytes) -> None:
        """Send bytes to whoever came last."""
        self._writers[-1].write(octets)

    def deliver(self, message: bytes, *, source: str = "8613800000001", to: str = "1069000000",
                esm_class: int = 0, data_coding: int = 0, tlvs: bytes = b"") -> int:  # fmt: skip
        """Send a deliver_sm and return its sequence number."""
        self._sequence += 1
        body = (
            b"\0" + b"\x01\x01" + source.encode() + b"\0" + b"\x00\x00" + to.encode() + b"\0"
            + bytes([esm_class, 0, 0]) + b"\0" + b"\0" + bytes([0, 0, data_coding, 0])
            + bytes([len(message)]) + message + tlvs
        )  # fmt: skip
        self.send(frame(0x00000005, 0, self._sequence, body))
        return self._sequence

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        mine = asyncio.current_task()
        assert mine is not None
        self._tasks.add(mine)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readexactly(16)
                length, command, status, sequence = struct.unpack(">IIII", head)
                body = await reader.readexactly(length - 16)
                self.heard.append(command)
                if command & _TAKES:
                    self.answers.append((command, status, sequence))
                elif command not in self.silent_to:
                    self._take(writer, command, sequence, body)
        writer.transport.abort()
        self._tasks.discard(mine)

    def _take(self, writer: asyncio.StreamWriter, command: int, sequence: int, body: bytes) -> None:
        if command == 0x00000009:
            system_id, password, system_type, rest = body.split(b"\0", 3)
            self.binds.append(
                (system_id.decode(), password.decode(), system_type.decode(), rest[0])
            )
            writer.write(frame(0x80000009, self.bind_status, sequence, b"center\0"))
        elif command == 0x00000004:
            one = read_submit(len(self.submitted) + 1, sequence, body)
            self.submitted.append(one)
            self._open += 1
            self.most_open = max(self.most_open, self._open)
            task = asyncio.create_task(self._do(writer, one, self.act(one)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            writer.write(frame(command | _TAKES, 0, sequence))

    async def _do(self, writer: asyncio.StreamWriter, one: Submitted, act: Act) -> None:
        if act.after:
            await asyncio.sleep(act.after)
        if act.cut:
            writer.transport.abort()
            self._open = 0
            return
        writer.write(act.garbage)
        name = f"c{one.nth:06}" if act.name is None else act.name
        if act.answers:
            self._open -= 1
        for _ in range(act.answers):
            body = name.encode() + b"\0" if act.status == 0 else b""
            writer.write(frame(0x80000004, act.status, one.sequence, body))
        if act.status == 0 and one.receipt:
            for code in act.receipts:
                text = (f"id:{name} sub:001 dlvrd:001 submit date:2603101000 done date:2603101001"
                        f" stat:{code} err:000 Text:stat:REJECTD")  # fmt: skip
                self.deliver(text.encode(), source=one.destination[2], esm_class=4)


def frame(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    """Return the bytes of a PDU."""
    return struct.pack(">IIII", 16 + len(body), command, status, sequence) + body


def tlv(tag: int, value: bytes) -> bytes:
    """Return an optional parameter."""
    return struct.pack(">HH", tag, len(value)) + value


def read_submit(nth: int, sequence: int, body: bytes) -> Submitted:
    """Read the mandatory fields of a submit_sm (4.4.1)."""
    at = body.index(b"\0") + 1
    end = body.index(b"\0", at + 2)
    source = (body[at], body[at + 1], body[at + 2 : end].decode("latin-1"))
    at = end + 1
    end = body.index(b"\0", at + 2)
    destination = (body[at], body[at + 1], body[at + 2 : end].decode("latin-1"))
    esm_class, at = body[end + 1], end + 4
    at = body.index(b"\0", at) + 1
    end = body.index(b"\0", at)
    validity = body[at:end].decode("latin-1")
    receipt, _, data_coding, _, length = body[end + 1 : end + 6]
    message = body[end + 6 : end + 6 + length]
    assert len(message) == length == len(body) - end - 6, "sm_length is wrong"
    return Submitted(nth=nth, sequence=sequence, source=source, destination=destination,
                     esm_class=esm_class, validity=validity, receipt=receipt,
                     data_coding=data_coding, message=message)  # fmt: skip
