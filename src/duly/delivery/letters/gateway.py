"""A gateway to a print house: a letter is accepted when it lies whole in the spool, once.

What comes back, comes as files beside it, in the words of a `generic` webhook, or by that webhook.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.delivery.letters.page import Letterhead, Press, Sheet, UnprintableError
from duly.delivery.letters.spool import FULL, HalfDoneError, Spool, name_of
from duly.delivery.pacing import Comeback, Pace
from duly.delivery.port import Answer, Incoming, Outcome, Outgoing
from duly.delivery.records import record
from duly.delivery.webhooks import UnreadableError, When, read

_FORMAT = 1  #: of the manifest
_RECEIPT_MAX = 1 << 20  #: bytes of a file of receipts
_NOT_READ = ".unreadable"


@dataclass(frozen=True, kw_only=True)
class LetterSettings:
    """One route by post; `zone` is where the letter's date is today."""

    spool: Path
    letterhead: Letterhead
    zone: tzinfo
    typeface: str = "Noto Sans"
    fonts: str = ""  #: a folder of fonts beside those installed with us
    window: int = 10
    per_second: int = 0
    response_seconds: float = 60.0
    poll_seconds: float = 10.0
    retry_seconds: float = 0.5


class LetterGateway:
    """One route by post; `clock` dates the letters, `worker` names this one in the spool."""

    def __init__(
        self, name: str, settings: LetterSettings, *, clock: Callable[[], datetime], worker: str,
        spool: Spool | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self.window = settings.window
        self._settings = settings
        self._clock = clock
        self._spool = spool or Spool(settings.spool, worker=worker)
        self._press: Press | None = None
        self._one_at_a_time = asyncio.Lock()
        self._away = False  #: the spool is gone: nothing is even tried
        self._held = False  #: it is full or in doubt: no more is claimed
        self._closing = False
        self._closed = asyncio.Event()
        self.pace = Pace(settings.per_second)
        self._comeback = Comeback(self._come_back, first_seconds=settings.retry_seconds)

    @property
    def ready(self) -> bool:
        """Whether the spool could be written to when it was last tried."""
        return not (self._away or self._held or self._closing)

    async def open(self) -> None:
        """Find the fonts and the spool; refused (Refused) where one of them is missing."""
        self._press = await asyncio.to_thread(
            Press, route=self.name, typeface=self._settings.typeface, fonts=self._settings.fonts
        )
        await asyncio.to_thread(self._press.prove, self._settings.letterhead)
        try:
            await asyncio.to_thread(self._spool.open)
        except OSError as error:
            values = {"route": self.name, "folder": str(self._settings.spool),
                      "why": error.strerror or type(error).__name__}  # fmt: skip
            raise Refused(
                Diagnostic(area="service", code="letter_no_spool", values=values)
            ) from error

    async def submit(self, batch: Sequence[Outgoing]) -> Sequence[Answer]:
        """Put a batch into the spool and return one answer a message, in its order."""
        assert len(batch) <= self.window, "the outbox keeps to the window"
        return [await self._send(one) for one in batch]

    async def incoming(self) -> AsyncIterator[Incoming]:
        """Give receipts as their files come; ends when closed."""
        async for reports in self.incoming_batches():
            for report in reports:
                yield report

    async def incoming_batches(self) -> AsyncIterator[Sequence[Incoming]]:
        """Give the receipts of one file at a time.

        A file is removed when the next one is asked for, that is after it was written down: what
        a crash leaves is read again, and the same receipt is kept once.
        """
        while True:
            last = self._closing  # Who closes at once is still told what lies there.
            for file in await asyncio.to_thread(self._told):
                reports = await asyncio.to_thread(self._read, file)
                if reports:
                    yield reports
                    await asyncio.to_thread(_remove, file)
            if last:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closed.wait(), self._settings.poll_seconds)

    async def close(self) -> None:
        """Wait for the letter that is being written, and let the spool go."""
        if self._closing:
            return
        self._closing = True
        await self._comeback.end()
        async with self._one_at_a_time:
            await asyncio.to_thread(self._spool.close)
        self._closed.set()

    async def _send(self, one: Outgoing) -> Answer:
        await self.pace.turn()
        async with self._one_at_a_time:
            if self._closing or self._away:
                return Answer(
                    message_id=one.message_id, outcome="not_sent", code="DULY:not_connected"
                )
            try:
                answer = await asyncio.wait_for(
                    asyncio.to_thread(self._hand_over, one), self._settings.response_seconds
                )
            except TimeoutError:
                # The thread goes on: the letter may yet come to lie there.
                answer = Answer(message_id=one.message_id, outcome="unknown", code="DULY:no_answer")
        self._learn(answer)
        return answer

    def _hand_over(self, one: Outgoing) -> Answer:
        assert self._press is not None, "open comes first"
        name, made_at, settings = name_of(one.message_id), self._clock(), self._settings
        try:
            sheet = self._press.sheet(
                one, settings.letterhead, on=made_at.astimezone(settings.zone).date()
            )
        except UnprintableError as error:
            return Answer(message_id=one.message_id, outcome="refused", code=str(error))
        outcome: Outcome
        try:
            new = self._spool.hand_over(name, sheet.pdf, _manifest(one, name, sheet, made_at))
        except HalfDoneError as error:
            return Answer(message_id=one.message_id, outcome="unknown", code=_why(error))
        except OSError as error:
            outcome = "throttled" if error.errno in FULL else "not_sent"
            return Answer(message_id=one.message_id, outcome=outcome, code=_why(error))
        return Answer(
            message_id=one.message_id, outcome="accepted", provider_ids=(name,),
            code="" if new else "DULY:lay_there",
        )  # fmt: skip

    def _learn(self, answer: Answer) -> None:
        """Note what an answer says of the spool: full or doubtful is asked again, gone is not."""
        if answer.outcome in ("accepted", "refused"):
            return
        self._held = True
        self._away = self._away or answer.outcome == "not_sent"
        if not self._closing:
            self._comeback.begin()

    async def _come_back(self) -> bool:
        """Look whether the spool is there and has room; no letter is written for that."""
        try:
            await asyncio.to_thread(self._spool.open)
            await asyncio.to_thread(self._spool.probe)
        except OSError:
            return False
        self._away = self._held = False
        return True

    def _told(self) -> tuple[Path, ...]:
        try:
            return self._spool.told()
        except OSError:
            return ()

    def _read(self, file: Path) -> Sequence[Incoming]:
        """Return what a file tells; one that cannot be read is set aside for a person."""
        try:
            with file.open("rb") as opened:
                body = opened.read(_RECEIPT_MAX + 1)
        except OSError:
            return ()  # Somebody else has read it, or it can be read later.
        try:
            return read("generic", body, when=When(zone=self._settings.zone,
                                                   received_at=self._clock()))  # fmt: skip
        except UnreadableError as error:
            with suppress(OSError):
                file.rename(file.with_name(file.name + _NOT_READ))
            told = f"{file.name}: {error}, sha256 {hashlib.sha256(body).hexdigest()}"
            return (record("DULY:malformed", told),)


def _remove(file: Path) -> None:
    with suppress(OSError):
        file.unlink(missing_ok=True)


def _manifest(one: Outgoing, name: str, sheet: Sheet, made_at: datetime) -> dict[str, object]:
    """Return what a print house needs to know; who it is for stands on the letter alone."""
    return {
        "format": _FORMAT,
        "id": name,
        "file": f"{name}.pdf",
        "sha256": hashlib.sha256(sheet.pdf).hexdigest(),
        "bytes": len(sheet.pdf),
        "pages": sheet.pages,
        "paper": "A4",
        "class": one.message_class,
        "locale": one.locale,
        "made_at": made_at.isoformat(),
        "post_before": None if one.not_after is None else one.not_after.isoformat(),
    }


def _why(error: OSError) -> str:
    return f"DULY:{errno.errorcode.get(error.errno or 0, type(error).__name__)}"
