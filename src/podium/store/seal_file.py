"""Seals in a file beside the database, so that taking them out of the database is noticed. Only the
notary writes it; one line is one seal."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from podium.domain.audit import Seal
from podium.domain.audit_lines import BadLineError, read_lines, read_seal, seal_line


class SealFile:
    """A missing file has no seals. A last line that was cut off by a crash is passed over: its seal
    stands in the database."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[Seal]:
        """In the order in which they were made."""
        try:
            lines = self._path.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []
        seals = []
        for line in lines:
            try:
                seals += [read_seal(record) for record in read_lines(iter([line]))]
            except BadLineError:
                continue
        return seals

    def append(self, seals: Sequence[Seal]) -> None:
        """On the disk when this returns."""
        new = not self._path.exists()
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "rb+") as file:
            size = file.seek(0, os.SEEK_END)
            cut = False
            if size:
                file.seek(size - 1)
                cut = file.read(1) != b"\n"
            file.write(b"\n" * cut + "".join(map(seal_line, seals)).encode())
            file.flush()
            os.fsync(file.fileno())
        if new:
            self._sync_folder()

    def replace(self, seals: Sequence[Seal]) -> None:
        """These alone, at once."""
        other = self._path.with_suffix(".new")
        other.unlink(missing_ok=True)
        descriptor = os.open(other, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write("".join(map(seal_line, seals)))
            file.flush()
            os.fsync(file.fileno())
        other.replace(self._path)
        self._sync_folder()

    def _sync_folder(self) -> None:
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
