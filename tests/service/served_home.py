"""Take an embedded server and all that it made away again."""

from __future__ import annotations

import shutil
from pathlib import Path

from duly.service import postgres


def forget(home: Path) -> None:
    """Stop the server of a home and take away all that it made."""
    place = postgres.place_of(home)
    postgres.stop(place)
    for folder in (home, place.root, place.sockets):
        shutil.rmtree(folder, ignore_errors=True)
