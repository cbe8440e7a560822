"""Whose permission stands between a user and a book."""

from __future__ import annotations

import os
import pwd
import shlex
from pathlib import Path

from duly.book.findings import finding
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused


def refuse_closed(folder: Path) -> None:
    """Refuse a directory that this user may not read, or that lies in one he may not enter."""
    # As it is named: who stands in a directory need not be let through those above it.
    for above in reversed(folder.parents):
        if above.is_dir() and not os.access(above, os.X_OK):
            raise Refused(_closed("directory_closed", above, str(above)))
    if folder.is_dir() and not os.access(folder, os.R_OK | os.X_OK):
        raise Refused(_closed("directory_closed", folder, str(folder)))


def unread(path: Path, label: str, error: OSError) -> Diagnostic:
    """Return why a file or directory of the book could not be read."""
    if not isinstance(error, PermissionError):
        return finding("unreadable", label, why=error.strerror)
    return _closed("directory_closed" if path.is_dir() else "file_closed", path, label)


def _closed(code: str, path: Path, label: str) -> Diagnostic:
    stat = path.stat()
    return finding(
        code, label, user=_name(os.geteuid()), owner=_name(stat.st_uid),
        path=shlex.quote(str(path)),
    )  # fmt: skip


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
