"""The lender's key behind check codes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class CheckKey:
    """One key: `key_id` says which, so that codes outlive a rotation."""

    key_id: str
    secret: bytes
