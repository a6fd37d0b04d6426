"""The keys that seal secrets: a file of one key a line, or one text. `store/sealing` opens and
seals with them, `intake/sealing_keys` puts a new one in, `control/resealing` takes old ones away.

A key is 32 random bytes, written in base64 (URL-safe). Its id is derived from it, so that a key
cannot be taken for another one.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from podium.domain.errors import ConflictError

KEY_ID_BYTES = 8
_KEY_BYTES = 32
_OTHERS_MAY = 0o077
_TRIES = 200
_TRY_AGAIN_SECONDS = 0.005
_CHANGING = "The keys are being changed now. Try again shortly."


class KeysError(ConflictError):
    """The keys cannot be read, or one that is needed is not among them; says what helps."""

    code = "secrets_locked"


@dataclass(frozen=True)
class Key:
    """One key. `sealing` is for what is sealed now; `fernet` opens what Podium 0.1 sealed."""

    material: bytes = field(repr=False)

    @cached_property
    def id(self) -> str:
        """16 hexadecimal digits that tell nothing of the key."""
        return self._derived(b"podium secrets: id", KEY_ID_BYTES).hex()

    @cached_property
    def sealing(self) -> AESGCM:
        return AESGCM(self._derived(b"podium secrets: seal", _KEY_BYTES))

    @cached_property
    def fernet(self) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(self.material))

    def _derived(self, use: bytes, length: int) -> bytes:
        return HKDF(algorithm=SHA256(), length=length, salt=None, info=use).derive(self.material)


class KeyRing:
    """All keys of this server, the newest first. They stand in the file `path`, which is read again
    when it changed; or in `text`, separated by commas, and then nobody can change them here."""

    def __init__(self, path: Path, *, text: str | None = None) -> None:
        self.path = path
        self._text = text
        self._known: tuple[Key, ...] = ()
        self._seen: tuple[int, ...] | None = None

    @property
    def place(self) -> str:
        """Where the keys are, for people."""
        return str(self.path) if self._text is None else "PODIUM_SECRET_KEYS"

    @property
    def writable(self) -> bool:
        """Whether a new key can be put in."""
        if self._text is not None:
            return False
        # The file is replaced and not written to, so it is its folder that counts.
        file = self.path if self.path.exists() else self.path.parent
        return os.access(file, os.W_OK) and os.access(self.path.parent, os.W_OK)

    @property
    def exposed(self) -> bool:
        """Whether other users of this machine may read the file."""
        if self._text is not None:
            return False
        with contextlib.suppress(OSError):
            return bool(self.path.stat().st_mode & _OTHERS_MAY)
        return False

    def all(self) -> tuple[Key, ...]:
        """Empty when there is no file yet. Raises KeysError when it cannot be read."""
        if self._text is not None:
            if not self._known:
                self._known = _parsed(self._text.replace(",", "\n"), self.place)
            return self._known
        try:
            about = self.path.stat()
            seen = (about.st_ino, about.st_mtime_ns, about.st_size)
            if seen != self._seen:
                self._known = _parsed(self.path.read_text("ascii"), self.place)
                self._seen = seen
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise KeysError(
                f"The key file {self.path} cannot be read: {error.strerror}. "
                "Let the user that runs Podium read it."
            ) from error
        except ValueError:
            raise KeysError(_unreadable(self.place)) from None
        return self._known

    def find(self, key_id: str) -> Key | None:
        return next((key for key in self.all() if key.id == key_id), None)

    def first_id(self, *, sealed: bool) -> str:
        """That of the newest key, which is made when there is none. Raises KeysError when it cannot
        be made, or when something is `sealed` already: then there was one, and it is missing."""
        for _ in range(_TRIES):
            keys = self.all()
            if keys:
                return keys[0].id
            if sealed:
                raise KeysError(
                    f"There are sealed secrets, but their key file {self.path} is missing. "
                    "Restore it from your backup."
                )
            with contextlib.suppress(ConflictError), self.held():
                if not self.all():
                    self.add()
            time.sleep(_TRY_AGAIN_SECONDS)
        raise ConflictError(_CHANGING)

    def add(self) -> Key:
        """A new key, in front of the others, on disk when this returns; for one who has `held` the
        ring. Raises KeysError."""
        made = Key(secrets.token_bytes(_KEY_BYTES))
        self._write((made, *self.all()))
        return made

    def remove(self, ids: Collection[str]) -> None:
        """As `add`. Raises KeysError."""
        self._write(tuple(key for key in self.all() if key.id not in ids))

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """For one who changes the keys, on any server that shares the file. Raises ConflictError
        while another one does."""
        lock = self.path.with_name(f"{self.path.name}.lock")
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise KeysError(
                f"The folder {self.path.parent} cannot be written: {error.strerror}."
            ) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConflictError(_CHANGING) from None
            yield
        finally:
            os.close(descriptor)

    def _write(self, keys: tuple[Key, ...]) -> None:
        """Readers see the old file or the new one, also after a power cut."""
        text = "".join(f"{base64.urlsafe_b64encode(key.material).decode()}\n" for key in keys)
        beside = self.path.with_name(f"{self.path.name}.new")
        try:
            beside.unlink(missing_ok=True)
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise KeysError(
                f"The key file {self.path} cannot be written: {error.strerror}. "
                "Put a new key in front of the others yourself, as the operators' guide says."
            ) from error


def _parsed(text: str, place: str) -> tuple[Key, ...]:
    lines = (line.strip() for line in text.splitlines())
    found: dict[str, Key] = {}
    for line in lines:
        if not line or line.startswith("#"):
            continue
        try:
            material = base64.b64decode(line, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            material = b""
        if len(material) != _KEY_BYTES:
            raise KeysError(_unreadable(place))
        key = Key(material)
        found.setdefault(key.id, key)
    if not found:
        raise KeysError(_unreadable(place))
    return tuple(found.values())


def _unreadable(place: str) -> str:
    return (
        f"{place} does not hold keys: each line must be 32 bytes in base64. "
        "Restore it from your backup."
    )
