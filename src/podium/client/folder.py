"""Packs a local folder into a tar.gz whose bytes depend on its files only. Used by uploads.

The same files give the same archive, so that the server stores it once.
"""

from __future__ import annotations

import gzip
import os
import stat
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from podium.client.ignore import IGNORE_FILES, Rule, is_ignored, rules_of
from podium.domain.errors import FieldFault, UserError
from podium.domain.quantity import format_bytes

FOLDER_BYTES_MAX = 256 * 2**20
FOLDER_ENTRIES_MAX = 100_000
Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file or link that is packed; `path` is relative, with forward slashes."""

    path: str
    size_bytes: int
    link_to: str | None = None
    executable: bool = False


def folder_entries(folder: Path, *, bytes_max: int = FOLDER_BYTES_MAX) -> list[Entry]:
    """What of `folder` is packed, sorted by path. Raises UserError when that cannot be done."""
    if not folder.is_dir():
        wrong = "is not a folder." if folder.exists() else "does not exist."
        raise UserError(FieldFault("source.path", f"{folder} {wrong}", "Name a folder."))
    found: list[Entry] = []
    for entry in _walk(folder, "", []):
        found.append(entry)
        if len(found) > FOLDER_ENTRIES_MAX:
            raise UserError(
                FieldFault(
                    "source.path",
                    f"{folder} holds more than {FOLDER_ENTRIES_MAX:,} files.",
                    "Name what should stay here in .podiumignore.",
                )
            )
    total = sum(entry.size_bytes for entry in found)
    if total > bytes_max:
        largest = sorted(found, key=lambda entry: -entry.size_bytes)[:3]
        named = ", ".join(f"{entry.path} ({format_bytes(entry.size_bytes)})" for entry in largest)
        raise UserError(
            FieldFault(
                "source.path",
                f"{folder} holds {format_bytes(total)}; the limit is {format_bytes(bytes_max)}. "
                f"Largest: {named}.",
                "Name what should stay here in .podiumignore, and mount data as a volume.",
            )
        )
    return sorted(found, key=lambda entry: entry.path)


def pack_folder(
    folder: Path, *, bytes_max: int = FOLDER_BYTES_MAX, progress: Progress | None = None
) -> IO[bytes]:
    """The archive as an open temporary file, at its start. Raises UserError."""
    entries = folder_entries(folder, bytes_max=bytes_max)
    total = sum(entry.size_bytes for entry in entries)
    # Closed by the caller; the file has no name, so that nothing is left behind.
    archive: IO[bytes] = tempfile.TemporaryFile(prefix="podium-upload-")  # noqa: SIM115
    done = 0
    try:
        with (
            gzip.GzipFile(
                filename="", mode="wb", fileobj=archive, mtime=0, compresslevel=6
            ) as zipped,
            tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as tar,
        ):
            for entry in entries:
                _add(tar, folder, entry)
                done += entry.size_bytes
                if progress is not None:
                    progress(done, total)
        archive.seek(0)
    except BaseException:
        archive.close()
        raise
    return archive


def _add(tar: tarfile.TarFile, folder: Path, entry: Entry) -> None:
    # Owner, times and most of the mode are left out: they differ between machines.
    member = tarfile.TarInfo(entry.path)
    member.mode = 0o755 if entry.executable else 0o644
    if entry.link_to is not None:
        member.type, member.linkname = tarfile.SYMTYPE, entry.link_to
        tar.addfile(member)
        return
    member.size = entry.size_bytes
    try:
        with (folder / entry.path).open("rb") as file:
            tar.addfile(member, file)
    except OSError as error:
        # tarfile says only "unexpected end of data" when a file shrinks meanwhile.
        words = f"cannot be read: {error.strerror or 'it changed while it was packed'}."
        raise UserError(
            FieldFault("source.path", f"{folder / entry.path} {words}", "Try again.")
        ) from error


def _walk(folder: Path, base: str, rules: list[Rule]) -> Iterator[Entry]:
    try:
        with os.scandir(folder / base) as scan:
            children = sorted(scan, key=lambda child: child.name)
    except OSError as error:
        raise UserError(
            FieldFault("source.path", f"{folder / base} cannot be read: {error.strerror}.")
        ) from error
    names = {child.name for child in children}
    rules = list(rules)
    for name in IGNORE_FILES:
        if name in names:
            text = (folder / base / name).read_text(encoding="utf-8", errors="replace")
            rules += rules_of(text, base)
    for child in children:
        path = base + child.name
        is_folder = child.is_dir(follow_symlinks=False)
        if is_ignored(path, folder=is_folder, rules=rules):
            continue
        if is_folder:
            yield from _walk(folder, f"{path}/", rules)
            continue
        status = child.stat(follow_symlinks=False)
        if stat.S_ISLNK(status.st_mode):
            yield Entry(path=path, size_bytes=0, link_to=_inner_link(folder, path))
        elif stat.S_ISREG(status.st_mode):
            yield Entry(
                path=path,
                size_bytes=status.st_size,
                executable=bool(status.st_mode & stat.S_IXUSR),
            )


def _inner_link(folder: Path, path: str) -> str:
    """The link's target, when that lies in the folder too; else raises UserError."""
    target = (folder / path).readlink()
    inside = os.path.normpath(os.path.join(os.path.dirname(path), target))  # noqa: PTH118, PTH120
    if target.is_absolute() or inside == ".." or inside.startswith("../"):
        raise UserError(
            FieldFault(
                "source.path",
                f"{folder / path} is a link to {target}, outside the folder.",
                "Replace it with what it points to, or name it in .podiumignore.",
            )
        )
    return str(target)
