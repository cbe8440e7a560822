"""The folder that a print house takes letters from: each appears whole, once, or not at all.

    spool/.making/WORKER/   what is being written; nobody but its worker looks
    spool/ready/ID/         ID.pdf and ID.json, both there from the first moment on
    spool/receipts/         what the print house tells, as *.json

A folder that is renamed onto another that holds something is refused by the system: the second
letter of one name never takes the place of the first.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

READY, RECEIPTS = "ready", "receipts"
_MAKING = ".making"
_PLAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_PROBE_BYTES = 1 << 18
#: The disk or the quota is full: there is room again when the print house has taken some.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class HalfDoneError(OSError):
    """The letter lies there, and whether a power cut would take it back is not known."""


def name_of(message_id: str) -> str:
    """Return the name of a letter's folder and files: its message's id; a strange one is hashed.

    >>> name_of("0a1b")
    '0a1b'
    """
    if _PLAIN_ID.fullmatch(message_id):
        return message_id
    return hashlib.sha256(message_id.encode("utf-8", "surrogatepass")).hexdigest()


class Spool:
    """One spool, as one worker uses it; every call may raise OSError."""

    def __init__(self, folder: Path, *, worker: str) -> None:
        self.ready = folder / READY
        self.receipts = folder / RECEIPTS
        self._folder = folder
        self.mine = folder / _MAKING / name_of(worker)
        self._lock: int | None = None

    def open(self) -> None:
        """Make the folders that are missing and take away what dead workers left half-written."""
        if not self._folder.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self._folder))
        for one in (self.ready, self.receipts):
            _shared(one, exist_ok=True)
        self.mine.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.close()
        self._lock = _locked(self.mine)
        if self._lock is None:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN), str(self.mine))
        for other in (self._folder / _MAKING).iterdir():
            if other != self.mine:
                _sweep(other)

    def close(self) -> None:
        """Let the own place go; whoever opens next may clear it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def hand_over(self, name: str, pdf: bytes, manifest: Mapping[str, object]) -> bool:
        """Put a letter there, whole; return whether it was not there before.

        Raises OSError where nothing was handed over, and HalfDoneError where it may have been.
        """
        making = self.mine / name
        shutil.rmtree(making, ignore_errors=True)
        _shared(making)
        try:
            told = json.dumps(manifest, ensure_ascii=True, indent=1, sort_keys=True) + "\n"
            _write(making / f"{name}.pdf", pdf)
            _write(making / f"{name}.json", told.encode())
            _sync(making)
            if not self._moved(making, self.ready / name):
                return False
        finally:
            shutil.rmtree(making, ignore_errors=True)
        try:
            self.settle()
        except OSError as error:
            raise HalfDoneError(error.errno, error.strerror) from error
        return True

    def _moved(self, making: Path, ready: Path) -> bool:
        """Move a letter to where it is taken from; return False where one lies there already.

        A share may say that it failed and have done it: what is not surely undone is half done.
        """
        try:
            making.rename(ready)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                return False
            try:
                surely = not ready.is_symlink() and making.is_dir()
            except OSError:
                surely = False
            if not surely:
                raise HalfDoneError(error.errno, error.strerror) from error
            raise
        return True

    def probe(self) -> None:
        """Write and remove what is as large as a letter; nobody takes it for one."""
        file = self.mine / "probe"
        try:
            _write(file, bytes(_PROBE_BYTES))
        finally:
            file.unlink(missing_ok=True)

    def settle(self) -> None:
        """Wait until the disk holds what was renamed."""
        _sync(self.ready)

    def is_being_written(self, name: str) -> bool:
        """Return whether another worker, who lives, has begun a letter and not handed it over."""
        return any((self._folder / _MAKING).glob(f"*/{name}"))

    def told(self) -> tuple[Path, ...]:
        """Return the files of receipts, the oldest name first."""
        return tuple(sorted(self.receipts.glob("*.json")))


def _shared(folder: Path, *, exist_ok: bool = False) -> None:
    """Make a folder whose group, the print house, may read it and take things out of it."""
    there = folder.is_dir()
    folder.mkdir(exist_ok=exist_ok)
    if not there:
        folder.chmod(folder.stat().st_mode & ~0o007 | 0o770)


def _write(file: Path, content: bytes) -> None:
    with file.open("xb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _locked(folder: Path) -> int | None:
    """Return the folder, open and locked, or None where somebody alive has it."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(opened)
        return None
    return opened


def _sweep(other: Path) -> None:
    """Remove another worker's place where that worker is gone."""
    try:
        lock = _locked(other)
    except FileNotFoundError:
        return
    if lock is not None:
        shutil.rmtree(other, ignore_errors=True)
        os.close(lock)
