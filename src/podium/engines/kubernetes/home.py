"""What an engine of a cluster keeps on this server's disk: which ends were settled, and where the
code lies that a pod waits for. `engine.py` has one."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from podium.domain.errors import TemporaryError


class EngineHome:
    """`folder` is had by one server at a time; `logs` may be shared by several."""

    def __init__(self, folder: Path, logs: Path | None = None) -> None:
        self._folder = folder
        self.logs = logs or folder / "logs"
        self._lock: int | None = None

    def open(self) -> None:
        """Raises TemporaryError while another server uses it."""
        self.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("settled", "sources"):
            (self._folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._folder / "engine.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise TemporaryError(
                f"Another Podium server uses {self._folder}. Stop it, or choose another home."
            ) from None
        self._lock = lock

    def close(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def settled(self, allocation_id: str) -> Path:
        """A file that stands once its end was settled."""
        return self._folder / "settled" / allocation_id

    def source(self, allocation_id: str) -> Path:
        """A file that names the archive which its pod waits for."""
        return self._folder / "sources" / allocation_id
