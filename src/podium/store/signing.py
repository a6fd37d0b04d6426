"""The key that signs the audit trail: a file beside the database, readable by the server alone."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from podium.domain import signature
from podium.domain.audit import Removal, Seal
from podium.domain.errors import PermanentError


class SigningKey:
    """An Ed25519 key in `path` (PEM), made at first use.

    Raises PermanentError when the file holds something else.
    """

    def __init__(self, path: Path) -> None:
        self._key = _opened(path)
        self.public_key = self._key.public_key().public_bytes_raw()
        self.id = signature.key_id(self.public_key)

    def seal(self, seal: Seal) -> Seal:
        """The same, signed."""
        named = replace(seal, key_id=self.id)
        return replace(named, signature=self._key.sign(named.message))

    def removal(self, removal: Removal) -> Removal:
        """The same, signed."""
        named = replace(removal, key_id=self.id)
        return replace(named, signature=self._key.sign(named.message))


def _opened(path: Path) -> Ed25519PrivateKey:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        made = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        with os.fdopen(descriptor, "wb") as file:
            file.write(made)
            file.flush()
            os.fsync(file.fileno())
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise PermanentError(
            f"{path} does not hold the key that signs the audit trail. Restore it, or move the "
            "file away: a new key is made then, and what the old one sealed is told as such."
        )
    return key
