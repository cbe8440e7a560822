"""What only a borrower's own key opens: sealed here, never on a disk unsealed."""

from __future__ import annotations

import secrets

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


def seal(secret: bytes, data: bytes, about: bytes) -> bytes:
    """Return data under a key, bound to what it is about."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(secret).encrypt(nonce, data, about)


def opened(secret: bytes, sealed: bytes, about: bytes) -> bytes:
    """Return what was sealed; refused (InvalidTag) with another key or about something else."""
    return AESGCM(secret).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about)
