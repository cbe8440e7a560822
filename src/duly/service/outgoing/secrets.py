"""Secrets of endpoints: random, shown once, kept sealed under DULY_SECRET_KEYS."""

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


def seal(secret: bytes, *, keys: Sequence[bytes], name: str) -> bytes:
    """Return a secret sealed for an endpoint under the first key; another's opens it not."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(_derived(keys[0])).encrypt(nonce, secret, name.encode())


def unseal(sealed: bytes, *, keys: Sequence[bytes], name: str) -> bytes:
    """Return the secret of an endpoint; refuse (UnreadableSecret) one that no key opens."""
    nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    for key in keys:
        try:
            return AESGCM(_derived(key)).decrypt(nonce, text, name.encode())
        except InvalidTag:
            continue
    raise UnreadableSecret(name)


def _derived(key: bytes) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=b"duly endpoint secrets v1").derive(key)
