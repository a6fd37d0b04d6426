"""Seals secrets at rest, each for its own project and name. Only the launch loop opens them.

A sealed value is `0x01`, the id of its key, a nonce of 12 bytes, and what AES-256-GCM made of the
value, with project and name as associated data: a row that is moved elsewhere does not open.
Podium 0.1 sealed with Fernet, whose values begin with `g`; `control/resealing` seals them anew.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.fernet import InvalidToken

from podium.store.keyring import KEY_ID_BYTES, Key, KeyRing, KeysError

_VERSION = b"\x01"
_NONCE_BYTES = 12
PREFIX_BYTES = len(_VERSION) + KEY_ID_BYTES


def prefix_of(key_id: str) -> bytes:
    """How every value begins that this key sealed."""
    return _VERSION + bytes.fromhex(key_id)


def key_id_of(sealed: bytes) -> str | None:
    """The key of a value, or of its beginning; None for what Podium 0.1 sealed."""
    if not sealed.startswith(_VERSION):
        return None
    return sealed[len(_VERSION) : PREFIX_BYTES].hex()


class Sealer:
    """Authenticated encryption with the keys of a ring. `keys` are those of the environment, in
    place of the file `path`."""

    def __init__(self, path: Path, *, keys: str | None = None) -> None:
        self.ring = KeyRing(path, text=keys)

    def seal(self, value: str, *, project: str, name: str, key_id: str) -> bytes:
        """Raises KeysError when the key is not here."""
        key = self.ring.find(key_id)
        if key is None:
            raise self.missing(key_id)
        nonce = os.urandom(_NONCE_BYTES)
        sealed = key.sealing.encrypt(nonce, value.encode(), _bound(project, name))
        return prefix_of(key_id) + nonce + sealed

    def unseal(self, sealed: bytes, *, project: str, name: str) -> str:
        """Raises KeysError when the key is not here, or the value is not what was sealed."""
        key_id = key_id_of(sealed)
        if key_id is None:
            return self._opened_by_any(sealed, name)
        key = self.ring.find(key_id)
        if key is None:
            raise self.missing(key_id)
        nonce, rest = sealed[PREFIX_BYTES:][:_NONCE_BYTES], sealed[PREFIX_BYTES + _NONCE_BYTES :]
        try:
            return key.sealing.decrypt(nonce, rest, _bound(project, name)).decode()
        except (InvalidTag, ValueError):
            raise _changed(name) from None

    def opens(self, beginning: bytes) -> bool:
        """Whether the key of a value is here, by how the value begins. What Podium 0.1 sealed does
        not tell its key: it counts as open while there is any key."""
        try:
            key_id = key_id_of(beginning)
            if key_id is None:
                return bool(self.ring.all())
            return self.ring.find(key_id) is not None
        except KeysError:
            return False

    def missing(self, key_id: str) -> KeysError:
        return KeysError(
            f"Secrets were sealed with key {key_id}, which is not in {self.ring.place} of this "
            "server. Restore the key, or set the secrets again after `podium secret rotate`."
        )

    def _opened_by_any(self, sealed: bytes, name: str) -> str:
        keys: tuple[Key, ...] = self.ring.all()
        for key in keys:
            try:
                return key.fernet.decrypt(sealed).decode()
            except (InvalidToken, ValueError):
                continue
        raise KeysError(
            f"The secret {name} does not open with any key in {self.ring.place}. "
            "Restore the key that sealed it, or set the secret again."
        )


def _bound(project: str, name: str) -> bytes:
    return json.dumps([project, name]).encode()


def _changed(name: str) -> KeysError:
    return KeysError(
        f"The secret {name} is not as it was sealed, or was sealed for another project or name. "
        "Set it again."
    )
