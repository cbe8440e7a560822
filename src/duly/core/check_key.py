"""The lender's key behind check codes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class CheckKey:
    """One key: `key_id` says which, so that codes outlive a rotation."""

    key_id: str
    secret: bytes


def read_keys(text: str) -> tuple[CheckKey, ...]:
    """Return the keys that DULY_SECRET_KEYS says, in its order.

    >>> [(key.key_id, key.secret) for key in read_keys("k2:ab, k1:cd")]
    [('k2', b'ab'), ('k1', b'cd')]
    """
    pairs = [part.partition(":") for part in text.split(",") if part.strip()]
    return tuple(
        CheckKey(key_id=name.strip(), secret=secret.strip().encode()) for name, _, secret in pairs
    )
