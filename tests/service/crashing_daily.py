"""A scheduler that kills itself at a named point: `crashing_daily.py URL LENDER PLANS AT POINT`.

The points stand around each step of a day and around its commits. Without a point it works on.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from duly.service import setting_up

setting_up.prepare()

from plans import KEY  # noqa: E402 Models need Django's settings first.

from duly.position import warm  # noqa: E402
from duly.service.operations import daily, days, loading  # noqa: E402

#: Loaded once for all that are forked from a process that has imported this.
warm()

#: Point → what is replaced there.
STEPS = {
    "begun": (days, "begin"), "known": (daily, "load_book"),
    "planned": (daily, "make_and_write"), "loaded": (loading, "load"),
    "recorded": (loading, "load_missed"), "closed": (days, "close"), "done": (daily, "_load"),
}  # fmt: skip


def arm(point: str) -> None:
    """Let the process die, without a word, when the step of that name is done."""
    where, name = STEPS[point]
    step: Callable[..., Any] = getattr(where, name)

    def wrapped(*given: Any, **named: Any) -> Any:
        step(*given, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(where, name, wrapped)


def main() -> None:
    """Work one round, to its end or to the point; print what became of it."""
    url, lender, plans, at, point = sys.argv[1:]
    setting_up.set_up(url)
    if point in STEPS:
        arm(point)
    desk = daily.Desk(
        url=url, lender_file=Path(lender), plans=Path(plans), key=KEY, locale="en",
        now=lambda: datetime.fromisoformat(at), clock=time.perf_counter, threads=1,
    )  # fmt: skip
    found = daily.work(desk)
    sys.stdout.write(" ".join([f"busy={found.busy}", *(one.state for one in found.outcomes)]))


if __name__ == "__main__":
    main()
