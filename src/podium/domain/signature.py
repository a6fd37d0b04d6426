"""Ed25519: whether a signature is that of a key. Whoever verifies the audit trail calls it, the
command line too; `store/signing` keeps the key that signs."""

from __future__ import annotations

import base64
import binascii
import hashlib

KEY_BYTES = 32
_ID_CHARACTERS = 16


def key_id(public_key: bytes) -> str:
    """A short name of a key: the first 16 characters of its SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:_ID_CHARACTERS]


def key_text(public_key: bytes) -> str:
    """The key as people pass it on, in base 64."""
    return base64.b64encode(public_key).decode()


def read_key(text: str) -> bytes:
    """Raises ValueError for what `key_text` cannot have made."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error as error:
        raise ValueError("is not base 64") from error
    if len(key) != KEY_BYTES:
        raise ValueError(f"has {len(key)} bytes instead of {KEY_BYTES}")
    return key


def is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    # Loading it takes long for a command that verifies nothing.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
