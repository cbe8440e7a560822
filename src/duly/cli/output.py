"""What commands print: results on stdout, diagnostics on stderr, progress on a terminal only."""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, TextIO

from duly.core.diagnostic import Diagnostic
from duly.core.visible import ACTING

if TYPE_CHECKING:
    from rich.console import Console

DONE, FOUND_WRONG, REFUSED = 0, 1, 2
STOPPED = 128  #: plus the number of the signal
#: What json leaves as it is, and a terminal would act on.
_ACTING_IN_JSON = re.compile(f"(?!\n)[{ACTING}]")
WIDTH = 100  #: columns where nobody says how wide the page is


def prepare() -> None:
    """Let no stream stop a command: closed ones swallow, narrow encodings write escapes."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 PTH123
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class UnprintedError(Exception):
    """What a command had to say could not be written to stdout; the work itself is done."""


def line(text: str = "") -> None:
    """Write one line to stdout."""
    _write(text + "\n")


def error(text: str) -> None:
    """Write one line to stderr; where that cannot be, the exit code has to say it."""
    try:
        sys.stderr.write(text + "\n")
    except OSError:
        _to_nowhere(sys.stderr)


def as_json(value: object) -> None:
    """Write one JSON value to stdout, for programs."""
    text = json.dumps(value, ensure_ascii=not speaks_unicode(), indent=2, default=str)
    line(_ACTING_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def plain(row: Mapping[str, object]) -> dict[str, object]:
    """Return a row as JSON has it: days and instants as ISO 8601 writes them."""
    return {
        name: value.isoformat() if isinstance(value, date) else value  # An instant is one too.
        for name, value in row.items()
    }


def diagnostics(items: Iterable[Diagnostic], locale: str) -> None:
    """Write diagnostics to stderr, one a line."""
    for item in items:
        error(item.render(locale))


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Show that work goes on, on a terminal only; nothing when piped."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(text):
        yield


def page() -> tuple[Console, io.StringIO]:
    """Return a console for tables and rules, and the text that it fills, for `line`."""
    from rich.console import Console

    text = io.StringIO()
    terminal = sys.stdout.isatty()
    width = None if terminal else WIDTH
    console = Console(
        file=text, highlight=False, force_terminal=terminal, width=width,
        safe_box=not speaks_unicode(),
    )  # fmt: skip
    return console, text


def flush() -> None:
    """Write out what is buffered."""
    _write("", last=True)


def close() -> None:
    """Leave nothing for the interpreter to write when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            _to_nowhere(stream)


def _write(text: str, *, last: bool = False) -> None:
    """Write to stdout; a reader who left is no failure, the exit code still counts."""
    try:
        sys.stdout.write(text)
        if last:
            sys.stdout.flush()
    except BrokenPipeError:
        _to_nowhere(sys.stdout)
    except OSError as failure:
        _to_nowhere(sys.stdout)
        raise UnprintedError(failure.strerror) from failure


def _to_nowhere(stream: TextIO) -> None:
    """Send what is still to come to nowhere: the work goes on, its exit code counts."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def speaks_unicode() -> bool:
    """Tell whether stdout takes every character."""
    name = getattr(sys.stdout, "encoding", None) or "utf-8"
    return codecs.lookup(name).name.startswith("utf")
