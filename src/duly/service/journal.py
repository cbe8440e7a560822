"""What a running process writes about itself: one JSON object a line, and nobody's data in it.

A field is written only when its name is known to hold no personal data; of an error its type and
place are written, never its words; a line of another library loses the values put into it. What is
left of a number that could be a telephone's, or of an address, is masked all the same.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter

Form = Literal["json", "text", "off"]
FORMS: tuple[Form, ...] = ("json", "text", "off")

#: Fields that may be written: names of ours, numbers, codes. Ids of loans, people and messages are
#: none of them: a log is read by more eyes than the store.
FIELDS = frozenset(
    """
    at attempts blocked business_date cause claimed code count delayed endpoint error event expired
    given_back host kind level logger outcome outcomes place port program reason released route
    routes run seconds state status submitted time type unknown version withheld worker workers
    """.split()
)
_EVENT = re.compile(r"[a-z0-9_]+(?:[. ][a-z0-9_]+){0,5}")
_LONG_NUMBER = re.compile(r"\+?\d(?:[\d \-().]{4,}\d)")
_ADDRESS = re.compile(r"[^\s@\"'<>]+@[^\s@\"'<>]+")
_FRAMES = 6
Event = MutableMapping[str, Any]

_begun: list[str] = []


def begin(program: str, *, form: Form = "json", to: TextIO | None = None) -> None:
    """Write this process's journal from now on; `off` writes nothing."""
    _begun[:] = [] if form == "off" else [program]
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            _only_known,
            ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    render: Any = structlog.processors.JSONRenderer(ensure_ascii=False, sort_keys=True)
    if form == "text":
        render = structlog.processors.LogfmtRenderer(sort_keys=True, drop_missing=True)
    handler: logging.Handler = logging.NullHandler()
    if form != "off":
        handler = logging.StreamHandler(to or sys.stderr)
        handler.setFormatter(
            ProcessorFormatter(
                foreign_pre_chain=[_foreign],
                use_get_message=False,
                pass_foreign_args=True,
                processors=[ProcessorFormatter.remove_processors_meta, _masked, render],
            )
        )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)


def note(event: str, **fields: object) -> None:
    """Write that something went as it should; nothing before `begin`."""
    _write(logging.INFO, event, fields)


def warn(event: str, **fields: object) -> None:
    """Write something that somebody should look at."""
    _write(logging.WARNING, event, fields)


def broken(event: str, error: BaseException, **fields: object) -> None:
    """Write that something of ours failed: the kind of the error and where, not its words."""
    _write(logging.ERROR, event, {**fields, **place_of(error)})


def place_of(error: BaseException) -> dict[str, object]:
    """Return the type of an error and the lines that it went through, the last ones."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    where = [f"{one.filename.rpartition('/')[2]}:{one.lineno} {one.name}" for one in frames]
    return {"error": type(error).__name__, "place": where}


def _write(level: int, event: str, fields: dict[str, object]) -> None:
    if _begun:
        structlog.stdlib.get_logger(f"duly.{_begun[0]}").log(
            level, event, program=_begun[0], **fields
        )


def _only_known(_logger: Any, _method: str, event: Event) -> Event:
    """Keep the fields whose names are known; say of the others that they were there."""
    withheld = sorted(event.keys() - FIELDS)
    for name in withheld:
        del event[name]
    if withheld:
        event["withheld"] = withheld
    return event


def _foreign(_logger: Any, _method: str, event: Event) -> Event:
    """Make an event of another library's line: its words as they stand in its code, no values.

    A line that was put together before it came is named by its place alone.
    """
    record: logging.LogRecord = event["_record"]
    said, values = str(record.msg), bool(event.get("positional_args"))
    told: Event = {
        "_record": record,
        "_from_structlog": False,
        "event": said if values or _EVENT.fullmatch(said) else "line",
        "place": [f"{record.filename}:{record.lineno}"],
        "level": record.levelname.lower(),
        "logger": record.name,
        "time": structlog.processors.TimeStamper(fmt="iso", utc=True)(None, "", {})["timestamp"],
    }
    if _begun:
        told["program"] = _begun[0]
    if record.exc_info and record.exc_info[1] is not None:
        told.update(place_of(record.exc_info[1]))
    record.exc_info = None
    return told


def _masked(_logger: Any, _method: str, event: Event) -> Event:
    return {name: _without_numbers(name, value) for name, value in event.items()}


def _without_numbers(name: str, value: object) -> object:
    if isinstance(value, str) and name not in ("time", "run", "at", "business_date"):
        return _ADDRESS.sub("…@…", _LONG_NUMBER.sub("…", value))
    if isinstance(value, list | tuple):
        return [_without_numbers(name, one) for one in value]
    if isinstance(value, dict):
        return {str(key): _without_numbers(name, one) for key, one in value.items()}
    return value
