"""What the responses of a policy lead to, in one place: for whoever does it, and for who proves it.

What the law and decency want done at once is done without a policy (the floor). A policy adds to
it: a further hold, a task. It takes nothing away, and nobody who is on hold is asked for money.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from duly.policy.model import Response, Task

Event = Literal["promise_broken", "plan_broken", "reply"]
#: Tasks in which somebody asks a borrower for money, or why there is none.
ASKING = frozenset({"call", "ask_why"})
#: Holds that need a day and a figure, which no file has: only what was said can open them.
SAID = frozenset({"promise", "plan"})


@dataclass(frozen=True, kw_only=True)
class Follows:
    """What is added; `left_out` names what the file asks for and is not done."""

    holds: tuple[str, ...] = ()
    tasks: tuple[Task, ...] = ()
    left_out: tuple[str, ...] = ()


def follows(
    responses: Iterable[Response],
    event: Event,
    *,
    replies: Iterable[str] = (),
    opened: Iterable[str] = (),
) -> Follows:
    """Return what responses add to an event.

    `replies` are the words of a reply, `opened` the kinds of signals that the floor raised of it.
    All responses to the same event count, each hold and each task once.
    """
    said, floor = set(replies), set(opened)
    mine = [one for one in responses if one.on == event and (event != "reply" or one.reply in said)]
    wanted = list(dict.fromkeys(one.hold for one in mine if one.hold))
    holds = [hold for hold in wanted if hold not in SAID and hold not in floor]
    tasks, left_out = [], [f"hold {one}" for one in wanted if one in SAID - floor]
    for task in dict.fromkeys(one.task for one in mine if one.task is not None):
        if task.kind in ASKING and (floor or wanted):
            left_out.append(f"task {task.kind}")
        else:
            tasks.append(task)
    return Follows(holds=tuple(holds), tasks=tuple(tasks), left_out=tuple(left_out))
