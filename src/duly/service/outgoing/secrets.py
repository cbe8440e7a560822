"""Secrets of endpoints and people: random, shown once, kept sealed under DULY_SECRET_KEYS."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET_BYTES = 32
_NONCE_BYTES = 12
_PREFIX = "whsec_"
#: What a key is derived for: a secret of one purpose is none of another.
_ENDPOINTS = b"duly endpoint secrets v1"


class UnreadableSecret(Exception):
    """None of the keys opens this secret."""


def new_secret() -> bytes:
    """Return a new secret."""
    return secrets.token_bytes(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """Return a secret as Standard Webhooks write it.

    >>> shown(b"0" * 32)
    'whsec_MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA='
    """
    return _PREFIX + base64.b64encode(secret).decode()


def seal(secret: bytes, *, keys: Sequence[bytes], name: str, purpose: bytes = _ENDPOINTS) -> bytes:
    """Return a secret sealed for its owner under the first key; another's opens it not."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(_derived(keys[0], purpose)).encrypt(nonce, secret, name.encode())


def unseal(
    sealed: bytes, *, keys: Sequence[bytes], name: str, purpose: bytes = _ENDPOINTS
) -> bytes:
    """Return the secret of an owner; refuse (UnreadableSecret) one that no key opens."""
    nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    for key in keys:
        try:
            return AESGCM(_derived(key, purpose)).decrypt(nonce, text, name.encode())
        except InvalidTag:
            continue
    raise UnreadableSecret(name)


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=purpose).derive(key)
