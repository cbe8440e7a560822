"""Fingerprints: SHA-256 of files, of values, of a tree over rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path


def of_bytes(data: bytes) -> str:
    """Return the SHA-256 of bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def of_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, read as a stream."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_value(value: object) -> str:
    """Return the SHA-256 of a JSON value in canonical form (sorted keys, no spaces, UTF-8)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return of_bytes(text.encode())


def of_leaves(leaves: Iterable[bytes]) -> str:
    """Return the root over the digests of leaves, in their order (one level, length-prefixed)."""
    root = hashlib.sha256()
    for leaf in leaves:
        root.update(hashlib.sha256(leaf).digest())
    return root.hexdigest()
