"""The keeper of an embedded server: it stops the server after a time without clients.

Run as `python -m duly.service.postgres.keeper ROOT SOCKETS PROGRAMS MAJOR OWNER IDLE_SECONDS`; it
leaves at once and goes on in the background. It needs no clock of the day: it counts its own looks.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import psycopg

from duly.core.errors import Refused
from duly.service.postgres.place import Place
from duly.service.postgres.server import status, stop_if_idle

_LOOKS_EVERY_SECONDS = 30


def keep(place: Place, idle_seconds: int) -> None:
    """Look at the server every half minute; stop it once it was idle so long; end with it."""
    every = min(_LOOKS_EVERY_SECONDS, max(1, idle_seconds // 2))
    idle = 0
    while True:
        time.sleep(every)
        try:
            seen = status(place)
        except (psycopg.Error, Refused):  # It starts, stops or is too busy: look again.
            idle = 0
            continue
        if not seen.running:
            return
        idle = 0 if seen.clients else idle + every
        if idle >= idle_seconds and stop_if_idle(place):
            return


def main(words: list[str]) -> None:
    """Read the place from the command line, leave the caller, keep."""
    root, sockets, programs, major, owner, idle_seconds = words
    if os.fork():
        os._exit(0)
    keep(
        Place(
            programs=Path(programs),
            root=Path(root),
            sockets=Path(sockets),
            major=int(major),
            owner=None if owner == "-1" else int(owner),
        ),
        int(idle_seconds),
    )


if __name__ == "__main__":
    main(sys.argv[1:])
