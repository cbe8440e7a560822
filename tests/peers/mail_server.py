"""A mail server for the tests (aiosmtpd), which does what the local part of an address says."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import warnings
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class MailServer:
    """A server at a free port of 127.0.0.1; addresses begin with what is done about them."""

    slow_seconds: float = 0.25
    refuses: str = "550 5.1.1 no such person"
    defers: str = "451 4.7.1 not now"
    tls: ssl.SSLContext | None = None
    require_starttls: bool = False
    password: str = ""
    port: int = 0
    mails: list[Envelope] = field(default_factory=list)
    most_open: int = 0
    connections: int = 0
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    _open: int = 0
    _server: asyncio.Server | None = None
    _protocols: list[SMTP] = field(default_factory=list)

    async def __aenter__(self) -> MailServer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _protocol(self) -> SMTP:
        self.connections += 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # It warns of passwords in the clear: this is loopback.
            found = self._made()
        self._protocols.append(found)
        return found

    def _made(self) -> SMTP:
        return SMTP(
            self, hostname="mail.example", tls_context=self.tls, enable_SMTPUTF8=False,
            require_starttls=self.require_starttls, auth_required=bool(self.password),
            auth_require_tls=False, authenticator=self._authenticate,
        )  # fmt: skip

    def _authenticate(self, _s: Any, _session: Session, _e: Any, _m: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        return AuthResult(success=data.password == self.password.encode(), handled=False)

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Cut everybody off and listen no more."""
        assert self._server is not None
        self._server.close()
        self.cut()
        await self._server.wait_closed()
        await asyncio.sleep(0)

    def cut(self) -> None:
        for one in self._protocols:
            if one.transport is not None:
                one.transport.abort()
            if one._handler_coroutine is not None:
                one._handler_coroutine.cancel()
        self._protocols.clear()

    # aiosmtpd's hooks.

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("refused"):
            return self.refuses
        if address.startswith("throttled"):
            return self.defers
        if address.startswith("cut-before"):
            server.transport.abort()
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.mails.append(envelope)
        address = envelope.rcpt_tos[0]
        self._open += 1
        self.most_open = max(self.most_open, self._open)
        try:
            if address.startswith("slow"):
                await asyncio.sleep(self.slow_seconds)
            elif address.startswith("unknown"):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.hold.wait(), 2)
            elif address.startswith("cut-after"):
                server.transport.abort()
            elif address.startswith("filtered"):
                return "554 5.7.1 not this text"
        finally:
            self._open -= 1
        return f"250 2.0.0 queued as Q{len(self.mails)}"


@dataclass
class ScriptedServer:
    """A server that answers each command by its first word, as a test says; nothing else."""

    answers: dict[str, bytes]
    commands: list[str] = field(default_factory=list)
    port: int = 0
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> ScriptedServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        usual = {"EHLO": b"250-mail.example\r\n250 DSN\r\n", "DATA": b"354 go on\r\n",
                 "QUIT": b"221 bye\r\n"}  # fmt: skip
        writer.write(b"220 mail.example\r\n")
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                self.commands.append(line.decode().rstrip("\r\n"))
                word = self.commands[-1].split(" ")[0].upper()
                writer.write(self.answers.get(word, usual.get(word, b"250 ok\r\n")))
                if word == "DATA":
                    while (line := await reader.readline()) not in (b".\r\n", b""):
                        pass
                    writer.write(self.answers.get(".", b"250 queued\r\n"))
        writer.close()
