"""What commands print: results on stdout, diagnostics on stderr, progress on a terminal only."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from duly.core.diagnostic import Diagnostic

DONE, FOUND_WRONG, REFUSED = 0, 1, 2


def line(text: str = "") -> None:
    """Write one line to stdout."""
    sys.stdout.write(text + "\n")


def as_json(value: object) -> None:
    """Write one JSON value to stdout, for programs."""
    line(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def diagnostics(items: Iterable[Diagnostic], locale: str) -> None:
    """Write diagnostics to stderr, one a line."""
    for item in items:
        sys.stderr.write(item.render(locale) + "\n")


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Show that work goes on, on a terminal only; nothing when piped."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(text):
        yield


def error(text: str) -> None:
    """Write one line to stderr."""
    sys.stderr.write(text + "\n")


def is_terminal() -> bool:
    """Return whether stdout is a terminal."""
    return sys.stdout.isatty()
