"""Marks that only we can make: cursors, and names of what must not be read. Keys rotate."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

_MARK_BYTES = 16


class Signer:
    """Sign with the first of several secrets; believe any of them.

    Each purpose has a key of its own, so that a mark of one is none of another.
    """

    def __init__(self, secrets: Sequence[bytes]) -> None:
        assert secrets, "there is a key"
        self._secrets = tuple(secrets)

    def sign(self, purpose: str, data: bytes) -> bytes:
        """Return the mark of data."""
        return self._mark(self._secrets[0], purpose, data)

    def verify(self, purpose: str, data: bytes, mark: bytes) -> bool:
        """Return whether a mark is ours."""
        found = [hmac.compare_digest(self._mark(one, purpose, data), mark)
                 for one in self._secrets]  # fmt: skip
        return any(found)

    def marks(self, purpose: str, data: bytes) -> tuple[bytes, ...]:
        """Return the mark of each of our secrets, for what has no room for a whole one."""
        return tuple(self._mark(one, purpose, data) for one in self._secrets)

    @staticmethod
    def _mark(secret: bytes, purpose: str, data: bytes) -> bytes:
        key = hmac.digest(secret, f"duly {purpose} v1".encode(), hashlib.sha256)
        return hmac.digest(key, data, hashlib.sha256)[:_MARK_BYTES]
