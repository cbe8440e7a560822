"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def put(path: Path, data: bytes) -> None:
    """Write a file beside its place and move it there; whatever fails leaves what was there."""
    half = path.with_name(f".{path.name}.half-{os.getpid()}")
    try:
        half.write_bytes(data)
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def put_first(path: Path, text: str) -> str:
    """Write a file that its owner alone reads, unless there is one; return what it holds.

    Of several who do so at once one writes it, and all return the same.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.half-{os.getpid()}")
    try:
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        path.hardlink_to(half)
    except FileExistsError:
        pass  # Somebody was quicker.
    finally:
        half.unlink(missing_ok=True)
    return path.read_text(encoding="utf-8")
