"""`duly tasks`: what people have to do; `duly replies list`: what came, and what followed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from duly.cli import arguments, output, settings
from duly.cli.opening import legal_now, opened_store
from duly.core.words import say

_SHOWN_MAX = 1_000
Limit = Annotated[int, arguments.worded("option.limit"), arguments.between(1, _SHOWN_MAX)]


def list_tasks(*, limit: Limit = 50, json: arguments.Json = False) -> int:
    """List what is open, the most urgent first."""
    with opened_store():
        from duly.service.operations import tasks

        found = tasks.listed(limit=limit)
    if json:
        output.as_json([output.plain(row) for row in found])
        return output.DONE
    locale = settings.locale()
    for row in found:
        what = say("service", f"task.{row['kind']}", locale)
        whom = " ".join(str(row[name]) for name in ("borrower_id", "loan_id") if row[name])
        line = f"{row['id']:>6}  {row['opened_at']:%Y-%m-%d %H:%M}  {what}  {whom}"
        output.line(f"{line}  {_how(row, locale)}".rstrip())
    if not found:
        output.line(say("service", "no_tasks", locale))
    return output.DONE


def _how(row: Mapping[str, Any], locale: str) -> str:
    """Return the script of a policy's task and the last day of it, where it has them."""
    told = []
    if row["script"]:
        told.append(say("service", "task_script", locale, script=row["script"]))
    if row["expires_on"]:
        told.append(say("service", "task_until", locale, day=row["expires_on"]))
    return ", ".join(told)


def close(
    number: Annotated[int, arguments.worded("option.task")],
    /,
    *,
    by: Annotated[str, arguments.worded("option.by")],
    outcome: Annotated[str, arguments.worded("option.outcome")],
    json: arguments.Json = False,
) -> int:
    """Close a task in a name, with how it ended."""
    with opened_store():
        from duly.service.operations import tasks

        found = tasks.close(number, by=by, outcome=outcome, at=legal_now(None)())
    if json:
        output.as_json(output.plain(found))
    else:
        what = say("service", f"task.{found['kind']}", settings.locale())
        output.line(say("service", "task_closed", settings.locale(), id=number, what=what, by=by))
    return output.DONE


def papers(
    number: Annotated[int, arguments.worded("option.task")],
    /,
    *,
    out: arguments.Out,
    by: Annotated[str, arguments.worded("option.by")],
) -> int:
    """Write what a borrower handed in about a task into a directory; recorded with who looked."""
    with opened_store():
        from duly.plan.write import write_whole
        from duly.service.portal.papers import of_task

        found = of_task(number, by=by)
    names = {f"{place:02}.{one.ending}": one.data for place, one in enumerate(found, start=1)}

    def fill(folder: Path) -> None:
        for name, data in names.items():
            (folder / name).write_bytes(data)

    write_whole(out, fill, ours=frozenset(names))
    locale = settings.locale()
    output.line(say("service", "papers_written", locale, count=len(names), out=out))
    return output.DONE


def list_replies(*, limit: Limit = 50, json: arguments.Json = False) -> int:
    """List what came, the newest first: how it was read and what followed; no number in full."""
    with opened_store():
        from duly.service.operations import hearing

        found = hearing.listed(limit=limit)
    if json:
        output.as_json([output.plain(row) for row in found])
        return output.DONE
    locale = settings.locale()
    for row in found:
        intent = say("service", f"intent.{row['intent']}", locale) if row["intent"] else "-"
        followed = ", ".join((*row["signals"], *row["tasks"])) or "-"
        whose = row["borrower_id"] or say("service", f"whose.{row['whose'] or 'nobody'}", locale)
        output.line(
            f"{row['heard_at']:%Y-%m-%d %H:%M}  {row['address']:>14}  {whose}  {intent}  {followed}"
        )
    if not found:
        output.line(say("service", "no_replies", locale))
    return output.DONE
