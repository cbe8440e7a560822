"""Sign the root of a log, and check it with nothing but the public key (Ed25519, RFC 8032)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

SEED_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """A key by its 32 secret bytes."""

    seed: bytes

    @property
    def public(self) -> bytes:
        """The 32 bytes that anybody may have."""
        return self._key.public_key().public_bytes_raw()

    @property
    def key_id(self) -> str:
        """The name of the key: the beginning of its public bytes' SHA-256."""
        return key_id_of(self.public)

    @property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def sign(self, size: int, root: bytes) -> bytes:
        """Return the signature of a log's root at a size."""
        return self._key.sign(statement(size, root))


def key_id_of(public: bytes) -> str:
    """Return the name of a public key."""
    return hashlib.sha256(public).hexdigest()[:16]


def statement(size: int, root: bytes) -> bytes:
    """Return the bytes that are signed: what they are, the size, the root."""
    return f"duly log root v1\n{size}\n{root.hex()}\n".encode()


def verify_root(public: bytes, size: int, root: bytes, signature: bytes) -> bool:
    """Return whether a signature is the key's under that root."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, statement(size, root))
    except InvalidSignature:
        return False
    return True
