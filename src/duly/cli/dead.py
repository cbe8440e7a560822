"""`duly dead`: messages that were certainly not sent; what a person does about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from duly.cli import arguments, output, settings
from duly.cli.opening import legal_now, opened_store
from duly.core.words import say

if TYPE_CHECKING:
    from duly.service.rows import Row

_SHOWN_MAX = 1_000
Limit = Annotated[int, arguments.worded("option.limit"), arguments.between(1, _SHOWN_MAX)]
Message = Annotated[str, arguments.worded("option.message")]
By = Annotated[str, arguments.worded("option.by")]
Why = Annotated[str, arguments.worded("option.because")]


def list_dead(*, limit: Limit = 50, json: arguments.Json = False) -> int:
    """List open dead letters, the oldest first."""
    with opened_store():
        from duly.service.operations import dead_letters

        found = dead_letters.listed(limit=limit)
    if json:
        output.as_json([output.plain(row) for row in found])
        return output.DONE
    locale = settings.locale()
    for row in found:
        why = say("service", f"dead.{row['reason']}", locale)
        last = " ".join(one for one in (row["route"], row["code"]) if one)
        output.line(
            f"{row['at']:%Y-%m-%d %H:%M}  {row['message_id']}  {row['borrower_id']}  {why}  {last}"
        )
    if not found:
        output.line(say("service", "no_dead_letters", locale))
    return output.DONE


def retry(
    message: Message,
    /,
    *,
    by: By,
    because: Why,
    at: Annotated[str | None, arguments.worded("option.at_legal")] = None,
    json: arguments.Json = False,
) -> int:
    """Send a message again through the door, in a name; only what certainly was not sent."""
    with opened_store():
        from duly.service.operations import dead_letters

        found = dead_letters.retry(message, by=by, reason=because, at=legal_now(at)())
    return _told("dead_retried", found, json=json)


def close(message: Message, /, *, by: By, because: Why, json: arguments.Json = False) -> int:
    """Close a dead letter in a name: nothing more is done about it."""
    with opened_store():
        from duly.service.operations import dead_letters

        found = dead_letters.close(message, by=by, reason=because)
    return _told("dead_closed", found, json=json)


def _told(key: str, found: Row, *, json: bool) -> int:
    if json:
        output.as_json(output.plain(found))
    else:
        output.line(
            say("service", key, settings.locale(), message=found["message_id"],
                by=found["ended_by"])
        )  # fmt: skip
    return output.DONE
