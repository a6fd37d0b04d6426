"""Seals secrets at rest. The key is a file beside the database, readable by the server alone."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from podium.domain.errors import PermanentError


class Sealer:
    """Authenticated encryption with the key in `path`, which is made at first use."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fernet: Fernet | None = None

    def seal(self, value: str) -> bytes:
        return self._opened().encrypt(value.encode())

    def unseal(self, sealed: bytes) -> str:
        """Raises PermanentError when the value was sealed with another key."""
        try:
            return self._opened().decrypt(sealed).decode()
        except InvalidToken:
            raise PermanentError(
                f"A stored secret does not open with the key in {self._path}. "
                "Restore the key that sealed it, or set the secret again."
            ) from None

    def _opened(self) -> Fernet:
        if self._fernet is None:
            try:
                descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                pass
            else:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(Fernet.generate_key())
            self._fernet = Fernet(self._path.read_bytes())
        return self._fernet
