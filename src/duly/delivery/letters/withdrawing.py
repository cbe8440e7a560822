"""Letters are taken back out of a spool: moved aside first, gone or put back with the decision."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from duly.delivery.letters.spool import READY, Spool, name_of

Found = Literal["erased", "taken", "unreached"]


class Withdrawal:
    """Letters that are taken out of spools, until it is decided whether they are destroyed.

    What was moved aside is what a dead worker left half-written, should this process be killed:
    the next worker destroys it. A letter that was to be destroyed is rather lost than printed.
    """

    def __init__(self, *, label: str) -> None:
        self._label = label
        self._spools: dict[Path, Spool | None] = {}
        self._aside: list[tuple[Path, Path]] = []

    def take(self, folder: Path, message_id: str) -> Found:
        """Move a letter aside; return whether it lay there, was taken before, or is out of reach.

        Out of reach is a spool that is not there or cannot be written, and a letter that a living
        worker is still writing.
        """
        spool = self._spool(folder)
        if spool is None:
            return "unreached"
        name = name_of(message_id)
        aside, ready = spool.mine / name, folder / READY / name
        try:
            ready.rename(aside)
        except FileNotFoundError:
            return "unreached" if spool.is_being_written(name) else "taken"
        except OSError:
            return "unreached"
        self._aside.append((aside, ready))
        return "erased"

    def put_back(self) -> None:
        """Give the print house back what was moved aside: nothing was decided."""
        for aside, ready in self._aside:
            aside.rename(ready)
        self._end()

    def destroy(self) -> None:
        """Destroy what was moved aside, and wait until the disks hold that."""
        for aside, _ in self._aside:
            shutil.rmtree(aside)
        for spool in _open(self._spools.values()):
            spool.settle()
        self._end()

    def _spool(self, folder: Path) -> Spool | None:
        if folder not in self._spools:
            spool = Spool(folder, worker=self._label)
            try:
                spool.open()
            except OSError as error:
                assert error.errno != errno.EAGAIN, "a label is one process's own"
                self._spools[folder] = None
            else:
                self._spools[folder] = spool
        return self._spools[folder]

    def _end(self) -> None:
        self._aside.clear()
        for spool in _open(self._spools.values()):
            spool.close()
            shutil.rmtree(spool.mine, ignore_errors=True)
        self._spools.clear()


def _open(spools: Iterable[Spool | None]) -> list[Spool]:
    return [spool for spool in spools if spool is not None]
